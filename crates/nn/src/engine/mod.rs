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
mod example;
mod frozen;
mod fusions;
mod graph;
mod group;
mod plan;
mod predict;
mod profile;
mod report;
mod single;
mod statistics;
mod update;

pub use example::{Example, Pixels, StepReport, Target};
pub use plan::Plan;
pub use profile::Profile;
pub use report::{Part, PlanReport, PlannedStep, describe};

use crate::Error;
use crate::loss::Loss;
use crate::model::Model;
use crate::optim::Optimizer;
use crate::steps::NormState;

use foveal_kernels::Isa;
use foveal_kernels::team::Team;
use group::{Group, Worker};
use predict::Singly;
use update::Updates;

/// What the engine is made for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Images in a full batch.
    pub batch_size: usize,
    /// Workers; the results do not depend on it.
    pub threads: usize,
    /// The loss to make small; `None` makes an engine that only predicts.
    pub loss: Option<Loss>,
    /// How gradients become steps.
    pub optimizer: Optimizer,
    /// Seeds dropout.
    pub seed: u64,
    /// For each input channel, what a raw value is multiplied by, and what is then added.
    pub scale: Vec<f32>,
    /// See `scale`.
    pub shift: Vec<f32>,
    /// The instruction set.
    pub isa: Isa,
}

impl Options {
    /// Checks the options against `model`.
    fn check(&self, model: &Model) -> Result<(), Error> {
        let channels = model.input_shape()[2];
        let fail = |problem: String| Err(Error::Training(problem));
        if self.batch_size == 0 {
            return fail("the batch size must be at least 1".into());
        }
        if self.scale.len() != channels || self.shift.len() != channels {
            let (a, b) = (self.scale.len(), self.shift.len());
            return fail(format!("{channels} channel(s) need as many scales and shifts, got {a} and {b}"));
        }
        if let Some(Loss::Huber { delta }) = self.loss
            && !(delta > 0.0 && delta.is_finite())
        {
            return fail(format!("Huber's delta must be above 0, got {delta}"));
        }
        let shape = model.output_shape();
        if shape[..2] != [1, 1] {
            return fail(format!("the output {shape:?} is not flat: end the model with one row of numbers"));
        }
        if self.loss.is_some() && model.params().iter().all(|p| !p.trainable) {
            return fail("nothing is left to train: the model has no parameters, or all are frozen".into());
        }
        if let Some(Loss::CrossEntropy { label_smoothing }) = self.loss
            && !(0.0..=1.0).contains(&label_smoothing)
        {
            return fail(format!("label smoothing must be from 0 to 1, got {label_smoothing}"));
        }
        Ok(())
    }
}

/// All that the next steps of a training depend on besides the images: given back to an engine of the same model
/// and options, they go on as if nothing had happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Training steps done.
    pub steps: u64,
    /// All parameters, in the plan's layout.
    pub values: Vec<f32>,
    /// The optimizer's two moments of each.
    pub moments: [Vec<f32>; 2],
}

/// A compiled model with its parameters, ready to train or to predict.
pub struct Engine {
    model: Model,
    plan: Plan,
    options: Options,
    team: Team,
    workers: Vec<Worker>,
    groups: Vec<Group>,
    norms: Vec<NormState>,
    /// All parameters in the plan's layout, and the optimizer's two moments.
    values: Vec<f32>,
    moments: [Vec<f32>; 2],
    updates: Updates,
    steps: u64,
    /// Many images, too, are best predicted one at a time.
    wide: bool,
    /// Made when images are predicted one at a time for the first time.
    single: Option<Singly>,
}

impl Engine {
    /// Compiles `model`.
    ///
    /// # Errors
    /// When the options do not fit the model.
    pub fn new(model: &Model, options: Options) -> Result<Self, Error> {
        options.check(model)?;
        let plan = Plan::new(model, options.isa, options.loss);
        let team = Team::new(options.threads.max(1));
        let count = options.batch_size.div_ceil(options.isa.lanes());
        let updates = Updates::new(model, &plan);
        let workers = (0..team.threads()).map(|_| Worker::new(&plan, updates.longest())).collect();
        let groups = (0..count).map(|_| Group::new(&plan, options.isa.lanes())).collect();
        let norms = plan.places.norms.iter().map(|n| NormState::new(n.channels)).collect();
        let wide = single::wide(model, options.isa);
        let mut engine = Self {
            model: model.clone(),
            values: vec![0.0; plan.places.parameters],
            moments: [vec![0.0; plan.places.parameters], vec![0.0; plan.places.parameters]],
            plan,
            options,
            team,
            workers,
            groups,
            norms,
            updates,
            steps: 0,
            wide,
            single: None,
        };
        engine.set_params(model);
        Ok(engine)
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Workers, the caller included.
    pub fn threads(&self) -> usize {
        self.team.threads()
    }

    /// Calls `f` once with each item on the engine's workers, which have nothing to do between steps; each worker
    /// has a context of its own, and which worker takes which item is left to chance.
    ///
    /// # Panics
    /// When there are fewer contexts than [`Engine::threads`], or when `f` panics.
    pub fn for_each<C: Send, T: Send>(
        &mut self,
        contexts: &mut [C],
        items: &mut [T],
        f: impl Fn(&mut C, usize, &mut T) + Sync,
    ) {
        self.team.for_each(contexts, items, f);
    }

    /// Training steps done.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The model with the parameters as they are now.
    pub fn model(&self) -> Model {
        let mut model = self.model.clone();
        for (param, at) in model.params_mut().iter_mut().zip(&self.plan.places.offsets) {
            let n = param.values.len();
            param.values.copy_from_slice(&self.values[*at..at + n]);
        }
        model
    }

    /// Takes over the parameters of a model of the same spec.
    pub fn set_params(&mut self, model: &Model) {
        self.changed();
        for (param, at) in model.params().iter().zip(&self.plan.places.offsets) {
            self.values[*at..at + param.values.len()].copy_from_slice(&param.values);
        }
    }

    /// All numbers that training changes, in the plan's layout.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All numbers that training changes, to be overwritten with [`Engine::values`] of before.
    pub fn values_mut(&mut self) -> &mut [f32] {
        self.changed();
        &mut self.values
    }

    /// All that the next steps depend on.
    pub fn state(&self) -> State {
        State { steps: self.steps, values: self.values.clone(), moments: self.moments.clone() }
    }

    /// Goes on from where another engine of the same model was.
    ///
    /// # Errors
    /// When the state has not as many numbers as this engine.
    pub fn restore(&mut self, state: &State) -> Result<(), Error> {
        let wanted = self.values.len();
        for numbers in [&state.values, &state.moments[0], &state.moments[1]] {
            if numbers.len() != wanted {
                let got = numbers.len();
                return Err(Error::Training(format!(
                    "the state has {got} numbers, the model needs {wanted}"
                )));
            }
        }
        self.changed();
        self.steps = state.steps;
        self.values.copy_from_slice(&state.values);
        for (own, given) in self.moments.iter_mut().zip(&state.moments) {
            own.copy_from_slice(given);
        }
        Ok(())
    }

    /// Notes that parameters have changed.
    fn changed(&mut self) {
        if let Some(single) = &mut self.single {
            single.net.stale = true;
        }
    }
}
