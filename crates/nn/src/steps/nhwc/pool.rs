//! Pooling, one image after the other.

use super::super::places::Placing;
use super::super::rows::split;
use super::super::run::Run;
use super::super::scene::{Forward, Scene};
use super::super::wires::Wires;
use foveal_kernels::Pool2dGeometry;
use foveal_kernels::nhwc::pool::{self, Pool};
use std::ops::Range;

/// Numbers of an image that goes in, and of one that comes out.
fn numbers(g: &Pool2dGeometry) -> [usize; 2] {
    [g.input_shape(), g.output_shape()].map(|shape| shape.iter().product())
}

/// The largest of each window, and its place.
#[derive(Clone, Debug)]
pub struct NhwcMaxPool {
    geometry: Box<Pool2dGeometry>,
    places: Range<usize>,
}

impl NhwcMaxPool {
    pub fn new(place: &mut Placing<'_>, g: &Pool2dGeometry) -> Self {
        let [_, to] = numbers(g);
        Self { geometry: Box::new(*g), places: place.places.numbers(to) }
    }
}

impl Run for NhwcMaxPool {
    const KERNEL: &'static str = "nhwc::pool";

    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, _: Forward) {
        let (isa, values, [from, to]) = (scene.isa(), &scene.places.values, numbers(&self.geometry));
        let [x, y, at] = split(scene.arena, [&values[step.x()].at, &values[step.y].at, &self.places]);
        let images = x.chunks_exact(from).zip(y.chunks_exact_mut(to)).zip(at.chunks_exact_mut(to));
        for ((x, y), at) in images.take(scene.kept.count) {
            pool::max_with_places(isa, &self.geometry, x, y, at);
        }
    }

    fn backward(&self, scene: &mut Scene<'_>, step: &Wires) {
        let Some(accumulate) = step.inputs[0].gradient else { return };
        let (isa, values, [from, to]) = (scene.isa(), &scene.places.values, numbers(&self.geometry));
        let [at, dy, dx] = split(scene.arena, [&self.places, &values[step.y].d, &values[step.x()].d]);
        let images = dx.chunks_exact_mut(from).zip(dy.chunks_exact(to)).zip(at.chunks_exact(to));
        for ((dx, dy), at) in images.take(scene.kept.count) {
            if !accumulate {
                dx.fill(0.0);
            }
            pool::max_backward(isa, &self.geometry, at, dy, dx);
        }
    }

    fn kept(&self, _: usize) -> usize {
        4 * self.places.len()
    }
}

/// The mean of each window.
#[derive(Clone, Debug)]
pub struct NhwcAvgPool {
    geometry: Box<Pool2dGeometry>,
}

impl NhwcAvgPool {
    pub fn new(g: &Pool2dGeometry) -> Self {
        Self { geometry: Box::new(*g) }
    }
}

impl Run for NhwcAvgPool {
    const KERNEL: &'static str = "nhwc::pool";

    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, _: Forward) {
        let (isa, values, [from, to]) = (scene.isa(), &scene.places.values, numbers(&self.geometry));
        let [x, y] = split(scene.arena, [&values[step.x()].at, &values[step.y].at]);
        for (x, y) in x.chunks_exact(from).zip(y.chunks_exact_mut(to)).take(scene.kept.count) {
            pool::of_one_image(isa, Pool::Mean, &self.geometry, None, x, y);
        }
    }

    fn backward(&self, scene: &mut Scene<'_>, step: &Wires) {
        let Some(accumulate) = step.inputs[0].gradient else { return };
        let (isa, values, [from, to]) = (scene.isa(), &scene.places.values, numbers(&self.geometry));
        let [dy, dx] = split(scene.arena, [&values[step.y].d, &values[step.x()].d]);
        for (dy, dx) in dy.chunks_exact(to).zip(dx.chunks_exact_mut(from)).take(scene.kept.count) {
            if !accumulate {
                dx.fill(0.0);
            }
            pool::avg_backward(isa, &self.geometry, dy, dx);
        }
    }
}
