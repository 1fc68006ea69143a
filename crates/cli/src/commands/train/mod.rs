//! `foveal train`

mod folder;
mod progress;
mod recipe;

use super::model;
use crate::args::Train;
use crate::exit::Interrupted;
use crate::output::{Context, count};
use crate::source;
use anyhow::{Context as _, Result, bail};
use foveal::data::{Dataset, Split};
use foveal::nn::Model;
use foveal::train::{Evaluation, Fit, Outcome, Preprocess, Recipe, SavedModel, Status, Training};
use progress::Progress;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Trains.
pub fn run(args: &Train, context: &Context) -> Result<()> {
    let stop = stop_on_interrupt()?;
    let spec = model::spec(&args.model)?;
    let recipe = recipe::recipe(args, context);
    let (data, test) = source::open_for_training(&args.data, context.threads)?;
    let split = split(args, &data, context.seed)?;
    let fit = if args.data == source::MNIST { Fit::Digit } else { Fit::Resize };
    let preprocess = Preprocess::unit(data.shape()[2], fit);
    let fresh = Model::new(&spec, context.seed).with_context(|| args.model.clone())?;
    let folder = folder::Folder::new(args.out.as_deref(), &source::name(&args.data))?;
    folder.write_config(args, &recipe, &spec)?;

    let mut progress = Progress::new(context);
    let trained = foveal::train::fit(fresh, &data, &split, &preprocess, &recipe, &stop, &mut |event| {
        progress.tell(event);
    });
    drop(progress);
    let trained = trained.inspect_err(|_| folder.abandon())?;
    folder.write_metrics(&trained.history)?;
    let saved = saved(args, &data, preprocess, recipe, &trained);
    let model_path = folder.write_model(&saved)?;
    let at = model_path.display();
    match trained.status {
        Status::Interrupted => {
            let kept = context.say("interrupted; what was learnt is in", "중단됨. 배운 데까지는 여기에:");
            context.note(&format!("{kept} {at}"));
            return Err(Interrupted.into());
        }
        Status::NonFinite { epoch, batch } => bail!(
            "training: the loss was not a finite number in epoch {epoch}, batch {batch}; lower --lr (now {}); \
             the weights from before it are in {at}",
            saved.training.recipe.lr
        ),
        Status::EarlyStopped => {
            context
                .note(context.say("stopped early: no better for a while", "일찍 멈춤: 한동안 나아지지 않음"));
        }
        Status::Finished => {}
    }
    let test = test()?;
    let score = test.as_ref().map(|test| evaluate(&saved, test, context.threads)).transpose()?;
    Report { args, context, saved: &saved, trained: &trained, test: test.as_ref(), score, at: at.to_string() }
        .show(&folder)
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

/// MNIST's first samples guide the training, as in the course; of other sets they are drawn, class by class.
fn split(args: &Train, data: &Dataset, seed: u64) -> Result<Split> {
    let n = data.len();
    if args.data == source::MNIST {
        return Ok(Split::first(n, args.validation.unwrap_or(5000))?);
    }
    let wanted = args.validation.unwrap_or(n / 10);
    if wanted >= n {
        bail!("--validation {wanted} leaves none of the {n} samples of {} to train on", args.data);
    }
    Ok(Split::random(n, data.labels(), wanted as f64 / n as f64, seed)?)
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
            model: args.model.clone(),
            dataset: source::name(&args.data),
            recipe,
            epochs: trained.history.len(),
            validation_accuracy: trained.validation_accuracy,
        },
    }
}

fn evaluate(saved: &SavedModel, test: &Dataset, threads: usize) -> Result<Evaluation> {
    Ok(foveal::train::evaluate(&saved.model, &saved.preprocess, test, None, threads)?)
}

/// What is told at the end.
struct Report<'a> {
    args: &'a Train,
    context: &'a Context,
    saved: &'a SavedModel,
    trained: &'a Outcome,
    test: Option<&'a Dataset>,
    score: Option<Evaluation>,
    at: String,
}

#[derive(Serialize)]
struct Json<'a> {
    dataset: &'a str,
    model: &'a str,
    parameters: usize,
    epochs: usize,
    seed: u64,
    threads: usize,
    train_seconds: f64,
    total_seconds: f64,
    images_per_second: f64,
    validation_accuracy: Option<f64>,
    test_accuracy: Option<f64>,
    model_path: &'a str,
}

impl Report<'_> {
    fn show(&self, folder: &folder::Folder) -> Result<()> {
        let context = self.context;
        let test_accuracy = match &self.score {
            Some(Evaluation::Classes(scores)) => Some(scores.accuracy),
            _ => None,
        };
        let total_seconds = context.started.elapsed().as_secs_f64();
        if context.json {
            return context.print_json(&Json {
                dataset: &self.saved.training.dataset,
                model: &self.args.model,
                parameters: self.saved.model.params().iter().map(|p| p.values.len()).sum(),
                epochs: self.trained.history.len(),
                seed: context.seed,
                threads: context.threads,
                train_seconds: self.trained.train_seconds,
                total_seconds,
                images_per_second: self.trained.images_per_second,
                validation_accuracy: self.trained.validation_accuracy,
                test_accuracy,
                model_path: &self.at,
            });
        }
        let images = self.test.map_or(0, Dataset::len) as u64;
        let mut text = match (&self.score, test_accuracy) {
            (_, Some(accuracy)) => context.language.pick(
                format!("test accuracy {:.2} % ({} images)\n", 100.0 * accuracy, count(images)),
                format!("시험 정확도 {:.2} % (이미지 {}장)\n", 100.0 * accuracy, count(images)),
            ),
            (Some(Evaluation::Values(scores)), None) => {
                format!("{} RMSE {:.4}, R² {:.4}\n", context.say("test", "시험"), scores.rmse, scores.r2)
            }
            _ => String::new(),
        };
        let run = folder.path().display();
        let sample = if self.args.data == source::MNIST { "mnist:test:7" } else { "INPUT" };
        text += &context.language.pick(
            format!("{total_seconds:.2} s in all, model in {}\n", self.at),
            format!("모두 {total_seconds:.2}초, 모델은 {}\n", self.at),
        );
        text += &format!("\n{}\n", context.say("next:", "다음:"));
        text += &format!("  foveal predict {run} {sample}\n  foveal eval {run} {}\n", self.args.data);
        context.print(&text)
    }
}
