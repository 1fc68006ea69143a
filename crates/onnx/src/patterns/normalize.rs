//! Normalizations that are written out: of the channels of each place (`LayerNormalization` before operator set 17),
//! and by neighbours in the channels (PyTorch's `LocalResponseNorm`).

use super::Look;
use crate::attributes::Attributes;
use crate::graph::Step;

/// The layer normalization whose last step is `last`, without factors; its numbers are epsilon and the axis:
/// `(x - mean) / sqrt(mean of (x - mean)^2 + epsilon)`.
pub(super) fn layer<'g>(look: &Look<'_, 'g>, last: &Step<'g>) -> Option<Step<'g>> {
    let ("Div", &[off, root]) = (last.operator, &last.inputs[..]) else { return None };
    let &[x, mean] = &look.made_by(off, "Sub")?.inputs[..] else { return None };
    let axis = mean_of(look, mean, x)?;
    let sum = look.made_by(look.made_by(root, "Sqrt")?.inputs.first()?, "Add")?;
    let (variance, epsilon) =
        Look::both(sum).into_iter().find_map(|[variance, e]| Some((variance, look.number(e)?)))?;
    let square = look.made_by(variance, "ReduceMean")?.inputs.first()?;
    let squared = match look.made_by(square, "Mul") {
        Some(product) => product.inputs[..] == [off, off],
        None => {
            let power = look.made_by(square, "Pow")?;
            matches!(power.inputs[..], [base, two] if base == off && look.is(two, 2.0))
        }
    };
    let same = squared && mean_of(look, variance, square)? == axis && epsilon > 0.0;
    let numbers = vec![epsilon, axis as f32];
    same.then(|| Step { operator: "~LayerNorm", inputs: vec![x], numbers, ..last.clone() })
}

/// The one axis over which `mean` is that of `x`, which keeps it.
fn mean_of(look: &Look, mean: &str, x: &str) -> Option<i64> {
    let step = look.made_by(mean, "ReduceMean").filter(|step| step.inputs.first() == Some(&x))?;
    let attributes = Attributes::new(step.node).ok()?;
    let axes = match step.optional(1) {
        Some(name) => look.constants.get(name)?.ints().ok()?,
        None => attributes.ints("axes").ok()??.to_vec(),
    };
    let kept = attributes.int("keepdims", 1).ok()? == 1;
    if let (&[axis], true) = (&axes[..], kept) { Some(axis) } else { None }
}

/// The response normalization whose last step is `last`; its numbers are size, alpha, beta and bias:
/// `x / (bias + alpha mean of squares)^beta`, the mean over a window of an odd number of channels, zeros around them.
pub(super) fn response<'g>(look: &Look<'_, 'g>, last: &Step<'g>) -> Option<Step<'g>> {
    let ("Div", &[x, power]) = (last.operator, &last.inputs[..]) else { return None };
    let &[sum, beta] = &look.made_by(power, "Pow")?.inputs[..] else { return None };
    let pairs = |value, operator| {
        let step = look.made_by(value, operator)?;
        Look::both(step).into_iter().find_map(|[rest, number]| Some((rest, look.number(number)?)))
    };
    let (scaled, bias) = pairs(sum, "Add")?;
    let (mean, alpha) = pairs(scaled, "Mul")?;
    let moved = |value| {
        let of = |operator| look.made_by(value, operator)?.inputs.first().copied();
        of("Squeeze").or_else(|| of("Reshape")).or_else(|| of("Unsqueeze"))
    };
    let pool = look.made_by(moved(mean)?, "AveragePool")?;
    let attributes = Attributes::new(pool.node).ok()?;
    let &[size, 1, 1] = attributes.ints("kernel_shape").ok()?? else { return None };
    let plain = |name, usual: i64| -> Option<bool> {
        Some(attributes.ints(name).ok()?.is_none_or(|all| all.iter().all(|&v| v == usual)))
    };
    if !(plain("strides", 1)? && plain("pads", 0)? && plain("dilations", 1)?) || size % 2 == 0 {
        return None;
    }
    let pad = look.made_by(pool.inputs.first()?, "Pad")?;
    let (mode, value) = (Attributes::new(pad.node).ok()?.text("mode", "constant").ok()?, pad.optional(2));
    let zeros = mode == "constant" && pad.optional(3).is_none() && value.is_none_or(|v| look.is(v, 0.0));
    let half = size / 2;
    let around = look.constants.get(pad.optional(1)?)?.ints().ok()?;
    if !zeros || around != [0, 0, half, 0, 0, 0, 0, half, 0, 0] {
        return None;
    }
    let square = look.made_by(moved(pad.inputs.first()?)?, "Mul")?;
    let numbers = vec![size as f32, alpha, look.number(beta)?, bias];
    (square.inputs[..] == [x, x]).then(|| Step {
        operator: "~Response",
        inputs: vec![x],
        numbers,
        ..last.clone()
    })
}
