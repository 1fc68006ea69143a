//! The TensorBoard event file of a run, written as the run goes.

use super::folder::{self, EVENTS};
use crate::files;
use anyhow::Result;
use foveal::train::{Event, tensorboard};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// A file that grows with the run, so that TensorBoard can show the run while it goes.
pub struct EventFile {
    path: PathBuf,
    file: BufWriter<File>,
    batches: usize,
    /// The first error; after it nothing more is written.
    failed: Option<std::io::Error>,
}

impl EventFile {
    /// Begins the file in the run folder. Files of earlier runs there are removed, since TensorBoard would mix their
    /// curves with this run's. A run that is `resumed` keeps them and writes another file; steps in both are equal.
    pub fn new(folder: &Path, resumed: bool) -> Result<Self> {
        if !resumed {
            // A file that cannot be removed is shown beside the new one.
            let _ = folder::remove_events(folder);
        }
        let named = |second: u64| folder.join(format!("{EVENTS}{second}.foveal"));
        let mut second = now() as u64;
        while named(second).exists() {
            second += 1;
        }
        let path = named(second);
        let file = files::create(&path)?;
        let mut events = Self { path, file: BufWriter::new(file), batches: 1, failed: None };
        events.write(&tensorboard::version(now()));
        Ok(events)
    }

    /// Writes the numbers of an event; at the end of an epoch the file is brought up to date on the disk.
    pub fn tell(&mut self, event: &Event) {
        if let Event::Started { batches, .. } = event {
            self.batches = *batches;
        }
        if let Some((step, values)) = tensorboard::values(event, self.batches) {
            self.write(&tensorboard::scalars(now(), step, &values));
        }
        if self.failed.is_none() && !matches!(event, Event::Batch { .. }) {
            self.failed = self.file.flush().err();
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.failed = self.file.write_all(bytes).err();
        }
    }

    /// Removes the file again, for a run that could not begin.
    pub fn abandon(self) {
        // A file that stays does no harm.
        let _ = std::fs::remove_file(&self.path);
    }

    /// Ends the file.
    pub fn finish(mut self) -> Result<()> {
        match self.failed.take().or_else(|| self.file.flush().err()) {
            Some(error) => Err(files::cannot_write(&self.path, &error)),
            None => Ok(()),
        }
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64())
}
