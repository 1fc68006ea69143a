//! The run folder: `model.safetensors`, `config.toml`, `metrics.csv`, `predictions.csv`, `model-card.md`,
//! `report.html`, `checkpoint.safetensors`.

use crate::args::Train;
use crate::args::values::Share;
use crate::commands::model::SAVED;
use crate::files;
use crate::predictions;
use anyhow::{Context as _, Result};
use foveal::nn::ModelSpec;
use foveal::train::{EpochReport, Recipe, SavedModel};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The name of the checkpoint in a run folder.
pub const CHECKPOINT: &str = "checkpoint.safetensors";
const CONFIG: &str = "config.toml";
const METRICS: &str = "metrics.csv";
const REPORT: &str = "report.html";
/// The name of the model card in a run folder.
pub const CARD: &str = "model-card.md";

/// The folder of a run.
pub struct Folder {
    path: PathBuf,
    /// Whether it was made for this run.
    made: bool,
}

#[derive(Serialize)]
struct Config<'a> {
    foveal: &'a str,
    data: &'a str,
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation: Option<Share>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<Share>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    recipe: &'a Recipe,
    spec: &'a ModelSpec,
}

impl Folder {
    /// Makes `out`, or `runs/<data>-<time>` where nothing is yet.
    pub fn new(out: Option<&Path>, data: &str) -> Result<Self> {
        let path = out.map_or_else(|| unused(data), Path::to_owned);
        let made = !path.exists();
        files::make_folder(&path)?;
        Ok(Self { path, made })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes half-written files of an earlier run that was killed.
    pub fn sweep(&self) {
        const OURS: [&str; 7] = [CHECKPOINT, CONFIG, METRICS, REPORT, CARD, predictions::FILE, SAVED];
        for entry in std::fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if OURS.iter().any(|file| files::is_half_written(&name.to_string_lossy(), file)) {
                // A file that stays does no harm.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// Begins a run at its beginning: removes the checkpoint of an earlier run and writes the configuration.
    pub fn begin(&self, args: &Train, recipe: &Recipe, spec: &ModelSpec) -> Result<()> {
        files::remove(&self.path.join(CHECKPOINT))?;
        self.write_config(args, recipe, spec)
    }

    /// Writes how the run was asked for. This happens before the training, so that a folder that cannot be written
    /// to is noticed in time.
    fn write_config(&self, args: &Train, recipe: &Recipe, spec: &ModelSpec) -> Result<()> {
        let config = Config {
            foveal: env!("CARGO_PKG_VERSION"),
            data: &args.data,
            model: args.model(),
            from: args.from.as_deref(),
            validation: args.validation,
            test: args.test,
            group: args.reading.group.as_deref(),
            recipe,
            spec,
        };
        let text = toml::to_string(&config).context("config.toml")?;
        files::write(&self.path.join(CONFIG), text.as_bytes())
    }

    /// Removes the folder again, if it was made for a run that could not begin.
    pub fn abandon(&self) {
        if self.made {
            // A file that stays does no harm.
            let _ = std::fs::remove_file(self.path.join(CONFIG));
            let _ = std::fs::remove_dir(&self.path);
        }
    }

    /// Writes each epoch's figures.
    pub fn write_metrics(&self, history: &[EpochReport]) -> Result<()> {
        let mut text = String::from(
            "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,seconds,images_per_second,lr\n",
        );
        let number = |v: Option<f64>| v.map_or(String::new(), |v| format!("{v}"));
        for e in history {
            text += &format!(
                "{},{},{},{},{},{:.4},{:.1},{}\n",
                e.epoch,
                e.train_loss,
                number(e.train_accuracy),
                number(e.validation_loss),
                number(e.validation_accuracy),
                e.seconds,
                e.images_per_second,
                e.lr
            );
        }
        files::write(&self.path.join(METRICS), text.as_bytes())
    }

    /// Writes the report.
    pub fn write_report(&self, html: &str) -> Result<()> {
        self.write_text(REPORT, html)
    }

    /// Writes a file of text.
    pub fn write_text(&self, name: &str, text: &str) -> Result<()> {
        files::write(&self.path.join(name), text.as_bytes())
    }

    /// Writes the model, and gives its path.
    pub fn write_model(&self, saved: &SavedModel) -> Result<PathBuf> {
        let path = self.path.join(SAVED);
        files::write(&path, &saved.to_bytes()?)?;
        Ok(path)
    }
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

/// The time for people: `2026-01-31 23:59 UTC`.
pub fn now() -> String {
    let s = stamp(seconds());
    format!("{}-{}-{} {}:{} UTC", &s[..4], &s[4..6], &s[6..8], &s[9..11], &s[11..13])
}

fn unused(data: &str) -> PathBuf {
    let stem = format!("{data}-{}", stamp(seconds()));
    let runs = Path::new("runs");
    let first = runs.join(&stem);
    let next = (2..).map(|i| runs.join(format!("{stem}-{i}")));
    std::iter::once(first).chain(next).find(|p| !p.exists()).unwrap_or_else(|| runs.join(stem))
}

/// `20260131-235959`, universal time. Days to dates: Hinnant, "chrono-compatible low-level date algorithms".
fn stamp(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn seconds_become_dates() {
        assert_eq!(super::stamp(0), "19700101-000000");
        assert_eq!(super::stamp(951_827_696), "20000229-123456");
        assert_eq!(super::stamp(4_102_444_799), "20991231-235959");
    }
}
