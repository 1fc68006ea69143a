//! Dropout while training.

use super::places::Placing;
use super::rows::split;
use super::rows::{move_rows, plain, row_sets};
use super::run::Run;
use super::scene::{Forward, Scene};
use super::wires::Wires;
use foveal_kernels::lanes::Frame;
use foveal_kernels::lanes::elementwise::{add_assign, dropout_mask, multiply};
use std::ops::Range;

/// Sets numbers to 0 by a mask that depends on the seed, the step and the group alone.
#[derive(Clone, Debug)]
pub struct Dropout {
    rate: f32,
    /// The mask, without a halo.
    mask: Range<usize>,
    /// Tells several dropouts of a model apart.
    salt: u64,
}

impl Dropout {
    pub fn new(place: &mut Placing<'_>, rate: f32) -> Self {
        let frame = place.x().frame;
        if !place.in_place() {
            place.gradient_scratch();
        }
        let mask = place.places.numbers(plain(&frame).vectors());
        Self { rate, mask, salt: place.node as u64 }
    }

    /// `to = from * mask`, row by row.
    fn masked(
        &self,
        scene: &mut Scene<'_>,
        in_place: bool,
        [from, to]: [&Range<usize>; 2],
        frames: [&Frame; 2],
    ) {
        let (isa, lanes) = (scene.isa(), scene.images());
        let no_halo = plain(frames[0]);
        if in_place {
            let [x, m] = split(scene.arena, [to, &self.mask]);
            move_rows(&no_halo, m, frames[1], x, lanes, |m, x| {
                x.iter_mut().zip(m).for_each(|(x, m)| *x *= m);
            });
            return;
        }
        let [x, y, m] = split(scene.arena, [from, to, &self.mask]);
        for [from, to, mask] in row_sets([frames[0], frames[1], &no_halo], lanes) {
            multiply(isa, &x[from], &m[mask], &mut y[to]);
        }
    }
}

impl Run for Dropout {
    const KERNEL: &'static str = "lanes::elementwise";

    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, mode: Forward) {
        let (isa, values) = (scene.isa(), &scene.places.values);
        let (xv, yv) = (&values[step.x()], &values[step.y]);
        // An engine that trains also predicts, and then nothing is dropped.
        if mode == Forward::Inference {
            if !step.in_place() {
                let [x, y] = split(scene.arena, [&xv.at, &yv.at]);
                move_rows(&xv.frame, x, &yv.frame, y, scene.places.images, |x, y| y.copy_from_slice(x));
            }
            return;
        }
        let seed = scene.seed.unwrap_or(0) ^ self.salt.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        dropout_mask(isa, seed, self.rate, &mut scene.arena[self.mask.clone()]);
        self.masked(scene, step.in_place(), [&xv.at, &yv.at], [&xv.frame, &yv.frame]);
    }

    fn backward(&self, scene: &mut Scene<'_>, step: &Wires) {
        let (isa, values) = (scene.isa(), &scene.places.values);
        let (xv, yv) = (&values[step.x()], &values[step.y]);
        let gradient = step.inputs[0].gradient;
        if step.in_place() || gradient == Some(false) {
            self.masked(scene, step.in_place(), [&yv.d, &xv.d], [&yv.gradient, &xv.gradient]);
        } else if gradient.is_some() {
            let [dy, m] = split(scene.arena, [&yv.d, &self.mask]);
            let kept = &mut scene.scratch[..m.len()];
            move_rows(&yv.gradient, dy, &plain(&yv.gradient), kept, scene.places.images, |a, b| {
                b.copy_from_slice(a)
            });
            kept.iter_mut().zip(&*m).for_each(|(k, m)| *k *= m);
            let dx = &mut scene.arena[xv.d.clone()];
            move_rows(&plain(&yv.gradient), kept, &xv.gradient, dx, scene.places.images, |a, b| {
                add_assign(isa, a, b)
            });
        }
    }

    fn kept(&self, _: usize) -> usize {
        4 * self.mask.len()
    }
}
