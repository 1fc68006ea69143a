//! Pooling.

use super::places::Placing;
use super::rows::split;
use super::run::Run;
use super::scene::{Forward, Scene};
use super::wires::Wires;
use foveal_kernels::Pool2dGeometry;
use foveal_kernels::lanes::PoolWalk;
use std::ops::Range;

/// One walk between activations, one between gradients.
fn walks(place: &mut Placing<'_>, g: &Pool2dGeometry) -> Box<[PoolWalk; 2]> {
    let (x, y) = (place.x(), place.out());
    Box::new([PoolWalk::new(g, &x.frame, &y.frame), PoolWalk::new(g, &x.gradient, &y.gradient)])
}

/// The largest of each window, and its place.
#[derive(Clone, Debug)]
pub struct MaxPool {
    walks: Box<[PoolWalk; 2]>,
    places: Range<usize>,
}

impl MaxPool {
    pub fn new(place: &mut Placing<'_>, g: &Pool2dGeometry) -> Self {
        let walks = walks(place, g);
        let to = super::rows::plain(&place.out().frame);
        Self { walks, places: place.places.numbers(to.vectors()) }
    }
}

impl Run for MaxPool {
    const KERNEL: &'static str = "lanes::pool";

    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, _: Forward) {
        let (isa, values) = (scene.isa(), &scene.places.values);
        let [x, y, at] = split(scene.arena, [&values[step.x()].at, &values[step.y].at, &self.places]);
        self.walks[0].max(isa, x, y, at);
    }

    fn backward(&self, scene: &mut Scene<'_>, step: &Wires) {
        let Some(accumulate) = step.inputs[0].gradient else { return };
        let (isa, values) = (scene.isa(), &scene.places.values);
        let [at, dy, dx] = split(scene.arena, [&self.places, &values[step.y].d, &values[step.x()].d]);
        if !accumulate {
            dx.fill(0.0);
        }
        self.walks[1].max_backward(isa, at, dy, dx);
    }

    fn kept(&self, _: usize) -> usize {
        4 * self.places.len()
    }
}

/// The mean of each window.
#[derive(Clone, Debug)]
pub struct AvgPool {
    walks: Box<[PoolWalk; 2]>,
}

impl AvgPool {
    pub fn new(place: &mut Placing<'_>, g: &Pool2dGeometry) -> Self {
        Self { walks: walks(place, g) }
    }
}

impl Run for AvgPool {
    const KERNEL: &'static str = "lanes::pool";

    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, _: Forward) {
        let (isa, values) = (scene.isa(), &scene.places.values);
        let [x, y] = split(scene.arena, [&values[step.x()].at, &values[step.y].at]);
        self.walks[0].average(isa, x, y);
    }

    fn backward(&self, scene: &mut Scene<'_>, step: &Wires) {
        let Some(accumulate) = step.inputs[0].gradient else { return };
        let (isa, values) = (scene.isa(), &scene.places.values);
        let [dy, dx] = split(scene.arena, [&values[step.y].d, &values[step.x()].d]);
        if !accumulate {
            dx.fill(0.0);
        }
        self.walks[1].average_backward(isa, dy, dx);
    }
}
