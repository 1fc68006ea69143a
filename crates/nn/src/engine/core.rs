//! The engine: a compiled model, its parameters, and the team that works on it.

use super::example::Example;
use super::group::{Group, Worker};
use super::options::{GroupLayout, Options, State};
use super::plan::Plan;
use super::report::{PlanReport, described, memory_needed};
use super::singly::Singly;
use super::updates::Updates;
use super::wide::wide;
use crate::Error;
use crate::model::Model;
use crate::steps::{NormState, Parameter, Places, StepKind};
use foveal_kernels::memory;
use foveal_kernels::team::Team;

/// A compiled model with its parameters, ready to train or to predict.
pub struct Engine {
    pub(super) model: Model,
    pub(super) plan: Plan,
    pub(super) options: Options,
    pub(super) team: Team,
    /// What images side by side are computed in: there from the start if the engine trains, else made when many images
    /// are predicted for the first time.
    pub(super) workers: Vec<Worker>,
    pub(super) groups: Vec<Group>,
    pub(super) norms: Vec<NormState>,
    /// All parameters in the plan's layout, and if the engine trains, the optimizer's two moments of those that it changes.
    pub(super) values: Vec<f32>,
    pub(super) moments: [Vec<f32>; 2],
    pub(super) updates: Updates,
    pub(super) steps: u64,
    /// The gradients of the trained numbers that have been gathered and not applied; empty until some are asked for.
    pub(super) gathered: Vec<f32>,
    /// Batches that they are of.
    pub(super) batches: u64,
    /// Empty between steps; keeps its memory.
    pub(super) examples: Vec<Example<'static>>,
    /// Many images, too, are best predicted one at a time.
    pub(super) wide: bool,
    /// The parameters have changed since the plan's filters were packed.
    pub(super) stale: bool,
    /// Made when images are predicted one at a time for the first time.
    pub(super) single: Option<Singly>,
}

impl Engine {
    /// Compiles `model`.
    ///
    /// # Errors
    /// When the options do not fit the model.
    ///
    /// ```
    /// use foveal_nn::engine::{Engine, Example, Options, Pixels, Target};
    /// use foveal_nn::{Isa, Sequential, loss::Loss, optim::Optimizer};
    ///
    /// let model = Sequential::new([1, 1, 2]).flatten().dense(2).build(0)?;
    /// let options = Options {
    ///     batch_size: 2,
    ///     threads: 1,
    ///     loss: Some(Loss::default()),
    ///     optimizer: Optimizer::default(),
    ///     seed: 0,
    ///     scale: vec![1.0; 2],
    ///     shift: vec![0.0; 2],
    ///     isa: Isa::best(),
    /// };
    /// let mut engine = Engine::new(&model, options)?;
    /// let x = [[0.0f32, 1.0], [1.0, 0.0]];
    /// for _ in 0..50 {
    ///     engine.step(2, 0.1, |i| Example { pixels: Pixels::F32(&x[i]), target: Target::Class(i as u32), weight: 1.0 });
    /// }
    /// let logits = engine.predict(2, |i| Pixels::F32(&x[i]));
    /// assert!(logits[0] > logits[1] && logits[2] < logits[3]);
    /// # Ok::<(), foveal_nn::Error>(())
    /// ```
    pub fn new(model: &Model, options: Options) -> Result<Self, Error> {
        Self::laid_out(model, options, None)
    }

    /// [`Engine::new`] with images of a group laid out as is said, where the plan can: for tests and measurements.
    ///
    /// # Errors
    /// When the options do not fit the model.
    pub fn laid_out(model: &Model, options: Options, layout: Option<GroupLayout>) -> Result<Self, Error> {
        Self::compiled(model, options, layout, false)
    }

    /// An engine for losses of the program's own, which see the outputs of a whole batch: [`Engine::gather_by`]. The
    /// loss of the options only says that the engine trains; [`crate::loss::Loss::MeanSquared`] keeps a softmax at the
    /// end, cross-entropy takes it over.
    ///
    /// # Errors
    /// When the options do not fit the model, or have no loss.
    pub fn for_own_loss(model: &Model, options: Options) -> Result<Self, Error> {
        if options.loss.is_none() {
            return Err(Error::Loss("an engine that trains needs a loss among its options".into()));
        }
        Self::compiled(model, options, None, true)
    }

    fn compiled(
        model: &Model,
        options: Options,
        layout: Option<GroupLayout>,
        whole: bool,
    ) -> Result<Self, Error> {
        options.check(model)?;
        model.check_params()?;
        let plan = Plan { whole, ..Plan::new(model, &options, layout) };
        has_room(model, &plan, &options)?;
        let team = Team::new(options.threads.max(1));
        let updates = Updates::new(model, &plan);
        let moments = if options.loss.is_some() { plan.places.optimized } else { 0 };
        let norms = plan.places.norms.iter().map(|n| NormState::new(n.channels)).collect();
        let batch = if options.loss.is_some() { options.batch_size } else { 0 };
        let wide = wide(model, options.isa);
        let mut engine = Self {
            model: model.clone(),
            values: vec![0.0; plan.places.parameters],
            moments: [vec![0.0; moments], vec![0.0; moments]],
            plan,
            options,
            team,
            workers: Vec::new(),
            groups: Vec::new(),
            norms,
            updates,
            steps: 0,
            gathered: Vec::new(),
            batches: 0,
            examples: Vec::with_capacity(batch),
            wide,
            stale: true,
            single: None,
        };
        engine.set_params(model);
        if engine.options.loss.is_some() {
            engine.side_by_side();
        }
        Ok(engine)
    }

    /// Makes what images side by side are computed in, if it is not there yet.
    pub(super) fn side_by_side(&mut self) {
        if self.groups.is_empty() {
            let Self { plan, options, team, updates, .. } = self;
            let count = options.batch_size.div_ceil(plan.images());
            self.workers = (0..team.threads()).map(|_| Worker::new(plan, updates.longest())).collect();
            self.groups = (0..count).map(|_| Group::new(plan, options.isa.lanes())).collect();
        }
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the engine runs.
    pub fn describe(&self) -> PlanReport {
        described(&self.model, &self.plan, &self.options, self.team.threads())
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

    /// The model that was compiled, with the parameters that it had then.
    pub fn model_ref(&self) -> &Model {
        &self.model
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
    ///
    /// # Panics
    /// When the model is another, or a parameter has not as many numbers as its shape says.
    pub fn set_params(&mut self, model: &Model) {
        self.changed();
        for (param, at) in model.params().iter().zip(&self.plan.places.offsets) {
            self.values[*at..at + param.values.len()].copy_from_slice(&param.values);
        }
    }

    /// All numbers that training changes, in the plan's layout.
    pub fn values(&self) -> &[f32] {
        &self.values[..self.plan.places.changing]
    }

    /// All numbers that training changes, to be overwritten with [`Engine::values`] of before.
    pub fn values_mut(&mut self) -> &mut [f32] {
        self.changed();
        &mut self.values[..self.plan.places.changing]
    }

    /// All that the next steps depend on.
    pub fn state(&self) -> State {
        State { steps: self.steps, values: self.values().to_vec(), moments: self.moments.clone() }
    }

    /// Goes on from where another engine of the same model was.
    ///
    /// # Errors
    /// When the state has not as many numbers as this engine.
    pub fn restore(&mut self, state: &State) -> Result<(), Error> {
        let (changing, optimized) = (self.values().len(), self.moments[0].len());
        let given =
            [(&state.values, changing), (&state.moments[0], optimized), (&state.moments[1], optimized)];
        for (numbers, wanted) in given {
            if numbers.len() != wanted {
                return Err(Error::State { wanted, found: numbers.len() });
            }
        }
        self.changed();
        self.steps = state.steps;
        self.values[..changing].copy_from_slice(&state.values);
        for (own, given) in self.moments.iter_mut().zip(&state.moments) {
            own.copy_from_slice(given);
        }
        Ok(())
    }

    /// The first error of a layer of the program's own since this was asked last: outputs and losses since then are no
    /// numbers.
    pub fn fault(&self) -> Option<Error> {
        let own = self.plan.steps.iter().find_map(|step| match &step.kind {
            StepKind::Own(own) => own.fault(),
            _ => None,
        });
        own.or_else(|| self.single.as_ref().and_then(|single| single.net.fault()))
    }

    /// Packs the filters of a plan with channels side by side, if parameters have changed.
    pub(super) fn load_filters(&mut self) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        let Self { plan, team, workers, values, .. } = self;
        let Places { filters, offsets, .. } = &mut plan.places;
        team.for_each(workers, filters, |_, _, filter| {
            let numbers = |p: Parameter| &values[offsets[p.index]..][..p.count];
            filter.conv.load(numbers(filter.weights), filter.bias.map(numbers));
        });
    }

    /// Notes that parameters have changed.
    pub(super) fn changed(&mut self) {
        self.stale = true;
        if let Some(single) = &mut self.single {
            single.net.stale = true;
        }
    }
}

/// Refuses a training whose memory the system does not give: all of it is asked for once, and given back.
fn has_room(model: &Model, plan: &Plan, options: &Options) -> Result<(), Error> {
    if options.loss.is_none() {
        return Ok(());
    }
    let bytes = memory_needed(model, plan, options);
    match memory::empty::<u8>(bytes) {
        Some(_) => Ok(()),
        None => Err(Error::Memory { batch_size: options.batch_size, bytes }),
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut told = f.debug_struct("Engine");
        told.field("options", &self.options).field("steps", &self.steps).finish_non_exhaustive()
    }
}
