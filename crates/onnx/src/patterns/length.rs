//! A vector scaled to length 1, as exporters write it out: `x / max(norm of x, epsilon)`.

use super::Look;
use crate::graph::Step;

/// The scaling whose last step is `last`; its inputs are `x`, epsilon, and the axes if the norm has them as an input.
pub(super) fn ending_with<'g>(look: &Look<'_, 'g>, last: &Step<'g>) -> Option<Step<'g>> {
    let [x, divisor] = last.inputs[..] else { return None };
    if last.operator != "Div" {
        return None;
    }
    // PyTorch spreads the norm over the vector before it divides.
    let divisor =
        look.made_by(divisor, "Expand").and_then(|spread| spread.inputs.first().copied()).unwrap_or(divisor);
    let [norm, least] = bounded(look, divisor)?;
    let norm = look.made_by(norm, "ReduceL2")?;
    if norm.inputs.first() != Some(&x) {
        return None;
    }
    let inputs = [x, least].into_iter().chain(norm.inputs.get(1).copied()).collect();
    Some(Step { node: norm.node, operator: "~L2Normalize", inputs, outputs: last.outputs.clone() })
}

/// A value and the constant that it is at least.
fn bounded<'g>(look: &Look<'_, 'g>, value: &str) -> Option<[&'g str; 2]> {
    let pairs = match look.made_by(value, "Clip") {
        Some(clip) => match clip.inputs[..] {
            [norm, least] | [norm, least, ""] => vec![[norm, least]],
            _ => return None,
        },
        None => Look::both(look.made_by(value, "Max")?).to_vec(),
    };
    pairs.into_iter().find(|[_, least]| look.number(least).is_some_and(|v| v > 0.0))
}
