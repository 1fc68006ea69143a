//! A convolution, with ReLU before or after max pooling, images side by side: the maps between are never written.

use super::plans::{is_relu, max_pool};
use crate::Model;
use crate::engine::graph::Graph;
use crate::steps::{ConvPooled, Placing, StepKind};
use foveal_kernels::lanes::ConvPool;
use foveal_kernels::{Conv2dGeometry, Pool2dGeometry};

/// A convolution and what is done to its maps at once.
pub struct ConvReluPool {
    conv: Conv2dGeometry,
    relu: bool,
    pool: Pool2dGeometry,
}

impl ConvReluPool {
    /// The pattern that begins at `node`: a convolution, then max pooling, with ReLU before or after it. A ReLU alone
    /// is done in place, without reading or writing more.
    pub fn find(model: &Model, graph: &Graph, node: usize) -> Option<(Vec<usize>, Self)> {
        let conv = model.conv_geometry(node, 1)?;
        let (mut relu, mut pool) = (false, None);
        let mut nodes = vec![node];
        while let Some(next) = nodes.last().and_then(|&last| graph.only_reader(last + 1)) {
            if is_relu(model, next) && !relu {
                relu = true;
            } else if let Some(found) = max_pool(model, next).filter(|p| pool.is_none() && ConvPool::fits(p))
            {
                pool = Some(found);
            } else {
                break;
            }
            nodes.push(next);
        }
        pool.map(|pool| (nodes, Self { conv, relu, pool }))
    }

    pub fn step(&self, place: &mut Placing<'_>) -> StepKind {
        StepKind::ConvPooled(ConvPooled::new(place, &self.conv, &self.pool, self.relu))
    }
}
