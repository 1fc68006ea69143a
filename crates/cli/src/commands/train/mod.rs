//! `foveal train`

mod events;
mod finish;
mod folder;
mod prepare;
mod progress;
mod recipe;

use crate::args::Train;
use crate::output::Context;
use crate::source;
use anyhow::{Context as _, Result};
use events::EventFile;
use finish::{Finished, Judgement};
use foveal::data::Dataset;
use foveal::nn::Model;
use foveal::train::{Event, Outcome, Preprocess, Recipe, SavedModel, Training};
use foveal::view::report::Steps;
use prepare::{Prepared, preprocess};
use progress::Progress;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Trains.
pub fn run(args: &Train, context: &Context) -> Result<()> {
    let stop = stop_on_interrupt()?;
    let prepared = Prepared::new(args, context)?;
    let args = &Train { model: Some(prepared.model.clone()), ..args.clone() };
    let Prepared { spec, recipe, data, split, test, .. } = prepared;
    let preprocess = preprocess(&data, args.data == source::MNIST);
    let fresh = Model::new(&spec, context.seed).with_context(|| args.model().to_owned())?;
    let folder = folder::Folder::new(args.out.as_deref(), &source::name(&args.data))?;
    folder.write_config(args, &recipe, &spec)?;

    let mut told = Told::new(args, context, &folder).inspect_err(|_| folder.abandon())?;
    let trained = foveal::train::fit(fresh, &data, &split, &preprocess, &recipe, &stop, &mut |event| {
        told.tell(event);
    });
    let (steps, events) = told.end();
    let trained = match trained {
        Ok(trained) => trained,
        Err(error) => {
            events.into_iter().for_each(EventFile::abandon);
            folder.abandon();
            return Err(error.into());
        }
    };
    events.map_or(Ok(()), EventFile::finish)?;
    folder.write_metrics(&trained.history)?;
    let saved = saved(args, &data, preprocess, recipe, &trained);
    let model_path = folder.write_model(&saved)?;
    let mut run = Finished {
        args,
        context,
        folder: &folder,
        saved: &saved,
        trained: &trained,
        steps: &steps,
        images: [split.train.len(), split.validation.len()],
        at: model_path.display().to_string(),
        judgement: None,
        total_seconds: 0.0,
    };
    run.early_end()?;
    let test = test()?;
    run.judgement = match &test {
        Some(test) => Some(Judgement::new(&saved, test, None, context.threads)?),
        None if split.validation.is_empty() => None,
        None => Some(Judgement::new(&saved, &data, Some(&split.validation), context.threads)?),
    };
    run.total_seconds = context.started.elapsed().as_secs_f64();
    run.show_result()?;
    run.report()?;
    run.show_next()
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
    fn new(args: &Train, context: &'a Context, folder: &folder::Folder) -> Result<Self> {
        let events = args.tensorboard.then(|| EventFile::new(folder.path())).transpose()?;
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
