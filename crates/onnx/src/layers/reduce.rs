//! One number for many.

use super::{Given, Row};
use crate::activation::Activation;
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use crate::view::{HEIGHT, View, WIDTH};
use foveal_nn::layers as kinds;
use foveal_nn::spec::LayerKind;

pub(super) const ROW: Row = Row { operators: &["ReduceMean", "ReduceMax"], import: reduce };

/// The axes that a reduction goes over, after the batch; none where it does nothing.
fn over<'g>(
    importer: &mut Importer<'g>,
    step: &Step<'g>,
    attributes: &Attributes<'g>,
    x: &Activation,
) -> Result<Option<Vec<usize>>, String> {
    let given = match step.optional(1) {
        Some(name) => Some(importer.constant(name)?.ints()?),
        None => attributes.ints("axes")?.map(<[i64]>::to_vec),
    };
    match given {
        Some(axes) if !axes.is_empty() => x.axes(&axes).map(Some),
        _ if attributes.int("noop_with_empty_axes", 0)? != 0 => Ok(None),
        _ => Err("without axes it goes over the batch too, which is not supported".into()),
    }
}

/// The mean or the greatest over height and width, as some writers put a global pooling.
fn reduce<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    let x = importer.take(step.input(0)?)?;
    let Some(axes) = over(importer, step, attributes, &x)? else { return Ok(vec![x]) };
    let [h, w, c] = x.shape;
    let found: Vec<_> = axes.iter().flat_map(|&i| &x.view.dims[i]).collect();
    let numbers: usize = found.iter().map(|leaf| leaf.extent).product();
    let mean = step.operator == "ReduceMean";
    if numbers != h * w || found.iter().any(|leaf| ![HEIGHT, WIDTH].contains(&leaf.axis)) {
        let what = if mean { "a mean" } else { "the greatest" };
        return Err(format!(
            "{what} over the axes {axes:?} of {} after the batch is not supported, only over height and width",
            x.told()
        ));
    }
    let mut view = View { dims: x.view.dims.clone() };
    axes.iter().for_each(|&i| view.dims[i].clear());
    if attributes.int("keepdims", 1)? == 0 {
        axes.iter().rev().for_each(|&i| drop(view.dims.remove(i)));
    }
    let kind = if mean {
        LayerKind::GlobalAvgPool(kinds::GlobalAvgPool {})
    } else {
        LayerKind::GlobalMaxPool(kinds::GlobalMaxPool {})
    };
    Ok(vec![importer.push(kind, &[x.layer], [1, 1, c], view)?])
}
