//! `foveal train`

mod checkpoint;
mod ensemble;
mod events;
mod finish;
mod folder;
mod prepare;
mod progress;
mod recipe;
mod transfer;

use crate::args::Train;
use crate::output::{Context, count};
use crate::source;
use anyhow::{Context as _, Result, bail};
use checkpoint::Keeper;
use events::EventFile;
use finish::{Finished, Judgement};
use folder::Folder;
use foveal::data::{Dataset, Split};
use foveal::nn::Model;
use foveal::train::{
    Checkpoint, Event, Outcome, Preprocess, Recipe, Resume, SavedModel, Training, fit_resumable,
};
use foveal::view::report::Steps;
use prepare::Prepared;
use progress::Progress;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Trains.
pub fn run(args: &Train, context: &Context) -> Result<()> {
    let stop = stop_on_interrupt()?;
    transfer::not_over(args)?;
    let prepared = Prepared::new(args, context)?;
    tell_choices(args, &prepared, context);
    let args = &Train { model: Some(prepared.model.clone()), ..args.clone() };
    let Prepared { fresh, preprocess, recipe, data, split, test, .. } = prepared;
    let run = Run { args, context, data: &data, split: &split, preprocess: &preprocess, recipe: &recipe };
    if let Some(members) = args.ensemble {
        return ensemble::run(&run, members, fresh.spec(), &stop, test);
    }
    let folder = Folder::new(args.out.as_deref(), &source::name(&args.data))?;
    let learnt = run.train(fresh, &folder, &stop)?;
    let saved = &learnt.saved;
    let mut run = learnt.finished(&run, &folder);
    run.early_end()?;
    let test = test()?;
    run.judgement = match &test {
        Some(test) => Some(Judgement::new(saved, test, None, context.threads)?),
        None if split.validation.is_empty() => None,
        None => Some(Judgement::new(saved, &data, Some(&split.validation), context.threads)?),
    };
    run.total_seconds = context.started.elapsed().as_secs_f64();
    run.show_result()?;
    run.report()?;
    run.show_next()
}

/// What was chosen for data of the user's own, and how to choose otherwise.
fn tell_choices(args: &Train, prepared: &Prepared, context: &Context) {
    if args.data == source::MNIST || args.from.is_some() {
        return;
    }
    if args.model.is_none() {
        let parameters: usize = prepared.fresh.params().iter().map(|p| p.values.len()).sum();
        let (name, parameters) = (&prepared.model, count(parameters as u64));
        context.note(&context.language.pick(
            format!("model {name}, {parameters} parameters"),
            format!("모델 {name}, 파라미터 {parameters}개"),
        ));
    }
    let augment = &prepared.recipe.augment;
    if args.learning.augment.is_none() && !augment.is_none() {
        context.note(&context.language.pick(
            format!(
                "pictures change a little in each epoch: {augment} (--augment none leaves them as they are)"
            ),
            format!("에포크마다 그림을 조금씩 바꿉니다: {augment} (--augment none이면 그대로 둡니다)"),
        ));
    }
}

/// A run that is about to be.
#[derive(Clone, Copy)]
struct Run<'a> {
    args: &'a Train,
    context: &'a Context,
    data: &'a Dataset,
    split: &'a Split,
    preprocess: &'a Preprocess,
    recipe: &'a Recipe,
}

/// What a run has learnt, written.
struct Learnt {
    saved: SavedModel,
    trained: Outcome,
    steps: Steps,
    /// Where the model is.
    at: String,
    /// The epoch of the checkpoint.
    kept: Option<usize>,
}

impl Learnt {
    /// For the end of the run, before anything is judged.
    fn finished<'a>(&'a self, run: &Run<'a>, folder: &'a Folder) -> Finished<'a> {
        Finished {
            args: run.args,
            context: run.context,
            folder,
            saved: &self.saved,
            trained: &self.trained,
            steps: &self.steps,
            images: [run.split.train.len(), run.split.validation.len()],
            at: self.at.clone(),
            kept: self.kept,
            judgement: None,
            total_seconds: 0.0,
        }
    }
}

impl Run<'_> {
    /// Trains a model from its beginning or from its checkpoint, and writes what it has learnt.
    fn train(&self, fresh: Model, folder: &Folder, stop: &Arc<AtomicBool>) -> Result<Learnt> {
        folder.sweep();
        let (trained, steps, kept) = self.learn(fresh, folder, stop)?;
        let saved = saved(self.args, self.data, self.preprocess.clone(), self.recipe.clone(), &trained);
        let written = folder.write_metrics(&trained.history).and_then(|()| folder.write_model(&saved));
        let (path, kept) = match (written, kept) {
            (Ok(path), Ok(kept)) => (path, kept),
            (Ok(path), Err(error)) => bail!("{error}; what was learnt is in {}", path.display()),
            (Err(_), Err(error)) | (Err(error), Ok(_)) => return Err(error),
        };
        Ok(Learnt { saved, trained, steps, at: path.display().to_string(), kept })
    }

    /// Trains, from the checkpoint if there is one to go on from. The last is the epoch of the checkpoint that is
    /// left, or why none could be written, which ends the training.
    fn learn(
        &self,
        fresh: Model,
        folder: &Folder,
        stop: &Arc<AtomicBool>,
    ) -> Result<(Outcome, Steps, Result<Option<usize>>)> {
        let Self { args, context, data, split, preprocess, recipe } = *self;
        let from = checkpoint::last(args, &fresh, folder, context)?;
        if from.is_none() {
            folder.begin(args, recipe, fresh.spec())?;
        }
        let note = from.as_ref().map(|checkpoint| checkpoint::told(checkpoint, context));
        let mut told = Told::new(args, context, folder, from.is_some()).inspect_err(|_| folder.abandon())?;
        let keeper = Keeper::new(folder.path(), from.as_ref().map(Checkpoint::epoch), stop);
        let resume = Resume { from, save: Some(keeper.save()) };
        let mut tell = |event: &Event| {
            if let (Event::Resumed { .. }, Some(note)) = (event, &note) {
                context.note(note);
            }
            told.tell(event);
        };
        let trained = fit_resumable(fresh, data, split, preprocess, recipe, stop, &mut tell, resume);
        let (steps, events) = told.end();
        let kept = keeper.finish();
        match trained {
            Ok(trained) => {
                // Where a checkpoint could not be written, that is what is told.
                events
                    .map_or(Ok(()), EventFile::finish)
                    .or_else(|e| if kept.is_err() { Ok(()) } else { Err(e) })?;
                Ok((trained, steps, kept))
            }
            Err(error) => {
                events.into_iter().for_each(EventFile::abandon);
                folder.abandon();
                Err(checkpoint::refused(error, folder))
            }
        }
    }
}

/// A flag that ^C raises; a second ^C ends the program at once.
fn stop_on_interrupt() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    })
    .context("cannot listen for ^C")?;
    Ok(stop)
}

fn saved(
    args: &Train,
    data: &Dataset,
    preprocess: Preprocess,
    recipe: Recipe,
    trained: &Outcome,
) -> SavedModel {
    SavedModel {
        model: trained.model.clone(),
        preprocess,
        classes: data.classes().unwrap_or_default().to_vec(),
        training: Training {
            model: args.model().to_owned(),
            dataset: source::name(&args.data),
            recipe,
            epochs: trained.history.len(),
            validation_accuracy: trained.validation_accuracy,
        },
    }
}

/// Who is told of events: the person, the report, TensorBoard.
struct Told<'a> {
    progress: Progress<'a>,
    steps: Steps,
    events: Option<EventFile>,
}

impl<'a> Told<'a> {
    fn new(args: &Train, context: &'a Context, folder: &Folder, resumed: bool) -> Result<Self> {
        let events = args.tensorboard.then(|| EventFile::new(folder.path(), resumed)).transpose()?;
        Ok(Self { progress: Progress::new(context), steps: Steps::new(), events })
    }

    fn tell(&mut self, event: &Event) {
        self.progress.tell(event);
        self.steps.take(event);
        if let Some(events) = &mut self.events {
            events.tell(event);
        }
    }

    /// The live line goes; what is left is for the run folder.
    fn end(self) -> (Steps, Option<EventFile>) {
        (self.steps, self.events)
    }
}
