//! Functions of each number.

use super::places::Placing;
use super::rows::row_sets;
use super::rows::{move_rows, split};
use super::run::Run;
use super::scene::{Forward, Scene};
use super::wires::Wires;
use foveal_kernels::lanes::elementwise::{Activation, add_assign, rows};

/// A function with an output of its own.
#[derive(Clone, Debug)]
pub struct Function(pub Activation);

impl Function {
    pub fn new(place: &mut Placing<'_>, f: Activation) -> Self {
        place.gradient_scratch();
        Self(f)
    }
}

impl Run for Function {
    const KERNEL: &'static str = "lanes::elementwise";

    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, _: Forward) {
        let (isa, values) = (scene.isa(), &scene.places.values);
        let (xv, yv) = (&values[step.x()], &values[step.y]);
        let [x, y] = split(scene.arena, [&xv.at, &yv.at]);
        move_rows(&xv.frame, x, &yv.frame, y, scene.places.images, |x, y| self.0.forward(isa, x, y));
    }

    fn backward(&self, scene: &mut Scene<'_>, step: &Wires) {
        let Some(accumulate) = step.inputs[0].gradient else { return };
        let (isa, values) = (scene.isa(), &scene.places.values);
        let (xv, yv) = (&values[step.x()], &values[step.y]);
        let [x, y, dy, dx] = split(scene.arena, [&xv.at, &yv.at, &yv.d, &xv.d]);
        let frames = [&xv.frame, &yv.frame, &yv.gradient, &xv.gradient];
        for [xr, yr, dyr, dxr] in row_sets(frames, scene.places.images) {
            if accumulate {
                let kept = &mut scene.scratch[..xr.len()];
                self.0.backward(isa, &x[xr], &y[yr], &dy[dyr], kept);
                add_assign(isa, kept, &mut dx[dxr]);
            } else {
                self.0.backward(isa, &x[xr], &y[yr], &dy[dyr], &mut dx[dxr]);
            }
        }
    }
}

/// A function that overwrites its input; its slope follows from what it has written.
#[derive(Clone, Debug)]
pub struct InPlace(pub Activation);

impl Run for InPlace {
    const KERNEL: &'static str = "lanes::elementwise";

    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, _: Forward) {
        let (isa, y) = (scene.isa(), &scene.places.values[step.y]);
        for row in rows(&y.frame, scene.places.images) {
            self.0.forward_in_place(isa, &mut scene.arena[y.at.clone()][row]);
        }
    }

    fn backward(&self, scene: &mut Scene<'_>, step: &Wires) {
        let (isa, yv) = (scene.isa(), &scene.places.values[step.y]);
        let [y, d] = split(scene.arena, [&yv.at, &yv.d]);
        move_rows(&yv.frame, y, &yv.gradient, d, scene.places.images, |y, d| {
            self.0.backward_in_place(isa, y, d)
        });
    }

    fn gradients(&self, _: &Wires, _: bool) -> u64 {
        1
    }
}
