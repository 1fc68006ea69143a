//! Batch normalization. It needs the whole batch: the engine gathers the groups' moments before a step runs, and
//! their sums before its gradient does.

use super::{Forward, Run, Scene, Step, split};
use foveal_kernels::lanes::norm;

/// A batch normalization's numbers for the present batch.
pub struct NormState {
    pub mean: Vec<f32>,
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
    /// One by the deviation.
    pub inverse: Vec<f64>,
    /// Numbers that the statistics are of.
    pub count: f64,
    /// Factors of the gradient, of the input, and what is added.
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
    pub fn set(&mut self, c: usize, mean: f64, variance: f64, epsilon: f32, gamma: f32, beta: f32) {
        let inverse = 1.0 / (variance + f64::from(epsilon)).sqrt();
        self.mean[c] = mean as f32;
        self.inverse[c] = inverse;
        self.scale[c] = (f64::from(gamma) * inverse) as f32;
        self.shift[c] = (f64::from(beta) - mean * f64::from(gamma) * inverse) as f32;
    }
}

/// A batch normalization that is trained: its gradient waits for the whole batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm {
    /// Among the plan's normalizations.
    pub index: usize,
}

/// A batch normalization that is frozen: always by its moving statistics.
#[derive(Clone, Copy, Debug)]
pub struct FrozenNorm {
    /// Among the plan's normalizations.
    pub index: usize,
}

impl Run for BatchNorm {
    const KERNEL: &'static str = "lanes::norm";

    fn forward(&self, scene: &mut Scene<'_>, step: &Step, _: Forward) {
        forward(scene, step, self.index);
    }

    /// The engine runs [`BatchNorm::through`] when the whole batch's sums are known.
    fn backward(&self, _: &mut Scene<'_>, _: &Step) {}
}

impl Run for FrozenNorm {
    const KERNEL: &'static str = "lanes::norm";

    fn forward(&self, scene: &mut Scene<'_>, step: &Step, _: Forward) {
        forward(scene, step, self.index);
    }

    fn backward(&self, scene: &mut Scene<'_>, step: &Step) {
        through(scene, step, self.index);
    }
}

impl BatchNorm {
    /// Gathers the moments of a group's input.
    pub fn moments(&self, scene: &mut Scene<'_>, step: &Step) {
        let (isa, x) = (scene.isa(), &scene.places.values[step.x()]);
        let at = &scene.arena[x.at.clone()];
        norm::moments(isa, &x.frame, at, &scene.kept.mask, &mut scene.kept.moments);
    }

    /// What the gradient needs from the whole batch, of one group.
    pub fn sums(&self, scene: &mut Scene<'_>, step: &Step) {
        let values = &scene.places.values;
        let (x, y) = (&values[step.x()], &values[step.y]);
        let (isa, mean) = (scene.isa(), &scene.norms[self.index].mean);
        let (at, d) = (&scene.arena[x.at.clone()], &scene.arena[y.d.clone()]);
        norm::backward_sums(isa, &x.frame, at, mean, &y.gradient, d, &mut scene.kept.norm_sums);
    }

    /// The gradient of a group's input, now that the whole batch's sums are known.
    pub fn through(&self, scene: &mut Scene<'_>, step: &Step) {
        through(scene, step, self.index);
    }
}

fn forward(scene: &mut Scene<'_>, step: &Step, index: usize) {
    let (isa, values, norm) = (scene.isa(), &scene.places.values, &scene.norms[index]);
    let (xv, yv) = (&values[step.x()], &values[step.y]);
    let [x, y] = split(scene.arena, [&xv.at, &yv.at]);
    norm::affine(isa, &xv.frame, x, &norm.scale, &norm.shift, &yv.frame, y);
}

fn through(scene: &mut Scene<'_>, step: &Step, index: usize) {
    let (isa, values) = (scene.isa(), &scene.places.values);
    let (x, y) = (&values[step.x()], &values[step.y]);
    if x.d.is_empty() {
        return;
    }
    let [at, d, dx] = split(scene.arena, [&x.at, &y.d, &x.d]);
    if step.inputs[0].gradient != Some(true) {
        dx.fill(0.0);
    }
    let (k, mask) = (&scene.norms[index].backward, &scene.kept.mask);
    norm::backward_apply(isa, &y.gradient, d, &x.frame, at, k, mask, &x.gradient, dx);
}
