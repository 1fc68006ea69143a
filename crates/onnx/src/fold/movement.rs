//! Numbers at other places, as they are.

use super::constant::{Constant, Data};
use super::walk::{pick, spread, steps, together};
use super::{Call, Room, axis};

/// The numbers that `how` picks of a list of any kind.
macro_rules! of_any_kind {
    ($data:expr, $v:ident => $body:expr) => {
        match $data {
            Data::F32($v) => Data::F32($body),
            Data::F64($v) => Data::F64($body),
            Data::Int($v, kind) => Data::Int($body, *kind),
            Data::Bool($v) => Data::Bool($body),
        }
    };
}

fn picked<'g>(
    from: &Constant<'g>,
    room: &mut Room,
    start: isize,
    dims: Vec<usize>,
    steps: &[isize],
) -> Result<Constant<'g>, String> {
    room.take(&dims)?;
    let data = of_any_kind!(&*from.data()?, v => pick(v, start, &dims, steps));
    Ok(Constant::computed(dims, data))
}

/// Extents for as many numbers as `old` has: 0 keeps one unless `zeros` are meant, -1 is what is left.
pub(crate) fn new_extents(old: &[i64], wanted: &[i64], zeros: bool) -> Result<Vec<i64>, String> {
    let fail = || format!("{old:?} is not reshaped to {wanted:?}");
    let size = old.iter().try_fold(1i64, |a, &d| a.checked_mul(d)).ok_or_else(fail)?;
    let mut dims = Vec::new();
    for (i, &extent) in wanted.iter().enumerate() {
        dims.push(match extent {
            0 if !zeros => *old.get(i).ok_or_else(fail)?,
            extent if extent >= -1 => extent,
            _ => return Err(fail()),
        });
    }
    let known = dims.iter().filter(|&&d| d != -1).try_fold(1i64, |a, &d| a.checked_mul(d));
    let known = known.ok_or_else(fail)?;
    match dims.iter().filter(|&&d| d == -1).count() {
        0 if known == size => {}
        1 if known > 0 && size % known == 0 => {
            dims.iter_mut().filter(|d| **d == -1).for_each(|d| *d = size / known);
        }
        _ => return Err(fail()),
    }
    Ok(dims)
}

fn extents(dims: &[i64]) -> Result<Vec<usize>, String> {
    let dims: Option<Vec<usize>> = dims.iter().map(|&d| usize::try_from(d).ok()).collect();
    dims.ok_or_else(|| "a constant has a negative extent".into())
}

fn signed(dims: &[usize]) -> Vec<i64> {
    dims.iter().map(|&d| d as i64).collect()
}

pub(super) fn reshape<'g>(call: &Call<'_, 'g>) -> Result<Constant<'g>, String> {
    let from = call.input(0)?;
    let wanted = call.ints(1, "shape")?.ok_or("its shape is missing")?;
    let zeros = call.attributes.int("allowzero", 0)? != 0;
    let dims = new_extents(&signed(from.dims()), &wanted, zeros)?;
    Ok(from.with_dims(extents(&dims)?))
}

pub(super) fn flatten<'g>(call: &Call<'_, 'g>) -> Result<Constant<'g>, String> {
    let from = call.input(0)?;
    let given = call.attributes.int("axis", 1)?;
    let rank = from.dims().len();
    let at = if given == rank as i64 { rank } else { axis(given, rank)? };
    let (before, after) = from.dims().split_at(at);
    Ok(from.with_dims(vec![before.iter().product(), after.iter().product()]))
}

pub(super) fn squeeze<'g>(call: &Call<'_, 'g>) -> Result<Constant<'g>, String> {
    let from = call.input(0)?;
    let given = call.ints(1, "axes")?;
    let dims = from.dims();
    if call.node.operator == "Squeeze" {
        let axes = match &given {
            Some(axes) => axes.iter().map(|&a| axis(a, dims.len())).collect::<Result<Vec<_>, _>>()?,
            None => (0..dims.len()).filter(|&i| dims[i] == 1).collect(),
        };
        if let Some(&wide) = axes.iter().find(|&&a| dims[a] != 1) {
            return Err(format!("axis {wide} of a constant {dims:?} is not 1"));
        }
        let left = dims.iter().enumerate().filter(|(i, _)| !axes.contains(i)).map(|(_, &d)| d);
        return Ok(from.with_dims(left.collect()));
    }
    let given = given.ok_or("its axes are missing")?;
    let rank = dims.len() + given.len();
    let axes = given.iter().map(|&a| axis(a, rank)).collect::<Result<Vec<_>, _>>()?;
    let mut rest = dims.iter();
    let all = (0..rank).map(|i| if axes.contains(&i) { Some(1) } else { rest.next().copied() });
    let all: Option<Vec<usize>> = all.collect();
    Ok(from.with_dims(all.ok_or("its axes are said twice")?))
}

pub(super) fn transpose<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Constant<'g>, String> {
    let from = call.input(0)?;
    let rank = from.dims().len();
    let order: Vec<usize> = match call.attributes.ints("perm")? {
        Some(perm) => perm.iter().map(|&a| axis(a, rank)).collect::<Result<_, _>>()?,
        None => (0..rank).rev().collect(),
    };
    if order.len() != rank || (0..rank).any(|a| !order.contains(&a)) {
        return Err(format!("perm = {order:?} is no order of {rank} axes"));
    }
    let own = steps(from.dims());
    let dims = order.iter().map(|&a| from.dims()[a]).collect();
    picked(from, room, 0, dims, &order.iter().map(|&a| own[a]).collect::<Vec<_>>())
}

pub(super) fn expand<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Constant<'g>, String> {
    let from = call.input(0)?;
    let dims = together(from.dims(), &extents(&call.input(1)?.ints()?)?)?;
    let steps = spread(from.dims(), &dims);
    picked(from, room, 0, dims, &steps)
}

pub(super) fn tile<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Constant<'g>, String> {
    let from = call.input(0)?;
    let times = extents(&call.input(1)?.ints()?)?;
    if times.len() != from.dims().len() {
        return Err(format!("a constant {:?} is repeated {times:?}", from.dims()));
    }
    // Each axis in two: how often, and along it.
    let (own, mut dims, mut walk, mut whole) = (steps(from.dims()), Vec::new(), Vec::new(), Vec::new());
    for (i, &times) in times.iter().enumerate() {
        let extent = from.dims()[i];
        dims.extend([times, extent]);
        walk.extend([0, own[i]]);
        whole.push(times.checked_mul(extent).ok_or("a constant is repeated too often")?);
    }
    Ok(picked(from, room, 0, dims, &walk)?.with_dims(whole))
}

/// Where a slice begins, how many it takes and by which step, as ONNX's Slice counts, of an axis of `n`.
pub(crate) fn sliced(n: usize, [start, end, step]: [i64; 3]) -> Result<(usize, usize), String> {
    if step == 0 {
        return Err("it slices by steps of 0".into());
    }
    let n = n as i64;
    let from_end = |at: i64| if at < 0 { at.saturating_add(n) } else { at };
    let (least, most) = if step > 0 { (0, n) } else { (-1, n - 1) };
    let [start, end] = [start, end].map(|at| from_end(at).clamp(least, most));
    let count = if step > 0 {
        (end - start).max(0).saturating_add(step - 1) / step
    } else {
        (start - end).max(0).saturating_add(-(step + 1)) / -(step.max(-i64::MAX))
    };
    Ok((start.max(0) as usize, count as usize))
}

/// What a Slice takes: lists of as many starts and ends; axes and steps where they are given.
pub(crate) struct Slices {
    pub starts: Vec<i64>,
    pub ends: Vec<i64>,
    pub axes: Option<Vec<i64>>,
    pub steps: Option<Vec<i64>>,
}

impl Slices {
    /// Each axis, of `rank`, with its start, end and step.
    pub fn of(self, rank: usize) -> Result<Vec<(usize, [i64; 3])>, String> {
        let n = self.starts.len();
        let axes = self.axes.unwrap_or_else(|| (0..n as i64).collect());
        let by = self.steps.unwrap_or_else(|| vec![1; n]);
        if self.ends.len() != n || axes.len() != n || by.len() != n {
            return Err("its starts, ends, axes and steps are not as many".into());
        }
        let each = (0..n).map(|i| Ok((axis(axes[i], rank)?, [self.starts[i], self.ends[i], by[i]])));
        let each: Vec<(usize, [i64; 3])> = each.collect::<Result<_, String>>()?;
        match (0..rank).find(|axis| each.iter().filter(|(a, _)| a == axis).count() > 1) {
            Some(axis) => Err(format!("it slices axis {axis} twice")),
            None => Ok(each),
        }
    }
}

pub(super) fn slice<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Constant<'g>, String> {
    let from = call.input(0)?;
    let starts = call.ints(1, "starts")?.ok_or("its starts are missing")?;
    let ends = call.ints(2, "ends")?.ok_or("its ends are missing")?;
    let by = call.optional(4).map(Constant::ints).transpose()?;
    let given = Slices { starts, ends, axes: call.ints(3, "axes")?, steps: by }.of(from.dims().len())?;
    let (mut dims, mut walk, mut at) = (from.dims().to_vec(), steps(from.dims()), 0);
    for (axis, range) in given {
        let (start, count) = sliced(dims[axis], range)?;
        at += start as isize * walk[axis];
        dims[axis] = count;
        if count > 1 {
            walk[axis] *= range[2] as isize;
        }
    }
    picked(from, room, at, dims, &walk)
}

pub(super) fn gather<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Constant<'g>, String> {
    let (from, places) = (call.input(0)?, call.input(1)?);
    let dims = from.dims();
    let along = axis(call.attributes.int("axis", 0)?, dims.len())?;
    let mut rows = Vec::new();
    for place in places.ints()? {
        rows.push(
            axis(place, dims[along])
                .map_err(|_| format!("it gathers place {place} of an axis of {}", dims[along]))?,
        );
    }
    let (before, after) = (&dims[..along], &dims[along + 1..]);
    let all = [before, places.dims(), after].concat();
    room.take(&all)?;
    let (outer, inner): (usize, usize) = (before.iter().product(), after.iter().product());
    let data = of_any_kind!(&*from.data()?, v => {
        let at = |o: usize, row: usize| (o * dims[along] + row) * inner;
        (0..outer)
            .flat_map(|o| rows.iter().map(move |&row| at(o, row)))
            .flat_map(|at| v[at..at + inner].iter().copied())
            .collect()
    });
    Ok(Constant::computed(all, data))
}

pub(super) fn concat<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Constant<'g>, String> {
    let all: Vec<&Constant> = (0..call.inputs.len()).map(|i| call.input(i)).collect::<Result<_, _>>()?;
    let first = *all.first().ok_or("it has no inputs")?;
    let along = axis(call.attributes.int("axis", 0)?, first.dims().len())?;
    let mut dims = first.dims().to_vec();
    dims[along] = 0;
    for part in &all {
        let mut own = part.dims().to_vec();
        if own.len() != dims.len() || part.kind() != first.kind() {
            return Err(format!("constants of {:?} and {own:?} are joined", first.dims()));
        }
        let extent = std::mem::take(&mut own[along]);
        let others = |d: &[usize]| [&d[..along], &d[along + 1..]].concat();
        if others(&own) != others(&dims) {
            return Err(format!("constants of {:?} and {:?} are joined", first.dims(), part.dims()));
        }
        dims[along] = dims[along].checked_add(extent).ok_or("constants too large are joined")?;
    }
    room.take(&dims)?;
    let outer: usize = dims[..along].iter().product();
    let parts = all.iter().map(|part| part.data()).collect::<Result<Vec<_>, _>>()?;
    macro_rules! joined {
        ($kind:pat => $v:ident) => {
            (0..outer)
                .flat_map(|o| {
                    parts.iter().flat_map(move |part| match &**part {
                        $kind => $v[o * ($v.len() / outer)..(o + 1) * ($v.len() / outer)].iter().copied(),
                        _ => [].iter().copied(),
                    })
                })
                .collect()
        };
    }
    let data = match &*parts[0] {
        Data::F32(_) => Data::F32(joined!(Data::F32(v) => v)),
        Data::F64(_) => Data::F64(joined!(Data::F64(v) => v)),
        Data::Int(_, kind) => Data::Int(joined!(Data::Int(v, _) => v), *kind),
        Data::Bool(_) => Data::Bool(joined!(Data::Bool(v) => v)),
    };
    Ok(Constant::computed(dims, data))
}

/// The sizes that a Split cuts an axis of `n` into, `parts` outputs.
pub(crate) fn cuts(n: usize, given: Option<Vec<i64>>, parts: usize) -> Result<Vec<usize>, String> {
    if let Some(given) = given {
        let sizes = extents(&given)?;
        let sum = sizes.iter().try_fold(0usize, |a, &v| a.checked_add(v));
        return match sum == Some(n) && sizes.len() == parts {
            true => Ok(sizes),
            false => Err(format!("it splits an axis of {n} into {given:?}, for {parts} outputs")),
        };
    }
    // Equal parts; the last is smaller where they do not fit.
    let size = n.div_ceil(parts.max(1));
    let sizes: Vec<usize> = (0..parts).map(|i| size.min(n.saturating_sub(i * size))).collect();
    match sizes.iter().sum::<usize>() == n && !sizes.contains(&0) {
        true => Ok(sizes),
        false => Err(format!("it splits an axis of {n} into {parts} parts")),
    }
}

pub(super) fn split<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Vec<Constant<'g>>, String> {
    let from = call.input(0)?;
    let along = axis(call.attributes.int("axis", 0)?, from.dims().len())?;
    let sizes = cuts(from.dims()[along], call.ints(1, "split")?, call.node.outputs.len())?;
    let (walk, mut at, mut parts) = (steps(from.dims()), 0, Vec::new());
    for size in sizes {
        let mut dims = from.dims().to_vec();
        dims[along] = size;
        parts.push(picked(from, room, at as isize * walk[along], dims, &walk)?);
        at += size;
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_counted_as_onnx_does() {
        for (range, wanted) in [
            ([1, 3, 1], (1, 2)),
            ([-1, i64::MIN + 1, -1], (3, 4)),
            ([-1, i64::MIN, -1], (3, 4)),
            ([0, i64::MAX, 3], (0, 2)),
            ([3, 0, -2], (3, 2)),
            ([9, 12, 1], (4, 0)),
            ([0, 4, i64::MAX], (0, 1)),
            ([3, 0, i64::MIN], (3, 1)),
            ([-9, -1, 2], (0, 2)),
        ] {
            assert_eq!(sliced(4, range), Ok(wanted), "{range:?}");
        }
        assert!(sliced(4, [0, 1, 0]).is_err());
        assert_eq!(sliced(0, [0, 5, 1]), Ok((0, 0)));
        let twice = Slices { starts: vec![0, 0], ends: vec![1, 1], axes: Some(vec![1, -1]), steps: None };
        assert!(twice.of(2).is_err());
    }

    #[test]
    fn parts_of_an_axis() {
        assert_eq!(cuts(10, None, 4), Ok(vec![3, 3, 3, 1]));
        assert!(cuts(9, None, 4).is_err());
        assert_eq!(cuts(5, Some(vec![2, 3]), 2), Ok(vec![2, 3]));
        assert!(cuts(5, Some(vec![2, 2]), 2).is_err());
        assert!(cuts(5, Some(vec![-1, 6]), 2).is_err());
    }

    #[test]
    fn extents_that_keep_the_size() {
        assert_eq!(new_extents(&[2, 6], &[0, 3, -1], false), Ok(vec![2, 3, 2]));
        assert_eq!(new_extents(&[0, 3], &[3, 0], true), Ok(vec![3, 0]));
        assert!(new_extents(&[2, 6], &[-1, -1], false).is_err());
        assert!(new_extents(&[2, 6], &[5, -1], false).is_err());
        assert!(new_extents(&[2, 6], &[-2, 6], false).is_err());
        assert!(new_extents(&[i64::MAX, 6], &[-1], false).is_err());
    }
}
