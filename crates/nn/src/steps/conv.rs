//! Convolutions, alone or with ReLU and max pooling.

use super::places::Parameter;
use super::places::Placing;
use super::rows::split;
use super::run::Run;
use super::scene::{Forward, Scene};
use super::wires::Wires;
use foveal_kernels::lanes::elementwise::plane_sums;
use foveal_kernels::lanes::{ConvPool, Convolution, Frame};
use foveal_kernels::{Conv2dGeometry, Pool2dGeometry};
use std::ops::Range;

/// A convolution.
#[derive(Clone, Debug)]
pub struct Conv {
    plan: Box<Convolution>,
    filter: Parameter,
    bias: Option<Parameter>,
}

impl Conv {
    pub fn new(place: &mut Placing<'_>, g: &Conv2dGeometry) -> Self {
        let (x, y) = (place.x(), place.out());
        let wanted = (place.training && !x.d.is_empty()).then_some(&x.gradient);
        // A plan that only predicts has no frame for the gradient: one that will do stands in.
        let gradient = Frame { halo: Convolution::halos(g)[1], ..y.frame };
        let gradient = if y.d.is_empty() { &gradient } else { &y.gradient };
        let plan = Box::new(Convolution::new(place.places.isa, g, &x.frame, &y.frame, gradient, wanted));
        place.places.scratch_numbers(plan.scratch());
        Self { plan, filter: place.params[0], bias: place.params.get(1).copied() }
    }

    /// The gradients of filter and bias.
    fn parameters(&self, scene: &mut Scene<'_>, step: &Wires) {
        let (places, isa) = (scene.places, scene.isa());
        let trained = |p: &Parameter| places.trained[p.index];
        if !trained(&self.filter) && !self.bias.as_ref().is_some_and(trained) {
            return;
        }
        let (x, y) = (&places.values[step.x()], &places.values[step.y]);
        if let Some(at) = self.bias.and_then(|bias| scene.gradient(&bias)) {
            plane_sums(isa, &y.gradient, &scene.arena[y.d.clone()], &mut scene.kept.gradients[at]);
        }
        let at = scene.gradient(&self.filter).expect("filters are trained");
        let (x, dy) = (&scene.arena[x.at.clone()], &scene.arena[y.d.clone()]);
        self.plan.backward_filter(x, dy, &mut scene.kept.gradients[at.start..], scene.scratch);
    }
}

impl Run for Conv {
    const KERNEL: &'static str = "lanes::conv";

    fn kernel(&self) -> &'static str {
        self.plan.name()
    }

    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, _: Forward) {
        let bias = self.bias.map(|b| scene.param(b.index));
        let filter = scene.param(self.filter.index);
        let values = &scene.places.values;
        let [x, y] = split(scene.arena, [&values[step.x()].at, &values[step.y].at]);
        self.plan.forward(x, filter, bias, y, scene.scratch);
    }

    fn backward(&self, scene: &mut Scene<'_>, step: &Wires) {
        self.parameters(scene, step);
        let Some(accumulate) = step.inputs[0].gradient else { return };
        let filter = scene.param(self.filter.index);
        let values = &scene.places.values;
        let [dy, dx] = split(scene.arena, [&values[step.y].d, &values[step.x()].d]);
        self.plan.backward_input(dy, filter, dx, accumulate, scene.scratch);
    }

    fn gradients(&self, step: &Wires, trained: bool) -> u64 {
        u64::from(trained) + u64::from(step.inputs[0].gradient.is_some())
    }
}

/// A convolution that stores the pooled values alone, and a byte for the place of each.
#[derive(Clone, Debug)]
pub struct ConvPooled {
    plan: Box<ConvPool>,
    filter: Parameter,
    bias: Option<Parameter>,
    places: Range<usize>,
    /// The gradient before the pooling, row by row.
    expanded: Range<usize>,
}

impl ConvPooled {
    pub fn new(place: &mut Placing<'_>, g: &Conv2dGeometry, pool: &Pool2dGeometry, relu: bool) -> Self {
        let (x, y) = (place.x(), place.out());
        let wanted = !y.d.is_empty();
        let plan = Box::new(ConvPool::new(place.places.isa, g, pool, &x.frame, &x.gradient, &y.frame, relu));
        place.places.scratch_numbers(plan.scratch(place.places.isa));
        let places = place.places.byte_vectors(plan.places());
        let expanded = if wanted { place.places.numbers(plan.expanded_vectors()) } else { 0..0 };
        Self { plan, filter: place.params[0], bias: place.params.get(1).copied(), places, expanded }
    }
}

impl Run for ConvPooled {
    const KERNEL: &'static str = "lanes::conv_pool";

    fn kernel(&self) -> &'static str {
        self.plan.name()
    }

    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, _: Forward) {
        let (isa, bias) = (scene.isa(), self.bias.map(|b| scene.param(b.index)));
        let filter = scene.param(self.filter.index);
        let values = &scene.places.values;
        let [x, y] = split(scene.arena, [&values[step.x()].at, &values[step.y].at]);
        let places = &mut scene.bytes[self.places.clone()];
        self.plan.forward(isa, x, filter, bias, y, places, scene.scratch);
    }

    fn backward(&self, scene: &mut Scene<'_>, step: &Wires) {
        let (all, isa) = (scene.places, scene.isa());
        let (xv, yv) = (&all.values[step.x()], &all.values[step.y]);
        let filter = scene.param(self.filter.index);
        let filter_at = scene.gradient(&self.filter).expect("filters are trained").start;
        let bias_at = self.bias.and_then(|bias| scene.gradient(&bias));
        // The bias's gradient follows the filter's: one split gives both.
        let cut = bias_at.as_ref().map_or(all.gradient_numbers, |at| at.start) - filter_at;
        let (d_filter, rest) = scene.kept.gradients[filter_at..].split_at_mut(cut);
        let d_bias = bias_at.map(|at| &mut rest[..at.len()]);
        let places = &scene.bytes[self.places.clone()];
        if let Some(accumulate) = step.inputs[0].gradient {
            let [x, dy, e, dx] = split(scene.arena, [&xv.at, &yv.d, &self.expanded, &xv.d]);
            let d_input = Some((dx, accumulate));
            self.plan.backward(
                isa,
                x,
                filter,
                &yv.gradient,
                dy,
                places,
                e,
                d_filter,
                d_bias,
                d_input,
                scene.scratch,
            );
        } else {
            let [x, dy, e] = split(scene.arena, [&xv.at, &yv.d, &self.expanded]);
            self.plan.backward(
                isa,
                x,
                filter,
                &yv.gradient,
                dy,
                places,
                e,
                d_filter,
                d_bias,
                None,
                scene.scratch,
            );
        }
    }

    fn kept(&self, _: usize) -> usize {
        self.places.len()
    }

    fn gradients(&self, step: &Wires, trained: bool) -> u64 {
        u64::from(trained) + u64::from(step.inputs[0].gradient.is_some())
    }
}
