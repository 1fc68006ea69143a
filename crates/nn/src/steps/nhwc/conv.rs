//! A convolution, or a dense layer, which is a convolution of an image of one place.

use super::super::places::{Filter, Placing};
use super::super::rows::split;
use super::super::run::Run;
use super::super::scene::{Forward, Scene};
use super::super::wires::Wires;
use foveal_kernels::Conv2dGeometry;
use foveal_kernels::nhwc::norm::channel_sums;
use foveal_kernels::nhwc::{Layout, Trained};

/// A convolution among the plan's.
#[derive(Clone, Copy, Debug)]
pub struct NhwcConv {
    index: usize,
    kernel: &'static str,
    /// Numbers of an image that goes in, with the zeros around it, and of one that comes out.
    from: usize,
    to: usize,
}

impl NhwcConv {
    pub fn new(place: &mut Placing<'_>, g: &Conv2dGeometry) -> Self {
        let x = place.x();
        let layout = Layout { shape: [g.h.input, g.w.input, g.in_channels], halo: x.frame.halo };
        let wanted = place.training && !x.d.is_empty();
        let conv = Trained::new(place.places.isa, g, layout, wanted);
        place.places.scratch_numbers(conv.scratch());
        let (index, kernel) = (place.places.filters.len(), conv.kernel());
        let to = g.h.output * g.w.output * g.out_channels;
        let (weights, bias) = (place.params[0], place.params.get(1).copied());
        place.places.filters.push(Filter { conv, weights, bias });
        Self { index, kernel, from: layout.numbers(), to }
    }

    /// The gradients of filter and bias.
    fn parameters(&self, scene: &mut Scene<'_>, step: &Wires) {
        let (places, isa, count) = (scene.places, scene.isa(), scene.kept.count);
        let Filter { conv, weights, bias } = &places.filters[self.index];
        let (x, y) = (&places.values[step.x()], &places.values[step.y]);
        let dy = &scene.arena[y.d.clone()][..count * self.to];
        let trained = |index: usize| places.trained[index];
        if let Some(at) = bias.filter(|b| trained(b.index)).and_then(|bias| scene.gradient(&bias)) {
            channel_sums(isa, dy, &mut scene.kept.gradients[at]);
        }
        if trained(weights.index) {
            let at = scene.gradient(weights).expect("filters are trained");
            let x = &scene.arena[x.at.clone()][..count * self.from];
            conv.backward_filter(x, dy, &mut scene.kept.gradients[at]);
        }
    }
}

impl Run for NhwcConv {
    const KERNEL: &'static str = "nhwc::prepared";

    fn kernel(&self) -> &'static str {
        self.kernel
    }

    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, _: Forward) {
        let (places, count) = (scene.places, scene.kept.count);
        let [x, y] = split(scene.arena, [&places.values[step.x()].at, &places.values[step.y].at]);
        places.filters[self.index].conv.forward(x, scene.scratch, &mut y[..count * self.to]);
    }

    fn backward(&self, scene: &mut Scene<'_>, step: &Wires) {
        self.parameters(scene, step);
        let Some(accumulate) = step.inputs[0].gradient else { return };
        let (places, count) = (scene.places, scene.kept.count);
        let [dy, dx] = split(scene.arena, [&places.values[step.y].d, &places.values[step.x()].d]);
        let conv = &places.filters[self.index].conv;
        conv.backward_input(&dy[..count * self.to], accumulate, scene.scratch, dx);
    }

    fn gradients(&self, step: &Wires, trained: bool) -> u64 {
        u64::from(trained) + u64::from(step.inputs[0].gradient.is_some())
    }
}
