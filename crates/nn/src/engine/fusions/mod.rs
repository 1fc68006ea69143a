//! Layers that become one step: a pattern, and the step that it becomes, a file each. Every plan tries them all.

mod conv_relu_pool;
mod dense_relu;
mod plans;

use super::graph::Graph;
use crate::Model;
use crate::steps::single::{SinglePlace, SingleStep};
use crate::steps::{Placing, StepKind};
pub use conv_relu_pool::ConvReluPool;
pub use dense_relu::DenseRelu;
pub use plans::Plans;

/// Nodes that one step does.
pub struct Fused {
    /// In order, each the only reader of the one before.
    pub nodes: Vec<usize>,
    pub pattern: Pattern,
}

/// What was found.
pub enum Pattern {
    ConvReluPool(Box<ConvReluPool>),
    DenseRelu(DenseRelu),
}

/// The pattern that begins at `node`, if any.
pub fn find(model: &Model, graph: &Graph, node: usize, plans: Plans) -> Option<Fused> {
    let conv = || ConvReluPool::find(model, graph, node, plans);
    let dense = || DenseRelu::find(model, graph, node, plans);
    conv()
        .map(|(nodes, found)| Fused { nodes, pattern: Pattern::ConvReluPool(Box::new(found)) })
        .or_else(|| dense().map(|(nodes, found)| Fused { nodes, pattern: Pattern::DenseRelu(found) }))
}

impl Pattern {
    /// The step of a plan with images side by side.
    pub fn step(&self, place: &mut Placing<'_>) -> StepKind {
        match self {
            Pattern::ConvReluPool(found) => found.step(place),
            Pattern::DenseRelu(found) => found.step(place),
        }
    }

    /// The step of a plan for single images.
    pub fn single(&self, place: &SinglePlace<'_>) -> SingleStep {
        match self {
            Pattern::ConvReluPool(found) => found.single(place),
            Pattern::DenseRelu(found) => found.single(place),
        }
    }
}
