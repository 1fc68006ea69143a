//! The Gelu that exporters to operator sets before 20 write out: `x (erf(x / sqrt 2) + 1) / 2`, multiplied in any
//! order; and the approximation `x (tanh(sqrt(2 / pi) (x + 0.044715 x^3)) + 1) / 2`.

use super::Look;
use crate::graph::Step;
use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};

/// The Gelu whose last step is `last`.
pub(super) fn ending_with<'g>(look: &Look<'_, 'g>, last: &Step<'g>) -> Option<Step<'g>> {
    if last.operator != "Mul" {
        return None;
    }
    let (operator, x) = Look::both(last).into_iter().find_map(|[inner, third]| {
        let inner = look.made_by(inner, "Mul")?;
        let [first, second] = Look::both(inner)[0];
        of_factors(look, [first, second, third])
    })?;
    Some(Step { operator, inputs: vec![x], ..last.clone() })
}

/// Which Gelu these are the factors of, and of what.
fn of_factors<'g>(look: &Look<'_, 'g>, factors: [&'g str; 3]) -> Option<(&'static str, &'g str)> {
    let [a, b, c] = factors;
    let halves = [[a, b, c], [b, a, c], [c, a, b]].into_iter().filter(|[half, ..]| look.is(half, 0.5));
    halves.flat_map(|[_, a, b]| [[a, b], [b, a]]).find_map(|[x, sum]| {
        let add = look.made_by(sum, "Add")?;
        Look::both(add).into_iter().filter(|[_, one]| look.is(one, 1.0)).find_map(|[curve, _]| {
            let inner = |operator| look.made_by(curve, operator)?.inputs.first().copied();
            if inner("Erf").is_some_and(|part| is_part(look, x, part)) {
                return Some(("~Gelu", x));
            }
            inner("Tanh").is_some_and(|part| is_cubic(look, x, part)).then_some(("~GeluTanh", x))
        })
    })
}

/// Whether `part` is `sqrt(2 / pi) (x + 0.044715 x^3)`.
fn is_cubic(look: &Look, x: &str, part: &str) -> bool {
    let Some(mul) = look.made_by(part, "Mul") else { return false };
    let sums = Look::both(mul).into_iter().filter(|[root, _]| look.is(root, 0.797_884_6));
    let adds = sums.filter_map(|[_, sum]| look.made_by(sum, "Add")).flat_map(Look::both);
    adds.filter(|[own, _]| *own == x).filter_map(|[_, term]| look.made_by(term, "Mul")).any(|term| {
        Look::both(term)
            .into_iter()
            .any(|[factor, cube]| look.is(factor, 0.044_715) && is_cube(look, x, cube))
    })
}

/// Whether `cube` is `x^3`.
fn is_cube(look: &Look, x: &str, cube: &str) -> bool {
    if let Some(pow) = look.made_by(cube, "Pow") {
        return matches!(pow.inputs[..], [a, three] if a == x && look.is(three, 3.0));
    }
    let Some(mul) = look.made_by(cube, "Mul") else { return false };
    Look::both(mul).into_iter().any(|[a, square]| {
        a == x && look.made_by(square, "Mul").is_some_and(|square| square.inputs[..] == [x, x])
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
