//! One batch through the plan: groups, workers, stages.

use super::Engine;
use super::plan::{Norm, Plan, StepKind};
use super::single::{self, Image, Room, Single};
use super::step::{Forward, Scene};
use crate::loss::Loss;
use crate::model::Model;
use foveal_kernels::Isa;
use foveal_kernels::lanes::Frame;
use foveal_kernels::lanes::image::{self, Pixels};
use foveal_kernels::lanes::loss::{Labels, Regression, Sums, regression, softmax_cross_entropy};
use foveal_kernels::lanes::norm::{self, Moments};
use foveal_kernels::team::Team;

/// One image and what should come out.
#[derive(Clone, Copy, Debug)]
pub struct Example<'a> {
    /// The raw samples, `[height][width][channel]`.
    pub pixels: Pixels<'a>,
    /// What should come out.
    pub target: Target<'a>,
    /// How much the image counts in the loss.
    pub weight: f32,
}

/// What should come out.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// A class.
    Class(u32),
    /// Two classes, as of a mixture of two images.
    Mixed {
        /// The class of the larger part and of the other.
        classes: [u32; 2],
        /// How much is of the first, from a half to 1.
        share: f32,
    },
    /// The values of a regression.
    Values(&'a [f32]),
}

/// What a batch gave.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepReport {
    /// The weighted mean loss.
    pub loss: f64,
    /// Images whose largest output was the right class.
    pub correct: usize,
    /// Images in the batch.
    pub count: usize,
}

/// The arena that a group runs in: the worker's own, or the group's where stages part the batch.
pub(super) struct Memory {
    pub numbers: Vec<f32>,
    pub bytes: Vec<u8>,
}

impl Memory {
    fn new(plan: &Plan, needed: bool) -> Self {
        let times = usize::from(needed);
        Self { numbers: vec![0.0; plan.arena * times], bytes: vec![0; plan.arena_bytes * times] }
    }
}

/// What one worker has for itself.
pub(super) struct Worker {
    pub memory: Memory,
    pub scratch: Vec<f32>,
    pub gradient: Vec<f32>,
}

impl Worker {
    pub fn new(plan: &Plan, longest: usize) -> Self {
        Self {
            memory: Memory::new(plan, !plan.staged()),
            scratch: vec![0.0; plan.scratch],
            gradient: vec![0.0; longest],
        }
    }
}

/// Room for as many lanes as the widest instruction set has.
const MOST_LANES: usize = 16;

/// One group of images.
pub(super) struct Group {
    pub memory: Memory,
    pub state: GroupState,
}

impl Group {
    pub fn new(plan: &Plan, lanes: usize) -> Self {
        Self { memory: Memory::new(plan, plan.staged()), state: GroupState::new(plan, lanes) }
    }
}

/// What one group of images leaves for the rest of the step.
pub(super) struct GroupState {
    pub gradients: Vec<f32>,
    pub saved: Vec<f32>,
    pub count: usize,
    pub mask: [f32; MOST_LANES],
    labels: [[u32; MOST_LANES]; 2],
    shares: [f32; MOST_LANES],
    weights: [f32; MOST_LANES],
    targets: Vec<f32>,
    outputs: Vec<f32>,
    sums: Sums,
    moments: Vec<Moments>,
    norm_sums: Vec<[f64; 2]>,
}

impl GroupState {
    fn new(plan: &Plan, lanes: usize) -> Self {
        let outputs = plan.values[plan.output].frame.channels * lanes;
        let channels = plan.norms.iter().map(|n| n.channels).max().unwrap_or(0);
        Self {
            gradients: vec![0.0; plan.gradient_numbers],
            saved: vec![0.0; plan.saved],
            count: 0,
            mask: [0.0; MOST_LANES],
            labels: [[0; MOST_LANES]; 2],
            shares: [1.0; MOST_LANES],
            weights: [0.0; MOST_LANES],
            targets: vec![0.0; outputs],
            outputs: vec![0.0; outputs],
            sums: Sums::default(),
            moments: vec![Moments::default(); channels],
            norm_sums: vec![[0.0; 2]; channels],
        }
    }

    /// The loss of the outputs `y` and its gradient `d`.
    fn loss(&mut self, isa: Isa, loss: Loss, scale: f32, y: &[f32], d: &mut [f32]) {
        let kind = match loss {
            Loss::CrossEntropy { label_smoothing } => {
                let [first, second] = &self.labels;
                let (labels, weights) = (Labels { first, second, share: &self.shares }, &self.weights);
                self.sums = softmax_cross_entropy(isa, y, labels, weights, label_smoothing, scale, d);
                return;
            }
            Loss::MeanSquared => Regression::MeanSquared,
            Loss::Huber { delta } => Regression::Huber(delta),
        };
        self.sums = regression(isa.lanes(), kind, y, &self.targets, &self.weights, scale, d);
    }

    fn label(&mut self, l: usize, [first, second]: [u32; 2], share: f32) {
        (self.labels[0][l], self.labels[1][l], self.shares[l]) = (first, second, share);
    }

    /// Takes over the targets of images `first..first + count`.
    pub(super) fn targets<'a>(&mut self, lanes: usize, count: usize, example: impl Fn(usize) -> Example<'a>) {
        self.count = count;
        let values = self.targets.len() / lanes;
        for l in 0..lanes {
            let there = l < count;
            self.mask[l] = f32::from(u8::from(there));
            self.weights[l] = 0.0;
            self.label(l, [0; 2], 1.0);
            if !there {
                continue;
            }
            let e = example(l);
            self.weights[l] = e.weight;
            match e.target {
                Target::Class(label) => self.label(l, [label; 2], 1.0),
                Target::Mixed { classes, share } => self.label(l, classes, share),
                Target::Values(v) => self.targets[l * values..(l + 1) * values].copy_from_slice(v),
            }
        }
    }
}

/// Images that a worker takes at a time where they go one by one.
pub(super) const IMAGES: usize = 8;

/// What predicting images one by one needs.
pub(super) struct Singly {
    pub net: Single,
    pub rooms: Vec<Room>,
    pub bounds: Vec<usize>,
}

impl Singly {
    fn new(model: &Model, options: &super::Options, team: &Team) -> Self {
        let net = Single::new(model, options.isa, options.loss);
        let rooms = (0..team.threads()).map(|_| net.room()).collect();
        Self { net, rooms, bounds: Vec::new() }
    }
}

/// A batch normalization's numbers for the present batch.
pub(super) struct NormState {
    pub mean: Vec<f32>,
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
    inverse: Vec<f64>,
    count: f64,
    pub backward: Vec<[f32; 3]>,
}

impl NormState {
    pub fn new(channels: usize) -> Self {
        Self {
            mean: vec![0.0; channels],
            scale: vec![0.0; channels],
            shift: vec![0.0; channels],
            inverse: vec![0.0; channels],
            count: 0.0,
            backward: vec![[0.0; 3]; channels],
        }
    }

    /// Scale and shift from statistics.
    fn set(&mut self, c: usize, mean: f64, variance: f64, epsilon: f32, gamma: f32, beta: f32) {
        let inverse = 1.0 / (variance + f64::from(epsilon)).sqrt();
        self.mean[c] = mean as f32;
        self.inverse[c] = inverse;
        self.scale[c] = (f64::from(gamma) * inverse) as f32;
        self.shift[c] = (f64::from(beta) - mean * f64::from(gamma) * inverse) as f32;
    }
}

impl Engine {
    /// Trains on `count` images, at most the batch size, with learning rate `lr`; `example(i)` gives image `i`.
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
        let loss = self.options.loss.expect("an engine with a loss");
        let total: f64 = (0..count).map(|i| f64::from(example(i).weight)).sum();
        let scale = if total > 0.0 { (1.0 / total) as f32 } else { 0.0 };
        let lanes = self.options.isa.lanes();
        let groups = count.div_ceil(lanes);
        self.frozen_statistics();
        let stages = self.plan.stages.len();
        for stage in 0..stages {
            let Self { plan, options, team, workers, norms, values, .. } = self;
            let (steps, seed) = (self.steps, options.seed);
            team.for_each(workers, &mut self.groups[..groups], |worker, g, group| {
                if stage == 0 {
                    let n = lanes.min(count - g * lanes);
                    group.state.targets(lanes, n, |l| example(g * lanes + l));
                    group.state.gradients.fill(0.0);
                }
                let mut scene = Scene::new(plan, worker, group, values, norms);
                scene.seed = Some(mix(seed, steps, g as u64));
                if stage == 0 {
                    load(&mut scene, options, |l| example(g * lanes + l).pixels);
                }
                scene.forward(plan.stages[stage].clone(), Forward::Training);
                if stage + 1 < stages {
                    scene.moments(plan.stages[stage + 1].start);
                } else {
                    scene.loss(loss, scale);
                    scene.backward_stage(stage);
                }
            });
            if stage + 1 < stages {
                self.combine_moments(stage, groups);
            }
        }
        for stage in (0..stages - 1).rev() {
            self.combine_sums(stage, groups);
            let Self { plan, team, workers, norms, values, .. } = self;
            team.for_each(workers, &mut self.groups[..groups], |worker, _, group| {
                let mut scene = Scene::new(plan, worker, group, values, norms);
                scene.norm_backward(stage);
                scene.backward_stage(stage);
            });
        }
        let mut report = StepReport { count, ..Default::default() };
        for group in &self.groups[..groups] {
            report.loss += group.state.sums.loss * f64::from(scale);
            report.correct += group.state.sums.correct;
        }
        self.changed();
        if report.loss.is_finite() {
            self.update(groups, lr);
        }
        report
    }

    /// The outputs of `count` images as at inference, `[count][outputs]`, before any softmax that the loss
    /// would have taken over; `pixels(i)` gives image `i`.
    ///
    /// # Panics
    /// When an image does not fit the model.
    pub fn predict<'a>(&mut self, count: usize, pixels: impl Fn(usize) -> Pixels<'a> + Sync) -> Vec<f32> {
        let mut outputs = vec![0.0; count * self.plan.values[self.plan.output].frame.channels];
        self.predict_into(count, pixels, &mut outputs);
        outputs
    }

    /// [`Engine::predict`] into a slice.
    ///
    /// A few images (up to a quarter of a vector's lanes), or any number if the model's channels fill vectors well,
    /// go through the net one at a time with channels side by side; others with images side by side. The two ways
    /// differ in the last bits.
    ///
    /// # Panics
    /// When an image does not fit the model or `outputs` has not `count` rows.
    pub fn predict_into<'a>(
        &mut self,
        count: usize,
        pixels: impl Fn(usize) -> Pixels<'a> + Sync,
        outputs: &mut [f32],
    ) {
        let lanes = self.options.isa.lanes();
        let width = self.plan.values[self.plan.output].frame.channels;
        assert_eq!(outputs.len(), count * width, "a row for each image");
        if single::one_at_a_time(count, self.options.isa, self.wide) {
            return self.predict_singly(pixels, outputs);
        }
        self.moving_statistics();
        let chunk = self.groups.len() * lanes;
        for (b, out) in outputs.chunks_mut((chunk * width).max(1)).enumerate() {
            let count = out.len() / width;
            let groups = count.div_ceil(lanes);
            let Self { plan, options, team, workers, norms, values, .. } = self;
            team.for_each(workers, &mut self.groups[..groups], |worker, g, group| {
                let first = b * chunk + g * lanes;
                group.state.count = lanes.min(count - g * lanes);
                let mut scene = Scene::new(plan, worker, group, values, norms);
                load(&mut scene, options, |l| pixels(first + l));
                for stage in &plan.stages {
                    scene.forward(stage.clone(), Forward::Inference);
                }
                scene.outputs();
            });
            for (g, group) in self.groups[..groups].iter().enumerate() {
                let rows = &group.state.outputs[..group.state.count * width];
                out[g * lanes * width..][..rows.len()].copy_from_slice(rows);
            }
        }
    }

    /// Whether [`Engine::predict`] takes `count` images through the net one at a time.
    pub fn one_at_a_time(&self, count: usize) -> bool {
        single::one_at_a_time(count, self.options.isa, self.wide)
    }

    /// [`Engine::predict`] of each image alone, to the same bits: for images that have nothing to do with each
    /// other and whose outputs must not depend on how many there are.
    ///
    /// # Panics
    /// When an image does not fit the model.
    pub fn predict_each<'a>(
        &mut self,
        count: usize,
        pixels: impl Fn(usize) -> Pixels<'a> + Sync,
    ) -> Vec<f32> {
        let width = self.plan.values[self.plan.output].frame.channels;
        let mut outputs = vec![0.0; count * width];
        if count >= IMAGES * self.team.threads() {
            self.predict_singly(pixels, &mut outputs);
        } else {
            // Too few to go round: the team shares each image's large layers.
            for (i, out) in outputs.chunks_exact_mut(width).enumerate() {
                self.predict_singly(|_| pixels(i), out);
            }
        }
        outputs
    }

    fn predict_singly<'a>(&mut self, pixels: impl Fn(usize) -> Pixels<'a> + Sync, outputs: &mut [f32]) {
        let Self { model, options, plan, values, team, single, .. } = self;
        let single = single.get_or_insert_with(|| Singly::new(model, options, team));
        let Singly { net, rooms, bounds } = single;
        let param = |p: usize| &values[plan.offsets[p]..][..model.params()[p].values.len()];
        if net.stale {
            net.load(model, param);
        }
        let image = |pixels| Image { pixels, scale: &options.scale, shift: &options.shift };
        let width = plan.values[plan.output].frame.channels;
        if outputs.len() == width {
            return net.run(Some(team), &mut rooms[0], image(pixels(0)), param, outputs, |_| {});
        }
        bounds.clear();
        bounds.extend((0..outputs.len()).step_by(IMAGES * width));
        bounds.push(outputs.len());
        let net = &*net;
        team.for_each_part(rooms, bounds, [outputs], |room, part, [outputs]| {
            for (i, out) in outputs.chunks_exact_mut(width).enumerate() {
                net.run(None, room, image(pixels(part * IMAGES + i)), param, out, |_| {});
            }
        });
    }

    /// Lets the normalizations use the moving statistics, as at inference.
    pub(super) fn moving_statistics(&mut self) {
        (0..self.plan.norms.len()).for_each(|i| self.take_moving(i));
    }

    /// Lets the normalizations that are frozen use the moving statistics, also in the backward pass.
    pub(super) fn frozen_statistics(&mut self) {
        for i in 0..self.plan.norms.len() {
            if !self.plan.trained[self.plan.norms[i].params[0]] {
                self.take_moving(i);
                let state = &mut self.norms[i];
                state.backward.iter_mut().zip(&state.scale).for_each(|(b, &scale)| *b = [scale, 0.0, 0.0]);
            }
        }
    }

    fn take_moving(&mut self, i: usize) {
        let norm = &self.plan.norms[i];
        let p = |k: usize| &self.values[self.plan.offsets[norm.params[k]]..][..norm.channels];
        for c in 0..norm.channels {
            let (mean, variance) = (f64::from(p(2)[c]), f64::from(p(3)[c]));
            self.norms[i].set(c, mean, variance, norm.epsilon, p(0)[c], p(1)[c]);
        }
    }

    /// The batch's statistics for the normalization after `stage`, in the groups' order; moving statistics
    /// follow them.
    pub(super) fn combine_moments(&mut self, stage: usize, groups: usize) {
        let (index, norm) = self.norm_at(stage + 1);
        let state = &mut self.norms[index];
        for c in 0..norm.channels {
            let all = self.groups[..groups].iter().map(|g| g.state.moments[c]);
            let all = all.fold(Moments::default(), Moments::combine);
            let at = norm.params.map(|p| self.plan.offsets[p] + c);
            let variance = all.variance();
            state.count = all.count;
            state.set(c, all.mean, variance, norm.epsilon, self.values[at[0]], self.values[at[1]]);
            let keep = norm.momentum;
            self.values[at[2]] = keep * self.values[at[2]] + (1.0 - keep) * all.mean as f32;
            self.values[at[3]] = keep * self.values[at[3]] + (1.0 - keep) * variance as f32;
        }
    }

    /// The whole batch's gradient of the normalization after `stage`: with `s1 = sum of dy`,
    /// `s2 = sum of dy (x - mean)` and `r = 1 / sqrt(variance + epsilon)`,
    /// `dx = gamma r (dy - s1 / n - (x - mean) r^2 s2 / n)`.
    pub(super) fn combine_sums(&mut self, stage: usize, groups: usize) {
        let (index, norm) = self.norm_at(stage + 1);
        let [gamma, beta] = [0, 1].map(|k| self.plan.gradients[norm.params[k]].expect("trainable"));
        let state = &mut self.norms[index];
        for c in 0..norm.channels {
            let sums = self.groups[..groups].iter().map(|g| g.state.norm_sums[c]);
            let [s1, s2] = sums.fold([0.0, 0.0], |a, b| [a[0] + b[0], a[1] + b[1]]);
            let (n, r) = (state.count, state.inverse[c]);
            let a = f64::from(state.scale[c]);
            let b = -a * r * r * s2 / n;
            let d = -b * f64::from(state.mean[c]) - a * s1 / n;
            state.backward[c] = [a as f32, b as f32, d as f32];
            self.groups[0].state.gradients[gamma + c] += (s2 * r) as f32;
            self.groups[0].state.gradients[beta + c] += s1 as f32;
        }
    }

    /// The normalization that `stage` begins with.
    fn norm_at(&self, stage: usize) -> (usize, Norm) {
        match self.plan.steps[self.plan.stages[stage].start].kind {
            StepKind::Norm { index } => (index, self.plan.norms[index]),
            _ => unreachable!("stages after the first begin with a normalization"),
        }
    }
}

pub(super) fn mix(seed: u64, step: u64, group: u64) -> u64 {
    // SplitMix64's finalizer over the three.
    let mut z = seed ^ step.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ group.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

pub(super) fn load<'a>(
    scene: &mut Scene<'_>,
    options: &super::Options,
    pixels: impl Fn(usize) -> Pixels<'a>,
) {
    let mut images = [Pixels::U8(&[]); MOST_LANES];
    let count = scene.group.count;
    for (l, image) in images.iter_mut().enumerate().take(count) {
        *image = pixels(l);
    }
    let value = &scene.plan.values[0];
    let out = &mut scene.arena[value.at.clone()];
    image::load(scene.plan.isa, &images[..count], &value.frame, &options.scale, &options.shift, out);
}

impl Scene<'_> {
    pub(super) fn loss(&mut self, loss: Loss, scale: f32) {
        let value = &self.plan.values[self.plan.output];
        let [y, d] = super::step::split(self.arena, [&value.at, &value.d]);
        if value.gradient.halo == [0; 4] {
            self.group.loss(self.plan.isa, loss, scale, y, d);
            return;
        }
        // A convolution at the end: its gradient stands in a frame with a halo.
        let plain = Frame { halo: [0; 4], ..value.gradient };
        let flat = &mut self.scratch[..y.len()];
        self.group.loss(self.plan.isa, loss, scale, y, flat);
        let lanes = self.plan.isa.lanes();
        super::step::move_rows(&plain, flat, &value.gradient, d, lanes, |a, b| b.copy_from_slice(a));
    }

    pub(super) fn moments(&mut self, norm_step: usize) {
        let value = &self.plan.values[self.plan.steps[norm_step].inputs[0].value];
        let x = &self.arena[value.at.clone()];
        norm::moments(self.plan.isa, &value.frame, x, &self.group.mask, &mut self.group.moments);
    }

    /// The backward pass of a stage; what its normalization needs from the whole batch is left in the group.
    fn backward_stage(&mut self, stage: usize) {
        self.backward(self.plan.own_steps(stage));
        self.norm_sums(stage);
    }

    /// What the normalization that `stage` begins with needs from the whole batch for its gradient.
    pub(super) fn norm_sums(&mut self, stage: usize) {
        if stage == 0 {
            return;
        }
        let StepKind::Norm { index } = self.plan.steps[self.plan.stages[stage].start].kind else { return };
        let n = &self.plan.norms[index];
        let (x, y) = (&self.plan.values[n.x], &self.plan.values[n.y]);
        let (isa, mean) = (self.plan.isa, &self.norms[index].mean);
        let (at, d) = (&self.arena[x.at.clone()], &self.arena[y.d.clone()]);
        norm::backward_sums(isa, &x.frame, at, mean, &y.gradient, d, &mut self.group.norm_sums);
    }

    /// The gradient through the normalization after `stage`, now that the whole batch's sums are known.
    pub(super) fn norm_backward(&mut self, stage: usize) {
        let StepKind::Norm { index } = self.plan.steps[self.plan.stages[stage + 1].start].kind else {
            unreachable!("stages after the first begin with a normalization")
        };
        self.through_norm(index);
    }

    /// The gradient through normalization `index` by what its state says of it.
    pub(super) fn through_norm(&mut self, index: usize) {
        let n = &self.plan.norms[index];
        if self.plan.values[n.x].d.is_empty() {
            return;
        }
        let (x, y) = (&self.plan.values[n.x], &self.plan.values[n.y]);
        let [at, d, dx] = super::step::split(self.arena, [&x.at, &y.d, &x.d]);
        if !n.accumulate {
            dx.fill(0.0);
        }
        let k = &self.norms[index].backward;
        norm::backward_apply(
            self.plan.isa,
            &y.gradient,
            d,
            &x.frame,
            at,
            k,
            &self.group.mask,
            &x.gradient,
            dx,
        );
    }

    /// Copies the outputs to a row for each image.
    pub(super) fn outputs(&mut self) {
        let lanes = self.plan.isa.lanes();
        let y = &self.arena[self.plan.values[self.plan.output].at.clone()];
        let width = y.len() / lanes;
        for (v, y) in y.chunks_exact(lanes).enumerate() {
            for (l, &y) in y.iter().enumerate().take(self.group.count) {
                self.group.outputs[l * width + v] = y;
            }
        }
    }
}
