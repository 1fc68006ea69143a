//! Embeddings.

use super::places::Placing;
use super::rows::split;
use super::run::Run;
use super::scene::{Forward, Scene};
use super::wires::Wires;
use foveal_kernels::lanes::embedding::Lookup;
use std::ops::Range;

/// An embedding, and where a group keeps the numbers that it looked up and their gradients until the update.
#[derive(Clone, Debug)]
pub struct Embedding {
    pub lookup: Lookup,
    pub size: usize,
    /// The table, by index among the model's parameters.
    pub table: usize,
    pub ids: Range<usize>,
    pub dy: Range<usize>,
}

impl Embedding {
    pub fn new(place: &mut Placing<'_>, [rows, size]: [usize; 2]) -> Self {
        let lanes = place.places.isa.lanes();
        let lookup = Lookup { input: place.x().frame, output: place.out().frame, rows, lanes };
        let (at, kept) = (place.places.saved, if place.training { lookup.ids() } else { 0 });
        let (ids, dy) = (at..at + kept, at + kept..at + kept * (1 + size));
        place.places.saved = dy.end;
        Self { lookup, size, table: place.params[0].index, ids, dy }
    }
}

impl Run for Embedding {
    const KERNEL: &'static str = "lanes::embedding";

    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, _: Forward) {
        let table = scene.param(self.table);
        let values = &scene.places.values;
        let [x, y] = split(scene.arena, [&values[step.x()].at, &values[step.y].at]);
        self.lookup.forward(x, table, y);
    }

    fn backward(&self, scene: &mut Scene<'_>, step: &Wires) {
        let (x, y) = (&scene.places.values[step.x()], &scene.places.values[step.y]);
        // A frozen table has no gradient.
        if y.d.is_empty() {
            return;
        }
        let (x, dy) = (&scene.arena[x.at.clone()], &scene.arena[y.d.clone()]);
        let [ids, kept] = split(&mut scene.kept.saved, [&self.ids, &self.dy]);
        self.lookup.keep(x, dy, &y.gradient, ids, kept);
    }
}
