//! A row of numbers cut in pieces that become rows, columns or channels (`x.view(-1, 16, 4, 5)` after a dense layer).

use crate::activation::Activation;
use crate::importer::Importer;
use crate::view::{CHANNELS, HEIGHT, Leaf, View, WIDTH};
use foveal_nn::layers as kinds;

/// Parts that a value is cut in; each becomes a layer.
pub(super) const MOST_PARTS: usize = 64;

/// Height, width and channels in another order.
pub(super) fn transposed(
    importer: &mut Importer,
    x: &Activation,
    order: [usize; 3],
) -> Result<Activation, String> {
    let shape = order.map(|axis| x.shape[axis]);
    importer.push(kinds::Transpose { order }, &[x.layer], shape, View::of(&[0, 1, 2], shape))
}

/// A row `[1, 1, c]` whose stretches become these axes; nothing if they are not one after the other, each an axis, or
/// if it would take too many layers.
pub(super) fn row(
    importer: &mut Importer,
    x: &Activation,
    axes: &[Vec<Leaf>; 3],
) -> Result<Option<Activation>, String> {
    if !serves(axes, x.shape) {
        return Ok(None);
    }
    match stretches(axes, x.shape).as_deref() {
        Some(&[(CHANNELS, _)]) => Ok(Some(x.clone())),
        Some(&[(axis, _)]) => {
            let mut order = [HEIGHT, WIDTH, CHANNELS];
            order.swap(axis, CHANNELS);
            transposed(importer, x, order).map(Some)
        }
        Some(&[(m, outer), (n, _)]) => in_two(importer, x, [m, n], outer).map(Some),
        Some(&[(a, outer), (b, middle), (c, inner)]) => {
            in_three(importer, x, [a, b, c], [outer, middle, inner]).map(Some)
        }
        _ => Ok(None),
    }
}

/// Whether a row of this shape can be cut so.
pub(super) fn serves(axes: &[Vec<Leaf>; 3], shape: [usize; 3]) -> bool {
    match stretches(axes, shape).as_deref() {
        Some(&[_]) => true,
        Some(&[(_, outer), (_, inner)]) => outer.min(inner) <= MOST_PARTS,
        Some(&[(_, outer), (_, middle), _]) => outer * middle <= MOST_PARTS,
        _ => false,
    }
}

/// The axes that the stretches of a row become, from the outermost to the innermost, and their extents.
fn stretches(axes: &[Vec<Leaf>; 3], shape: [usize; 3]) -> Option<Vec<(usize, usize)>> {
    let mut all: Vec<(usize, Leaf)> = Vec::new();
    for (axis, leaves) in axes.iter().enumerate() {
        match leaves[..] {
            [] => {}
            [leaf] => all.push((axis, leaf)),
            _ => return None,
        }
    }
    all.sort_by_key(|(_, leaf)| leaf.step);
    let mut step = 1;
    for (_, leaf) in &all {
        if leaf.axis != CHANNELS || leaf.step != step {
            return None;
        }
        step *= leaf.extent;
    }
    let whole = shape == [1, 1, step];
    whole.then(|| all.iter().rev().map(|(axis, leaf)| (*axis, leaf.extent)).collect())
}

/// Rows of a column `[n, 1, 1]` from `start` on, `count` of them by this step.
fn rows(
    importer: &mut Importer,
    column: &Activation,
    [start, count, by]: [usize; 3],
) -> Result<Activation, String> {
    let end = start + (count - 1) * by + 1;
    let mut kind = kinds::Slice { rows: Some([start as i64, end as i64]), ..kinds::Slice::default() };
    kind.steps[HEIGHT] = by as i64;
    let shape = [count, 1, 1];
    importer.push(kind, &[column.layer], shape, View::of(&[0, 1, 2], shape))
}

/// Values side by side in the channels.
fn beside(importer: &mut Importer, parts: &[Activation]) -> Result<Activation, String> {
    if let [one] = parts {
        return Ok(one.clone());
    }
    let [h, w, _] = parts[0].shape;
    let shape = [h, w, parts.iter().map(|part| part.shape[CHANNELS]).sum()];
    let from: Vec<Option<usize>> = parts.iter().map(|part| part.layer).collect();
    importer.push(kinds::Concat {}, &from, shape, View::of(&[0, 1, 2], shape))
}

/// A row in `count` pieces: `axes` are where the pieces go one after the other, and where the numbers of one do.
fn in_two(
    importer: &mut Importer,
    x: &Activation,
    axes: [usize; 2],
    count: usize,
) -> Result<Activation, String> {
    let each = x.shape[CHANNELS] / count;
    let column = transposed(importer, x, [CHANNELS, WIDTH, HEIGHT])?;
    // As few slices as can be: each is one piece, or one number of every piece.
    let by_piece = count <= each;
    let parts = (0..count.min(each)).map(|i| match by_piece {
        true => rows(importer, &column, [i * each, each, 1]),
        false => rows(importer, &column, [i, count, each]),
    });
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    let y = beside(importer, &parts)?;
    let [outer, inner] = if by_piece { [CHANNELS, HEIGHT] } else { [HEIGHT, CHANNELS] };
    let mut order = [WIDTH; 3];
    (order[axes[0]], order[axes[1]]) = (outer, inner);
    if order == [HEIGHT, WIDTH, CHANNELS] { Ok(y) } else { transposed(importer, &y, order) }
}

/// A row in pieces of pieces: where they go, and how many there are.
fn in_three(
    importer: &mut Importer,
    x: &Activation,
    axes: [usize; 3],
    [outer, middle, inner]: [usize; 3],
) -> Result<Activation, String> {
    let column = transposed(importer, x, [CHANNELS, WIDTH, HEIGHT])?;
    let mut pieces = Vec::new();
    for i in 0..outer {
        let parts = (0..middle).map(|j| rows(importer, &column, [(i * middle + j) * inner, inner, 1]));
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        // [inner, 1, middle], turned to [inner, middle, 1].
        let piece = beside(importer, &parts)?;
        pieces.push(transposed(importer, &piece, [HEIGHT, CHANNELS, WIDTH])?);
    }
    let y = beside(importer, &pieces)?;
    let mut order = [0; 3];
    [order[axes[0]], order[axes[1]], order[axes[2]]] = [CHANNELS, WIDTH, HEIGHT];
    if order == [HEIGHT, WIDTH, CHANNELS] { Ok(y) } else { transposed(importer, &y, order) }
}
