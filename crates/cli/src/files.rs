//! Reading and writing files.

use anyhow::{Context as _, Result, bail};
use foveal::data::npy;
use ndarray::{Array1, Array4, ArrayD, ArrayViewD, Ix1, Ix4};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The bytes of a file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    if path.is_dir() {
        bail!("cannot read {}: it is a folder; name a file", path.display());
    }
    fs::read(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => {
            anyhow::anyhow!("cannot read {}: there is no such file; check the path", path.display())
        }
        _ => anyhow::anyhow!("cannot read {}: {}", path.display(), reason(&e)),
    })
}

/// The text of a file.
pub fn read_text(path: &Path) -> Result<String> {
    let text = String::from_utf8(read(path)?).ok();
    text.with_context(|| {
        format!("{}: this is not a text file; check that it is the right file", path.display())
    })
}

/// An array from a `.npy` file.
pub fn read_array(path: &Path) -> Result<ArrayD<f32>> {
    Ok(npy::read_npy(&read(path)?, &path.display().to_string())?)
}

/// An array of four axes from a `.npy` file; `operator` wants it as `what`, such as `input [n, h, w, c]`.
pub fn read_array4(path: &Path, operator: &str, what: &str) -> Result<Array4<f32>> {
    let array = read_array(path)?;
    let shape = array.shape().to_vec();
    array.into_dimensionality::<Ix4>().map_err(|_| {
        anyhow::anyhow!(
            "{operator}: {} has shape {shape:?}, not four axes as {what} has; reshape it before it is saved",
            path.display()
        )
    })
}

/// An array of one axis from a `.npy` file.
pub fn read_array1(path: &Path, operator: &str, what: &str) -> Result<Array1<f32>> {
    let array = read_array(path)?;
    let shape = array.shape().to_vec();
    array.into_dimensionality::<Ix1>().map_err(|_| {
        anyhow::anyhow!("{operator}: {} has shape {shape:?}, not one axis as {what} has", path.display())
    })
}

/// Writes an array as a `.npy` file.
pub fn write_array(path: &Path, array: ArrayViewD<f32>) -> Result<()> {
    write(path, &npy::write_npy(array))
}

/// Writes a file whole or not at all: under another name in the same folder first, then renamed.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    // A symbolic link stays: the file that it points to is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match fs::metadata(&target) {
        Ok(meta) if meta.is_dir() => {
            bail!("cannot write {}: it is a folder; name a file", path.display());
        }
        Ok(meta) if !meta.is_file() => {
            // A pipe or a device cannot be replaced, only written to.
            let written = OpenOptions::new().write(true).open(&target).and_then(|mut f| f.write_all(bytes));
            return written.map_err(|e| cannot_write(path, &e));
        }
        _ => {}
    }
    let name = target.file_name().map(|n| n.to_string_lossy().into_owned());
    let Some(name) = name else { bail!("cannot write {}: name a file", path.display()) };
    let beside = target.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let written = write_synced(&beside, bytes).and_then(|()| fs::rename(&beside, &target));
    written.map_err(|e| {
        let _ = fs::remove_file(&beside);
        cannot_write(path, &e)
    })
}

/// Removes a file, if it is there.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            bail!("cannot remove {}: {}", path.display(), reason(&e))
        }
        _ => Ok(()),
    }
}

/// Whether `name` is that of a half-written `file`, left behind when [`write`] was killed.
pub fn is_half_written(name: &str, file: &str) -> bool {
    let number = name.strip_prefix('.').and_then(|n| n.strip_prefix(file)?.strip_prefix('.'));
    let number = number.and_then(|n| n.strip_suffix(".part"));
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// A file that is written bit by bit, because another program watches it grow.
pub fn create(path: &Path) -> Result<File> {
    File::create(path).map_err(|e| cannot_write(path, &e))
}

fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The error for a file that cannot be written.
pub fn cannot_write(path: &Path, error: &std::io::Error) -> anyhow::Error {
    let folder = folder_of(path);
    if error.kind() == std::io::ErrorKind::NotFound && !folder.exists() {
        return anyhow::anyhow!(
            "cannot write {}: there is no folder {}; make it first",
            path.display(),
            folder.display()
        );
    }
    anyhow::anyhow!("cannot write {}: {}", path.display(), reason(error))
}

/// Makes a folder and those above it.
pub fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path)
        .map_err(|e| anyhow::anyhow!("cannot make the folder {}: {}", path.display(), reason(&e)))
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// What the system says, without its error number, and what to do.
pub fn reason(error: &std::io::Error) -> String {
    use std::io::ErrorKind as K;
    let hint = match error.kind() {
        K::PermissionDenied => "you may not; check its permissions",
        K::StorageFull => "the disk is full; make room",
        K::ReadOnlyFilesystem => "the file system is read-only; write elsewhere",
        K::NotADirectory => "a part of the path is a file, not a folder",
        _ => {
            let text = error.to_string();
            return text.split(" (os error").next().unwrap_or_default().to_lowercase();
        }
    };
    hint.to_owned()
}
