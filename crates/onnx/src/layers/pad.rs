//! Padding, which the next layer takes in.

use super::window::check;
use super::{Given, Row};
use crate::activation::Pad;
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use crate::view::{HEIGHT, WIDTH};

pub(super) const ROW: Row = Row { operators: &["Pad"], import: pad };

fn pad<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    let mut x = importer.take(step.input(0)?)?;
    let mode = attributes.text("mode", "constant")?;
    if mode != "constant" {
        return Err(format!("mode = {mode} is not supported, only constant"));
    }
    if step.optional(3).is_some() {
        return Err("its input `axes` is not supported".into());
    }
    let pads = match step.optional(1) {
        Some(name) => importer.constant(name)?.ints()?,
        None => attributes.ints("pads")?.unwrap_or_default().to_vec(),
    };
    let value = match step.optional(2) {
        Some(name) => importer.constant(name)?.one_float()?,
        None => attributes.float("value", 0.0)?,
    };
    if pads.len() != 2 * x.rank() {
        return Err(format!("pads = {pads:?} do not fit {}", x.told()));
    }
    if pads.iter().all(|&p| p == 0) {
        return Ok(vec![x]);
    }
    let fail =
        || format!("pads = {pads:?} of {} are not supported, only height and width of pictures", x.told());
    let axes = x.view.axes(x.shape).ok_or_else(fail)?;
    let mut cells = [0; 4];
    for (i, pair) in (0..x.rank()).map(|i| (i, [pads[i], pads[i + x.rank()]])) {
        if pair == [0, 0] {
            continue;
        }
        match i.checked_sub(1).and_then(|i| axes[i]) {
            Some(axis @ (HEIGHT | WIDTH)) => cells[2 * axis..2 * axis + 2].copy_from_slice(&pair),
            _ => return Err(fail()),
        }
    }
    check("padding", &cells, 0)?;
    x.pad = Some(Pad { cells, value });
    Ok(vec![x])
}
