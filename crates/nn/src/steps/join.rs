//! Several values of one height and width to one: their sum, or their channels one after the other.

use super::rows::{move_rows, split};
use super::run::Run;
use super::scene::{Forward, Scene};
use super::wires::Wires;
use foveal_kernels::lanes::Frame;
use foveal_kernels::lanes::elementwise::add_assign;

/// The sum of values of one shape.
#[derive(Clone, Copy, Debug)]
pub struct Add;

impl Run for Add {
    const KERNEL: &'static str = "lanes::elementwise";

    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, _: Forward) {
        let (isa, values) = (scene.isa(), &scene.places.values);
        let to = &values[step.y];
        for (k, input) in step.inputs.iter().enumerate() {
            let from = &values[input.value];
            let [x, y] = split(scene.arena, [&from.at, &to.at]);
            move_rows(&from.frame, x, &to.frame, y, isa.lanes(), |x, y| {
                if k == 0 { y.copy_from_slice(x) } else { add_assign(isa, x, y) }
            });
        }
    }

    fn backward(&self, scene: &mut Scene<'_>, step: &Wires) {
        let (isa, values) = (scene.isa(), &scene.places.values);
        let from = &values[step.y];
        for input in &step.inputs {
            let Some(accumulate) = input.gradient else { continue };
            let to = &values[input.value];
            let [dy, dx] = split(scene.arena, [&from.d, &to.d]);
            move_rows(&from.gradient, dy, &to.gradient, dx, isa.lanes(), |a, b| {
                if accumulate { add_assign(isa, a, b) } else { b.copy_from_slice(a) }
            });
        }
    }
}

/// The channels of values of one height and width, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Concat;

impl Run for Concat {
    const KERNEL: &'static str = "-";

    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, _: Forward) {
        let (lanes, values) = (scene.isa().lanes(), &scene.places.values);
        let to = &values[step.y];
        let mut first = 0;
        for input in &step.inputs {
            let from = &values[input.value];
            let part = Frame { channels: from.frame.channels, ..to.frame };
            let [x, y] = split(scene.arena, [&from.at, &to.at]);
            let y = &mut y[first * to.frame.plane() * lanes..];
            move_rows(&from.frame, x, &part, y, lanes, |x, y| y.copy_from_slice(x));
            first += from.frame.channels;
        }
    }

    fn backward(&self, scene: &mut Scene<'_>, step: &Wires) {
        let (isa, values) = (scene.isa(), &scene.places.values);
        let from = &values[step.y];
        let mut first = 0;
        for input in &step.inputs {
            let to = &values[input.value];
            let offset = first * from.gradient.plane() * isa.lanes();
            first += to.frame.channels;
            let Some(accumulate) = input.gradient else { continue };
            let part = Frame { channels: to.frame.channels, ..from.gradient };
            let [dy, dx] = split(scene.arena, [&from.d, &to.d]);
            move_rows(&part, &dy[offset..], &to.gradient, dx, isa.lanes(), |a, b| {
                if accumulate { add_assign(isa, a, b) } else { b.copy_from_slice(a) }
            });
        }
    }
}
