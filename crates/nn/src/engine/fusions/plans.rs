//! What patterns ask of a plan and of a model.

use crate::Model;
use crate::spec::LayerKind;

/// Which kind of plan is made: what fuses depends on the kernels it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plans {
    /// Images side by side.
    SideBySide,
    /// Images one at a time.
    Single,
}

/// Whether a node is a ReLU.
pub(super) fn is_relu(model: &Model, node: usize) -> bool {
    matches!(model.nodes()[node].kind, LayerKind::Relu(_))
}
