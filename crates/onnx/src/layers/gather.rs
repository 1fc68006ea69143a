//! Gather: rows of a table by the input's numbers, or cells of a value by constant places (`x[:, 0]`, colours in
//! another order).

use super::embedding::embedding;
use super::slice::chosen;
use super::{Given, Row};
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;

pub(super) const ROW: Row = Row { operators: &["Gather"], import: gather };

fn gather<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    if importer.is_constant(step.input(0)?) {
        return embedding(importer, step, attributes);
    }
    let x = importer.take(step.input(0)?)?;
    let given = attributes.int("axis", 0)?;
    let axis = x.axis(given)?;
    let constant = importer.constant(step.input(1)?)?;
    let single = match constant.dims() {
        [] => true,
        [_] => false,
        dims => return Err(format!("places {dims:?} of {} are not supported, only a row of them", x.told())),
    };
    let extent = x.dims()[axis] as i64;
    let place = |at: i64| match if at < 0 { at.saturating_add(extent) } else { at } {
        from_start if (0..extent).contains(&from_start) => Ok(from_start as usize),
        _ => Err(format!("axis {given} of {} has no place {at}", x.told())),
    };
    let places = constant.ints()?.into_iter().map(place).collect::<Result<Vec<_>, _>>()?;
    let mut y = chosen(importer, x, axis, &places)?;
    if single {
        y.view.dims.remove(axis);
    }
    Ok(vec![y])
}
