//! Reading and writing files.

mod lists;
mod what;

use crate::paths::Shown;
use crate::{interrupt, parts};
use anyhow::{Context as _, Result, anyhow, bail};
use foveal::data::npy;
use foveal::kernels::memory;
use ndarray::{Array1, Array4, ArrayD, ArrayViewD, Axis, Ix1, Ix4};
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
pub use what::{HEAD, What};

/// The bytes of a file. What it is is looked at first: a file that is no plain one, is too large for what it is to be, or
/// does not begin so, is not read.
pub fn read(path: &Path, what: What) -> Result<Vec<u8>> {
    let (mut file, size) = open(path, what)?;
    let mut head = [0; HEAD];
    let length = fill(&mut file, &mut head).map_err(|e| cannot_read(path, &e))?;
    let head = &head[..length];
    if !what.begins(head) && size > HEAD as u64 {
        // The readers say what is wrong; they need no more than this.
        return Ok(head.to_vec());
    }
    if what == What::Array {
        npy::declared(head, size, &path.shown())?;
    }
    let too_little = || anyhow!("cannot read {}: there is no memory for its {size} bytes", path.shown());
    let mut bytes = memory::empty(size as usize + 1).ok_or_else(too_little)?;
    bytes.extend_from_slice(head);
    // A file may grow while it is read.
    let more = file.take((what.most() + 1).saturating_sub(length as u64)).read_to_end(&mut bytes);
    more.map_err(|e| cannot_read(path, &e))?;
    refuse_large(path, bytes.len() as u64, what)?;
    Ok(bytes)
}

/// The first bytes of a file, [`HEAD`] at most.
pub fn head(path: &Path) -> Result<Vec<u8>> {
    let (mut file, _) = open(path, What::Arrays)?;
    let mut head = [0; HEAD];
    let length = fill(&mut file, &mut head).map_err(|e| cannot_read(path, &e))?;
    Ok(head[..length].to_vec())
}

/// Opens a plain file that is not too large, and gives its size.
fn open(path: &Path, what: What) -> Result<(File, u64)> {
    let shown = path.shown();
    let about = fs::metadata(path).map_err(|e| cannot_read(path, &e))?;
    if about.is_dir() {
        bail!("cannot read {shown}: it is a folder; name a file");
    }
    if !about.is_file() {
        // To open a pipe is to wait for its other end; a device may have no end.
        bail!("cannot read {shown}: it is a pipe or a device; save what it gives, and name that file");
    }
    refuse_large(path, about.len(), what)?;
    Ok((File::open(path).map_err(|e| cannot_read(path, &e))?, about.len()))
}

fn refuse_large(path: &Path, size: u64, what: What) -> Result<()> {
    let most = what.most();
    if size > most {
        bail!(
            "{}: has {size} bytes, more than the {most} that {what} may have; check that it is the right file, or make it \
             smaller",
            path.shown()
        );
    }
    Ok(())
}

/// Reads until `buffer` is full or the file ends.
fn fill(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(n) => length += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(length)
}

fn cannot_read(path: &Path, error: &std::io::Error) -> anyhow::Error {
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            anyhow!("cannot read {}: there is no such file; check the path", path.shown())
        }
        _ => anyhow!("cannot read {}: {}", path.shown(), reason(error)),
    }
}

/// The text of a file.
pub fn read_text(path: &Path, what: What) -> Result<String> {
    let text = String::from_utf8(read(path, what)?).ok().filter(|text| !text.contains('\0'));
    text.with_context(|| {
        format!("{}: this is not a text file; check that it is the right file", path.shown())
    })
}

/// An array: from a `.npy` file, rows of numbers in a `.txt` or `.csv` file, or a nested list in place of a path.
fn read_array(path: &Path) -> Result<ArrayD<f32>> {
    if let Some(list) = lists::is_list(path) {
        return lists::nested(list);
    }
    if lists::is_text(path) {
        return lists::rows(&read_text(path, What::Table)?, &path.shown());
    }
    Ok(npy::read_npy(&read(path, What::Array)?, &path.shown())?)
}

/// An array of four axes; `operator` wants it as `what`, such as `an input [n, h, w, c]`. A written list or table of
/// fewer axes is one image, or one filter.
pub fn read_array4(path: &Path, operator: &str, what: &str) -> Result<Array4<f32>> {
    let mut array = read_array(path)?;
    let shape = array.shape().to_vec();
    if lists::is_list(path).is_some() || lists::is_text(path) {
        let filter = what.starts_with("a filter");
        if array.ndim() == 2 {
            array.insert_axis_inplace(Axis(2));
        }
        if array.ndim() == 3 {
            array.insert_axis_inplace(Axis(if filter { 3 } else { 0 }));
        }
    }
    array.into_dimensionality::<Ix4>().map_err(|_| {
        anyhow!(
            "{operator}: {} has shape {shape:?}, not four axes as {what} has; reshape it before it is saved",
            path.shown()
        )
    })
}

/// An array of one axis from a `.npy` file.
pub fn read_array1(path: &Path, operator: &str, what: &str) -> Result<Array1<f32>> {
    let array = read_array(path)?;
    let shape = array.shape().to_vec();
    array
        .into_dimensionality::<Ix1>()
        .map_err(|_| anyhow!("{operator}: {} has shape {shape:?}, not one axis as {what} has", path.shown()))
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
            bail!("cannot write {}: it is a folder; name a file", path.shown());
        }
        Ok(meta) if !meta.is_file() => {
            // A pipe or a device cannot be replaced, only written to.
            let written = OpenOptions::new().write(true).open(&target).and_then(|mut f| f.write_all(bytes));
            return written.map_err(|e| cannot_write(path, &e));
        }
        _ => {}
    }
    let name = target.file_name().map(|n| n.to_string_lossy().into_owned());
    let Some(name) = name else { bail!("cannot write {}: name a file", path.shown()) };
    interrupt::watch()?;
    parts::replace(&target, &name, bytes).map_err(|e| cannot_write(path, &e))
}

/// Removes a file, if it is there.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            bail!("cannot remove {}: {}", path.shown(), reason(&e))
        }
        _ => Ok(()),
    }
}

/// A file that is written bit by bit, because another program watches it grow.
pub fn create(path: &Path) -> Result<File> {
    File::create(path).map_err(|e| cannot_write(path, &e))
}

/// The error for a file that cannot be written.
pub fn cannot_write(path: &Path, error: &std::io::Error) -> anyhow::Error {
    let folder = folder_of(path);
    if error.kind() == std::io::ErrorKind::NotFound && !folder.exists() {
        return anyhow!(
            "cannot write {}: there is no folder {}; make it first",
            path.shown(),
            folder.shown()
        );
    }
    anyhow!("cannot write {}: {}", path.shown(), reason(error))
}

/// Makes a folder and those above it.
pub fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|e| anyhow!("cannot make the folder {}: {}", path.shown(), reason(&e)))
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
        K::FileTooLarge => {
            "it would be larger than a file may be; raise the limit (ulimit -f) or write elsewhere"
        }
        K::QuotaExceeded => "your quota is used up; make room",
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
