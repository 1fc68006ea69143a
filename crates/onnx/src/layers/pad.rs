//! Padding, which the next layer takes in.

use super::arrange::settled;
use super::slice::part;
use super::window::check;
use super::{Given, Row};
use crate::activation::Pad;
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use crate::view::View;
use foveal_nn::layers as kinds;
use foveal_nn::layers::PadMode;

pub(super) const ROW: Row = Row { operators: &["Pad"], import: pad };

/// What a node asks for.
struct Wanted {
    mode: PadMode,
    value: f32,
    /// What is put before each axis, then what is put after each.
    pads: Vec<i64>,
    axes: Vec<i64>,
}

fn wanted<'g>(
    importer: &mut Importer<'g>,
    step: &Step<'g>,
    attributes: &Attributes<'g>,
    rank: usize,
) -> Result<Wanted, String> {
    let mode = match attributes.text("mode", "constant")? {
        "constant" => PadMode::Constant,
        "reflect" => PadMode::Reflect,
        "edge" => PadMode::Edge,
        "wrap" => PadMode::Wrap,
        other => return Err(format!("mode = {other} is not supported")),
    };
    let pads = match step.optional(1) {
        Some(name) => importer.constant(name)?.ints()?,
        None => attributes.ints("pads")?.unwrap_or_default().to_vec(),
    };
    let value = match step.optional(2) {
        Some(name) => importer.constant(name)?.one_float()?,
        None => attributes.float("value", 0.0)?,
    };
    let axes = match step.optional(3) {
        Some(name) => importer.constant(name)?.ints()?,
        None => (0..rank as i64).collect(),
    };
    Ok(Wanted { mode, value, pads, axes })
}

fn pad<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    let x = importer.take(step.input(0)?)?;
    let Wanted { mode, value, pads, axes } = wanted(importer, step, attributes, x.rank())?;
    if pads.len() != 2 * axes.len() {
        return Err(format!("pads = {pads:?} do not fit {}", x.told()));
    }
    if pads.iter().all(|&p| p == 0) {
        return Ok(vec![x]);
    }
    let x = settled(importer, x)?;
    let fail = || format!("pads = {pads:?} of {} are not supported", x.told());
    let own = x.view.axes(x.shape).ok_or_else(fail)?;
    // For height, width and channels: what is put around, or cut off.
    let mut cells = [[0; 2]; 3];
    let mut parts = vec![None; x.rank() - 1];
    for (i, &axis) in axes.iter().enumerate() {
        let pair = [pads[i], pads[i + axes.len()]];
        if pair == [0, 0] {
            continue;
        }
        let axis = x.axis(axis)?;
        check("padding", &pair.map(i64::abs), 0)?;
        let base = own[axis].ok_or_else(fail)?;
        cells[base] = pair.map(|n| n.max(0));
        let [before, after] = pair.map(|n| n.min(0).unsigned_abs() as usize);
        let left = x.dims()[axis].checked_sub(before + after).filter(|&n| n > 0).ok_or_else(fail)?;
        parts[axis] = Some((before, left, 1));
    }
    // Negative padding cuts off; what is cut is not what is mirrored.
    let cut = parts.iter().flatten().any(|part| part.0 > 0) || pads.iter().any(|&p| p < 0);
    if cut && mode != PadMode::Constant {
        return Err(fail());
    }
    let mut x = part(importer, x, &parts)?;
    let [rows, columns, channels] = cells;
    if mode == PadMode::Constant && channels == [0, 0] {
        if cells != [[0; 2]; 3] {
            x.pad = Some(Pad { cells: [rows[0], rows[1], columns[0], columns[1]], value });
        }
        return Ok(vec![x]);
    }
    let count = |n: i64| n as usize;
    let mut shape = x.shape;
    (0..3).for_each(|axis| shape[axis] += count(cells[axis][0] + cells[axis][1]));
    if mode == PadMode::Constant && !value.is_finite() {
        return Err(format!("padding with {value} is not supported"));
    }
    let kind = kinds::Pad {
        cells: [rows[0], rows[1], columns[0], columns[1]].map(count),
        channels: channels.map(count),
        mode,
        value: if mode == PadMode::Constant { value } else { 0.0 },
    };
    let dims = own.iter().map(|axis| axis.map_or(vec![], |axis| View::of(&[axis], shape).dims.concat()));
    let view = View { dims: dims.collect() };
    Ok(vec![importer.push(kind, &[x.layer], shape, view)?])
}
