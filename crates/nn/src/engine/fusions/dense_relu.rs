//! A dense layer and ReLU.

use super::plans::{Plans, is_relu};
use crate::Model;
use crate::engine::graph::Graph;
use crate::spec::LayerKind;
use crate::steps::single::{SinglePlace, SingleStep};
use crate::steps::{Dense, Placing, StepKind};

/// A dense layer with ReLU.
pub struct DenseRelu {
    units: usize,
}

impl DenseRelu {
    /// The pattern that begins at `node`. With images side by side ReLU is done in place instead.
    pub fn find(model: &Model, graph: &Graph, node: usize, plans: Plans) -> Option<(Vec<usize>, Self)> {
        let LayerKind::Dense(dense) = &model.nodes()[node].kind else { return None };
        let next = graph.only_reader(node + 1)?;
        let fused = plans == Plans::Single && is_relu(model, next);
        fused.then(|| (vec![node, next], Self { units: dense.units }))
    }

    pub fn step(&self, place: &mut Placing<'_>) -> StepKind {
        StepKind::Dense(Dense::new(place, self.units))
    }

    pub fn single(&self, place: &SinglePlace<'_>) -> SingleStep {
        place.dense(true)
    }
}
