//! `metrics.csv`: a line for each epoch, written when it is done.

use crate::files;
use foveal::train::{EpochReport, Event};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

/// The file's name in a run folder.
pub const METRICS: &str = "metrics.csv";
const HEADING: &str =
    "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,seconds,images_per_second,lr\n";

/// The table of all epochs.
pub fn table(history: &[EpochReport]) -> String {
    history.iter().fold(HEADING.to_owned(), |text, report| text + &line(report))
}

fn line(e: &EpochReport) -> String {
    let number = |v: Option<f64>| v.map_or(String::new(), |v| format!("{v}"));
    format!(
        "{},{},{},{},{},{:.4},{:.1},{}\n",
        e.epoch,
        e.train_loss,
        number(e.train_accuracy),
        number(e.validation_loss),
        number(e.validation_accuracy),
        e.seconds,
        e.images_per_second,
        e.lr
    )
}

/// The file while the training goes on. What cannot be written then is written, or told, at its end.
pub struct Metrics {
    file: Option<File>,
    written: u64,
}

impl Metrics {
    /// With a line for each epoch that is done already.
    pub fn new(folder: &Path, history: &[EpochReport]) -> Self {
        let (path, text) = (folder.join(METRICS), table(history));
        let file = files::write(&path, text.as_bytes()).ok();
        let file = file.and_then(|()| OpenOptions::new().append(true).open(&path).ok());
        Self { file, written: text.len() as u64 }
    }

    /// Writes the line of an epoch that is done.
    pub fn tell(&mut self, event: &Event) {
        let (Some(file), Event::Epoch(report)) = (&mut self.file, event) else { return };
        let line = line(report);
        if file.write_all(line.as_bytes()).is_ok() {
            self.written += line.len() as u64;
        } else {
            // No half line stays.
            let _ = file.set_len(self.written);
            self.file = None;
        }
    }
}
