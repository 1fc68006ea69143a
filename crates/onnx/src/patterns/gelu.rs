//! The Gelu that exporters to operator sets before 20 write out: `x (erf(x / sqrt 2) + 1) / 2`, multiplied in any
//! order.

use super::Look;
use crate::graph::Step;
use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};

/// The Gelu whose last step is `last`.
pub(super) fn ending_with<'g>(look: &Look<'_, 'g>, last: &Step<'g>) -> Option<Step<'g>> {
    if last.operator != "Mul" {
        return None;
    }
    let x = Look::both(last).into_iter().find_map(|[inner, third]| {
        let inner = look.made_by(inner, "Mul")?;
        let [first, second] = Look::both(inner)[0];
        of_factors(look, [first, second, third])
    })?;
    Some(Step { operator: "~Gelu", inputs: vec![x], ..last.clone() })
}

/// What the Gelu is of, if these are its factors.
fn of_factors<'g>(look: &Look<'_, 'g>, factors: [&'g str; 3]) -> Option<&'g str> {
    let [a, b, c] = factors;
    [[a, b, c], [b, a, c], [c, a, b]].into_iter().filter(|[half, ..]| look.is(half, 0.5)).find_map(
        |[_, a, b]| [[a, b], [b, a]].into_iter().find(|[x, sum]| is_sum(look, x, sum)).map(|[x, _]| x),
    )
}

/// Whether `sum` is `erf(x / sqrt 2) + 1`.
fn is_sum(look: &Look, x: &str, sum: &str) -> bool {
    let Some(add) = look.made_by(sum, "Add") else { return false };
    Look::both(add).into_iter().any(|[erf, one]| {
        let inner = look.made_by(erf, "Erf").and_then(|erf| erf.inputs.first());
        look.is(one, 1.0) && inner.is_some_and(|inner| is_part(look, x, inner))
    })
}

/// Whether `part` is `x / sqrt 2`.
fn is_part(look: &Look, x: &str, part: &str) -> bool {
    if let Some(div) = look.made_by(part, "Div") {
        return matches!(div.inputs[..], [a, root] if a == x && look.is(root, SQRT_2));
    }
    let Some(mul) = look.made_by(part, "Mul") else { return false };
    Look::both(mul).into_iter().any(|[a, root]| a == x && look.is(root, FRAC_1_SQRT_2))
}
