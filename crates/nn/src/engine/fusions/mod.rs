//! Layers that become one step: a pattern, and the step that it becomes, a file each. A plan takes the patterns whose
//! kernels it has.

mod conv_block;
mod conv_relu_pool;
mod dense_relu;
mod plans;

use super::graph::Graph;
use crate::Model;
use crate::steps::single::{SinglePlace, SingleStep};
use conv_block::ConvBlock;
pub use conv_relu_pool::ConvReluPool;
use dense_relu::DenseRelu;
pub use plans::Plans;

/// Nodes that one step does, in order, each the only reader of the one before; and the step.
pub struct Fused<P> {
    pub nodes: Vec<usize>,
    pub pattern: P,
}

impl<P> Fused<P> {
    fn of((nodes, pattern): (Vec<usize>, P)) -> Self {
        Self { nodes, pattern }
    }
}

/// The pattern of a plan with images side by side that begins at `node`, if any.
pub fn side_by_side(model: &Model, graph: &Graph, node: usize) -> Option<Fused<ConvReluPool>> {
    ConvReluPool::find(model, graph, node).map(Fused::of)
}

/// What a plan for single images takes as one step.
pub enum Block {
    Conv(Box<ConvBlock>),
    DenseRelu(DenseRelu),
}

/// The pattern of a plan for single images that begins at `node`, if any.
pub fn single(model: &Model, graph: &Graph, node: usize) -> Option<Fused<Block>> {
    let conv = || ConvBlock::find(model, graph, node).map(|(nodes, c)| (nodes, Block::Conv(Box::new(c))));
    let dense = || DenseRelu::find(model, graph, node).map(|(nodes, d)| (nodes, Block::DenseRelu(d)));
    conv().or_else(dense).map(Fused::of)
}

impl Block {
    /// The value that is added to the block's, which must lie in memory without a halo.
    pub fn plus(&self) -> Option<usize> {
        match self {
            Block::Conv(conv) => conv.plus(),
            Block::DenseRelu(_) => None,
        }
    }

    pub fn single(&self, place: &SinglePlace<'_>) -> SingleStep {
        match self {
            Block::Conv(conv) => conv.single(place),
            Block::DenseRelu(dense) => dense.single(place),
        }
    }
}
