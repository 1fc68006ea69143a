//! The run folder: `model.safetensors`, `config.toml`, `metrics.csv`, `predictions.csv`, `model-card.md`,
//! `report.html`, `checkpoint.safetensors`.

use super::lock::{LOCK, Lock};
use super::metrics::{self, METRICS};
use crate::args::Train;
use crate::args::values::Share;
use crate::commands::model::{self, ENSEMBLE, SAVED};
use crate::output::Context;
use crate::paths::Shown;
use crate::predictions;
use crate::{files, parts};
use anyhow::{Context as _, Result, bail};
use foveal::nn::ModelSpec;
use foveal::train::{EpochReport, Recipe, SavedModel};
use serde::Serialize;
use std::cell::Cell;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The name of the checkpoint in a run folder.
pub const CHECKPOINT: &str = "checkpoint.safetensors";
const CONFIG: &str = "config.toml";
/// The name of the report in a run folder.
pub const REPORT: &str = "report.html";
/// The name of the model card in a run folder.
pub const CARD: &str = "model-card.md";
/// How the names of TensorBoard's event files begin; ours end in [`EVENTS_END`].
pub const EVENTS: &str = "events.out.tfevents.";
const EVENTS_END: &str = ".foveal";
/// The files that a run leaves.
const OURS: [&str; 8] = [CHECKPOINT, CONFIG, METRICS, REPORT, CARD, FOLDS, predictions::FILE, SAVED];
/// The table of folds in the folder of a cross-validation.
pub const FOLDS: &str = "folds.csv";
/// Where runs are that have not been told where to be.
const RUNS: &str = "runs";
/// How the configuration of a run begins.
const BEGINS: &str = "foveal = ";

/// The folder of a run.
pub struct Folder {
    path: PathBuf,
    /// Whether it was made for this run.
    made: bool,
    /// Whether a run has begun there at its beginning.
    begun: Cell<bool>,
    _lock: Lock,
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
    /// Makes `--out`, or `runs/<data>-<time>` where nothing is yet, and locks it. A folder that holds a run is refused
    /// unless the options say what is to become of that.
    pub fn new(args: &Train, data: &str, context: &Context) -> Result<Self> {
        let (path, made) = match &args.out {
            Some(out) => {
                let made = !out.exists();
                files::make_folder(out)?;
                (out.clone(), made)
            }
            None => (make_unused(data)?, true),
        };
        let lock = Lock::take(&path, context)?;
        refuse_occupied(&path, args)?;
        Ok(Self { path, made, begun: Cell::new(false), _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes half-written files of an earlier run that was killed.
    pub fn sweep(&self) {
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if OURS.iter().any(|file| parts::is_half_written(&name.to_string_lossy(), file)) {
                // A file that stays does no harm.
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Removes all that an earlier run, or an ensemble, has left there, and nothing else.
    pub fn clear(&self) -> Result<()> {
        clear_run(&self.path)?;
        files::remove(&self.path.join(ENSEMBLE))?;
        for k in 1..=u8::MAX {
            let member = model::member(&self.path, k);
            if holds_run(&member) {
                clear_run(&member)?;
                // A folder with other files in it stays.
                let _ = fs::remove_dir(&member);
            }
        }
        Ok(())
    }

    /// Removes a file, if it is there.
    pub fn remove(&self, name: &str) -> Result<()> {
        files::remove(&self.path.join(name))
    }

    /// Begins a run at its beginning: removes what an earlier run has left, and writes the configuration.
    pub fn begin(&self, args: &Train, recipe: &Recipe, spec: &ModelSpec) -> Result<()> {
        self.begun.set(true);
        match args.overwrite {
            true => self.clear()?,
            false => clear_run(&self.path)?,
        }
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

    /// Removes what a run that could not begin has written, and the folder, if it was made for it.
    pub fn abandon(&self) {
        // A file that stays does no harm.
        if self.begun.get() {
            [CONFIG, METRICS].iter().for_each(|name| drop(fs::remove_file(self.path.join(name))));
        }
        if self.made {
            let _ = fs::remove_file(self.path.join(LOCK));
            let _ = fs::remove_dir(&self.path);
            if self.path.parent() == Some(Path::new(RUNS)) {
                // Only if this was the first run there.
                let _ = fs::remove_dir(RUNS);
            }
        }
    }

    /// Writes each epoch's figures.
    pub fn write_metrics(&self, history: &[EpochReport]) -> Result<()> {
        let text = metrics::table(history);
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

/// Refuses a folder that holds a run, unless the options say what is to become of that, and one that holds files which
/// foveal did not write and would write over.
fn refuse_occupied(path: &Path, args: &Train) -> Result<()> {
    let shown = path.shown();
    let ensemble = path.join(ENSEMBLE).exists() || holds_run(&model::member(path, 1));
    if ensemble || holds_run(path) {
        let several = args.ensemble.is_some() || args.folds.is_some();
        if args.resume && ensemble != several {
            let [is, lacks] = match ensemble {
                true => ["several models", "without --ensemble or --folds"],
                false => ["one model", "with --ensemble or --folds"],
            };
            bail!(
                "{shown}: the run there is of {is}, and --resume {lacks} cannot go on with it; --overwrite removes it, \
                 and another --out leaves it alone"
            );
        }
        if !args.resume && !args.overwrite {
            bail!(
                "{shown}: a run is there already; --resume goes on with it, --overwrite removes it, and another --out \
                 leaves it alone"
            );
        }
        return Ok(());
    }
    match OURS.iter().map(|name| path.join(name)).find(|file| file.exists()) {
        Some(file) => bail!(
            "{}: is there already, and not of a run of foveal ({shown} has no {CONFIG} of one); move it, or take another \
             --out",
            file.shown()
        ),
        None => Ok(()),
    }
}

/// Whether a folder has the configuration of a run.
fn holds_run(path: &Path) -> bool {
    let mut begin = [0; BEGINS.len()];
    let read = File::open(path.join(CONFIG)).and_then(|mut file| file.read_exact(&mut begin));
    read.is_ok() && begin == *BEGINS.as_bytes()
}

/// Removes the files of a run.
fn clear_run(path: &Path) -> Result<()> {
    remove_events(path)?;
    // The configuration goes last: it says that the others are a run's.
    let last = OURS.iter().filter(|name| **name == CONFIG);
    let first = OURS.iter().filter(|name| **name != CONFIG);
    first.chain(last).try_for_each(|name| files::remove(&path.join(name)))
}

/// Removes the event files of a run.
pub fn remove_events(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(EVENTS) && name.ends_with(EVENTS_END) {
            files::remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Makes a folder that was not there, in `runs`.
fn make_unused(data: &str) -> Result<PathBuf> {
    let stem = format!("{data}-{}", stamp(seconds()));
    let runs = Path::new(RUNS);
    files::make_folder(runs)?;
    let first = runs.join(&stem);
    let next = (2..).map(|i| runs.join(format!("{stem}-{i}")));
    for path in std::iter::once(first).chain(next) {
        // Another run may begin in the same second: the folder is its maker's.
        match fs::create_dir(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => bail!("cannot make the folder {}: {}", path.shown(), files::reason(&e)),
            Ok(()) => return Ok(path),
        }
    }
    bail!("cannot make a folder in {}: every name is taken", runs.shown())
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
