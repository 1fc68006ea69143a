//! The training engine: a model and a batch size compiled once to a list of steps over one arena, run by a
//! team of workers that live as long as the run.
//!
//! Images stand side by side in vectors ([`foveal_kernels::lanes`]): a *group* of them goes through the whole
//! network, forward and backward, while it stays in the cache. A training step is two jobs of the team:
//! the groups, each with gradient sums of its own; then the parameters, each chunk summed over the groups in
//! their order and updated at once. Batch normalization needs the whole batch's statistics, so it cuts the
//! first job in stages. Who does what is left to chance and no sum depends on it: the same seed gives the
//! same bits with any number of threads.

mod batch;
mod channels;
mod core;
mod example;
mod frozen;
mod fusions;
mod gradients;
mod graph;
mod group;
mod options;
mod own;
mod plan;
mod predict;
mod profile;
mod report;
mod single;
mod singly;
mod slots;
mod statistics;
mod update;
mod updates;
mod wide;

pub use core::Engine;

pub use example::{Example, Pixels, StepReport, Target};
pub use gradients::{OwnLoss, Update, clip_by_norm, norm};
pub(crate) use options::training_is_here;
pub use options::{GroupLayout, Options, State};
pub use plan::Plan;
pub use profile::Profile;
pub use report::{Part, PlanReport, PlannedStep, describe};
pub use updates::Rates;
