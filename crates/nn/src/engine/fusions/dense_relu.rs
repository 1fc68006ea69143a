//! A dense layer of a single image, and ReLU.

use super::plans::is_relu;
use crate::Model;
use crate::engine::graph::Graph;
use crate::spec::LayerKind;
use crate::steps::single::{SinglePlace, SingleStep};

/// A dense layer with ReLU. With images side by side ReLU is done in place instead.
pub struct DenseRelu;

impl DenseRelu {
    /// The pattern that begins at `node`.
    pub fn find(model: &Model, graph: &Graph, node: usize) -> Option<(Vec<usize>, Self)> {
        let LayerKind::Dense(_) = &model.nodes()[node].kind else { return None };
        let next = graph.only_reader(node + 1)?;
        is_relu(model, next).then(|| (vec![node, next], Self))
    }

    pub fn single(&self, place: &SinglePlace<'_>) -> SingleStep {
        place.dense(true)
    }
}
