//! The logarithm of a sigmoid, as exporters write PyTorch's `LogSigmoid`.

use super::Look;
use crate::graph::Step;

/// The logarithm whose last step is `last`.
pub(super) fn ending_with<'g>(look: &Look<'_, 'g>, last: &Step<'g>) -> Option<Step<'g>> {
    let ("Log", &[sigmoid]) = (last.operator, &last.inputs[..]) else { return None };
    let &x = look.made_by(sigmoid, "Sigmoid")?.inputs.first()?;
    Some(Step { operator: "~LogSigmoid", inputs: vec![x], ..last.clone() })
}
