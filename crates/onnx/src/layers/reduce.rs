//! One number for many.

use super::arrange::settled;
use super::{Given, Row};
use crate::activation::Activation;
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use crate::view::CHANNELS;
use foveal_nn::layers as kinds;
use foveal_nn::layers::{Along, How};
use foveal_nn::spec::LayerKind;

pub(super) const ROW: Row = Row { operators: &["ReduceMax", "ReduceMean", "ReduceSum"], import: reduce };

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

/// Which axes of the output the axes of the graph are; nothing if they are parts of some.
fn covered(x: &Activation, axes: &[usize]) -> Option<[bool; 3]> {
    let mut over = [false; 3];
    for (axis, over) in over.iter_mut().enumerate() {
        let found = axes.iter().flat_map(|&i| &x.view.dims[i]).filter(|leaf| leaf.axis == axis);
        let extent: usize = found.map(|leaf| leaf.extent).product();
        match extent {
            1 => {}
            extent if extent == x.shape[axis] => *over = true,
            _ => return None,
        }
    }
    Some(over)
}

fn reduce<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    let x = importer.take(step.input(0)?)?;
    let Some(axes) = over(importer, step, attributes, &x)? else { return Ok(vec![x]) };
    let how = match step.operator {
        "ReduceMean" => How::Mean,
        "ReduceSum" => How::Sum,
        _ => How::Max,
    };
    let x = if covered(&x, &axes).is_none() { settled(importer, x)? } else { x };
    let over = covered(&x, &axes).ok_or_else(|| format!("over parts of axes of {}", x.told()))?;
    let mut view = x.view.clone();
    axes.iter().for_each(|&i| view.dims[i].clear());
    if attributes.int("keepdims", 1)? == 0 {
        axes.iter().rev().for_each(|&i| drop(view.dims.remove(i)));
    }
    let mut shape = x.shape;
    (0..3).filter(|&axis| over[axis]).for_each(|axis| shape[axis] = 1);
    if over == [false; 3] {
        return Ok(vec![Activation { view, ..x }]);
    }
    let map = shape[..2] == [1, 1] && !over[CHANNELS];
    let kind = match how {
        How::Mean if map => LayerKind::from(kinds::GlobalAvgPool {}),
        How::Max if map => kinds::GlobalMaxPool {}.into(),
        how => {
            let names = [Along::Height, Along::Width, Along::Channels];
            let over = (0..3).filter(|&axis| over[axis]).map(|axis| names[axis]).collect();
            kinds::Reduce { how, over }.into()
        }
    };
    Ok(vec![importer.push(kind, &[x.layer], shape, view)?])
}
