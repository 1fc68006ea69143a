//! Transposed convolutions.

use super::places::Parameter;
use super::places::Placing;
use super::rows::split;
use super::run::Run;
use super::scene::{Forward, Scene};
use super::wires::Wires;
use foveal_kernels::Conv2dTransposeGeometry;
use foveal_kernels::lanes::elementwise::plane_sums;
use foveal_kernels::lanes::{ConvTranspose, Finish};

/// A transposed convolution.
#[derive(Clone, Debug)]
pub struct ConvTransposed {
    plan: Box<ConvTranspose>,
    filter: Parameter,
    bias: Option<Parameter>,
}

impl ConvTransposed {
    pub fn new(place: &mut Placing<'_>, g: &Conv2dTransposeGeometry) -> Self {
        let (x, y) = (place.x(), place.out());
        let mut plan = ConvTranspose::new(g, &x.frame, &y.frame);
        if !y.d.is_empty() {
            plan = plan.gradients(&y.gradient, &x.gradient);
        }
        Self { plan: Box::new(plan), filter: place.params[0], bias: place.params.get(1).copied() }
    }
}

impl Run for ConvTransposed {
    const KERNEL: &'static str = "lanes::conv_transpose";

    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, _: Forward) {
        let (isa, bias) = (scene.isa(), self.bias.map(|b| scene.numbers(&b)));
        let filter = scene.numbers(&self.filter);
        let values = &scene.places.values;
        let [x, y] = split(scene.arena, [&values[step.x()].at, &values[step.y].at]);
        self.plan.forward(isa, x, filter, bias, y);
    }

    fn backward(&self, scene: &mut Scene<'_>, step: &Wires) {
        let (isa, values) = (scene.isa(), &scene.places.values);
        let (xv, yv) = (&values[step.x()], &values[step.y]);
        if let Some(at) = self.bias.and_then(|bias| scene.gradient(&bias)) {
            plane_sums(isa, &yv.gradient, &scene.arena[yv.d.clone()], &mut scene.kept.gradients[at]);
        }
        if let Some(at) = scene.gradient(&self.filter) {
            let (x, dy) = (&scene.arena[xv.at.clone()], &scene.arena[yv.d.clone()]);
            self.plan.backward_filter(isa, x, dy, &mut scene.kept.gradients[at]);
        }
        let Some(accumulate) = step.inputs[0].gradient else { return };
        let finish = if accumulate { Finish::Accumulate } else { Finish::Store };
        let filter = scene.numbers(&self.filter);
        let [dy, dx] = split(scene.arena, [&yv.d, &xv.d]);
        self.plan.backward_input(isa, dy, filter, dx, finish);
    }

    fn gradients(&self, step: &Wires, trained: bool) -> u64 {
        u64::from(trained) + u64::from(step.inputs[0].gradient.is_some())
    }
}
