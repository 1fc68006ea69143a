use crate::evaluate::{accuracy, score};
use crate::examples::outputs;
use crate::hooks::{Hooks, Judged, Progress};
use crate::identity::Identity;
use crate::trainer::{Trainer, order};
use crate::{Checkpoint, EpochReport, Error, Event, Maker, Outcome, Preprocess, Recipe, Status};
use foveal_data::{Dataset, Split};
use foveal_nn::Model;
use foveal_nn::ndarray::ArrayView2;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Keeps a checkpoint; the error says why it cannot be kept.
pub type Save<'a> = Box<dyn FnMut(&Checkpoint) -> Result<(), String> + 'a>;

/// Where a run begins, and what keeps its checkpoints.
#[derive(Default)]
pub struct Resume<'a> {
    /// The checkpoint to go on from; `None`: the run begins at its beginning.
    pub from: Option<Checkpoint>,
    /// Called with a checkpoint after each epoch. If it fails, the run ends at once with its error.
    pub save: Option<Save<'a>>,
}

/// Trains `model` on the training part of `split`, judging each epoch by the validation part.
///
/// The same recipe gives the same weights, bit for bit, with any number of threads. When `stop` becomes true, the
/// current step is finished and the run ends with the weights it has.
///
/// If the model ends in a dense layer with a bias, the values of a regression are trained in standard deviations from
/// their mean, and the losses of events and of the outcome are in these units. The model that comes out gives the
/// values in the data's own units.
///
/// # Errors
/// When the data do not fit the model or a recipe's value is out of range.
///
/// ```
/// use foveal_data::{Dataset, Split};
/// use foveal_train::{Preprocess, Recipe, Status, fit};
/// use std::sync::atomic::AtomicBool;
///
/// let data = Dataset::from_samples([1, 1, 1], (0..20u8).map(|i| (vec![12 * i], u32::from(i > 9))))?;
/// let model = foveal_nn::Sequential::new([1, 1, 1]).flatten().dense(2).build(0)?;
/// let (split, recipe) = (Split::first(20, 4)?, Recipe { epochs: 2, ..Recipe::default() });
/// let stop = AtomicBool::new(false);
/// let outcome = fit(model, &data, &split, &Preprocess::of(&data), &recipe, &stop, &mut |_| {})?;
/// assert_eq!((outcome.status, outcome.history.len()), (Status::Finished, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn fit(
    model: Model,
    data: &Dataset,
    split: &Split,
    preprocess: &Preprocess,
    recipe: &Recipe,
    stop: &AtomicBool,
    on_event: &mut dyn FnMut(&Event),
) -> Result<Outcome, Error> {
    fit_resumable(model, data, split, preprocess, recipe, stop, on_event, Resume::default())
}

/// [`fit`] with checkpoints. A run that goes on from a checkpoint ends in the same weights, bit for bit, as one that
/// never stopped, if it is the same run on the same instruction set. `model` is the model that the run began with.
///
/// # Errors
/// As [`fit`]; when a layer to be frozen is not there; when the checkpoint is of another run, saying what differs;
/// when a checkpoint cannot be kept.
#[expect(clippy::too_many_arguments, reason = "those of fit and one more")]
pub fn fit_resumable(
    model: Model,
    data: &Dataset,
    split: &Split,
    preprocess: &Preprocess,
    recipe: &Recipe,
    stop: &AtomicBool,
    on_event: &mut dyn FnMut(&Event),
    resume: Resume<'_>,
) -> Result<Outcome, Error> {
    let mut model = model;
    let mut run = Run::new(&mut model, (data, split, preprocess, recipe), stop, on_event, Hooks::default())?;
    let Resume { from, save } = resume;
    if from.is_some() || save.is_some() {
        let identity = Identity::new(&model, data, split, preprocess, recipe)?;
        from.map_or(Ok(()), |checkpoint| run.go_on(checkpoint, &identity))?;
        run.save = save.map(|save| (identity, save));
    }
    run.all()
}

/// What a run is made of.
type Task<'a> = (&'a Dataset, &'a Split, &'a Preprocess, &'a Recipe);

/// [`fit`] with what the program changes about it.
pub(crate) fn run<'a>(
    mut model: Model,
    task: Task<'a>,
    stop: &'a AtomicBool,
    on_event: &'a mut dyn FnMut(&Event),
    hooks: Hooks<'a>,
) -> Result<Outcome, Error> {
    Run::new(&mut model, task, stop, on_event, hooks)?.all()
}

impl<'a> Run<'a> {
    /// Checks that all fits together; freezes what the recipe says.
    fn new(
        model: &mut Model,
        (data, split, preprocess, recipe): Task<'a>,
        stop: &'a AtomicBool,
        on_event: &'a mut dyn FnMut(&Event),
        hooks: Hooks<'a>,
    ) -> Result<Self, Error> {
        let trainer = Trainer::new(model, data, split, preprocess, recipe, &hooks)?;
        Ok(Run {
            good: trainer.engine.values().to_vec(),
            trainer,
            hooks,
            metrics: Vec::new(),
            figures: Vec::new(),
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
            history: Vec::new(),
            best: None,
            save: None,
        })
    }
}

struct Run<'a> {
    trainer: Trainer,
    hooks: Hooks<'a>,
    /// The program's own figures of each epoch.
    metrics: Vec<Vec<(String, f64)>>,
    /// Those of the last validation.
    figures: Vec<(String, f64)>,
    /// The weights at the end of the last epoch.
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
    history: Vec<EpochReport>,
    best: Option<Best>,
    save: Option<(Identity, Save<'a>)>,
}

/// The best epoch so far; its weights if they are to be kept.
struct Best {
    /// Loss and accuracy on the validation samples.
    score: (f64, Option<f64>),
    epoch: usize,
    weights: Vec<f32>,
}

impl Run<'_> {
    fn all(mut self) -> Result<Outcome, Error> {
        let images = [self.split.train.len(), self.split.validation.len()];
        let (epochs, batches) = (self.recipe.epochs, self.batches);
        if !self.history.is_empty() {
            (self.on_event)(&Event::Resumed { epoch: self.history.len(), batches });
        }
        (self.on_event)(&Event::Started { epochs, batches, images });
        let status = self.epochs()?;
        let last = Some(self.history.len()).filter(|epoch| *epoch > 0);
        let (epoch, weights) = match (&self.best, status) {
            (Some(best), _) if self.recipe.keep_best => (Some(best.epoch), Some(&best.weights)),
            (_, Status::NonFinite { .. }) => (last, Some(&self.good)),
            (_, Status::Interrupted) if self.trainer.engine.values() != self.good => (None, None),
            _ => (last, None),
        };
        if let Some(weights) = weights {
            self.trainer.engine.values_mut().copy_from_slice(weights);
        }
        // The figures are those of the epoch whose weights are kept.
        let kept = match epoch.map(|epoch| &self.history[epoch - 1]) {
            Some(report) => report.validation_loss.map(|loss| (loss, report.validation_accuracy)),
            None => self.validate()?,
        };
        let model = self.trainer.model();
        // Weights that are numbers in the units of the training may be too large for the data's own.
        let whole = model.params().iter().all(|p| p.values.iter().all(|v| v.is_finite()));
        let ended = matches!(status, Status::Finished | Status::EarlyStopped);
        let status = match whole || !ended {
            true => status,
            false => Status::NonFinite { epoch: self.history.len(), batch: self.batches },
        };
        (self.on_event)(&Event::Finished(status));
        Ok(Outcome {
            model,
            history: self.history,
            metrics: self.metrics,
            status,
            epoch,
            train_seconds: self.seconds,
            images_per_second: self.images as f64 / self.seconds.max(1e-9),
            validation_accuracy: kept.and_then(|s| s.1),
            validation_loss: kept.map(|s| s.0),
        })
    }

    /// Runs the epochs that are left, and says how the run ended.
    fn epochs(&mut self) -> Result<Status, Error> {
        let epochs = self.recipe.epochs;
        for epoch in self.history.len() + 1..=epochs {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(Status::Interrupted);
            }
            let waited = self.best.as_ref().map_or(0, |b| epoch - 1 - b.epoch);
            if self.recipe.patience.is_some_and(|p| waited >= p.max(1)) {
                return Ok(Status::EarlyStopped);
            }
            let ended = self.epoch(epoch)?;
            if let Some(fault) = self.data.fault() {
                return Err(fault.into());
            }
            let mut report = match ended {
                Ok(report) => report,
                Err(ended) => return Ok(ended),
            };
            if epoch == epochs {
                self.take_average();
            }
            // The loss of a step is that of the weights before it.
            if !self.trainer.is_finite() {
                return Ok(Status::NonFinite { epoch, batch: self.batches });
            }
            let scores = self.validate()?;
            report.validation_loss = scores.map(|s| s.0);
            report.validation_accuracy = scores.and_then(|s| s.1);
            self.good.copy_from_slice(self.trainer.engine.values());
            self.tell_metrics(epoch);
            (self.on_event)(&Event::Epoch(report.clone()));
            if self.judge(&report) && self.recipe.keep_best {
                let best = self.best.as_mut().expect("an epoch that is the best");
                best.weights.clone_from(&self.good);
            }
            self.history.push(report);
            self.save()?;
        }
        Ok(Status::Finished)
    }

    /// Whether an epoch is the best so far: of lower validation loss, or of higher accuracy where losses are equal.
    fn judge(&mut self, report: &EpochReport) -> bool {
        let loss = report.validation_loss.filter(|loss| loss.is_finite());
        let score = loss.map(|loss| (loss, report.validation_accuracy));
        let better = |(loss, accuracy): (f64, Option<f64>), best: &Best| {
            loss < best.score.0 || loss == best.score.0 && accuracy > best.score.1
        };
        let Some(score) = score.filter(|s| self.best.as_ref().is_none_or(|b| better(*s, b))) else {
            return false;
        };
        let weights = self.best.take().map(|b| b.weights).unwrap_or_default();
        self.best = Some(Best { score, epoch: report.epoch, weights });
        true
    }

    /// Makes a checkpoint and hands it over to be kept.
    fn save(&mut self) -> Result<(), Error> {
        let Some((identity, save)) = &mut self.save else { return Ok(()) };
        let checkpoint = Checkpoint {
            identity: identity.clone(),
            state: self.trainer.engine.state(),
            best: self.best.as_ref().map_or_else(Vec::new, |b| b.weights.clone()),
            sum: self.sum.clone(),
            summed: self.summed as u64,
            history: self.history.clone(),
            epochs: self.recipe.epochs,
            maker: Maker::this(),
        };
        save(&checkpoint).map_err(Error::Save)
    }

    /// Puts the run into the state of `checkpoint`.
    fn go_on(&mut self, checkpoint: Checkpoint, now: &Identity) -> Result<(), Error> {
        let refuse = |what: &str| Error::OtherRun { differences: vec![what.to_owned()] };
        let differences = checkpoint.identity.differences(now);
        if !differences.is_empty() {
            return Err(Error::OtherRun { differences });
        }
        self.trainer.engine.restore(&checkpoint.state)?;
        let steps = (checkpoint.history.len() * self.batches) as u64;
        if checkpoint.epochs != self.recipe.epochs || checkpoint.state.steps != steps {
            return Err(refuse("its epochs and steps do not fit the recipe's"));
        }
        self.good.copy_from_slice(self.trainer.engine.values());
        (self.sum, self.summed) = (checkpoint.sum, checkpoint.summed as usize);
        for report in checkpoint.history {
            self.judge(&report);
            self.seconds += report.seconds;
            self.images += self.split.train.len();
            self.history.push(report);
        }
        if let Some(best) = self.best.as_mut().filter(|_| self.recipe.keep_best) {
            if checkpoint.best.len() != self.good.len() {
                return Err(refuse("it lacks the best epoch's weights"));
            }
            best.weights = checkpoint.best;
        }
        Ok(())
    }

    /// Does the steps of an epoch. An early end is the error.
    fn epoch(&mut self, epoch: usize) -> Result<Result<EpochReport, Status>, Error> {
        let order = order(self.data, self.split, self.recipe, epoch);
        let (epochs, batches) = (self.recipe.epochs, self.batches);
        let total = epochs * batches;
        let (mut loss, mut correct, mut seen) = (0.0, 0, 0);
        let classes = self.data.classes().or(self.data.several()).is_some();
        let start = Instant::now();
        let mut lr = 0.0;
        for (b, indices) in order.chunks(self.recipe.batch_size).enumerate() {
            let step = (epoch - 1) * batches + b;
            lr = self.lr(step, total)?;
            let parts = (self.data, self.split, self.recipe);
            let last = b + 1 == batches;
            let report = self.trainer.step(parts, &mut self.hooks, indices, (epoch, last), lr)?;
            if !report.loss.is_finite() {
                self.count(start, seen);
                return Ok(Err(Status::NonFinite { epoch, batch: b + 1 }));
            }
            loss += report.plain * report.count as f64;
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
                step_loss: report.plain,
                step_accuracy: classes.then_some(report.correct as f64 / report.count.max(1) as f64),
                lr,
            });
            // After the last step of an epoch its figures and its checkpoint are made first.
            if self.stop.load(Ordering::Relaxed) && !last || self.data.fault().is_some() {
                self.count(start, seen);
                return Ok(Err(match self.trainer.is_finite() {
                    true => Status::Interrupted,
                    false => Status::NonFinite { epoch, batch: b + 1 },
                }));
            }
        }
        let seconds = self.count(start, seen);
        Ok(Ok(EpochReport {
            epoch,
            epochs,
            train_loss: loss / seen as f64,
            train_accuracy: classes.then_some(correct as f64 / seen as f64),
            validation_loss: None,
            validation_accuracy: None,
            seconds,
            images_per_second: seen as f64 / seconds.max(1e-9),
            lr,
        }))
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
        let values = self.trainer.engine.values();
        self.sum.resize(values.len(), 0.0);
        self.sum.iter_mut().zip(values).for_each(|(s, &v)| *s += f64::from(v));
        self.summed += 1;
    }

    fn take_average(&mut self) {
        if self.summed > 1 {
            let n = self.summed as f64;
            let mean = self.sum.iter().map(|s| (s / n) as f32);
            self.trainer.engine.values_mut().iter_mut().zip(mean).for_each(|(v, m)| *v = m);
        }
    }

    /// Loss and accuracy on the validation images.
    fn validate(&mut self) -> Result<Option<(f64, Option<f64>)>, Error> {
        let indices = &self.split.validation;
        if indices.is_empty() {
            return Ok(None);
        }
        let data = self.data;
        let outputs = outputs(&mut self.trainer.engine, data, indices.len(), |i| indices[i] as usize);
        self.trainer.engine.fault().map_or(Ok(()), Err)?;
        let width = outputs.len() / indices.len();
        let classes = data.classes().map(<[String]>::len);
        if !self.hooks.metrics.is_empty() || self.hooks.loss.is_some() {
            let view =
                ArrayView2::from_shape((indices.len(), width), &outputs).expect("a row for each sample");
            let judged = Judged { outputs: view, indices, data, weights: &[] };
            let figures = self.hooks.metrics.iter_mut().map(|(name, metric)| (name.clone(), metric(&judged)));
            self.figures = figures.collect();
            if let Some(loss) = &mut self.hooks.loss {
                let (value, _) = loss(&judged).map_err(foveal_nn::Error::Loss)?;
                let accuracy = (classes == Some(width)).then(|| accuracy(&outputs, data, indices));
                return Ok(Some((f64::from(value), accuracy)));
            }
        }
        let scaled = self.trainer.units.as_ref().map(|units| &units.values[..]);
        Ok(Some(score(&outputs, data, scaled, indices, self.recipe)))
    }

    /// The learning rate of a step.
    fn lr(&mut self, step: usize, total: usize) -> Result<f32, Error> {
        let Some(schedule) = &mut self.hooks.schedule else {
            return Ok(self.recipe.lr * self.recipe.schedule.factor(step, total, self.batches));
        };
        let lr = schedule(Progress { step, steps: total, per_epoch: self.batches });
        match lr >= 0.0 && lr.is_finite() {
            true => Ok(lr),
            false => {
                let setting = "learning rate of the program's schedule";
                Err(Error::Recipe { setting, allowed: "0 or above", value: lr.to_string() })
            }
        }
    }

    /// Tells the program's own figures of an epoch.
    fn tell_metrics(&mut self, epoch: usize) {
        if self.hooks.metrics.is_empty() {
            return;
        }
        let values = std::mem::take(&mut self.figures);
        (self.on_event)(&Event::Metrics { epoch, values: values.clone() });
        self.metrics.push(values);
    }
}
