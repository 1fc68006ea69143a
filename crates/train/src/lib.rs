#![forbid(unsafe_code)]
//! The training loop (epochs, batches, metrics, early stopping, best weights), and trained models as files.
//!
//! | to train | |
//! |---|---|
//! | [`Fit`] | a run, with as much of it changed as a program likes: loss, optimizer, schedule, clipping, weights, metrics |
//! | [`Learner`] | a loop of the program's own over arrays, at the engine's speed |
//! | [`fit()`], [`fit_resumable`] | what the program `foveal` runs: checkpoints |
//! | [`Steps`] | a run that its caller drives step by step |
//!
//! To predict, take [`SavedModel::predictor`]. Nothing here prints or opens files: [`fit()`] gives [`Event`]s,
//! [`SavedModel`] and [`Checkpoint`] take and give bytes.

mod augmented;
mod calibration;
mod checkpoint;
mod cut;
mod ensemble;
mod error;
mod evaluate;
mod event;
mod examples;
mod fit;
mod fitting;
mod grouped;
mod hooks;
mod identity;
mod labels;
mod learner;
mod paired;
mod preprocess;
mod ranking;
mod recipe;
mod reliability;
mod saved;
mod steps;
pub mod tensorboard;
mod trainer;
mod transfer;
mod units;

pub use calibration::{Temperature, at_temperature};
pub use checkpoint::{Checkpoint, Maker};
pub use cut::Cut;
pub use ensemble::combine;
pub use error::Error;
pub use evaluate::{
    ClassScores, Evaluation, PerClass, PerTarget, ValueScores, evaluate, judge, judge_saved, predict,
    probabilities, wilson,
};
pub use event::{EpochReport, Event, Outcome, Status};
pub use fit::{Resume, Save, fit, fit_resumable};
pub use fitting::{Fit, Trained};
pub use foveal_data::{Scale, Window};
pub use foveal_infer::Predictor;
pub use grouped::Grouped;
pub use hooks::{Judged, Progress};
pub use labels::{HALF, LabelScores, PerLabel, thresholds};
pub use learner::{Learner, LearnerOptions};
pub use paired::sign_test;
pub use preprocess::{Moments, PictureFit, Preprocess};
pub use ranking::{Ranking, thinned};
pub use recipe::Recipe;
pub use reliability::{Bin, Reliability};
pub use saved::{Division, SavedModel, Training};
pub use steps::{StepOutcome, Steps};
pub use trainer::memory_needed;
pub use transfer::{Freeze, Transfer, resized, transfer};
