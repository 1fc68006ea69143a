//! Axes cut, joined and put in another order: no number moves.

use super::{Given, Row};
use crate::activation::Activation;
use crate::attributes::Attributes;
use crate::fold::new_extents;
use crate::graph::Step;
use crate::importer::Importer;
use crate::view::View;

pub(super) const ROW: Row =
    Row { operators: &["Flatten", "Reshape", "Squeeze", "Transpose", "Unsqueeze", "~View"], import: reshape };

fn reshape<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    let mut x = importer.take(step.input(0)?)?;
    x.view = match step.operator {
        "Transpose" => transposed(&x, attributes)?,
        "Flatten" => flattened(&x, attributes)?,
        // As many numbers as there are, those of the batch with them.
        "~View" => {
            let extents: Vec<i64> = step.numbers.iter().map(|&d| d as i64).collect();
            reshaped(importer.batch, &x, &extents, true)?
        }
        "Reshape" => {
            let wanted = match step.optional(1) {
                Some(name) => importer.constant(name)?.ints()?,
                None => attributes.ints("shape")?.ok_or("its shape is missing")?.to_vec(),
            };
            let zeros = attributes.int("allowzero", 0)? != 0;
            reshaped(importer.batch, &x, &wanted, zeros)?
        }
        _ => {
            let given = match step.optional(1) {
                Some(name) => Some(importer.constant(name)?.ints()?),
                None => attributes.ints("axes")?.map(<[i64]>::to_vec),
            };
            if step.operator == "Squeeze" {
                squeezed(importer.batch, &x, given)?
            } else {
                unsqueezed(&x, &given.ok_or("its axes are missing")?)?
            }
        }
    };
    Ok(vec![x])
}

fn transposed(x: &Activation, attributes: &Attributes) -> Result<View, String> {
    let perm = attributes.ints("perm")?.unwrap_or_default();
    let fail = || format!("perm = {perm:?} of {} moves the batch, or is no order of its axes", x.told());
    let Some((0, rest)) = perm.split_first() else { return Err(fail()) };
    let order: Option<Vec<usize>> = rest.iter().map(|&a| usize::try_from(a).ok()?.checked_sub(1)).collect();
    let order = order.ok_or_else(fail)?;
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted != (0..x.rank() - 1).collect::<Vec<_>>() {
        return Err(fail());
    }
    Ok(x.view.transposed(&order))
}

fn flattened(x: &Activation, attributes: &Attributes) -> Result<View, String> {
    let axis = attributes.int("axis", 1)?;
    if axis != 1 && axis != 1 - x.rank() as i64 {
        return Err(format!("axis = {axis} is not supported, only 1: the batch stays"));
    }
    x.view.reshaped(&[x.size()]).ok_or_else(|| format!("{} is not made a row of numbers", x.told()))
}

fn reshaped(batch: i64, x: &Activation, wanted: &[i64], zeros: bool) -> Result<View, String> {
    let whole = |dims: &[usize]| -> Vec<i64> {
        std::iter::once(batch).chain(dims.iter().map(|&d| d as i64)).collect()
    };
    let fail = |why: &str| format!("from {} to {wanted:?} is not supported: {why}", x.told());
    let extents = new_extents(&whole(&x.dims()), wanted, zeros).map_err(|e| fail(&e))?;
    let Some((&first, rest)) = extents.split_first() else { return Err(fail("the batch goes")) };
    // A batch that is not open may be left to be found.
    if first != batch {
        return Err(fail("the first axis must stay the batch"));
    }
    let rest: Option<Vec<usize>> = rest.iter().map(|&d| usize::try_from(d).ok().filter(|&d| d > 0)).collect();
    let rest = rest.ok_or_else(|| fail("an extent is 0"))?;
    x.view.reshaped(&rest).ok_or_else(|| fail("axes are cut across"))
}

/// Axes of extent 1 taken out.
fn squeezed(batch: i64, x: &Activation, given: Option<Vec<i64>>) -> Result<View, String> {
    let dims = x.dims();
    let axes = match given {
        Some(given) => x.axes(&given)?,
        None if batch == 1 => {
            return Err("its axes must be said: without them the batch of 1 goes too".into());
        }
        None => (0..dims.len()).filter(|&i| dims[i] == 1).collect(),
    };
    if axes.iter().any(|&a| dims[a] != 1) {
        return Err(format!("axes {axes:?} of {} after the batch are not all 1", x.told()));
    }
    let mut view = x.view.clone();
    axes.iter().rev().for_each(|&a| drop(view.dims.remove(a)));
    Ok(view)
}

/// Axes of extent 1 put in.
fn unsqueezed(x: &Activation, given: &[i64]) -> Result<View, String> {
    let rank = (x.rank() + given.len()) as i64;
    let mut axes: Vec<i64> = given.iter().map(|&a| if a < 0 { a.saturating_add(rank) } else { a }).collect();
    axes.sort_unstable();
    axes.dedup();
    if axes.len() != given.len() || axes.iter().any(|a| !(1..rank).contains(a)) {
        return Err(format!("axes {given:?} put into {} are not supported: the batch stays first", x.told()));
    }
    let mut view = x.view.clone();
    for axis in axes {
        view.dims.insert(axis as usize - 1, Vec::new());
    }
    Ok(view)
}
