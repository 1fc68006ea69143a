//! One number for many.

use super::activations::magnitude;
use super::arrange::settled;
use super::{Given, Row, affine, binary, slice};
use crate::activation::Activation;
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use crate::view::CHANNELS;
use foveal_nn::layers as kinds;
use foveal_nn::layers::{Along, How};
use foveal_nn::spec::LayerKind;

pub(super) const ROW: Row = Row {
    operators: &["ReduceL1", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "ReduceSumSquare"],
    import: reduce,
};

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
    let over = over(importer, step, attributes, &x)?;
    let (x, how) = match step.operator {
        "ReduceMean" => (x, How::Mean),
        "ReduceSum" => (x, How::Sum),
        "ReduceL1" => (magnitude(importer, x)?, How::Sum),
        "ReduceSumSquare" => (binary::of_two(importer, kinds::Multiply {}.into(), x.clone(), x)?, How::Sum),
        // The least is the largest of the numbers with the other sign.
        "ReduceMin" => (affine::all(importer, x, -1.0, 0.0)?, How::Max),
        _ => (x, How::Max),
    };
    let mut y = match &over {
        Some(axes) => of_axes(importer, x, how, axes)?,
        None => x,
    };
    if step.operator == "ReduceMin" {
        y = affine::all(importer, y, -1.0, 0.0)?;
    }
    if attributes.int("keepdims", 1)? == 0 {
        over.iter().flatten().rev().for_each(|&i| drop(y.view.dims.remove(i)));
    }
    Ok(vec![y])
}

/// One number for many along axes of the graph, which become 1.
pub(super) fn of_axes(
    importer: &mut Importer,
    x: Activation,
    how: How,
    axes: &[usize],
) -> Result<Activation, String> {
    let fail = |x: &Activation| format!("over parts of axes of {}", x.told());
    let x = match covered(&x, axes) {
        Some(_) => x,
        None => match settled(importer, x.clone()) {
            Ok(x) => x,
            Err(_) => of_parts(importer, x, how, axes)?,
        },
    };
    let over = covered(&x, axes).ok_or_else(|| fail(&x))?;
    let mut view = x.view.clone();
    axes.iter().for_each(|&i| view.dims[i].clear());
    let mut shape = x.shape;
    (0..3).filter(|&axis| over[axis]).for_each(|axis| shape[axis] = 1);
    if over == [false; 3] {
        return Ok(Activation { view, ..x });
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
    importer.push(kind, &[x.layer], shape, view)
}

/// The same along those axes that are parts of an axis of the output (groups of channels, as in maxout and split
/// attention): their cells, two by two.
fn of_parts(
    importer: &mut Importer,
    mut x: Activation,
    how: How,
    axes: &[usize],
) -> Result<Activation, String> {
    for &axis in axes.iter().filter(|&&axis| covered(&x, &[axis]).is_none()).collect::<Vec<_>>() {
        let mut cells = slice::cells(importer, &x, axis)?.into_iter();
        let n = cells.len() as f32;
        let first = cells.next().ok_or("it goes over nothing")?;
        let sum = cells.try_fold(first, |sum, cell| {
            let kind =
                if how == How::Max { LayerKind::from(kinds::Maximum {}) } else { kinds::Add {}.into() };
            binary::of_two(importer, kind, sum, cell)
        })?;
        x = if how == How::Mean { affine::all(importer, sum, 1.0 / n, 0.0)? } else { sum };
    }
    Ok(x)
}
