//! What need not be computed where parameters are frozen.

use crate::model::{Model, Node};

/// Whether training changes a parameter of `node` by its gradient.
pub(super) fn trained(model: &Model, node: &Node) -> bool {
    node.params.iter().any(|&p| model.params()[p].trainable)
}

/// For each value of the model, whether its gradient is wanted: a parameter that is trained lies at or before it.
pub(super) fn wanted(model: &Model) -> Vec<bool> {
    let mut wanted = vec![false];
    for node in model.nodes() {
        let own = trained(model, node);
        wanted.push(own || node.inputs.iter().any(|&v| wanted[v]));
    }
    wanted
}
