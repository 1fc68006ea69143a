//! Where a batch's time goes: the engine's steps one by one, with a look at the clock between them.
//!
//! This is a loop of its own over the same steps as [`Engine::step`] and [`Engine::predict`], which know
//! nothing of it and pay nothing for it.

use super::batch::mix;
use super::core::Engine;
use super::example::Example;
use super::group::{Group, Worker, load};
use super::plan::Plan;
use super::single::{Image, one_at_a_time};
use super::singly::Singly;
use crate::steps::{Forward, Scene, Step};
use std::time::Instant;

/// Measured times of a plan's steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// For each of [`super::PlanReport::steps`], seconds of the forward and of the backward pass for a batch,
    /// the threads working side by side: medians over the rounds.
    pub steps: Vec<[f64; 2]>,
    /// Seconds of a whole batch, measured without looks at the clock in between: the median.
    pub seconds: f64,
}

const FORWARD: usize = 0;
const BACKWARD: usize = 1;

/// A worker with a stopwatch: each lap goes to a step and a direction.
struct Timed<'a> {
    worker: &'a mut Worker,
    clock: Clock,
}

struct Clock {
    last: Instant,
    laps: Vec<[f64; 2]>,
}

impl Clock {
    fn lap(&mut self, step: usize, direction: usize) {
        let now = Instant::now();
        self.laps[step][direction] += now.duration_since(self.last).as_secs_f64();
        self.last = now;
    }
}

impl Engine {
    /// Times `rounds` full batches, step by step and whole by turns; `example(i)` gives image `i`.
    ///
    /// An engine that trains takes steps of learning rate 0: its parameters stay, the optimizer's moments and
    /// moving statistics do not.
    ///
    /// # Panics
    /// As [`Engine::step`].
    pub fn profile<'a>(&mut self, rounds: usize, example: impl Fn(usize) -> Example<'a> + Sync) -> Profile {
        let (mut laps, mut wholes) = (Vec::new(), Vec::new());
        // The first round warms up.
        for round in 0..=rounds.max(1) {
            let begin = Instant::now();
            self.whole(&example);
            let whole = begin.elapsed().as_secs_f64();
            let lap = self.laps(&example);
            if round > 0 {
                wholes.push(whole);
                laps.push(lap);
            }
        }
        let steps = (0..laps[0].len())
            .map(|step| [FORWARD, BACKWARD].map(|d| median(laps.iter().map(|lap| lap[step][d]).collect())))
            .collect();
        Profile { steps, seconds: median(wholes) }
    }

    fn whole<'a>(&mut self, example: &(impl Fn(usize) -> Example<'a> + Sync)) {
        let count = self.options.batch_size;
        if self.options.loss.is_some() {
            self.step(count, 0.0, example);
        } else {
            self.predict(count, |i| example(i).pixels);
        }
    }

    /// One batch, step by step.
    fn laps<'a>(&mut self, example: &(impl Fn(usize) -> Example<'a> + Sync)) -> Vec<[f64; 2]> {
        let (steps, stages) = (self.plan.steps.len(), self.plan.stages.len());
        let mut laps = vec![[0.0; 2]; steps + 2];
        let training = self.options.loss.is_some();
        if !training {
            if one_at_a_time(self.options.batch_size, self.options.isa, self.wide) {
                return self.single_laps(example);
            }
            self.side_by_side();
            self.moving_statistics();
        }
        self.changed();
        self.load_filters();
        self.frozen_statistics();
        for stage in 0..stages {
            self.lap_forward(stage, example, &mut laps);
            if stage + 1 < stages {
                let at = 1 + self.plan.stages[stage + 1].start;
                self.alone(at, FORWARD, &mut laps, |engine, groups| engine.combine_moments(stage, groups));
            }
        }
        if !training {
            return laps;
        }
        for stage in (0..stages).rev() {
            if stage + 1 < stages {
                let at = 1 + self.plan.stages[stage + 1].start;
                self.alone(at, BACKWARD, &mut laps, |engine, groups| engine.combine_sums(stage, groups));
            }
            self.lap_backward(stage, &mut laps);
        }
        laps.push([0.0; 2]);
        self.alone(steps + 2, BACKWARD, &mut laps, |engine, groups| engine.update(groups, 0.0));
        laps
    }

    /// Images one at a time, each worker its own; a single one may have the whole team.
    fn single_laps<'a>(&mut self, example: &(impl Fn(usize) -> Example<'a> + Sync)) -> Vec<[f64; 2]> {
        let count = self.options.batch_size;
        let Self { model, options, plan, values, team, single, .. } = self;
        let Some(Singly { net, buffers, bounds }) = single else { return Vec::new() };
        let param = |p: usize| &values[plan.places.offsets[p]..][..model.params()[p].values.len()];
        let image = |pixels| Image { pixels, scale: &options.scale, shift: &options.shift };
        let width = model.outputs();
        let mut outputs = vec![0.0; count * width];
        let mut laps = vec![[0.0; 2]; net.told().len() + 2];
        let clock = || Clock { last: Instant::now(), laps: vec![[0.0; 2]; laps.len()] };
        if count == 1 {
            let mut clock = clock();
            let lap = |step| clock.lap(step, FORWARD);
            net.run(Some(team), &mut buffers[0], image(example(0).pixels), param, &mut outputs, lap);
            return clock.laps;
        }
        let mut contexts: Vec<_> = buffers.iter_mut().map(|own| (own, clock())).collect();
        let net = &*net;
        let images = (bounds[1] - bounds[0]) / width;
        team.for_each_part(&mut contexts, bounds, [&mut outputs], |(own, clock), part, [outputs]| {
            clock.last = Instant::now();
            for (i, out) in outputs.chunks_exact_mut(width).enumerate() {
                let lap = |step| clock.lap(step, FORWARD);
                net.run(None, own, image(example(part * images + i).pixels), param, out, lap);
            }
        });
        let workers = team.threads().min(bounds.len() - 1) as f64;
        for (_, clock) in &contexts {
            laps.iter_mut().zip(&clock.laps).for_each(|(sum, lap)| sum[FORWARD] += lap[FORWARD] / workers);
        }
        laps
    }

    /// Times what the whole team or the caller alone does at once.
    fn alone(
        &mut self,
        step: usize,
        direction: usize,
        laps: &mut [[f64; 2]],
        work: impl FnOnce(&mut Self, usize),
    ) {
        let begin = Instant::now();
        let groups = self.groups.len();
        work(self, groups);
        laps[step][direction] += begin.elapsed().as_secs_f64();
    }

    fn lap_forward<'a>(
        &mut self,
        stage: usize,
        example: &(impl Fn(usize) -> Example<'a> + Sync),
        laps: &mut [[f64; 2]],
    ) {
        let Self { plan, options, team, workers, norms, values, groups, steps, .. } = self;
        let (lanes, count, end) = (plan.images(), options.batch_size, plan.steps.len() + 1);
        let (steps, seed, loss) = (*steps, options.seed, options.loss);
        let mode = if loss.is_some() { Forward::Training } else { Forward::Inference };
        let total: f64 = (0..count).map(|i| f64::from(example(i).weight)).sum();
        let scale = if total > 0.0 { (1.0 / total) as f32 } else { 0.0 };
        let stages = plan.stages.len();
        timed(team, workers, groups, laps, |Timed { worker, clock }, g, group| {
            let first = g * lanes;
            if stage == 0 {
                let n = lanes.min(count - first);
                group.kept.fill(n, lanes);
                group.kept.gradients.fill(0.0);
                group.judged.take(options.isa.lanes(), n, |l| example(first + l));
            }
            let seed = Some(mix(seed, steps, g as u64));
            let (mut scene, judged) = group.scene(plan, worker, values, norms, seed);
            if stage == 0 {
                load(&mut scene, options, |l| example(first + l).pixels);
                clock.lap(0, FORWARD);
            }
            for step in plan.stages[stage].clone() {
                Step::forward(&plan.steps[step..step + 1], &mut scene, mode);
                clock.lap(1 + step, FORWARD);
            }
            if stage + 1 < stages {
                if let Some((norm, step)) = plan.norm(stage + 1) {
                    norm.moments(&mut scene, &step.wires);
                }
                clock.lap(1 + plan.stages[stage + 1].start, FORWARD);
                return;
            }
            match loss {
                Some(loss) => judged.loss(&mut scene, plan.output, loss, scale),
                None => judged.rows(&scene, plan.output),
            }
            clock.lap(end, FORWARD);
            if loss.is_some() && stages == 1 {
                backward(&mut scene, plan, clock, stage);
            }
        });
    }

    fn lap_backward(&mut self, stage: usize, laps: &mut [[f64; 2]]) {
        let stages = self.plan.stages.len();
        if stages == 1 {
            // It has gone along with the forward pass: the arena is the worker's.
            return;
        }
        let Self { plan, team, workers, norms, values, groups, .. } = self;
        timed(team, workers, groups, laps, |Timed { worker, clock }, _, group| {
            let (mut scene, _) = group.scene(plan, worker, values, norms, None);
            if stage + 1 < stages {
                if let Some((norm, step)) = plan.norm(stage + 1) {
                    norm.through(&mut scene, &step.wires);
                }
                clock.lap(1 + plan.stages[stage + 1].start, BACKWARD);
            }
            backward(&mut scene, plan, clock, stage);
        });
    }
}

fn backward(scene: &mut Scene<'_>, plan: &Plan, clock: &mut Clock, stage: usize) {
    for step in plan.own_steps(stage).rev() {
        Step::backward(&plan.steps[step..step + 1], scene);
        clock.lap(1 + step, BACKWARD);
    }
    if stage > 0 {
        if let Some((norm, step)) = plan.norm(stage) {
            norm.sums(scene, &step.wires);
        }
        clock.lap(1 + plan.stages[stage].start, BACKWARD);
    }
}

/// Runs `work` for each group and adds the workers' mean times to `laps`.
fn timed(
    team: &mut foveal_kernels::team::Team,
    workers: &mut [Worker],
    groups: &mut [Group],
    laps: &mut [[f64; 2]],
    work: impl Fn(&mut Timed<'_>, usize, &mut Group) + Sync,
) {
    let threads = team.threads().min(groups.len()) as f64;
    let clock = || Clock { last: Instant::now(), laps: vec![[0.0; 2]; laps.len()] };
    let mut contexts: Vec<Timed> =
        workers.iter_mut().map(|worker| Timed { worker, clock: clock() }).collect();
    team.for_each(&mut contexts, groups, |timed, g, group| {
        timed.clock.last = Instant::now();
        work(timed, g, group);
    });
    for context in &contexts {
        for (sum, lap) in laps.iter_mut().zip(&context.clock.laps) {
            (0..2).for_each(|d| sum[d] += lap[d] / threads);
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
