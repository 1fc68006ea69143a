//! One training: from its first step, or from its checkpoint, to the files that it leaves.

use super::checkpoint::{self, Keeper};
use super::events::EventFile;
use super::finish::Finished;
use super::folder::Folder;
use super::metrics::Metrics;
use super::progress::Progress;
use super::room;
use crate::args::{Fit, Train};
use crate::output::Context;
use crate::paths::Shown;
use crate::source::{self, MNIST, Parts};
use anyhow::{Result, bail};
use foveal::data::{Dataset, Split, Targets};
use foveal::nn::{Model, ModelSpec};
use foveal::train::{
    Checkpoint, Event, HALF, Outcome, Preprocess, Recipe, Resume, SavedModel, Status, Temperature, Training,
    fit_resumable, predict, thresholds,
};
use foveal::view::report::Steps;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// All that a training needs but its model.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub args: &'a Train,
    pub context: &'a Context,
    pub data: &'a Dataset,
    pub split: &'a Split,
    /// How the split came about.
    pub parts: &'a Parts,
    pub preprocess: &'a Preprocess,
    pub recipe: &'a Recipe,
    /// The table has a row for each so many epochs, and for the last.
    pub every: usize,
}

/// What a training has come to.
pub struct Trained {
    pub outcome: Outcome,
    steps: Steps,
    /// The epoch of the checkpoint that is left, or why none could be written, which ended the training.
    kept: Result<Option<usize>>,
    /// The temperature that the last layer has been divided by.
    temperature: Option<Temperature>,
}

/// What a run has learnt, and where it is written.
pub struct Learnt {
    pub saved: SavedModel,
    pub trained: Outcome,
    steps: Steps,
    /// The model's file.
    pub at: String,
    /// The epoch of the checkpoint, if there is one.
    kept: Option<usize>,
    temperature: Option<Temperature>,
}

impl Learnt {
    /// The run as its end needs it, before anything is judged.
    pub fn finished<'a>(
        &'a self,
        (args, context): (&'a Train, &'a Context),
        split: &Split,
        folder: &'a Folder,
    ) -> Finished<'a> {
        Finished {
            args,
            context,
            folder,
            saved: &self.saved,
            trained: &self.trained,
            steps: &self.steps,
            images: [split.train.len(), split.validation.len()],
            at: self.at.clone(),
            kept: self.kept,
            temperature: self.temperature,
            judgement: None,
            excerpt: None,
            total_seconds: 0.0,
        }
    }
}

impl Run<'_> {
    /// Trains a model from its beginning or from its checkpoint, and writes what it has learnt.
    pub fn train(&self, fresh: Model, folder: &Folder, stop: &Arc<AtomicBool>) -> Result<Learnt> {
        folder.sweep();
        let spec = fresh.spec().clone();
        let trained = self.learn(fresh, &spec, folder, stop)?;
        self.write(self.recipe.clone(), trained, folder)
    }

    /// Writes what was learnt by `recipe`.
    pub fn write(&self, recipe: Recipe, trained: Trained, folder: &Folder) -> Result<Learnt> {
        let Trained { outcome: trained, steps, kept, temperature } = trained;
        let mut saved = saved(self.args, self.data, self.preprocess.clone(), recipe, &trained);
        saved.training.temperature = temperature.map(|t| t.value);
        saved.training.division = self.parts.division.clone();
        saved.training.thresholds = self.thresholds(&saved)?;
        let written = folder.write_metrics(&trained.history).and_then(|()| folder.write_model(&saved));
        let (path, kept) = match (written, kept) {
            (Ok(path), Ok(kept)) => (path, kept),
            (Ok(path), Err(error)) => bail!("{error}; what was learnt is in {}", path.shown()),
            (Err(_), Err(error)) | (Err(error), Ok(_)) => return Err(error),
        };
        Ok(Learnt { saved, trained, steps, at: path.shown(), kept, temperature })
    }

    /// Fits a temperature to what was learnt, on the validation samples, and puts it into the last layer. `None` where
    /// it is not wanted or cannot be: there are no classes, no validation samples, or no dense layer at the end.
    fn calibrate(&self, outcome: &mut Outcome) -> Result<Option<Temperature>> {
        let Self { args, context, data, split, preprocess, .. } = *self;
        let wanted = args.learning.temperature.map_or(args.data != MNIST, |fit| fit == Fit::Fit);
        let ended = matches!(outcome.status, Status::Finished | Status::EarlyStopped);
        let indices = &split.validation[..];
        if !wanted || !ended || data.classes().is_none() || indices.is_empty() {
            return Ok(None);
        }
        let outputs = predict(&outcome.model, preprocess, data, Some(indices), context.threads)?;
        let found = Temperature::fit(&outcome.model, data, indices, &outputs)?;
        let Some(model) = found.apply(outcome.model.clone()) else { return Ok(None) };
        outcome.model = model;
        Ok(Some(found))
    }

    /// For several labels a sample, the threshold of each, chosen on the validation samples; a half without any.
    fn thresholds(&self, saved: &SavedModel) -> Result<Vec<f32>> {
        let Targets::Labels { values, names } = self.data.targets() else { return Ok(Vec::new()) };
        let indices = &self.split.validation[..];
        if indices.is_empty() {
            return Ok(vec![HALF; names.len()]);
        }
        let likely = predict(&saved.model, self.preprocess, self.data, Some(indices), self.context.threads)?;
        Ok(thresholds(&likely, values, indices, names.len()))
    }

    /// Trains, from the checkpoint if there is one to go on from. `fresh` may be a part of a model; `whole` is what the
    /// run folder says about the model.
    pub fn learn(
        &self,
        fresh: Model,
        whole: &ModelSpec,
        folder: &Folder,
        stop: &Arc<AtomicBool>,
    ) -> Result<Trained> {
        let Self { args, context, data, split, preprocess, recipe, .. } = *self;
        let from = checkpoint::last(args, &fresh, folder, context)?;
        room::check(&fresh, preprocess, recipe).inspect_err(|_| folder.abandon())?;
        if from.is_none() {
            folder.begin(args, recipe, whole)?;
        }
        let note = from.as_ref().map(|checkpoint| checkpoint::resumed(checkpoint, context));
        let mut listeners = Listeners::new(self, folder, from.as_ref()).inspect_err(|_| folder.abandon())?;
        let keeper = Keeper::new(folder.path(), from.as_ref().map(Checkpoint::epoch), stop);
        let resume = Resume { from, save: Some(keeper.save()) };
        let mut tell = |event: &Event| {
            if let (Event::Resumed { .. }, Some(note)) = (event, &note) {
                context.note(note);
            }
            listeners.tell(event);
        };
        let trained = fit_resumable(fresh, data, split, preprocess, recipe, stop, &mut tell, resume);
        let (steps, events) = listeners.end();
        let kept = keeper.finish();
        match trained {
            Ok(mut outcome) => {
                // Where a checkpoint could not be written, the caller reports that instead.
                events
                    .map_or(Ok(()), EventFile::finish)
                    .or_else(|e| if kept.is_err() { Ok(()) } else { Err(e) })?;
                let temperature = self.calibrate(&mut outcome)?;
                Ok(Trained { outcome, steps, kept, temperature })
            }
            Err(error) => {
                events.into_iter().for_each(EventFile::abandon);
                folder.abandon();
                Err(checkpoint::refused(error, folder))
            }
        }
    }
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
        classes: data.classes().or(data.several()).unwrap_or_default().to_vec(),
        training: Training {
            model: args.model().to_owned(),
            dataset: source::name(&args.data),
            best_epoch: trained.epoch.filter(|_| recipe.keep_best),
            recipe,
            epochs: trained.history.len(),
            validation_accuracy: trained.validation_accuracy,
            ..Training::default()
        },
    }
}

/// Who hears of each event: the person, the table, the report, TensorBoard.
struct Listeners<'a> {
    progress: Progress<'a>,
    metrics: Metrics,
    steps: Steps,
    events: Option<EventFile>,
}

impl<'a> Listeners<'a> {
    fn new(run: &Run<'a>, folder: &Folder, from: Option<&Checkpoint>) -> Result<Self> {
        let resumed = from.is_some();
        let events = run.args.tensorboard.then(|| EventFile::new(folder.path(), resumed)).transpose()?;
        Ok(Self {
            progress: Progress::new(run.context, run.every, run.recipe.patience),
            metrics: Metrics::new(folder.path(), from.map_or(&[], Checkpoint::history)),
            steps: Steps::new(),
            events,
        })
    }

    fn tell(&mut self, event: &Event) {
        self.progress.tell(event);
        self.metrics.tell(event);
        self.steps.take(event);
        if let Some(events) = &mut self.events {
            events.tell(event);
        }
    }

    /// Ends the live line, and gives what belongs in the run folder.
    fn end(self) -> (Steps, Option<EventFile>) {
        (self.steps, self.events)
    }
}
