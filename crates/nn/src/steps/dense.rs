//! Dense layers.

use super::places::Parameter;
use super::places::Placing;
use super::rows::plain;
use super::rows::{move_rows, split};
use super::run::Run;
use super::scene::{Forward, Scene};
use super::wires::Wires;
use foveal_kernels::lanes::dense;
use foveal_kernels::lanes::elementwise::{add_assign, plane_sums};
use std::ops::Range;

/// A dense layer's sizes, and where a group keeps its input and its output's gradient until the update.
#[derive(Clone, Debug)]
pub struct Dense {
    pub inputs: usize,
    pub units: usize,
    /// The weights, by index among the model's parameters.
    pub weights: usize,
    pub x: Range<usize>,
    pub dy: Range<usize>,
    bias: Option<Parameter>,
}

impl Dense {
    pub fn new(place: &mut Placing<'_>, units: usize) -> Self {
        place.gradient_scratch();
        let (isa, inputs) = (place.places.isa, place.x().frame.channels);
        let (lanes, padded) = (isa.lanes(), dense::padded_units(isa, units));
        let at = place.places.saved;
        let (x, dy) = (at..at + inputs * lanes, at + inputs * lanes..at + (inputs + padded) * lanes);
        place.places.saved = dy.end;
        Self { inputs, units, weights: place.params[0].index, x, dy, bias: place.params.get(1).copied() }
    }
}

impl Run for Dense {
    const KERNEL: &'static str = "lanes::dense";

    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, _: Forward) {
        let (isa, lanes) = (scene.isa(), scene.isa().lanes());
        let bias = self.bias.map(|b| scene.param(b.index));
        let weights = scene.param(self.weights);
        let values = &scene.places.values;
        let (xv, yv) = (&values[step.x()], &values[step.y]);
        let [x, y] = split(scene.arena, [&xv.at, &yv.at]);
        let kept = &mut scene.kept.saved[self.x.clone()];
        move_rows(&xv.frame, x, &plain(&xv.frame), kept, lanes, |x, y| y.copy_from_slice(x));
        if yv.frame.halo == [0; 4] {
            dense::forward(isa, kept, weights, bias, &mut y[..yv.frame.vectors() * lanes], self.units);
        } else {
            let flat = &mut scene.scratch[..self.units * lanes];
            dense::forward(isa, kept, weights, bias, flat, self.units);
            move_rows(&plain(&yv.frame), flat, &yv.frame, y, lanes, |x, y| y.copy_from_slice(x));
        }
    }

    fn backward(&self, scene: &mut Scene<'_>, step: &Wires) {
        let (isa, lanes) = (scene.isa(), scene.isa().lanes());
        let values = &scene.places.values;
        let (xv, yv) = (&values[step.x()], &values[step.y]);
        let weights = scene.param(self.weights);
        let bias_at = self.bias.and_then(|bias| scene.gradient(&bias));
        let dy = &scene.arena[yv.d.clone()];
        if let Some(at) = bias_at {
            plane_sums(isa, &yv.gradient, dy, &mut scene.kept.gradients[at]);
        }
        dense::transpose(isa, dy, self.units, &mut scene.kept.saved[self.dy.clone()]);
        let Some(accumulate) = step.inputs[0].gradient else { return };
        if accumulate || xv.gradient.halo != [0; 4] {
            let kept = &mut scene.scratch[..self.inputs * lanes];
            dense::backward_input(isa, dy, weights, kept, self.units);
            let dx = &mut scene.arena[xv.d.clone()];
            move_rows(&plain(&xv.gradient), kept, &xv.gradient, dx, lanes, |a, b| {
                if accumulate { add_assign(isa, a, b) } else { b.copy_from_slice(a) }
            });
        } else {
            let [dy, dx] = split(scene.arena, [&yv.d, &xv.d]);
            dense::backward_input(isa, dy, weights, dx, self.units);
        }
    }

    fn kept(&self, _: usize) -> usize {
        4 * self.x.len()
    }
}
