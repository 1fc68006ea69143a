//! Planes of maps to one row of numbers.

use super::rows::split;
use super::run::Run;
use super::scene::{Forward, Scene};
use super::wires::Wires;
use foveal_kernels::lanes::Frame;
use foveal_kernels::lanes::elementwise::add_assign;

/// Height, width, channel, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Flatten;

impl Run for Flatten {
    const KERNEL: &'static str = "-";

    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, _: Forward) {
        let (lanes, values) = (scene.isa().lanes(), &scene.places.values);
        let (xv, yv) = (&values[step.x()], &values[step.y]);
        let [x, y] = split(scene.arena, [&xv.at, &yv.at]);
        permute(&xv.frame, &yv.frame, lanes, |i, o, l| y[o..o + l].copy_from_slice(&x[i..i + l]));
    }

    fn backward(&self, scene: &mut Scene<'_>, step: &Wires) {
        let Some(accumulate) = step.inputs[0].gradient else { return };
        let (isa, values) = (scene.isa(), &scene.places.values);
        let (xv, yv) = (&values[step.x()], &values[step.y]);
        let [dy, dx] = split(scene.arena, [&yv.d, &xv.d]);
        permute(&xv.gradient, &yv.gradient, isa.lanes(), |i, o, l| {
            if accumulate {
                add_assign(isa, &dy[o..o + l], &mut dx[i..i + l]);
            } else {
                dx[i..i + l].copy_from_slice(&dy[o..o + l]);
            }
        });
    }
}

/// Calls `f` with the place of each vector of an image and its place in the flat row: height, width, channel.
fn permute(image: &Frame, flat: &Frame, lanes: usize, mut f: impl FnMut(usize, usize, usize)) {
    let start = flat.origin();
    for c in 0..image.channels {
        for h in 0..image.height {
            for w in 0..image.width {
                let i = c * image.plane() + image.origin() + h * image.row() + w;
                // A flat frame has one vector a plane.
                let o = ((h * image.width + w) * image.channels + c) * flat.plane() + start;
                f(i * lanes, o * lanes, lanes);
            }
        }
    }
}
