//! What patterns ask of a plan and of a model.

use crate::Model;
use crate::spec::LayerKind;
use foveal_kernels::Pool2dGeometry;

/// Which kind of plan is made: what fuses depends on the kernels it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plans {
    /// Images side by side.
    SideBySide,
    /// A few images one after the other, channels side by side, for training.
    Channels,
    /// Images one at a time.
    Single,
}

/// Whether a node is a ReLU.
pub(super) fn is_relu(model: &Model, node: usize) -> bool {
    matches!(model.nodes()[node].kind, LayerKind::Relu(_))
}

/// The geometry of a node that is a max pooling.
pub(super) fn max_pool(model: &Model, node: usize) -> Option<Pool2dGeometry> {
    let kind = &model.nodes()[node].kind;
    let max = matches!(kind, LayerKind::MaxPool(_) | LayerKind::GlobalMaxPool(_));
    model.pool_geometry(node, 1).filter(|_| max)
}
