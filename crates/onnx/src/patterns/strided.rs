//! Other extents, as PyTorch's newer exporter writes `as_strided`: all numbers in one row, and each gathered from its
//! own place.

use super::Look;
use crate::graph::Step;

/// The view whose last step is `last`; its numbers are the extents.
pub(super) fn ending_with<'g>(look: &Look<'_, 'g>, last: &Step<'g>) -> Option<Step<'g>> {
    let ("Gather", &[row, places]) = (last.operator, &last.inputs[..]) else { return None };
    let reshape = look.made_by(row, "Reshape")?;
    let &[x, shape] = &reshape.inputs[..] else { return None };
    let axis = last.node.attributes.iter().find(|(name, _)| name == "axis");
    if axis.is_some_and(|(_, axis)| *axis != crate::proto::Attribute::Int(0)) {
        return None;
    }
    let (shape, places) = (look.constants.get(shape)?, look.constants.get(places)?);
    let row = shape.ints().ok()? == [-1] && !look.constants.contains_key(x);
    let in_order = places.ints().ok()?.iter().enumerate().all(|(i, &at)| at == i as i64);
    let numbers = places.dims().iter().map(|&d| d as f32).collect();
    (row && in_order).then(|| Step { operator: "~View", inputs: vec![x], numbers, ..last.clone() })
}
