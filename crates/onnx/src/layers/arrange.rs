//! Numbers put in the order that a layer needs.

use super::cut::{self, transposed};
use crate::activation::Activation;
use crate::importer::Importer;
use crate::view::{CHANNELS, HEIGHT, Leaf, View, WIDTH, merged};
use foveal_nn::layers as kinds;
use foveal_nn::layers::DepthToSpaceOrder as Order;
use foveal_nn::spec::LayerKind;

/// A row of numbers `[1, 1, c]`, with a flatten layer if it needs one; its order in the graph stays to be minded.
pub(super) fn flat(importer: &mut Importer, x: Activation) -> Result<Activation, String> {
    if x.shape[..2] == [1, 1] {
        return Ok(x);
    }
    let view = x.view.flattened(x.shape);
    importer.push(kinds::Flatten {}, &[x.layer], [1, 1, x.size()], view)
}

/// A value whose axes in the graph are channels, height and width, or channels and width.
pub(super) fn picture(importer: &mut Importer, x: Activation) -> Result<Activation, String> {
    if x.channels_first() {
        return Ok(x);
    }
    let x = match x.pad {
        Some(pad) => importer.padded(x, pad)?,
        None => x,
    };
    match x.rank() {
        4 => arrange(importer, x, &[CHANNELS, HEIGHT, WIDTH]),
        3 => arrange(importer, x, &[CHANNELS, WIDTH]),
        rank => Err(format!("its input has {rank} axes; only [n, c, h, w] and [n, c, l] are supported")),
    }
}

/// A value each of whose axes in the graph is an axis of the output.
pub(super) fn settled(importer: &mut Importer, x: Activation) -> Result<Activation, String> {
    if x.view.axes(x.shape).is_some() {
        return Ok(x);
    }
    match x.rank() {
        2 => arrange(importer, x, &[CHANNELS]),
        3 => arrange(importer, x, &[CHANNELS, WIDTH]),
        4 => arrange(importer, x, &[CHANNELS, HEIGHT, WIDTH]),
        rank => Err(format!("values of {rank} axes are not supported")),
    }
}

/// The axes of the output that the axes of the graph become where one of them is to be the channels; nothing if they
/// are more than it has. Those of extent 1 need no room.
pub(super) fn with_channels(x: &Activation, along: usize) -> Option<Vec<usize>> {
    let mut rest = [HEIGHT, WIDTH].into_iter();
    let place = |(i, extent): (usize, usize)| match extent {
        _ if i == along => Some(CHANNELS),
        1 if x.rank() > 4 => Some(CHANNELS),
        _ => rest.next(),
    };
    x.dims().into_iter().enumerate().map(place).collect()
}

/// A value whose axes in the graph are the axes `target` of a layer's output, with layers that move its numbers if
/// they are needed.
pub(super) fn arrange(
    importer: &mut Importer,
    x: Activation,
    target: &[usize],
) -> Result<Activation, String> {
    let mut shape = [1; 3];
    for (extent, &axis) in x.dims().into_iter().zip(target) {
        shape[axis] *= extent;
    }
    let mut view = View::of(target, shape);
    view.dims
        .iter_mut()
        .zip(x.dims())
        .filter(|(_, extent)| *extent == 1)
        .for_each(|(leaves, _)| leaves.clear());
    if x.shape == shape && x.view == view {
        return Ok(x);
    }
    let mut axes: [Vec<Leaf>; 3] = Default::default();
    for (leaves, &axis) in x.view.dims.iter().zip(target) {
        axes[axis].extend(leaves);
    }
    moved(importer, x, &axes, view)
}

/// A value that lies as another does, but for its extents of 1.
pub(super) fn conform(importer: &mut Importer, x: Activation, like: &View) -> Result<Activation, String> {
    let fail = || format!("{} is not brought to the order of another value", x.told());
    let dims = x.dims();
    let wide: Vec<usize> = (0..dims.len()).filter(|&i| dims[i] != 1).collect();
    let theirs: Vec<Leaf> = wide.iter().flat_map(|&i| &like.dims[i]).copied().collect();
    let extents: Vec<usize> = theirs.iter().map(|leaf| leaf.extent).collect();
    let own = x.view.reshaped(&extents).ok_or_else(fail)?.dims;
    // Each axis has its stretches from the outermost to the innermost.
    let mut pairs: Vec<(Leaf, Vec<Leaf>)> = theirs.into_iter().zip(own).collect();
    pairs.sort_by_key(|(leaf, _)| std::cmp::Reverse(leaf.step));
    let mut axes: [Vec<Leaf>; 3] = Default::default();
    let mut steps = [1; 3];
    for (leaf, own) in pairs.into_iter().rev() {
        if leaf.step != steps[leaf.axis] {
            return Err(fail());
        }
        steps[leaf.axis] *= leaf.extent;
        axes[leaf.axis].splice(0..0, own);
    }
    let dims = (0..dims.len()).map(|i| if dims[i] == 1 { vec![] } else { like.dims[i].clone() });
    let view = View { dims: dims.collect() };
    if x.shape == steps && x.view == view {
        return Ok(x);
    }
    moved(importer, x, &axes.map(merged), view)
}

/// A value whose axes are these stretches of its axes now, with layers that move its numbers.
fn moved(
    importer: &mut Importer,
    x: Activation,
    axes: &[Vec<Leaf>; 3],
    view: View,
) -> Result<Activation, String> {
    let shape = [0, 1, 2].map(|axis: usize| axes[axis].iter().map(|leaf| leaf.extent).product::<usize>());
    let kind = if let Some(order) = transposition(axes, x.shape) {
        LayerKind::from(kinds::Transpose { order })
    } else if let Some(groups) = shuffle(axes, x.shape) {
        kinds::ChannelShuffle { groups }.into()
    } else if let Some((block, order)) = to_space(axes, x.shape) {
        kinds::DepthToSpace { block, order }.into()
    } else if let Some((block, order)) = to_depth(axes, x.shape) {
        kinds::SpaceToDepth { block, order }.into()
    } else if shape[..2] == [1, 1] && x.view.in_order(x.shape) {
        kinds::Flatten {}.into()
    } else if let Some(order) = turned_row(axes, x.shape) {
        let y = transposed(importer, &x, order)?;
        return importer.push(kinds::Flatten {}, &[y.layer], shape, view);
    } else if let Some(y) = cut::row(importer, &x, axes)? {
        return Ok(Activation { view, ..y });
    } else if let Some(y) = by_a_row(importer, &x, axes)? {
        return Ok(Activation { view, ..y });
    } else {
        return Err(format!(
            "the numbers of {} would have to be put in an order that no layer makes",
            x.told()
        ));
    };
    importer.push(kind, &[x.layer], shape, view)
}

/// A map made a row that is cut anew, so that its axes are joined and parted otherwise; nothing if no order of them
/// serves.
fn by_a_row(
    importer: &mut Importer,
    x: &Activation,
    axes: &[Vec<Leaf>; 3],
) -> Result<Option<Activation>, String> {
    if x.shape[..2] == [1, 1] {
        return Ok(None);
    }
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for order in orders {
        // From a cell to the next along each axis, in the row.
        let mut times = [1; 3];
        times[order[1]] = x.shape[order[2]];
        times[order[0]] = x.shape[order[1]] * x.shape[order[2]];
        let flat = |l: &Leaf| Leaf { axis: CHANNELS, step: l.step * times[l.axis], ..*l };
        let cells = [0, 1, 2].map(|axis: usize| merged(axes[axis].iter().map(flat)));
        let shape = [1, 1, x.size()];
        if !cut::serves(&cells, shape) {
            continue;
        }
        let turned = if order == [0, 1, 2] { x.clone() } else { transposed(importer, x, order)? };
        let view = View::of(&[CHANNELS], shape);
        let row = importer.push(kinds::Flatten {}, &[turned.layer], shape, view)?;
        return cut::row(importer, &row, &cells);
    }
    Ok(None)
}

/// A value with channels first again, if `before` had them: what came between needed them elsewhere.
pub(super) fn restored(importer: &mut Importer, y: Activation, before: bool) -> Result<Activation, String> {
    if before && !y.channels_first() { picture(importer, y) } else { Ok(y) }
}

/// One stretch that is a whole axis, or none where that is 1.
fn is_whole(leaves: &[Leaf], axis: usize, shape: [usize; 3]) -> bool {
    View { dims: vec![leaves.to_vec()] } == View::of(&[axis], shape)
}

/// Which axis of `shape` each new one is, if each is one.
fn transposition(axes: &[Vec<Leaf>; 3], shape: [usize; 3]) -> Option<[usize; 3]> {
    let of = |leaves: &Vec<Leaf>| leaves.first().map(|leaf| leaf.axis);
    let mut order = [None; 3];
    for (new, leaves) in order.iter_mut().zip(axes) {
        *new = of(leaves);
        if let Some(axis) = *new
            && !is_whole(leaves, axis, shape)
        {
            return None;
        }
    }
    let mut rest: Vec<usize> = (0..3).filter(|axis| !order.contains(&Some(*axis))).collect();
    let all = order.map(|axis| axis.unwrap_or_else(|| rest.remove(0)));
    // What is left over must be 1.
    (0..3).all(|new| axes[new].is_empty() == (shape[all[new]] == 1)).then_some(all)
}

/// The groups that channels are shuffled by.
fn shuffle(axes: &[Vec<Leaf>; 3], shape: [usize; 3]) -> Option<usize> {
    let [height, width, channels] = axes;
    let [inner, outer] = channels[..] else { return None };
    let in_place = is_whole(height, HEIGHT, shape) && is_whole(width, WIDTH, shape);
    let two =
        inner.axis == CHANNELS && outer.axis == CHANNELS && inner.step == 1 && outer.step == inner.extent;
    (in_place && two && inner.extent * outer.extent == shape[CHANNELS]).then_some(outer.extent)
}

/// The block and order in which channels become places.
fn to_space(axes: &[Vec<Leaf>; 3], shape: [usize; 3]) -> Option<(usize, Order)> {
    let inner = |leaves: &[Leaf], axis: usize| match leaves {
        [.., last] if last.axis == CHANNELS => {
            is_whole(&leaves[..leaves.len() - 1], axis, shape).then_some(*last)
        }
        _ => None,
    };
    let (row, column) = (inner(&axes[HEIGHT], HEIGHT)?, inner(&axes[WIDTH], WIDTH)?);
    let (block, rest) = (row.extent, shape[CHANNELS] / (row.extent * column.extent));
    if column.extent != block || rest * block * block != shape[CHANNELS] {
        return None;
    }
    let found = |leaf: Leaf| (leaf.extent, leaf.step);
    let channels = match axes[CHANNELS][..] {
        [] if rest == 1 => None,
        [leaf] if leaf.axis == CHANNELS && leaf.extent == rest => Some(leaf.step),
        _ => return None,
    };
    if found(row) == (block, block * rest)
        && found(column) == (block, rest)
        && channels.is_none_or(|s| s == 1)
    {
        return Some((block, Order::BlockFirst));
    }
    let first = found(row) == (block, block) && found(column) == (block, 1);
    (first && channels.is_none_or(|s| s == block * block)).then_some((block, Order::ChannelFirst))
}

/// The block and order in which places become channels.
fn to_depth(axes: &[Vec<Leaf>; 3], shape: [usize; 3]) -> Option<(usize, Order)> {
    let outer = |leaves: &[Leaf], axis: usize| match leaves {
        [] => Some(shape[axis]),
        [leaf] if leaf.axis == axis && leaf.extent * leaf.step == shape[axis] => Some(leaf.step),
        _ => None,
    };
    let (block, columns) = (outer(&axes[HEIGHT], HEIGHT)?, outer(&axes[WIDTH], WIDTH)?);
    if block != columns || block == 1 {
        return None;
    }
    let part = |axis| Leaf { axis, extent: block, step: 1 };
    let all = View::of(&[CHANNELS], shape).dims.concat();
    let (rows, columns) = (vec![part(HEIGHT)], vec![part(WIDTH)]);
    if axes[CHANNELS] == [all.clone(), rows.clone(), columns.clone()].concat() {
        return Some((block, Order::ChannelFirst));
    }
    (axes[CHANNELS] == [rows, columns, all].concat()).then_some((block, Order::BlockFirst))
}

/// The order of whole axes that one row of numbers has.
fn turned_row(axes: &[Vec<Leaf>; 3], shape: [usize; 3]) -> Option<[usize; 3]> {
    let [height, width, row] = axes;
    if !height.is_empty() || !width.is_empty() || row.iter().any(|l| !is_whole(&[*l], l.axis, shape)) {
        return None;
    }
    let mut order: Vec<usize> = row.iter().map(|leaf| leaf.axis).collect();
    order.extend((0..3).filter(|axis| shape[*axis] == 1));
    order.try_into().ok()
}

/// The last value as foveal's models give it: a row, or height, width and channels.
pub(crate) fn row(importer: &mut Importer, last: Activation) -> Result<Activation, String> {
    let picture = [&[CHANNELS, HEIGHT, WIDTH][..], &[CHANNELS, WIDTH]]
        .iter()
        .any(|axes| last.view.is(axes, last.shape));
    let mut last = last;
    if !picture && !last.view.in_order(last.shape) {
        last = settled(importer, last)?;
        if !last.channels_first() && !last.view.in_order(last.shape) {
            let target = [CHANNELS, HEIGHT, WIDTH];
            last = arrange(importer, last, &target)?;
        }
    }
    if last.layer.is_none() || last.layer != importer.layers.len().checked_sub(1) {
        return Err("there is no layer between input and output".into());
    }
    flat(importer, last)
}
