//! The operations of [`foveal_kernels::grid`], which are written once for both layouts.

use super::places::Parameter;
use super::places::Placing;
use super::rows::around;
use super::run::Run;
use super::scene::{Forward, Scene};
use super::wires::Wires;
use foveal_kernels::grid::{Grid, Op, Planned};
use foveal_kernels::lanes::Frame;

/// An operation with the places of its numbers.
#[derive(Clone, Debug)]
pub struct OnGrid {
    planned: Box<Planned>,
    params: [Option<Parameter>; 2],
    /// Images that go one after the other.
    images: usize,
}

/// The part of a value that image `i` of so many fills.
fn of_image(all: &[f32], i: usize, images: usize) -> &[f32] {
    let each = all.len() / images;
    &all[i * each..(i + 1) * each]
}

impl OnGrid {
    pub fn new(place: &mut Placing<'_>, op: &Op) -> Self {
        let (values, places) = (&place.places.values, &*place.places);
        // With channels side by side each image goes by itself.
        let images = if places.channels_last { places.images } else { 1 };
        let grid = |frame: &Frame, shape: [usize; 3]| match places.channels_last {
            true => Grid::plain(shape),
            false => Grid::of_frame(frame, places.images),
        };
        let (x, dx): (Vec<Grid>, Vec<Grid>) = (place.inputs.iter().zip(place.from))
            .map(|(&v, &shape)| (grid(&values[v].frame, shape), grid(&values[v].gradient, shape)))
            .unzip();
        let y = &values[place.y];
        let mut planned = Planned::new(op, &x, grid(&y.frame, place.to));
        if place.training {
            planned = planned.with_gradients(&dx, grid(&y.gradient, place.to));
        }
        place.places.scratch = place.places.scratch.max(planned.scratch());
        let params = [0, 1].map(|k| place.params.get(k).copied());
        Self { planned: Box::new(planned), params, images }
    }

    /// How many images are taken, one after the other.
    fn taken(&self, count: usize) -> usize {
        self.images.min(count)
    }

    fn numbers<'a>(&self, scene: &Scene<'a>) -> [&'a [f32]; 2] {
        self.params.map(|p| p.map_or(&[][..], |p| scene.numbers(&p)))
    }

    /// The gradients of the parameters, if they are trained.
    fn parameters(&self, scene: &mut Scene<'_>, step: &Wires) {
        let Some(first) = self.params[0].and_then(|p| scene.gradient(&p)) else { return };
        let second = self.params[1].and_then(|p| scene.gradient(&p)).unwrap_or(first.end..first.end);
        let (isa, params) = (scene.isa(), self.numbers(scene));
        let values = &scene.places.values;
        let read =
            [0, 1].map(|k| step.inputs.get(k).map_or(&[][..], |i| &scene.arena[values[i.value].at.clone()]));
        let dy = &scene.arena[values[step.y].d.clone()];
        let own = scene.kept.gradients.get_disjoint_mut([first, second]);
        let mut own = own.expect("each parameter's gradient has a place of its own");
        for i in 0..self.taken(scene.kept.count) {
            let part = |all| of_image(all, i, self.images);
            let own = own.each_mut().map(|own| &mut **own);
            self.planned.backward_params(isa, read.map(part), params, part(dy), own, scene.scratch);
        }
    }
}

impl Run for OnGrid {
    const KERNEL: &'static str = "grid";

    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, _: Forward) {
        let (isa, params) = (scene.isa(), self.numbers(scene));
        let values = &scene.places.values;
        let (y, rest) = around(scene.arena, &values[step.y].at);
        let x = [0, 1].map(|k| step.inputs.get(k).map_or(&[][..], |i| rest.part(&values[i.value].at)));
        let each = y.len() / self.images;
        for (i, y) in y.chunks_exact_mut(each).enumerate().take(self.taken(scene.kept.count)) {
            let x = x.map(|all| of_image(all, i, self.images));
            self.planned.forward(isa, x, params, y, scene.scratch);
        }
    }

    fn backward(&self, scene: &mut Scene<'_>, step: &Wires) {
        self.parameters(scene, step);
        let (isa, params) = (scene.isa(), self.numbers(scene));
        let values = &scene.places.values;
        for (k, input) in step.inputs.iter().enumerate() {
            let Some(accumulate) = input.gradient else { continue };
            let (dx, rest) = around(scene.arena, &values[input.value].d);
            if !accumulate {
                dx.fill(0.0);
            }
            let x = [0, 1].map(|k| step.inputs.get(k).map_or(&[][..], |i| rest.part(&values[i.value].at)));
            let (y, dy) = (rest.part(&values[step.y].at), rest.part(&values[step.y].d));
            let each = dx.len() / self.images;
            for (i, dx) in dx.chunks_exact_mut(each).enumerate().take(self.taken(scene.kept.count)) {
                let part = |all| of_image(all, i, self.images);
                let (x, y, dy) = (x.map(part), part(y), part(dy));
                self.planned.backward_input(isa, k, x, params, y, dy, dx, scene.scratch);
            }
        }
    }
}
