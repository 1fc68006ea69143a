//! Training in the page: the built-in model `fast` on MNIST, a step at a time, with no clock and no thread.

use foveal::data::{Dataset, Samples, Split, Targets};
use foveal::nn::{Model, builtin};
use foveal::train::{Error, Evaluation, PictureFit, Preprocess, Recipe, SavedModel, Steps, evaluate};
use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

/// Height and width of a digit.
const SIDE: usize = 28;
/// Digits 0 to 9.
const CLASSES: u32 = 10;
/// The built-in model that is trained.
const MODEL: &str = "fast";

/// How to train.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Tsify)]
pub struct Plan {
    /// Times that every digit is seen.
    pub epochs: usize,
    /// The full learning rate.
    pub lr: f32,
    /// How many of the digits are held out, to judge by; the first ones.
    pub held: usize,
    /// Seeds the parameters and the order of the digits.
    pub seed: u32,
}

/// What a step gave.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Progress {
    /// A step is done.
    Step {
        /// The epoch, from 1 on.
        epoch: usize,
        /// Steps done in all.
        done: usize,
        /// Mean loss of the step's digits.
        loss: f64,
        /// Share of the step's digits that were right.
        accuracy: f64,
        /// Digits of the step.
        digits: usize,
        /// Its learning rate.
        lr: f32,
    },
    /// All epochs are done.
    Finished,
    /// The loss was not a number; the weights are those of the last epoch's end.
    Diverged {
        /// Steps done in all.
        done: usize,
    },
}

/// How good the model is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
pub struct Scores {
    /// Mean cross-entropy.
    pub loss: f64,
    /// Share of digits that are right.
    pub accuracy: f64,
    /// Digits judged.
    pub digits: usize,
    /// Counts: row the true digit, column what the model says; row by row.
    pub confusion: Vec<u32>,
}

/// A value for JavaScript, or an exception there.
type Thrown<T> = Result<T, JsError>;

/// A training run.
#[wasm_bindgen]
pub struct Training {
    steps: Steps,
    accuracy: Option<f64>,
}

/// The library's side, tested on the host.
impl Training {
    /// A run on digits: 784 bytes each, and a label each.
    ///
    /// # Errors
    /// When pixels and labels do not fit together, or the plan is out of range.
    pub fn begin(pixels: Vec<u8>, labels: &[u8], plan: Plan) -> Result<Self, Error> {
        let data = digits("mnist", pixels, labels)?;
        let split = Split::first(data.len(), plan.held)?;
        let spec = builtin::spec(MODEL).expect("a built-in model");
        let model = Model::new(&spec, plan.seed.into())?;
        let recipe = Recipe { epochs: plan.epochs, lr: plan.lr, seed: plan.seed.into(), ..Recipe::fast() };
        let steps = Steps::new(&model, data, split, Preprocess::unit(1, PictureFit::Digit), recipe)?;
        Ok(Self { steps, accuracy: None })
    }

    /// The next step.
    ///
    /// # Errors
    /// A run that has begun gives none.
    pub fn advance(&mut self) -> Result<Progress, Error> {
        let step = self.steps.step();
        let done = self.steps.done();
        Ok(match step {
            Ok(Some(s)) => Progress::Step {
                epoch: s.epoch,
                done,
                loss: s.loss,
                accuracy: s.correct as f64 / s.images.max(1) as f64,
                digits: s.images,
                lr: s.lr,
            },
            Ok(None) => Progress::Finished,
            Err(Error::NonFinite { .. }) => Progress::Diverged { done },
            Err(error) => return Err(error),
        })
    }

    /// Scores on the digits that are held out.
    ///
    /// # Errors
    /// When none are.
    pub fn held_out(&mut self) -> Result<Scores, Error> {
        let scores = scores(self.steps.validate()?);
        self.accuracy = Some(scores.accuracy);
        Ok(scores)
    }

    /// Scores on other digits.
    ///
    /// # Errors
    /// When there are not 784 bytes and a label for each.
    pub fn judge_by(&self, pixels: Vec<u8>, labels: &[u8]) -> Result<Scores, Error> {
        let data = digits("mnist test", pixels, labels)?;
        Ok(scores(evaluate(&self.steps.model(), self.steps.preprocess(), &data, None, 1)?))
    }

    /// The model as it is now.
    pub fn model(&self) -> SavedModel {
        SavedModel {
            model: self.steps.model(),
            preprocess: self.steps.preprocess().clone(),
            classes: self.steps.data().classes().map(<[String]>::to_vec).unwrap_or_default(),
            training: foveal::train::Training {
                model: MODEL.into(),
                dataset: self.steps.data().name().into(),
                recipe: self.steps.recipe().clone(),
                epochs: self.steps.done() / self.steps.per_epoch().max(1),
                validation_accuracy: self.accuracy,
                ..foveal::train::Training::default()
            },
        }
    }
}

fn digits(name: &str, pixels: Vec<u8>, labels: &[u8]) -> Result<Dataset, Error> {
    let names = (0..CLASSES).map(|c| c.to_string()).collect();
    let labels = labels.iter().map(|&l| u32::from(l)).collect();
    Ok(Dataset::new(name, [SIDE, SIDE, 1], Samples::U8(pixels), Targets::Classes { labels, names })?)
}

fn scores(evaluation: Evaluation) -> Scores {
    let Evaluation::Classes(s) = evaluation else { unreachable!("digits have classes") };
    let confusion: Vec<u32> =
        s.confusion.iter().flatten().map(|&n| u32::try_from(n).unwrap_or(u32::MAX)).collect();
    let digits = confusion.iter().map(|&n| n as usize).sum();
    Scores { loss: s.loss, accuracy: s.accuracy, digits, confusion }
}

#[wasm_bindgen]
impl Training {
    /// A run on digits: 784 bytes each, and a label each.
    #[wasm_bindgen(constructor)]
    pub fn new(pixels: Vec<u8>, labels: &[u8], plan: Ts<Plan>) -> Thrown<Training> {
        Ok(Self::begin(pixels, labels, plan.to_rust()?)?)
    }

    /// The next step.
    pub fn step(&mut self) -> Thrown<Ts<Progress>> {
        Ok(self.advance()?.into_ts()?)
    }

    /// Steps of all epochs.
    pub fn total(&self) -> usize {
        self.steps.total()
    }

    /// Steps of an epoch.
    #[wasm_bindgen(js_name = perEpoch)]
    pub fn per_epoch(&self) -> usize {
        self.steps.per_epoch()
    }

    /// Sets the full learning rate for the steps to come; false, and the old one stays, where it is not above 0.
    #[wasm_bindgen(js_name = setRate)]
    pub fn set_rate(&mut self, lr: f32) -> bool {
        self.steps.set_lr(lr).is_ok()
    }

    /// Scores on the digits that are held out.
    pub fn validate(&mut self) -> Thrown<Ts<Scores>> {
        Ok(self.held_out()?.into_ts()?)
    }

    /// Scores on other digits: 784 bytes each, and a label each.
    pub fn judge(&self, pixels: Vec<u8>, labels: &[u8]) -> Thrown<Ts<Scores>> {
        Ok(self.judge_by(pixels, labels)?.into_ts()?)
    }

    /// The numbers of the parameter called `name` as they are now; empty where there is none.
    pub fn parameter(&self, name: &str) -> Vec<f32> {
        self.steps.model().param(name).map(|p| p.values.clone()).unwrap_or_default()
    }

    /// The model as a `.safetensors` file.
    pub fn safetensors(&self) -> Thrown<Vec<u8>> {
        Ok(self.model().to_bytes()?)
    }

    /// The model as an ONNX file.
    pub fn onnx(&self) -> Thrown<Vec<u8>> {
        Ok(foveal::onnx::export(&self.model())?)
    }
}
