#![forbid(unsafe_code)]
//! The training loop (epochs, batches, metrics, early stopping, best weights), and trained models as files.
//!
//! Nothing here prints or opens files: [`fit`] gives [`Event`]s, [`Steps`] is driven by its caller, [`SavedModel`]
//! and [`Checkpoint`] take and give bytes.

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
mod grouped;
mod identity;
mod paired;
mod predictor;
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
    ClassScores, Evaluation, PerClass, PerTarget, ValueScores, evaluate, judge, predict, probabilities,
    wilson,
};
pub use event::{EpochReport, Event, Outcome, Status};
pub use fit::{Resume, Save, fit, fit_resumable};
pub use foveal_data::{Scale, Window};
pub use grouped::Grouped;
pub use paired::sign_test;
pub use predictor::Predictor;
pub use preprocess::{Moments, PictureFit, Preprocess};
pub use ranking::{Ranking, thinned};
pub use recipe::Recipe;
pub use reliability::{Bin, Reliability};
pub use saved::{Division, SavedModel, Training};
pub use steps::{StepOutcome, Steps};
pub use trainer::memory_needed;
pub use transfer::{Freeze, Transfer, resized, transfer};
