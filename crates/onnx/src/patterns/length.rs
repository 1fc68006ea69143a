//! Numbers scaled to length 1, as PyTorch's `normalize` is written: `x / max(norm of x, epsilon)`.

use super::Look;
use crate::attributes::Attributes;
use crate::graph::Step;

/// The scaling whose last step is `last`; its numbers are epsilon and the axis.
pub(super) fn ending_with<'g>(look: &Look<'_, 'g>, last: &Step<'g>) -> Option<Step<'g>> {
    let ("Div", &[x, divisor]) = (last.operator, &last.inputs[..]) else { return None };
    let divisor = match look.made_by(divisor, "Expand") {
        Some(spread) => spread.inputs.first()?,
        None => divisor,
    };
    // Without a bound zeros would be no numbers; they stay zeros.
    let (norm, epsilon) = at_least(look, divisor).unwrap_or((divisor, 1e-12));
    let norm = look.made_by(norm, "ReduceL2").filter(|norm| norm.inputs.first() == Some(&x))?;
    let attributes = Attributes::new(norm.node).ok()?;
    let axes = match norm.optional(1) {
        Some(name) => look.constants.get(name)?.ints().ok()?,
        None => attributes.ints("axes").ok()??.to_vec(),
    };
    let &[axis] = &axes[..] else { return None };
    let kept = attributes.int("keepdims", 1).ok()? == 1;
    let numbers = vec![epsilon, axis as f32];
    (kept && epsilon > 0.0).then(|| Step { operator: "~Length", inputs: vec![x], numbers, ..last.clone() })
}

/// A value that is at least a number, and the number.
fn at_least<'g>(look: &Look<'_, 'g>, value: &str) -> Option<(&'g str, f32)> {
    if let Some(max) = look.made_by(value, "Max") {
        return Look::both(max).into_iter().find_map(|[norm, least]| Some((norm, look.number(least)?)));
    }
    let clip = look.made_by(value, "Clip").filter(|clip| clip.optional(2).is_none())?;
    Some((clip.input(0).ok()?, look.number(clip.optional(1)?)?))
}
