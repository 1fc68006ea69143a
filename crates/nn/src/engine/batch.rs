//! One training step: groups, workers, stages.

use super::core::Engine;
use super::example::{Example, StepReport};
use super::group::load;
use super::plan::Plan;
use crate::steps::{BatchNorm, Forward, Scene, Step, StepKind};

impl Engine {
    /// Trains on `count` images, at most the batch size, with learning rate `lr`; `example(i)` gives image `i` and is
    /// called once for each.
    ///
    /// The parameters change only if the loss is finite.
    ///
    /// # Panics
    /// When `count` is 0 or more than the batch size, when the engine was made without a loss, or when an
    /// example does not fit the model: sizes are the caller's to check.
    pub fn step<'a>(
        &mut self,
        count: usize,
        lr: f32,
        example: impl Fn(usize) -> Example<'a> + Sync,
    ) -> StepReport {
        assert!((1..=self.options.batch_size).contains(&count), "from 1 to batch_size images");
        let mut examples = recycled(std::mem::take(&mut self.examples));
        examples.extend((0..count).map(example));
        let report = self.step_on(&examples, lr);
        self.examples = recycled(examples);
        report
    }

    fn step_on(&mut self, examples: &[Example<'_>], lr: f32) -> StepReport {
        let (report, groups) = self.slopes_of(examples);
        self.changed();
        if report.loss.is_finite() {
            self.update(groups, lr);
        }
        report
    }

    /// Leaves the gradients of a batch in its groups, whose number is told.
    pub(super) fn slopes_of(&mut self, examples: &[Example<'_>]) -> (StepReport, usize) {
        let count = examples.len();
        let total: f64 = examples.iter().map(|e| f64::from(e.weight)).sum();
        let scale = if total > 0.0 { (1.0 / total) as f32 } else { 0.0 };
        let groups = count.div_ceil(self.plan.images());
        self.forward_stages(examples, scale);
        self.backward_stages(groups);
        let mut report = StepReport { count, ..Default::default() };
        for group in &self.groups[..groups] {
            report.loss += group.judged.sums.loss * f64::from(scale);
            report.plain += group.judged.sums.plain * f64::from(scale);
            report.correct += group.judged.sums.correct;
        }
        (report, groups)
    }

    /// The whole batch forward, and where the loss is one of the engine's, back through the last stage.
    pub(super) fn forward_stages(&mut self, examples: &[Example<'_>], scale: f32) {
        self.load_filters();
        let groups = examples.len().div_ceil(self.plan.images());
        self.frozen_statistics();
        let stages = self.plan.stages.len();
        for stage in 0..stages {
            self.forward_stage(stage, examples, scale);
            if stage + 1 < stages {
                self.combine_moments(stage, groups);
            }
        }
    }

    /// Back through all stages but the last.
    pub(super) fn backward_stages(&mut self, groups: usize) {
        for stage in (0..self.plan.stages.len() - 1).rev() {
            self.combine_sums(stage, groups);
            let Self { plan, team, workers, norms, values, .. } = self;
            team.for_each(workers, &mut self.groups[..groups], |worker, _, group| {
                let (mut scene, _) = group.scene(plan, worker, values, norms, None);
                if let Some((norm, step)) = plan.norm(stage + 1) {
                    norm.through(&mut scene, &step.wires);
                }
                backward_stage(&mut scene, plan, stage);
            });
        }
    }

    /// Every group forward through a stage; after the last, the loss and the stage's gradients.
    fn forward_stage(&mut self, stage: usize, examples: &[Example<'_>], scale: f32) {
        let count = examples.len();
        let Self { plan, options, team, workers, norms, values, .. } = self;
        let loss = options.loss.expect("an engine with a loss");
        // Batches whose gradients are gathered for one step do not drop the same numbers.
        let (steps, seed, lanes) = (self.steps ^ (self.batches << 40), options.seed, plan.images());
        let (stages, groups) = (plan.stages.len(), count.div_ceil(lanes));
        team.for_each(workers, &mut self.groups[..groups], |worker, g, group| {
            let first = g * lanes;
            if stage == 0 {
                let n = lanes.min(count - first);
                group.kept.fill(n, lanes);
                group.kept.gradients.fill(0.0);
                group.judged.take(options.isa.lanes(), n, |l| examples[first + l]);
            }
            let seed = Some(mix(seed, steps, g as u64));
            let (mut scene, judged) = group.scene(plan, worker, values, norms, seed);
            if stage == 0 {
                load(&mut scene, options, |l| examples[first + l].pixels);
            }
            Step::forward(&plan.steps[plan.stages[stage].clone()], &mut scene, Forward::Training);
            if stage + 1 < stages {
                if let Some((norm, step)) = plan.norm(stage + 1) {
                    norm.moments(&mut scene, &step.wires);
                }
            } else if plan.whole {
                judged.rows(&scene, plan.output);
            } else {
                judged.loss(&mut scene, plan.output, loss, scale);
                backward_stage(&mut scene, plan, stage);
            }
        });
    }
}

/// An empty list in the memory of another, whatever its examples borrowed: the standard library collects in place.
pub(super) fn recycled<'a, 'b>(mut list: Vec<Example<'a>>) -> Vec<Example<'b>> {
    list.clear();
    list.into_iter().map_while(|_| None).collect()
}

impl Plan {
    /// The normalization that `stage`, which is not the first, begins with; else it is a layer of the program's own.
    pub(super) fn norm(&self, stage: usize) -> Option<(&BatchNorm, &Step)> {
        let step = &self.steps[self.stages[stage].start];
        match &step.kind {
            StepKind::BatchNorm(norm) => Some((norm, step)),
            _ => None,
        }
    }
}

/// The backward pass of a stage; what its normalization needs from the whole batch is left in the group.
pub(super) fn backward_stage(scene: &mut Scene<'_>, plan: &Plan, stage: usize) {
    Step::backward(&plan.steps[plan.own_steps(stage)], scene);
    if stage > 0
        && let Some((norm, step)) = plan.norm(stage)
    {
        norm.sums(scene, &step.wires);
    }
}

/// A seed for a group's dropout: SplitMix64's finalizer over the three.
pub(super) fn mix(seed: u64, step: u64, group: u64) -> u64 {
    let mut z = seed ^ step.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ group.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
