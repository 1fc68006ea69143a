//! The operations of [`foveal_kernels::grid`], which are written once for both layouts.

use super::places::Parameter;
use super::places::Placing;
use super::rows::around;
use super::run::Run;
use super::scene::{Forward, Scene};
use super::wires::Wires;
use foveal_kernels::grid::{Grid, Op, Planned};

/// An operation with the places of its numbers.
#[derive(Clone, Debug)]
pub struct OnGrid {
    planned: Box<Planned>,
    params: [Option<Parameter>; 2],
}

impl OnGrid {
    pub fn new(place: &mut Placing<'_>, op: &Op) -> Self {
        let (values, lanes) = (&place.places.values, place.places.isa.lanes());
        let (x, dx): (Vec<Grid>, Vec<Grid>) = place
            .inputs
            .iter()
            .map(|&v| (&values[v].frame, &values[v].gradient))
            .map(|(frame, gradient)| (Grid::of_frame(frame, lanes), Grid::of_frame(gradient, lanes)))
            .unzip();
        let y = &values[place.y];
        let mut planned = Planned::new(op, &x, Grid::of_frame(&y.frame, lanes));
        if place.training {
            planned = planned.with_gradients(&dx, Grid::of_frame(&y.gradient, lanes));
        }
        place.places.scratch = place.places.scratch.max(planned.scratch());
        let params = [0, 1].map(|k| place.params.get(k).copied());
        Self { planned: Box::new(planned), params }
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
        let own = own.expect("each parameter's gradient has a place of its own");
        self.planned.backward_params(isa, read, params, dy, own, scene.scratch);
    }
}

impl Run for OnGrid {
    const KERNEL: &'static str = "grid";

    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, _: Forward) {
        let (isa, params) = (scene.isa(), self.numbers(scene));
        let values = &scene.places.values;
        let (y, rest) = around(scene.arena, &values[step.y].at);
        let x = [0, 1].map(|k| step.inputs.get(k).map_or(&[][..], |i| rest.part(&values[i.value].at)));
        self.planned.forward(isa, x, params, y, scene.scratch);
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
            self.planned.backward_input(isa, k, x, params, y, dy, dx, scene.scratch);
        }
    }
}
