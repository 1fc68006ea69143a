//! A convolution, with ReLU before or after max pooling: the maps between are never written.

use super::plans::{Plans, is_relu};
use crate::Model;
use crate::engine::graph::Graph;
use crate::spec::LayerKind;
use crate::steps::single::{SinglePlace, SingleStep};
use crate::steps::{Conv, ConvPooled, Placing, StepKind};
use foveal_kernels::lanes::ConvPool;
use foveal_kernels::nhwc::Prepared;
use foveal_kernels::{Conv2dGeometry, Pool2dGeometry};

/// A convolution and what is done to its maps at once.
pub struct ConvReluPool {
    conv: Conv2dGeometry,
    relu: bool,
    pool: Option<Pool2dGeometry>,
}

impl ConvReluPool {
    /// The pattern that begins at `node`: a convolution, then ReLU or max pooling or both, in either order.
    pub fn find(model: &Model, graph: &Graph, node: usize, plans: Plans) -> Option<(Vec<usize>, Self)> {
        let conv = model.conv_geometry(node, 1)?;
        let mut found = Self { conv, relu: false, pool: None };
        let mut nodes = vec![node];
        while let Some(next) = nodes.last().and_then(|&last| graph.only_reader(last + 1)) {
            if is_relu(model, next) && !found.relu {
                found.relu = true;
            } else if let Some(pool) =
                max_pool(model, next).filter(|p| found.pool.is_none() && fits(&conv, p, plans))
            {
                found.pool = Some(pool);
            } else {
                break;
            }
            nodes.push(next);
        }
        // With images side by side a ReLU alone is done in place, without reading or writing more.
        let fused = found.pool.is_some() || (found.relu && plans == Plans::Single);
        fused.then_some((nodes, found))
    }

    pub fn step(&self, place: &mut Placing<'_>) -> StepKind {
        match &self.pool {
            Some(pool) => StepKind::ConvPooled(ConvPooled::new(place, &self.conv, pool, self.relu)),
            None => StepKind::Conv(Conv::new(place, &self.conv)),
        }
    }

    pub fn single(&self, place: &SinglePlace<'_>) -> SingleStep {
        place.conv(&self.conv, self.relu, self.pool.as_ref())
    }
}

fn max_pool(model: &Model, node: usize) -> Option<Pool2dGeometry> {
    let kind = &model.nodes()[node].kind;
    let max = matches!(kind, LayerKind::MaxPool(_) | LayerKind::GlobalMaxPool(_));
    model.pool_geometry(node, 1).filter(|_| max)
}

/// Whether the kernel of a plan can pool so.
fn fits(conv: &Conv2dGeometry, pool: &Pool2dGeometry, plans: Plans) -> bool {
    match plans {
        Plans::SideBySide => ConvPool::fits(pool),
        Plans::Single => Prepared::pools(conv, pool),
    }
}
