//! One number for many.

use super::constant::{Constant, Data};
use super::walk::{each, steps};
use super::{Call, Room, axis};

/// The axes that a reduction goes over, of `rank`; none where nothing is to be done.
fn axes(given: Option<&[i64]>, noop: bool, rank: usize) -> Result<Option<Vec<usize>>, String> {
    match given {
        None | Some([]) if noop => Ok(None),
        None | Some([]) => Ok(Some((0..rank).collect())),
        Some(axes) => axes.iter().map(|&a| axis(a, rank)).collect::<Result<_, _>>().map(Some),
    }
}

pub(super) fn reduce<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Constant<'g>, String> {
    let from = call.input(0)?;
    let rank = from.dims().len();
    let noop = call.attributes.int("noop_with_empty_axes", 0)? != 0;
    let keep = call.attributes.int("keepdims", 1)? != 0;
    let given = call.ints(1, "axes")?;
    let Some(over) = axes(given.as_deref(), noop, rank)? else { return Ok(from.clone()) };
    let kept: Vec<usize> =
        from.dims().iter().enumerate().map(|(i, &d)| if over.contains(&i) { 1 } else { d }).collect();
    let dims = match keep {
        true => kept.clone(),
        false => (0..rank).filter(|i| !over.contains(i)).map(|i| kept[i]).collect(),
    };
    room.take(&dims)?;
    let how = How::of(&call.node.operator).ok_or("is not computed of constants")?;
    let walk = (&kept[..], &over[..]);
    let data = match &*from.data()? {
        Data::F32(v) => {
            let all = floats(from, walk, how, |i| f64::from(v[i]));
            Data::F32(all.into_iter().map(|v| v as f32).collect())
        }
        Data::F64(v) => Data::F64(floats(from, walk, how, |i| v[i])),
        Data::Int(v, kind) => Data::Int(whole(from, walk, how, v)?, *kind),
        Data::Bool(_) => return Err("is not computed of truth values".into()),
    };
    Ok(Constant::computed(dims, data))
}

#[derive(Clone, Copy, PartialEq)]
enum How {
    Sum,
    Mean,
    Max,
    Min,
    Product,
    /// The sum of sizes.
    L1,
    /// The root of the sum of squares.
    L2,
    Squares,
}

impl How {
    fn of(operator: &str) -> Option<Self> {
        Some(match operator {
            "ReduceSum" => How::Sum,
            "ReduceMean" => How::Mean,
            "ReduceMax" => How::Max,
            "ReduceMin" => How::Min,
            "ReduceProd" => How::Product,
            "ReduceL1" => How::L1,
            "ReduceL2" => How::L2,
            "ReduceSumSquare" => How::Squares,
            _ => return None,
        })
    }
}

/// Calls `add(to, from)` for every number, `to` its place among those that are left.
fn walked(from: &Constant, (kept, over): (&[usize], &[usize]), mut add: impl FnMut(usize, usize)) {
    let (own, mut target) = (steps(from.dims()), steps(kept));
    over.iter().for_each(|&a| target[a] = 0);
    each(from.dims(), [&own, &target], [0, 0], |[i, j], n, [s, t]| {
        (0..n as isize).for_each(|k| add((j + k * t) as usize, (i + k * s) as usize));
    });
}

fn floats(from: &Constant, walk: (&[usize], &[usize]), how: How, get: impl Fn(usize) -> f64) -> Vec<f64> {
    let size: usize = walk.0.iter().product();
    let first = match how {
        How::Max => f64::NEG_INFINITY,
        How::Min => f64::INFINITY,
        How::Product => 1.0,
        _ => 0.0,
    };
    let mut all = vec![first; size];
    walked(from, walk, |to, at| {
        let v = get(at);
        let sum = &mut all[to];
        *sum = match how {
            How::Sum | How::Mean => *sum + v,
            How::Max => sum.max(v),
            How::Min => sum.min(v),
            How::Product => *sum * v,
            How::L1 => *sum + v.abs(),
            How::L2 | How::Squares => v.mul_add(v, *sum),
        };
    });
    let n = (from.size() / size.max(1)) as f64;
    match how {
        How::Mean => all.iter_mut().for_each(|v| *v /= n),
        How::L2 => all.iter_mut().for_each(|v| *v = v.sqrt()),
        _ => {}
    }
    all
}

fn whole(from: &Constant, walk: (&[usize], &[usize]), how: How, v: &[i64]) -> Result<Vec<i64>, String> {
    let first = match how {
        How::Sum | How::L1 | How::Squares => 0,
        How::Product => 1,
        How::Max => i64::MIN,
        How::Min => i64::MAX,
        How::Mean | How::L2 => return Err("is not computed of whole numbers".into()),
    };
    let mut all = vec![Some(first); walk.0.iter().product()];
    walked(from, walk, |to, at| {
        let v = v[at];
        all[to] = all[to].and_then(|sum: i64| match how {
            How::Product => sum.checked_mul(v),
            How::Max => Some(sum.max(v)),
            How::Min => Some(sum.min(v)),
            How::L1 => sum.checked_add(v.checked_abs()?),
            How::Squares => sum.checked_add(v.checked_mul(v)?),
            _ => sum.checked_add(v),
        });
    });
    all.into_iter().collect::<Option<Vec<i64>>>().ok_or_else(|| "computes beyond its type".into())
}
