//! The lock of a run folder: while one run writes there, no other does.

use crate::files;
use crate::output::Context;
use crate::paths::Shown;
use anyhow::{Result, bail};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The name of the lock's file in a run folder.
pub const LOCK: &str = "run.lock";

/// Held while a run writes into its folder. The system lets go of it when the process ends, in whatever way.
pub struct Lock {
    path: PathBuf,
    /// Its lock goes with it.
    _file: File,
}

impl Lock {
    /// Takes the lock of a folder. That of a process which is dead is taken over, and told.
    pub fn take(folder: &Path, context: &Context) -> Result<Self> {
        let path = folder.join(LOCK);
        loop {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(|e| files::cannot_write(&path, &e))?;
            let mut holder = String::new();
            // Some file systems have no locks; then the folder goes without.
            let locked = !matches!(file.try_lock(), Err(TryLockError::WouldBlock));
            let _ = (&mut file).take(20).read_to_string(&mut holder);
            let holder = holder.trim().parse::<u32>().ok();
            if !locked {
                let by = holder.map_or(String::new(), |id| format!(" (process {id})"));
                bail!(
                    "{}: another run writes there now{by}; wait for its end, or take another --out",
                    folder.shown()
                );
            }
            // The run before may have removed the file between its opening and its locking.
            if !is_still(&file, &path) {
                continue;
            }
            if let Some(id) = holder {
                let at = folder.shown();
                context.note(&context.language.pick(
                    format!("{at}: the lock of process {id}, which has ended, is taken over"),
                    format!("{at}: 이미 끝난 프로세스 {id}의 잠금을 넘겨받음"),
                ));
            }
            let written = file.set_len(0).and_then(|()| {
                std::io::Seek::rewind(&mut file)?;
                writeln!(file, "{}", std::process::id())
            });
            written.map_err(|e| files::cannot_write(&path, &e))?;
            return Ok(Self { path, _file: file });
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The file goes while the lock is held. One that stays does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether `file` is what `path` names.
#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let place = |m: fs::Metadata| (m.dev(), m.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(own), Ok(named)) => place(own) == place(named),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_still(_: &File, path: &Path) -> bool {
    path.exists()
}
