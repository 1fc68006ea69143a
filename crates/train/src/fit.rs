use crate::evaluate::{score, targets_fit};
use crate::units::Units;
use crate::{EpochReport, Error, Event, Outcome, Preprocess, Recipe, Status};
use foveal_data::shuffle::{balanced_order, epoch_order};
use foveal_data::{Dataset, Sample, Split, Targets};
use foveal_nn::engine::{Engine, Example, Options, Pixels, Target};
use foveal_nn::{Isa, Model};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Trains `model` on the training part of `split`, judging each epoch by the validation part.
///
/// The same recipe gives the same weights, bit for bit, with any number of threads. When `stop` turns true the
/// step at hand is finished and the run ends with the weights it has.
///
/// The values of a regression are trained in standard deviations from their mean, which the losses of events and
/// of the outcome count in, where the model ends in a dense layer with a bias; the model that comes out speaks in
/// the data's own units.
///
/// # Errors
/// When the data do not fit the model or a recipe's value is out of range.
pub fn fit(
    model: Model,
    data: &Dataset,
    split: &Split,
    preprocess: &Preprocess,
    recipe: &Recipe,
    stop: &AtomicBool,
    on_event: &mut dyn FnMut(&Event),
) -> Result<Outcome, Error> {
    recipe.check()?;
    targets_fit(&model, data, Some(recipe.loss))?;
    if let (Some(weights), Some(classes)) = (&recipe.class_weights, data.classes())
        && weights.len() != classes.len()
    {
        let (w, c) = (weights.len(), classes.len());
        return Err(Error::Recipe(format!("{c} classes need as many class weights, got {w}")));
    }
    if split.train.is_empty() {
        return Err(Error::Mismatch(format!("{}: there are no images to train on", data.name())));
    }
    let options = preprocess.options(Options {
        batch_size: recipe.batch_size,
        threads: recipe.threads,
        loss: Some(recipe.loss),
        optimizer: recipe.optimizer,
        seed: recipe.seed,
        scale: Vec::new(),
        shift: Vec::new(),
        isa: Isa::best(),
    });
    let engine = Engine::new(&model, options)?;
    let mut run = Run {
        units: Units::new(&model, data, &split.train),
        good: engine.values().to_vec(),
        engine,
        data,
        split,
        recipe,
        stop,
        on_event,
        batches: split.train.len().div_ceil(recipe.batch_size),
        seconds: 0.0,
        images: 0,
        sum: Vec::new(),
        summed: 0,
    };
    Ok(run.all())
}

struct Run<'a> {
    engine: Engine,
    units: Option<Units>,
    /// The weights of the last good epoch.
    good: Vec<f32>,
    data: &'a Dataset,
    split: &'a Split,
    recipe: &'a Recipe,
    stop: &'a AtomicBool,
    on_event: &'a mut dyn FnMut(&Event),
    batches: usize,
    seconds: f64,
    images: usize,
    /// The weights summed over the last steps, for averaging.
    sum: Vec<f64>,
    summed: usize,
}

impl Run<'_> {
    fn all(&mut self) -> Outcome {
        let images = [self.split.train.len(), self.split.validation.len()];
        let (epochs, batches) = (self.recipe.epochs, self.batches);
        (self.on_event)(&Event::Started { epochs, batches, images });
        let mut history: Vec<EpochReport> = Vec::new();
        let mut best: Option<(f64, usize, Vec<f32>)> = None;
        let mut status = Status::Finished;
        for epoch in 1..=epochs {
            let mut report = match self.epoch(epoch) {
                Ok(report) => report,
                Err(ended) => {
                    status = ended;
                    break;
                }
            };
            if epoch == epochs {
                self.take_average();
            }
            let scores = self.validate();
            report.validation_loss = scores.map(|s| s.0);
            report.validation_accuracy = scores.and_then(|s| s.1);
            self.good.copy_from_slice(self.engine.values());
            (self.on_event)(&Event::Epoch(report.clone()));
            history.push(report);
            // The better of two epochs: higher accuracy, or lower loss for a regression.
            let judged = scores.map(|(loss, accuracy)| accuracy.unwrap_or(-loss));
            if let Some(score) = judged.filter(|s| best.as_ref().is_none_or(|b| *s > b.0)) {
                best = Some((score, epoch, self.good.clone()));
            }
            let waited = best.as_ref().map_or(0, |b| epoch - b.1);
            if self.recipe.patience.is_some_and(|p| waited >= p.max(1)) && epoch < epochs {
                status = Status::EarlyStopped;
                break;
            }
        }
        match (&best, status) {
            (Some((_, _, weights)), _) if self.recipe.keep_best => {
                self.engine.values_mut().copy_from_slice(weights);
            }
            (_, Status::NonFinite { .. }) => self.engine.values_mut().copy_from_slice(&self.good),
            _ => {}
        }
        // The last epoch's scores still hold if its weights are the ones kept.
        let last = history.last().and_then(|e| e.validation_loss.map(|loss| (loss, e.validation_accuracy)));
        let kept = last.filter(|_| self.good == self.engine.values()).or_else(|| self.validate());
        (self.on_event)(&Event::Finished(status));
        let model = self.engine.model();
        let model = match &self.units {
            Some(units) => units.restore(model),
            None => model,
        };
        Outcome {
            model,
            history,
            status,
            train_seconds: self.seconds,
            images_per_second: self.images as f64 / self.seconds.max(1e-9),
            validation_accuracy: kept.and_then(|s| s.1),
            validation_loss: kept.map(|s| s.0),
        }
    }

    /// One epoch's steps; an early end is the error.
    fn epoch(&mut self, epoch: usize) -> Result<EpochReport, Status> {
        let (indices, seed) = (&self.split.train, self.recipe.seed);
        let order = match self.data.labels() {
            Some(labels) if self.recipe.balanced_sampling => {
                balanced_order(indices, labels, seed, epoch as u64)
            }
            _ => epoch_order(indices, seed, epoch as u64),
        };
        let (epochs, batches) = (self.recipe.epochs, self.batches);
        let total = epochs * batches;
        let (mut loss, mut correct, mut seen) = (0.0, 0, 0);
        let classes = self.data.classes().is_some();
        let start = Instant::now();
        let mut lr = 0.0;
        for (b, indices) in order.chunks(self.recipe.batch_size).enumerate() {
            let step = (epoch - 1) * batches + b;
            lr = self.recipe.lr * self.recipe.schedule.factor(step, total, batches);
            let (data, weights) = (self.data, self.recipe.class_weights.as_deref());
            let units = self.units.as_ref();
            let report =
                self.engine.step(indices.len(), lr, |i| example(data, units, indices[i] as usize, weights));
            if !report.loss.is_finite() {
                self.count(start, seen);
                return Err(Status::NonFinite { epoch, batch: b + 1 });
            }
            loss += report.loss * report.count as f64;
            correct += report.correct;
            seen += report.count;
            self.average(step, total);
            (self.on_event)(&Event::Batch {
                epoch,
                epochs,
                batch: b + 1,
                batches,
                images_per_second: seen as f64 / start.elapsed().as_secs_f64().max(1e-9),
                loss: loss / seen as f64,
                accuracy: classes.then_some(correct as f64 / seen as f64),
                step_loss: report.loss,
                step_accuracy: classes.then_some(report.correct as f64 / report.count.max(1) as f64),
                lr,
            });
            if self.stop.load(Ordering::Relaxed) {
                self.count(start, seen);
                return Err(Status::Interrupted);
            }
        }
        let seconds = self.count(start, seen);
        Ok(EpochReport {
            epoch,
            epochs,
            train_loss: loss / seen as f64,
            train_accuracy: classes.then_some(correct as f64 / seen as f64),
            validation_loss: None,
            validation_accuracy: None,
            seconds,
            images_per_second: seen as f64 / seconds.max(1e-9),
            lr,
        })
    }

    fn count(&mut self, start: Instant, images: usize) -> f64 {
        let seconds = start.elapsed().as_secs_f64();
        self.seconds += seconds;
        self.images += images;
        seconds
    }

    fn average(&mut self, step: usize, total: usize) {
        let last = (self.recipe.average * total as f32) as usize;
        if step + last < total {
            return;
        }
        let values = self.engine.values();
        self.sum.resize(values.len(), 0.0);
        self.sum.iter_mut().zip(values).for_each(|(s, &v)| *s += f64::from(v));
        self.summed += 1;
    }

    fn take_average(&mut self) {
        if self.summed > 1 {
            let n = self.summed as f64;
            let mean = self.sum.iter().map(|s| (s / n) as f32);
            self.engine.values_mut().iter_mut().zip(mean).for_each(|(v, m)| *v = m);
        }
    }

    /// Loss and accuracy on the validation images.
    fn validate(&mut self) -> Option<(f64, Option<f64>)> {
        let indices = &self.split.validation;
        if indices.is_empty() {
            return None;
        }
        let data = self.data;
        let outputs = self.engine.predict(indices.len(), |i| pixels(data, indices[i] as usize));
        let scaled = self.units.as_ref().map(|units| &units.values[..]);
        Some(score(&outputs, data, scaled, indices, self.recipe.loss))
    }
}

pub(crate) fn pixels(data: &Dataset, i: usize) -> Pixels<'_> {
    match data.sample(i) {
        Sample::U8(v) => Pixels::U8(v),
        Sample::F32(v) => Pixels::F32(v),
    }
}

fn example<'a>(
    data: &'a Dataset,
    units: Option<&'a Units>,
    i: usize,
    weights: Option<&[f32]>,
) -> Example<'a> {
    let (target, weight) = match data.targets() {
        Targets::Classes { labels, .. } => {
            let label = labels[i];
            (Target::Class(label), weights.map_or(1.0, |w| w[label as usize]))
        }
        Targets::Values { values, names } => {
            let values = units.map_or(values, |units| &units.values);
            (Target::Values(&values[i * names.len()..(i + 1) * names.len()]), 1.0)
        }
    };
    Example { pixels: pixels(data, i), target, weight }
}
