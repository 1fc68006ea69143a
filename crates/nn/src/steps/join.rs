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
            move_rows(&from.frame, x, &to.frame, y, scene.places.images, |x, y| {
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
            move_rows(&from.gradient, dy, &to.gradient, dx, scene.places.images, |a, b| {
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
        if scene.places.channels_last {
            return forward_by_places(scene, step);
        }
        let (lanes, values) = (scene.images(), &scene.places.values);
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
        if scene.places.channels_last {
            return backward_by_places(scene, step);
        }
        let (isa, values) = (scene.isa(), &scene.places.values);
        let from = &values[step.y];
        let mut first = 0;
        for input in &step.inputs {
            let to = &values[input.value];
            let offset = first * from.gradient.plane() * scene.places.images;
            first += to.frame.channels;
            let Some(accumulate) = input.gradient else { continue };
            let part = Frame { channels: to.frame.channels, ..from.gradient };
            let [dy, dx] = split(scene.arena, [&from.d, &to.d]);
            move_rows(&part, &dy[offset..], &to.gradient, dx, scene.places.images, |a, b| {
                if accumulate { add_assign(isa, a, b) } else { b.copy_from_slice(a) }
            });
        }
    }
}

/// [`Concat`] with channels side by side: each place's channels, part by part.
fn forward_by_places(scene: &mut Scene<'_>, step: &Wires) {
    let values = &scene.places.values;
    let to = &values[step.y];
    let (all, places, mut first) = (to.frame.channels, to.frame.height * to.frame.width, 0);
    for input in &step.inputs {
        let from = &values[input.value];
        let own = from.frame.vectors() / places;
        let [x, y] = split(scene.arena, [&from.at, &to.at]);
        for (x, y) in x.chunks_exact(own).zip(y.chunks_exact_mut(all)) {
            y[first..first + own].copy_from_slice(x);
        }
        first += own;
    }
}

fn backward_by_places(scene: &mut Scene<'_>, step: &Wires) {
    let values = &scene.places.values;
    let from = &values[step.y];
    let (all, places, mut first) = (from.frame.channels, from.frame.height * from.frame.width, 0);
    for input in &step.inputs {
        let to = &values[input.value];
        let own = to.frame.vectors() / places;
        let at = first..first + own;
        first += own;
        let Some(accumulate) = input.gradient else { continue };
        let [dy, dx] = split(scene.arena, [&from.d, &to.d]);
        for (dy, dx) in dy.chunks_exact(all).zip(dx.chunks_exact_mut(own)) {
            let dy = &dy[at.clone()];
            match accumulate {
                true => dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx += dy),
                false => dx.copy_from_slice(dy),
            }
        }
    }
}
