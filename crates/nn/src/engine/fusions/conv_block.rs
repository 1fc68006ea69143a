//! A convolution of a single image, and what follows it, in one step: batch normalization folded into its filters,
//! another branch added, a function of each number, max pooling. The maps between are never written.

use super::plans::max_pool;
use crate::Model;
use crate::engine::graph::Graph;
use crate::model::Node;
use crate::spec::LayerKind;
use crate::steps::single::{SinglePlace, SingleStep};
use foveal_kernels::Conv2dGeometry;
use foveal_kernels::lanes::elementwise::Activation;
use foveal_kernels::nhwc::{After, Prepared};

/// A convolution and what is done to its maps at once.
pub struct ConvBlock {
    conv: Conv2dGeometry,
    /// Parameters and epsilon of the normalization.
    norm: Option<([usize; 4], f32)>,
    /// The value that is added.
    plus: Option<usize>,
    after: After,
}

impl ConvBlock {
    /// The pattern that begins at `node`.
    pub fn find(model: &Model, graph: &Graph, node: usize) -> Option<(Vec<usize>, Self)> {
        let conv = model.conv_geometry(node, 1)?;
        let mut found = Self { conv, norm: None, plus: None, after: After::default() };
        let mut nodes = vec![node];
        while let Some(next) = nodes.last().and_then(|&last| graph.only_reader(last + 1)) {
            let last = nodes[nodes.len() - 1];
            if !found.takes(model, node, last, next) {
                break;
            }
            nodes.push(next);
        }
        (nodes.len() > 1).then_some((nodes, found))
    }

    /// Takes `next`, which reads what `last` makes, into the pattern that began at `first`, if it fits there.
    fn takes(&mut self, model: &Model, first: usize, last: usize, next: usize) -> bool {
        let node = &model.nodes()[next];
        let Self { conv, norm, plus, after } = self;
        let fresh = *after == After::default();
        if let LayerKind::BatchNorm(layer) = &node.kind {
            let fits = fresh && norm.is_none();
            if fits {
                *norm = <[usize; 4]>::try_from(&node.params[..]).ok().map(|params| (params, layer.epsilon));
            }
            return fits && norm.is_some();
        }
        if let Some(other) = other_branch(model, node, last + 1) {
            // What is added must be there when the convolution runs.
            let fits = fresh && other <= first;
            if fits {
                (*plus, after.add) = (Some(other), true);
            }
            return fits;
        }
        if let Some(function) = node.kind.layer().function() {
            let monotone = matches!(function, Activation::Relu | Activation::Clip(..));
            let fits = after.activation.is_none() && (monotone || after.pool.is_none());
            if fits {
                after.activation = Some(function);
            }
            return fits;
        }
        let monotone = matches!(after.activation, None | Some(Activation::Relu | Activation::Clip(..)));
        match max_pool(model, next).filter(|pool| Prepared::pools(conv, pool)) {
            Some(pool) if monotone && !after.add && after.pool.is_none() => {
                after.pool = Some(pool);
                true
            }
            _ => false,
        }
    }

    /// The value that is added to the convolution's, which must lie in memory without a halo.
    pub fn plus(&self) -> Option<usize> {
        self.plus
    }

    pub fn single(&self, place: &SinglePlace<'_>) -> SingleStep {
        place.conv(&self.conv, self.norm, &self.after)
    }
}

/// The other value of a sum of two of one shape, one of which is `own`.
fn other_branch(model: &Model, node: &Node, own: usize) -> Option<usize> {
    let (LayerKind::Add(_), &[a, b]) = (&node.kind, &node.inputs[..]) else { return None };
    let alike = model.value_shape(a) == model.value_shape(b);
    (alike && a != b).then_some(if a == own { b } else { a })
}
