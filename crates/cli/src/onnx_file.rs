//! ONNX files, with the files of numbers beside them.

use crate::files::{self, What};
use crate::paths::Shown;
use anyhow::{Context as _, Result};
use foveal::kernels::memory;
use foveal::onnx::{self, ImportOptions, Imported, SideFiles};
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// The model of an ONNX file.
pub fn read(path: &Path, options: &ImportOptions) -> Result<Imported> {
    let bytes = files::read(path, What::Onnx)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    onnx::import_with(&bytes, &name, options, &mut Beside(folder)).with_context(|| path.shown())
}

/// The files in one folder.
struct Beside(PathBuf);

impl SideFiles for Beside {
    /// A link is not followed: it could lead out of the folder.
    fn read(&mut self, name: &str, offset: u64, length: Option<u64>) -> Result<Vec<u8>, String> {
        let path = self.0.join(name);
        let fail = |e: std::io::Error| match e.kind() {
            std::io::ErrorKind::NotFound => {
                format!("there is no {}; it must be in the folder of the model", path.shown())
            }
            _ => format!("cannot read {}: {}", path.shown(), files::reason(&e)),
        };
        let about = fs::symlink_metadata(&path).map_err(fail)?;
        if !about.is_file() {
            return Err(format!("{} is no plain file (links are not followed)", path.shown()));
        }
        let length = length.unwrap_or_else(|| about.len().saturating_sub(offset));
        if offset.checked_add(length).is_none_or(|end| end > about.len()) {
            return Err(format!(
                "{} has {} bytes, but {length} from {offset} on are needed",
                path.shown(),
                about.len()
            ));
        }
        // No array may hold more bytes than this.
        if length > What::Onnx.most() {
            return Err(format!(
                "{length} bytes of {} are more than the {} of an array",
                path.shown(),
                What::Onnx.most()
            ));
        }
        let mut file = File::open(&path).map_err(fail)?;
        file.seek(SeekFrom::Start(offset)).map_err(fail)?;
        let too_little = || format!("there is no memory for {length} bytes of {}", path.shown());
        let mut bytes =
            memory::vec(usize::try_from(length).unwrap_or(usize::MAX), 0).ok_or_else(too_little)?;
        file.read_exact(&mut bytes).map_err(fail)?;
        Ok(bytes)
    }
}
