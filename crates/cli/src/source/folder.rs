//! The files of a folder, and which of them are pictures or slices.

use crate::files::{self, What};
use crate::output::Context;
use crate::paths::Shown;
use anyhow::{Result, anyhow};
use foveal::data::folder;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders within folders, at most.
const DEPTH: usize = 16;

/// A file in a folder: its names from the folder down, and its path.
pub type InFolder = (Vec<String>, PathBuf);

/// What a folder holds.
#[derive(Default)]
pub struct Walked {
    /// All files in it and in those below, by name.
    pub files: Vec<InFolder>,
    /// What is left out, and why, in both languages.
    pub left_out: Vec<[String; 2]>,
    /// Folders in it that hold nothing at all.
    pub empty: Vec<String>,
}

impl Walked {
    /// What is left out, in the language of results.
    pub fn skipped(&self, context: &Context) -> Vec<String> {
        self.left_out.iter().map(|[english, korean]| context.say(english, korean).to_owned()).collect()
    }

    fn leave(&mut self, path: &Path, english: &str, korean: &str) {
        // A name that is no UTF-8 cannot be written as it is.
        let shown = path.to_string_lossy().escape_debug().to_string();
        self.left_out.push([format!("{shown}: {english}"), format!("{shown}: {korean}")]);
    }
}

/// All files in a folder and those below it, by name.
pub fn all_under(path: &Path) -> Result<Walked> {
    let mut found = Walked::default();
    let entries = fs::read_dir(path).map_err(|e| anyhow!("cannot read {}: {e}", path.shown()))?;
    walk((path, entries), &mut Vec::new(), &mut Vec::new(), &mut found);
    found.files.sort();
    found.left_out.sort();
    found.empty.sort();
    Ok(found)
}

/// Whether a file that begins with `head` is DICOM.
#[cfg(feature = "dicom")]
pub fn is_dicom(head: &[u8]) -> bool {
    foveal::data::dicom::is_dicom(head)
}

/// Told all the same, so that it can be refused by name.
#[cfg(not(feature = "dicom"))]
pub fn is_dicom(head: &[u8]) -> bool {
    head.get(128..132) == Some(b"DICM")
}

/// Whether a file is a slice by its first bytes. Hidden files, those named as pictures and DICOMDIR are not looked at.
pub fn is_slice(names: &[String], path: &Path) -> bool {
    let Some(own) = names.last() else { return false };
    if names.iter().any(|n| n.starts_with('.')) || folder::is_picture(own) || own == "DICOMDIR" {
        return false;
    }
    files::head(path).is_ok_and(|head| is_dicom(&head))
}

/// All picture files and slices under `path`, by name.
pub fn images_under(path: &Path) -> Result<Vec<PathBuf>> {
    let visible = |names: &[String]| names.iter().all(|n| !n.starts_with('.'));
    let is_one = |(names, path): &InFolder| {
        visible(names) && (names.last().is_some_and(|n| folder::is_picture(n)) || is_slice(names, path))
    };
    Ok(all_under(path)?.files.into_iter().filter(is_one).map(|(_, path)| path).collect())
}

/// The files under `path` with their names from the folder down; links are followed, but not in circles. What cannot be
/// read or named is left out and said: one odd name is no reason to refuse all others.
fn walk(
    (path, entries): (&Path, fs::ReadDir),
    above: &mut Vec<PathBuf>,
    names: &mut Vec<String>,
    found: &mut Walked,
) {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if above.contains(&real) {
        return;
    }
    if above.len() > DEPTH {
        found.leave(path, "lies too many folders deep; move it up", "폴더가 너무 깊음. 위로 옮기세요");
        return;
    }
    above.push(real);
    let mut held = 0;
    for entry in entries {
        held += 1;
        let Ok(entry) = entry else {
            found.leave(path, "cannot be read to its end", "끝까지 읽을 수 없음");
            continue;
        };
        let own = entry.path();
        let Ok(name) = entry.file_name().into_string() else {
            found.leave(&own, "its name is not UTF-8; rename it", "이름이 UTF-8이 아님. 이름을 바꾸세요");
            continue;
        };
        if !own.exists() {
            found.leave(&own, "a link to nothing", "가리키는 것이 없는 링크");
            continue;
        }
        names.push(name);
        match (own.is_dir(), fs::read_dir(&own)) {
            (true, Ok(below)) => walk((&own, below), above, names, found),
            (true, Err(_)) => found.leave(&own, "a folder that cannot be read", "읽을 수 없는 폴더"),
            (false, _) => found.files.push((names.clone(), own)),
        }
        names.pop();
    }
    above.pop();
    if held == 0 && !names.is_empty() {
        found.empty.push(names.join("/"));
    }
}

/// The bytes of a file of a data set.
pub fn bytes(path: &Path) -> Result<Vec<u8>> {
    files::read(path, What::Picture)
}
