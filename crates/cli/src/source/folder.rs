//! The files of a folder, and which of them are pictures or slices.

use crate::files::{self, What};
use anyhow::{Result, anyhow, bail};
use foveal::data::{dicom, folder};
use std::fs;
use std::path::{Path, PathBuf};

/// Folders within folders, at most.
const DEPTH: usize = 16;

/// A file in a folder: its names from the folder down, and its path.
pub type InFolder = (Vec<String>, PathBuf);

/// All files in a folder and those below it, by name.
pub fn all_under(path: &Path) -> Result<Vec<InFolder>> {
    let mut found = Vec::new();
    walk(path, &mut Vec::new(), &mut Vec::new(), &mut found)?;
    found.sort();
    Ok(found)
}

/// Whether a file is a slice by its first bytes. Hidden files, those named as pictures and DICOMDIR are not looked at.
pub fn is_slice(names: &[String], path: &Path) -> bool {
    let Some(own) = names.last() else { return false };
    if names.iter().any(|n| n.starts_with('.')) || folder::is_picture(own) || own == "DICOMDIR" {
        return false;
    }
    files::head(path).is_ok_and(|head| dicom::is_dicom(&head))
}

/// All picture files and slices under `path`, by name.
pub fn images_under(path: &Path) -> Result<Vec<PathBuf>> {
    let visible = |names: &[String]| names.iter().all(|n| !n.starts_with('.'));
    let is_one = |(names, path): &InFolder| {
        visible(names) && (names.last().is_some_and(|n| folder::is_picture(n)) || is_slice(names, path))
    };
    Ok(all_under(path)?.into_iter().filter(is_one).map(|(_, path)| path).collect())
}

/// The files under `path` with their names from the folder down; links are followed, but not in circles.
fn walk(
    path: &Path,
    above: &mut Vec<PathBuf>,
    names: &mut Vec<String>,
    found: &mut Vec<InFolder>,
) -> Result<()> {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if above.contains(&real) {
        return Ok(());
    }
    if above.len() > DEPTH {
        bail!("{}: lies more than {DEPTH} folders deep; move it up", path.display());
    }
    above.push(real);
    let entries = fs::read_dir(path).map_err(|e| anyhow!("cannot read {}: {e}", path.display()))?;
    for entry in entries {
        let entry = entry.map_err(|e| anyhow!("cannot read {}: {e}", path.display()))?;
        let Ok(own) = entry.file_name().into_string() else {
            bail!("{}: its name is not UTF-8; rename it", entry.path().display());
        };
        names.push(own);
        if entry.path().is_dir() {
            walk(&entry.path(), above, names, found)?;
        } else {
            found.push((names.clone(), entry.path()));
        }
        names.pop();
    }
    above.pop();
    Ok(())
}

/// The bytes of a file of a data set.
pub fn bytes(path: &Path) -> Result<Vec<u8>> {
    files::read(path, What::Picture)
}
