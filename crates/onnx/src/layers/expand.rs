//! A value repeated along axes of extent 1, or joined with itself.

use super::arrange::{arrange, picture};
use super::concat::join;
use super::conv::channels_first;
use super::cut::MOST_PARTS;
use super::{Given, Row};
use crate::activation::Activation;
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::{Importer, MOST_CHANNELS};
use crate::view::{CHANNELS, HEIGHT, Leaf, WIDTH};
use foveal_nn::layers as kinds;
use foveal_nn::layers::ResizeMethod;

pub(super) const ROW: Row = Row { operators: &["Expand", "Tile"], import: repeat };

/// Times that a value may be repeated; more than any network does.
const MOST_TIMES: i64 = 1 << 20;

fn repeat<'g>(importer: &mut Importer<'g>, step: &Step<'g>, _: &Attributes<'g>) -> Given {
    let x = importer.take(step.input(0)?)?;
    let wanted = importer.constant(step.input(1)?)?.ints()?;
    let own: Vec<i64> = std::iter::once(importer.batch).chain(x.dims().iter().map(|&d| d as i64)).collect();
    let fail = || format!("of {} by {wanted:?} is not supported: the batch and all axes stay", x.told());
    // How many times each axis; those of Expand are aligned at the last axis, an extent of 1 keeps what is there.
    let missing = own.len().checked_sub(wanted.len()).ok_or_else(fail)?;
    let all: Vec<i64> = std::iter::repeat_n(1, missing).chain(wanted.iter().copied()).collect();
    let times: Option<Vec<i64>> = match step.operator {
        "Tile" => (missing == 0).then_some(all),
        _ => own.iter().zip(&all).map(|(&own, &new)| times(own, new)).collect(),
    };
    let times = times.filter(|times| times[0] == 1 && times.iter().all(|t| (1..MOST_TIMES).contains(t)));
    let times: Vec<usize> = times.ok_or_else(fail)?[1..].iter().map(|&t| t as usize).collect();
    if times.iter().all(|&t| t == 1) {
        return Ok(vec![x]);
    }
    if let Some(y) = over_a_map(importer, &x, &times)? {
        return Ok(vec![y]);
    }
    let axes = times.into_iter().enumerate().filter(|&(_, t)| t > 1);
    let y = axes.into_iter().try_fold(x, |x, (axis, times)| repeated(importer, x, axis, times))?;
    Ok(vec![y])
}

/// How many times an extent is repeated to become another.
fn times(own: i64, new: i64) -> Option<i64> {
    match (own, new) {
        (own, new) if new == own || new == 1 => Some(1),
        (1, new) => Some(new),
        _ => None,
    }
}

/// One cell for each channel spread over height and width.
fn over_a_map(
    importer: &mut Importer,
    x: &Activation,
    times: &[usize],
) -> Result<Option<Activation>, String> {
    let spread = |i: usize| times[i] == 1 || (i > 0 && x.dims()[i] == 1);
    if ![3, 4].contains(&x.rank()) || !(0..times.len()).all(spread) {
        return Ok(None);
    }
    let x = picture(importer, x.clone())?;
    let [h, w, c] = x.shape;
    let shape = match times[1..] {
        [columns] => [h, w * columns, c],
        _ => [h * times[1], w * times[2], c],
    };
    // One cell is the nearest of all.
    let size = Some([shape[0], shape[1]]);
    let kind = kinds::Resize { size, method: ResizeMethod::Nearest, ..kinds::Resize::default() };
    importer.push(kind, &[x.layer], shape, channels_first(x.line(), shape)).map(Some)
}

/// A value repeated along one axis of the graph.
fn repeated(importer: &mut Importer, x: Activation, axis: usize, times: usize) -> Result<Activation, String> {
    let joined = x.dims()[axis] != 1;
    let x = if joined { x } else { unfolded(importer, x, axis)? };
    // What stands before it, so that both may be made one axis (as Keras writes UpSampling2D); or where there is room.
    let before = x.view.dims[..axis].last().and_then(|leaves| leaves.last()).map(|leaf| leaf.axis);
    let place =
        before.filter(|&a| a != CHANNELS).or_else(|| [WIDTH, HEIGHT].into_iter().find(|&a| x.shape[a] == 1));
    let (mut shape, mut view) = (x.shape, x.view.clone());
    if let Some(place) = place.filter(|_| !joined) {
        shape[place] = shape[place].saturating_mul(times);
        if shape[place] > MOST_CHANNELS {
            return Err(format!("{times} times of {} is not supported: it would be too large", x.told()));
        }
        // Each row or column several times, one after the other: the new axis is the innermost.
        view.dims.iter_mut().flatten().filter(|l| l.axis == place).for_each(|l| l.step *= times);
        view.dims[axis] = vec![Leaf { axis: place, extent: times, step: 1 }];
        let size = Some([shape[HEIGHT], shape[WIDTH]]);
        let kind = kinds::Resize { size, method: ResizeMethod::Nearest, ..kinds::Resize::default() };
        return importer.push(kind, &[x.layer], shape, view);
    }
    if times > MOST_PARTS {
        return Err(format!("{times} times of {} is not supported, at most {MOST_PARTS}", x.told()));
    }
    if joined {
        return join(importer, vec![Activation { shared: true, ..x }; times], axis);
    }
    view.dims[axis] = vec![Leaf { axis: CHANNELS, extent: times, step: shape[CHANNELS] }];
    shape[CHANNELS] = shape[CHANNELS].saturating_mul(times);
    importer.push(kinds::Concat {}, &vec![x.layer; times], shape, view)
}

/// A row that is to be a map first, so that what stands before the axis is rows or columns.
fn unfolded(importer: &mut Importer, x: Activation, axis: usize) -> Result<Activation, String> {
    let wide = |i: &usize| x.dims()[*i] != 1;
    let all = (0..x.rank() - 1).filter(wide).count();
    if x.shape[..2] != [1, 1] || x.rank() < 5 || all != 3 {
        return Ok(x);
    }
    let last_first = (0..axis).filter(wide).count() < 2;
    let mut places =
        if last_first { [HEIGHT, WIDTH, CHANNELS] } else { [CHANNELS, HEIGHT, WIDTH] }.into_iter();
    let target = x.dims().into_iter().map(|d| if d == 1 { None } else { places.next() });
    let target: Vec<usize> = target.map(|axis| axis.unwrap_or(CHANNELS)).collect();
    arrange(importer, x, &target)
}
