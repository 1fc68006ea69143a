//! Batch normalization, in either layout. It needs the whole batch: the engine gathers the groups' moments before a step runs, and
//! their sums before its gradient does.

use super::rows::split;
use super::run::Run;
use super::scene::{Forward, Scene};
use super::wires::Wires;
use foveal_kernels::lanes::norm;
use foveal_kernels::nhwc;
use std::ops::Range;

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
        if scene.places.channels_last {
            let at = &scene.arena[filled(scene, &x.at)];
            return nhwc::norm::moments(
                isa,
                scene.places.norms[self.index].channels,
                at,
                &mut scene.kept.moments,
            );
        }
        let at = &scene.arena[x.at.clone()];
        norm::moments(isa, &x.frame, at, &scene.kept.mask, &mut scene.kept.moments);
    }

    /// What the gradient needs from the whole batch, of one group.
    pub fn sums(&self, scene: &mut Scene<'_>, step: &Wires) {
        let values = &scene.places.values;
        let (x, y) = (&values[step.x()], &values[step.y]);
        let (isa, mean) = (scene.isa(), &scene.norms[self.index].mean);
        if scene.places.channels_last {
            let (at, d) = (&scene.arena[filled(scene, &x.at)], &scene.arena[filled(scene, &y.d)]);
            return nhwc::norm::backward_sums(isa, at, mean, d, &mut scene.kept.norm_sums);
        }
        let (at, d) = (&scene.arena[x.at.clone()], &scene.arena[y.d.clone()]);
        norm::backward_sums(isa, &x.frame, at, mean, &y.gradient, d, &mut scene.kept.norm_sums);
    }

    /// The gradient of a group's input, now that the whole batch's sums are known.
    pub fn through(&self, scene: &mut Scene<'_>, step: &Wires) {
        through(scene, step, self.index);
    }
}

/// The part of a value that the group's images fill, one after the other.
fn filled(scene: &Scene<'_>, all: &Range<usize>) -> Range<usize> {
    all.start..all.start + all.len() / scene.places.images * scene.kept.count
}

fn forward(scene: &mut Scene<'_>, step: &Wires, index: usize) {
    let (isa, values, norm) = (scene.isa(), &scene.places.values, &scene.norms[index]);
    let (xv, yv) = (&values[step.x()], &values[step.y]);
    if scene.places.channels_last {
        let parts = [filled(scene, &xv.at), filled(scene, &yv.at)];
        let [x, y] = split(scene.arena, [&parts[0], &parts[1]]);
        return nhwc::norm::affine(isa, x, &norm.scale, &norm.shift, y);
    }
    let [x, y] = split(scene.arena, [&xv.at, &yv.at]);
    norm::affine(isa, &xv.frame, x, &norm.scale, &norm.shift, &yv.frame, y);
}

fn through(scene: &mut Scene<'_>, step: &Wires, index: usize) {
    let (isa, values) = (scene.isa(), &scene.places.values);
    let (x, y) = (&values[step.x()], &values[step.y]);
    if x.d.is_empty() {
        return;
    }
    if scene.places.channels_last {
        let parts = [&x.at, &y.d, &x.d].map(|part| filled(scene, part));
        let [at, d, dx] = split(scene.arena, [&parts[0], &parts[1], &parts[2]]);
        let channels = scene.places.norms[index].channels;
        let k = &mut scene.scratch[..3 * channels];
        for (c, factors) in scene.norms[index].backward.iter().enumerate() {
            factors.iter().enumerate().for_each(|(i, &factor)| k[i * channels + c] = factor);
        }
        return nhwc::norm::backward_apply(isa, d, at, k, step.inputs[0].gradient == Some(true), dx);
    }
    let [at, d, dx] = split(scene.arena, [&x.at, &y.d, &x.d]);
    if step.inputs[0].gradient != Some(true) {
        dx.fill(0.0);
    }
    let (k, mask) = (&scene.norms[index].backward, &scene.kept.mask);
    norm::backward_apply(isa, &y.gradient, d, &x.frame, at, k, mask, &x.gradient, dx);
}
