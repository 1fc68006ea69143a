//! Half-written files: each stands under another name until it is whole, and none of them stays where the program's end
//! can be seen coming.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The half-written files that there are now.
static PARTS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn parts() -> MutexGuard<'static, Vec<PathBuf>> {
    PARTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A half-written file beside the one that it becomes. It is removed when this is dropped.
struct Part {
    path: PathBuf,
}

impl Part {
    fn create(path: PathBuf) -> io::Result<(Self, File)> {
        // The list stays locked until the file is there: `remove_all` misses none.
        let mut all = parts();
        let file = File::create(&path)?;
        all.push(path.clone());
        Ok((Self { path }, file))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After the renaming there is nothing to remove.
        let _ = fs::remove_file(&self.path);
        parts().retain(|p| *p != self.path);
    }
}

/// Writes `target` whole or not at all, and on the disk before it has its name.
pub fn replace(target: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let beside = target.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let (part, mut file) = Part::create(beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&part.path, target)
}

/// Whether `name` is that of a half-written `file`, left behind by a program that was killed.
pub fn is_half_written(name: &str, file: &str) -> bool {
    let number = name.strip_prefix('.').and_then(|n| n.strip_prefix(file)?.strip_prefix('.'));
    let number = number.and_then(|n| n.strip_suffix(".part"));
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// Removes all of them, before the program ends. No more can be begun after that.
pub fn remove_all() {
    end(parts());
}

/// As [`remove_all`], where this thread itself may be at the list.
pub fn try_remove_all() {
    if let Ok(all) = PARTS.try_lock() {
        end(all);
    }
}

fn end(all: MutexGuard<'static, Vec<PathBuf>>) {
    for path in all.iter() {
        let _ = fs::remove_file(path);
    }
    std::mem::forget(all);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_leaves_no_part() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        replace(&target, "a", b"one").unwrap();
        replace(&target, "a", b"two").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"two");
        // What cannot be renamed leaves nothing.
        fs::create_dir(folder.path().join("b")).unwrap();
        fs::write(folder.path().join("b/c"), "").unwrap();
        assert!(replace(&folder.path().join("b"), "b", b"three").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        assert!(is_half_written(".a.12.part", "a") && !is_half_written(".a.x.part", "a"));
    }
}
