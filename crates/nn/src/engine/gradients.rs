//! Gradients in the open: gathered from batches, looked at and changed, then applied by the engine's optimizer or by
//! the program itself. `foveal_train::Learner` is the same on arrays, with every size checked.

use super::batch::{backward_stage, recycled};
use super::core::Engine;
use super::example::{Example, Pixels, StepReport, Target};
use super::update::Taken;
use super::updates::Rates;
use crate::Error;
use crate::layers::ParamRole;
use foveal_kernels::lanes::elementwise::add_assign;
use ndarray::{Array2, ArrayView2};

/// A trained parameter and its gathered gradient, as [`Engine::update_by`] gives them.
#[derive(Debug)]
#[non_exhaustive]
pub struct Update<'a> {
    /// The parameter's name: `conv2d_1.filter` ...
    pub name: &'a str,
    /// Its extents.
    pub shape: &'a [usize],
    /// What it is for.
    pub role: ParamRole,
    /// How it differs from the others, as [`Engine::set_rates`] said.
    pub rates: Rates,
    /// Its numbers, to be changed.
    pub values: &'a mut [f32],
    /// Its gradient.
    pub gradient: &'a [f32],
}

/// A loss of the program's own: from the outputs of a batch, `[n, outputs]`, its value and its gradient with respect to
/// them.
pub type OwnLoss<'l> = dyn FnMut(ArrayView2<f32>) -> Result<(f64, Array2<f32>), String> + 'l;

/// The Euclidean norm of numbers, whatever their count: their squares are summed in `f64` in one order.
pub fn norm(numbers: &[f32]) -> f64 {
    numbers.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>().sqrt()
}

/// Scales `gradient` down to the norm `most` where it is longer (Pascanu et al. 2013), and gives the norm that it had.
/// A gradient that is not finite stays as it is, so that it can be told.
///
/// ```
/// let mut gradient = vec![3.0, 4.0];
/// assert_eq!(foveal_nn::engine::clip_by_norm(&mut gradient, 1.0), 5.0);
/// assert_eq!(gradient, [0.6, 0.8]);
/// ```
pub fn clip_by_norm(gradient: &mut [f32], most: f32) -> f64 {
    let length = norm(gradient);
    if length.is_finite() && length > f64::from(most) {
        let k = (f64::from(most) / length) as f32;
        gradient.iter_mut().for_each(|g| *g *= k);
    }
    length
}

impl Engine {
    /// Adds the gradients of a batch by the engine's loss to those gathered, and changes no parameter. Moving statistics
    /// follow the batch.
    ///
    /// # Panics
    /// As [`Engine::step`]; also for an engine for own losses.
    pub fn gather<'a>(&mut self, count: usize, example: impl Fn(usize) -> Example<'a> + Sync) -> StepReport {
        assert!((1..=self.options.batch_size).contains(&count), "from 1 to batch_size images");
        assert!(!self.plan.whole, "an engine that has a loss of its own");
        let mut examples = recycled(std::mem::take(&mut self.examples));
        examples.extend((0..count).map(example));
        let (report, groups) = self.slopes_of(&examples);
        self.examples = recycled(examples);
        self.changed();
        if report.loss.is_finite() {
            self.add_up(groups);
        }
        report
    }

    /// Adds the gradients of a batch by a loss of the program's own to those gathered; gives the loss and the outputs.
    /// `loss` gets the outputs `[count, outputs]` and gives its value and its gradient with respect to them. Where either
    /// is no finite number, the loss is told as NaN and nothing is gathered.
    ///
    /// # Errors
    /// What `loss` or an own layer says, and when the gradient has another shape than the outputs.
    ///
    /// # Panics
    /// When `count` is 0 or more than the batch size, an image does not fit the model, or the engine was not made by
    /// [`Engine::for_own_loss`].
    pub fn gather_by<'a>(
        &mut self,
        count: usize,
        pixels: impl Fn(usize) -> Pixels<'a> + Sync,
        loss: &mut OwnLoss<'_>,
    ) -> Result<(f64, Array2<f32>), Error> {
        assert!((1..=self.options.batch_size).contains(&count), "from 1 to batch_size images");
        assert!(self.plan.whole, "an engine for losses of the program's own");
        let mut examples = recycled(std::mem::take(&mut self.examples));
        let example = |i| Example { pixels: pixels(i), target: Target::Class(0), weight: 1.0 };
        examples.extend((0..count).map(example));
        self.forward_stages(&examples, 1.0);
        self.examples = recycled(examples);
        self.changed();
        let (width, groups) = (self.plan.outputs(), count.div_ceil(self.plan.images()));
        let mut rows = Vec::with_capacity(count * width);
        for group in &self.groups[..groups] {
            rows.extend_from_slice(&group.judged.outputs[..group.kept.count * width]);
        }
        let outputs = Array2::from_shape_vec((count, width), rows).expect("a row for each image");
        self.fault().map_or(Ok(()), Err)?;
        let (value, slopes) = loss(outputs.view()).map_err(Error::Loss)?;
        if slopes.dim() != (count, width) {
            let found = slopes.shape();
            return Err(Error::Loss(format!(
                "its gradient is {found:?}, the outputs are [{count}, {width}]"
            )));
        }
        if !(value.is_finite() && slopes.iter().all(|v| v.is_finite())) {
            return Ok((f64::NAN, outputs));
        }
        self.back_from(&slopes, groups);
        self.fault().map_or(Ok(()), Err)?;
        self.add_up(groups);
        Ok((value, outputs))
    }

    /// Back through the whole net from the outputs' gradients.
    fn back_from(&mut self, slopes: &Array2<f32>, groups: usize) {
        let last = self.plan.stages.len() - 1;
        let mut rest = slopes.iter();
        for group in &mut self.groups[..groups] {
            let count = group.kept.count * slopes.ncols();
            group.judged.outputs[..count].iter_mut().zip(&mut rest).for_each(|(own, v)| *own = *v);
        }
        let Self { plan, team, workers, norms, values, .. } = self;
        team.for_each(workers, &mut self.groups[..groups], |worker, _, group| {
            let (mut scene, judged) = group.scene(plan, worker, values, norms, None);
            judged.slopes(&mut scene, plan.output);
            backward_stage(&mut scene, plan, last);
        });
        self.backward_stages(groups);
    }

    /// Adds the sums of groups to what is gathered.
    fn add_up(&mut self, groups: usize) {
        let Self { team, workers, groups: all, updates, options, plan, gathered, .. } = self;
        self.batches += 1;
        gathered.resize(plan.places.optimized, 0.0);
        let (isa, groups) = (options.isa, &all[..groups]);
        team.for_each_part(workers, &updates.bounds, [gathered], |worker, i, [sums]| {
            let gradient = &mut worker.gradient[..sums.len()];
            updates.chunks[i].source.sum(isa, groups, gradient);
            add_assign(isa, gradient, sums);
        });
    }

    /// The gathered gradients of all trained numbers, in the plan's layout; empty before any are gathered.
    pub fn gathered(&self) -> &[f32] {
        &self.gathered
    }

    /// The gathered gradients, to be changed.
    pub fn gathered_mut(&mut self) -> &mut [f32] {
        &mut self.gathered
    }

    /// The gathered gradient of the model's parameter `i`; `None` where it is not trained or nothing is gathered.
    pub fn gradient(&self, i: usize) -> Option<&[f32]> {
        let param = self.model.params().get(i).filter(|p| p.trainable)?;
        self.gathered.get(self.plan.places.offsets[i]..)?.get(..param.values.len())
    }

    /// Takes one step of the engine's optimizer by the gathered gradients, which are then none.
    pub fn apply(&mut self, lr: f32) {
        if self.gathered.is_empty() {
            return;
        }
        self.changed();
        self.steps += 1;
        let step = Taken { isa: self.options.isa, optimizer: self.options.optimizer, lr, step: self.steps };
        let Self { team, workers, values, moments: [m, v], updates, gathered, .. } = self;
        team.for_each_part(workers, &updates.bounds, [values, m, v, gathered], |_, i, [x, m, v, g]| {
            step.apply(&updates.chunks[i], [x, m, v], g);
        });
        self.forget();
    }

    /// Gathers anew: what was gathered is no more.
    pub fn forget(&mut self) {
        self.gathered.fill(0.0);
        self.batches = 0;
    }

    /// Lets the program itself change the trained parameters, one after the other, by the gathered gradients, which are
    /// then none.
    pub fn update_by(&mut self, mut update: impl FnMut(Update<'_>)) {
        if self.gathered.is_empty() {
            return;
        }
        self.changed();
        self.steps += 1;
        let Self { model, plan, values, gathered, updates, .. } = self;
        for (i, param) in model.params().iter().enumerate().filter(|(_, p)| p.trainable) {
            let at = plan.places.offsets[i]..plan.places.offsets[i] + param.values.len();
            let rates = updates.chunks.iter().find(|c| c.param == i).map_or(Rates::default(), |c| c.rates);
            update(Update {
                name: &param.name,
                shape: &param.shape,
                role: param.role,
                rates,
                values: &mut values[at.clone()],
                gradient: &gathered[at],
            });
        }
        self.forget();
    }

    /// Sets how the model's parameter `i` differs from the others in how it is trained, from the next step on.
    pub fn set_rates(&mut self, i: usize, rates: Rates) {
        self.updates.chunks.iter_mut().filter(|c| c.param == i).for_each(|c| c.rates = rates);
    }
}
