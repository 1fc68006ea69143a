//! The checkpoint in the run folder: written after each epoch, while the training goes on.

use super::folder::{CHECKPOINT, Folder};
use crate::args::Train;
use crate::commands::model::{self, SAVED};
use crate::files::{self, What};
use crate::output::Context;
use crate::paths::Shown;
use anyhow::{Result, anyhow, bail};
use foveal::nn::Model;
use foveal::train::{Checkpoint, Error, Maker, Save};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// A checkpoint has at most so many bytes for each number of the model, and so many more for the history of epochs.
const MOST: [u64; 2] = [32, 64 << 20];

/// The checkpoint to go on from, if --resume asks for it and there is one.
pub fn last(args: &Train, model: &Model, folder: &Folder, context: &Context) -> Result<Option<Checkpoint>> {
    let path = folder.path().join(CHECKPOINT);
    if !args.resume {
        return Ok(None);
    }
    if !path.exists() {
        refuse_learnt(folder)?;
        let at = folder.path().shown();
        context.note(&context.language.pick(
            format!("no checkpoint in {at}: beginning at the beginning"),
            format!("{at}에 체크포인트가 없어 처음부터 훈련"),
        ));
        return Ok(None);
    }
    let numbers: usize = model.params().iter().map(|p| p.values.len()).sum();
    let most = MOST[0] * numbers as u64 + MOST[1];
    let size = std::fs::metadata(&path).map_or(0, |m| m.len());
    if size > most {
        bail!("{}: {size} bytes are too many for a checkpoint of this model; {}", path.shown(), afresh());
    }
    let name = path.shown();
    let checkpoint = Checkpoint::from_bytes(&files::read(&path, What::Model)?, &name);
    Ok(Some(checkpoint.map_err(|e| anyhow!("{e}; {}", afresh()))?))
}

/// What to do if a checkpoint cannot be used.
fn afresh() -> &'static str {
    "take --overwrite instead of --resume to begin at the beginning, which removes the checkpoint"
}

/// Refuses to begin at the beginning where a run has left a model that has learnt, but no checkpoint to go on from.
fn refuse_learnt(folder: &Folder) -> Result<()> {
    let path = folder.path().join(SAVED);
    if !path.exists() {
        return Ok(());
    }
    let epochs = match model::saved(&path) {
        Ok(saved) if saved.training.epochs == 0 => return Ok(()),
        Ok(saved) => format!("has learnt for {} epochs", saved.training.epochs),
        Err(_) => "cannot be read".to_owned(),
    };
    bail!(
        "{}: {epochs}, and there is no checkpoint to go on from; --overwrite begins at the beginning and removes it, \
         --from {} begins with its weights in another --out",
        path.shown(),
        folder.path().shown()
    )
}

/// The error of training, with the file and what to do if it is about the checkpoint.
pub fn refused(error: Error, folder: &Folder) -> anyhow::Error {
    match error {
        Error::OtherRun { .. } => {
            let file = folder.path().join(CHECKPOINT);
            let more = match &error {
                Error::OtherRun { differences }
                    if differences.iter().any(|d| d.starts_with("recipe.epochs")) =>
                {
                    let run = folder.path().shown();
                    format!("; for more epochs begin with its weights: --from {run} and another --out")
                }
                _ => String::new(),
            };
            anyhow!("{}: {error}; train as it was begun, or {}{more}", file.shown(), afresh())
        }
        error => error.into(),
    }
}

/// Says where the run goes on.
pub fn resumed(checkpoint: &Checkpoint, context: &Context) -> String {
    let (epoch, epochs) = (checkpoint.epoch(), checkpoint.epochs());
    let mut text = context.language.pick(
        format!("going on after epoch {epoch} of {epochs}"),
        format!("전체 {epochs}에포크 중 {epoch}에포크까지 마친 곳에서 이어서 훈련"),
    );
    let (then, now) = (checkpoint.maker(), Maker::this());
    if *then != now {
        let name = |maker: &Maker| format!("foveal {} ({})", maker.foveal, maker.isa);
        let (then, now) = (name(then), name(&now));
        text += &context.language.pick(
            format!("; begun by {then}, this is {now}: the last bits may be others"),
            format!("; {then}에서 시작한 훈련을 {now}에서 이어 감: 마지막 비트는 다를 수 있음"),
        );
    }
    text
}

/// Writes checkpoints on a thread of its own, so that training does not wait for the disk. If an epoch ends while a
/// checkpoint is being written, the next one to be written is always the latest.
pub struct Keeper {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

struct Shared {
    path: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
    /// Set when a checkpoint cannot be written, to end the training at once.
    stop: Arc<AtomicBool>,
}

#[derive(Default)]
struct State {
    waiting: Option<Checkpoint>,
    ended: bool,
    /// The epoch whose checkpoint is in the file.
    written: Option<usize>,
    failed: Option<String>,
}

impl Keeper {
    /// For a run in `folder` that goes on after epoch `from`.
    pub fn new(folder: &Path, from: Option<usize>, stop: &Arc<AtomicBool>) -> Self {
        let state = Mutex::new(State { written: from, ..State::default() });
        let (path, stop) = (folder.join(CHECKPOINT), Arc::clone(stop));
        let shared = Arc::new(Shared { path, state, changed: Condvar::new(), stop });
        let own = Arc::clone(&shared);
        Self { shared, thread: std::thread::spawn(move || own.work()) }
    }

    /// A function that hands a checkpoint over to be written.
    pub fn save(&self) -> Save<'static> {
        let shared = Arc::clone(&self.shared);
        Box::new(move |checkpoint| {
            shared.lock().waiting = Some(checkpoint.clone());
            shared.changed.notify_one();
            Ok(())
        })
    }

    /// Waits until the last checkpoint is written, and gives its epoch.
    pub fn finish(self) -> Result<Option<usize>> {
        self.shared.lock().ended = true;
        self.shared.changed.notify_one();
        // A panic of that thread would have ended the program.
        let _ = self.thread.join();
        let state = self.shared.lock();
        match &state.failed {
            Some(failed) => Err(anyhow!("{failed}")),
            None => Ok(state.written),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        loop {
            let mut state = self.lock();
            while state.waiting.is_none() && !state.ended {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let Some(checkpoint) = state.waiting.take() else { return };
            drop(state);
            let written =
                checkpoint.to_bytes().map_err(Into::into).and_then(|b| files::write(&self.path, &b));
            let mut state = self.lock();
            match written {
                Ok(()) => state.written = Some(checkpoint.epoch()),
                Err(error) => {
                    let last = state.written.map_or_else(
                        || "nothing has been kept".to_owned(),
                        |epoch| format!("--resume goes on after epoch {epoch}, which has been kept"),
                    );
                    state.failed = Some(format!("{error:#}; the training has ended; {last}"));
                    self.stop.store(true, Ordering::Relaxed);
                    return;
                }
            }
        }
    }
}
