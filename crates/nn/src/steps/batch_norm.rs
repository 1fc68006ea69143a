//! Batch normalization. It needs the whole batch: the engine gathers the groups' moments before a step runs, and
//! their sums before its gradient does.

use super::rows::split;
use super::run::Run;
use super::scene::{Forward, Scene};
use super::wires::Wires;
use foveal_kernels::lanes::norm;

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

    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, _: Forward) {
        forward(scene, step, self.index);
    }

    /// The engine runs [`BatchNorm::through`] when the whole batch's sums are known.
    fn backward(&self, _: &mut Scene<'_>, _: &Wires) {}
}

impl Run for FrozenNorm {
    const KERNEL: &'static str = "lanes::norm";

    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, _: Forward) {
        forward(scene, step, self.index);
    }

    fn backward(&self, scene: &mut Scene<'_>, step: &Wires) {
        through(scene, step, self.index);
    }
}

impl BatchNorm {
    /// Gathers the moments of a group's input.
    pub fn moments(&self, scene: &mut Scene<'_>, step: &Wires) {
        let (isa, x) = (scene.isa(), &scene.places.values[step.x()]);
        let at = &scene.arena[x.at.clone()];
        norm::moments(isa, &x.frame, at, &scene.kept.mask, &mut scene.kept.moments);
    }

    /// What the gradient needs from the whole batch, of one group.
    pub fn sums(&self, scene: &mut Scene<'_>, step: &Wires) {
        let values = &scene.places.values;
        let (x, y) = (&values[step.x()], &values[step.y]);
        let (isa, mean) = (scene.isa(), &scene.norms[self.index].mean);
        let (at, d) = (&scene.arena[x.at.clone()], &scene.arena[y.d.clone()]);
        norm::backward_sums(isa, &x.frame, at, mean, &y.gradient, d, &mut scene.kept.norm_sums);
    }

    /// The gradient of a group's input, now that the whole batch's sums are known.
    pub fn through(&self, scene: &mut Scene<'_>, step: &Wires) {
        through(scene, step, self.index);
    }
}

fn forward(scene: &mut Scene<'_>, step: &Wires, index: usize) {
    let (isa, values, norm) = (scene.isa(), &scene.places.values, &scene.norms[index]);
    let (xv, yv) = (&values[step.x()], &values[step.y]);
    let [x, y] = split(scene.arena, [&xv.at, &yv.at]);
    norm::affine(isa, &xv.frame, x, &norm.scale, &norm.shift, &yv.frame, y);
}

fn through(scene: &mut Scene<'_>, step: &Wires, index: usize) {
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
