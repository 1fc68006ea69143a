//! A group of images: the memory that it goes through the net in, what it keeps, and how its outputs are judged.

use super::example::{Example, Target};
use super::options::Options;
use super::plan::Plan;
use super::single::place;
use crate::loss::{Loss, binary_cross_entropy};
use crate::steps::{Kept, MOST_LANES, NormState, Scene, move_rows, put_images, split};
use foveal_kernels::lanes::Frame;
use foveal_kernels::lanes::image::{self, Pixels};
use foveal_kernels::lanes::loss::{Labels, Regression, Sums, regression, softmax_cross_entropy};
use foveal_kernels::nhwc::Layout;
use foveal_kernels::{Aligned, Isa};

/// The arena that a group runs in: the worker's own, or the group's where stages part the batch.
pub(super) struct Memory {
    numbers: Aligned,
    bytes: Vec<u8>,
}

impl Memory {
    fn new(plan: &Plan, needed: bool) -> Self {
        let times = usize::from(needed);
        Self {
            numbers: Aligned::zeros(plan.places.arena * times),
            bytes: vec![0; plan.places.arena_bytes * times],
        }
    }
}

/// What one worker has for itself.
pub(super) struct Worker {
    memory: Memory,
    scratch: Aligned,
    /// The gradient of the chunk of parameters that it changes.
    pub gradient: Vec<f32>,
}

impl Worker {
    pub fn new(plan: &Plan, longest: usize) -> Self {
        Self {
            memory: Memory::new(plan, !plan.staged()),
            scratch: Aligned::zeros(plan.places.scratch),
            gradient: vec![0.0; longest],
        }
    }
}

/// One group of images.
pub(super) struct Group {
    memory: Memory,
    pub kept: Kept,
    pub judged: Judged,
}

impl Group {
    pub fn new(plan: &Plan, lanes: usize) -> Self {
        Self {
            memory: Memory::new(plan, plan.staged()),
            kept: Kept::new(&plan.places),
            judged: Judged::new(plan.outputs() * lanes, plan.places.channels_last),
        }
    }

    /// The group's own arena, where stages part the batch.
    pub fn arena(&mut self) -> &mut [f32] {
        &mut self.memory.numbers
    }

    /// The group at work, and how its outputs are judged.
    pub fn scene<'a>(
        &'a mut self,
        plan: &'a Plan,
        worker: &'a mut Worker,
        values: &'a [f32],
        norms: &'a [NormState],
        seed: Option<u64>,
    ) -> (Scene<'a>, &'a mut Judged) {
        let memory = if plan.staged() { &mut self.memory } else { &mut worker.memory };
        let scene = Scene {
            places: &plan.places,
            arena: &mut memory.numbers,
            bytes: &mut memory.bytes,
            scratch: &mut worker.scratch,
            kept: &mut self.kept,
            values,
            norms,
            seed,
        };
        (scene, &mut self.judged)
    }
}

/// What should come out of a group's images, and what did.
pub(super) struct Judged {
    labels: [[u32; MOST_LANES]; 2],
    shares: [f32; MOST_LANES],
    weights: [f32; MOST_LANES],
    targets: Vec<f32>,
    /// A row for each image.
    pub outputs: Vec<f32>,
    /// Outputs and their gradient with images side by side, as the losses take them, where the plan has them one after
    /// the other.
    turned: [Vec<f32>; 2],
    pub sums: Sums,
}

impl Judged {
    fn new(outputs: usize, turned: bool) -> Self {
        Self {
            labels: [[0; MOST_LANES]; 2],
            shares: [1.0; MOST_LANES],
            weights: [0.0; MOST_LANES],
            targets: vec![0.0; outputs],
            outputs: vec![0.0; outputs],
            turned: [(); 2].map(|()| vec![0.0; if turned { outputs } else { 0 }]),
            sums: Sums::default(),
        }
    }

    /// Takes over the targets of the first `count` lanes.
    pub fn take<'a>(&mut self, lanes: usize, count: usize, example: impl Fn(usize) -> Example<'a>) {
        let values = self.targets.len() / lanes;
        for l in 0..lanes {
            self.weights[l] = 0.0;
            self.label(l, [0; 2], 1.0);
            if l >= count {
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

    fn label(&mut self, l: usize, [first, second]: [u32; 2], share: f32) {
        (self.labels[0][l], self.labels[1][l], self.shares[l]) = (first, second, share);
    }

    /// The loss of a group's outputs, and its gradient in their place.
    pub fn loss(&mut self, scene: &mut Scene<'_>, output: usize, loss: Loss, scale: f32) {
        let (isa, value) = (scene.isa(), &scene.places.values[output]);
        let [y, d] = split(scene.arena, [&value.at, &value.d]);
        if scene.places.channels_last {
            let [mut outputs, mut gradient] = std::mem::take(&mut self.turned);
            let width = value.frame.vectors();
            turn(y, width, &mut outputs, isa.lanes());
            self.judge(isa, loss, scale, &outputs, &mut gradient);
            turn(&gradient, isa.lanes(), d, width);
            self.turned = [outputs, gradient];
            return;
        }
        if value.gradient.halo == [0; 4] {
            return self.judge(isa, loss, scale, y, d);
        }
        // A convolution at the end: its gradient stands in a frame with a halo.
        let plain = Frame { halo: [0; 4], ..value.gradient };
        let flat = &mut scene.scratch[..y.len()];
        self.judge(isa, loss, scale, y, flat);
        move_rows(&plain, flat, &value.gradient, d, isa.lanes(), |a, b| b.copy_from_slice(a));
    }

    fn judge(&mut self, isa: Isa, loss: Loss, scale: f32, y: &[f32], d: &mut [f32]) {
        let kind = match loss {
            Loss::CrossEntropy { label_smoothing } => {
                let [first, second] = &self.labels;
                let (labels, weights) = (Labels { first, second, share: &self.shares }, &self.weights);
                self.sums = softmax_cross_entropy(isa, y, labels, weights, label_smoothing, scale, d);
                return;
            }
            Loss::BinaryCrossEntropy => {
                self.sums = each_by_itself(isa.lanes(), y, &self.targets, &self.weights, scale, d);
                return;
            }
            Loss::MeanSquared => Regression::MeanSquared,
            Loss::Huber { delta } => Regression::Huber(delta),
        };
        self.sums = regression(isa.lanes(), kind, y, &self.targets, &self.weights, scale, d);
    }

    /// Takes a row for each image, in the place of its outputs, as their gradient.
    pub fn slopes(&self, scene: &mut Scene<'_>, output: usize) {
        let (value, lanes) = (&scene.places.values[output], scene.images());
        let width = value.frame.vectors();
        let rows = &self.outputs[..scene.kept.count * width];
        let d = &mut scene.arena[value.d.clone()];
        if scene.places.channels_last {
            d.fill(0.0);
            d[..rows.len()].copy_from_slice(rows);
        } else {
            put_images(&value.gradient, lanes, d, rows, false);
        }
    }

    /// Copies the outputs to a row for each image.
    pub fn rows(&mut self, scene: &Scene<'_>, output: usize) {
        let lanes = scene.images();
        let y = &scene.arena[scene.places.values[output].at.clone()];
        let width = y.len() / lanes;
        if scene.places.channels_last {
            return self.outputs[..y.len()].copy_from_slice(y);
        }
        for (v, y) in y.chunks_exact(lanes).enumerate() {
            for (l, &y) in y.iter().enumerate().take(scene.kept.count) {
                self.outputs[l * width + v] = y;
            }
        }
    }
}

/// Sigmoid and cross-entropy of each output by itself, the mean over an image's outputs, and the gradient. `y` and `d`
/// hold vectors; `targets` holds for each lane a row of as many numbers. Right is an image all of whose outputs are on
/// their target's side.
fn each_by_itself(
    lanes: usize,
    y: &[f32],
    targets: &[f32],
    weights: &[f32],
    scale: f32,
    d: &mut [f32],
) -> Sums {
    let n = y.len() / lanes;
    let mut sums = Sums::default();
    for l in 0..lanes {
        let weight = weights[l] / n as f32;
        let mut right = weight != 0.0;
        for v in 0..n {
            let at = v * lanes + l;
            if weight == 0.0 {
                d[at] = 0.0;
                continue;
            }
            let target = targets[l * n + v];
            let (loss, slope) = binary_cross_entropy(y[at], target);
            sums.loss += f64::from(weight * loss);
            d[at] = slope * weight * scale;
            right &= (y[at] > 0.0) == (target > 0.5);
        }
        sums.correct += usize::from(right);
    }
    sums.plain = sums.loss;
    sums
}

/// Rows of `columns` numbers become columns of `to`, whose rows have `rows`; what has no place there is left out.
fn turn(from: &[f32], columns: usize, to: &mut [f32], rows: usize) {
    for (r, from) in from.chunks_exact(columns).enumerate().take(rows) {
        for (from, to) in from.iter().zip(to.chunks_exact_mut(rows)) {
            to[r] = *from;
        }
    }
}

/// Lays a group's images side by side.
pub(super) fn load<'a>(scene: &mut Scene<'_>, options: &Options, pixels: impl Fn(usize) -> Pixels<'a>) {
    let count = scene.kept.count;
    if scene.places.channels_last {
        let value = &scene.places.values[0];
        let Frame { channels, height, width, halo } = value.frame;
        let layout = Layout { shape: [height, width, channels], halo };
        let images = scene.arena[value.at.clone()].chunks_exact_mut(layout.numbers());
        images.take(count).enumerate().for_each(|(i, out)| {
            place(pixels(i), &layout, &options.scale, &options.shift, out);
        });
        return;
    }
    let mut images = [Pixels::U8(&[]); MOST_LANES];
    for (l, image) in images.iter_mut().enumerate().take(count) {
        *image = pixels(l);
    }
    let value = &scene.places.values[0];
    let out = &mut scene.arena[value.at.clone()];
    image::load(scene.places.isa, &images[..count], &value.frame, &options.scale, &options.shift, out);
}
