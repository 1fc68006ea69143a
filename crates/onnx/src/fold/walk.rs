//! Walks over numbers with steps of their own for each axis.

/// The step of each axis of rows of numbers.
pub(super) fn steps(dims: &[usize]) -> Vec<isize> {
    let mut steps = vec![1; dims.len()];
    for i in (1..dims.len()).rev() {
        steps[i - 1] = steps[i] * dims[i].max(1) as isize;
    }
    steps
}

/// The numbers at `start` and on, by `steps` along axes of `dims`, row-major.
pub(super) fn pick<T: Copy>(from: &[T], start: isize, dims: &[usize], steps: &[isize]) -> Vec<T> {
    let mut picked = Vec::with_capacity(dims.iter().product());
    each(dims, [steps], [start], |[at], n, [step]| {
        picked.extend((0..n as isize).map(|i| from[(at + i * step) as usize]));
    });
    picked
}

/// Calls `row` for each row along the last axis: with the place where it begins in each of `N` arrays, its length
/// and its steps.
pub(super) fn each<const N: usize>(
    dims: &[usize],
    steps: [&[isize]; N],
    start: [isize; N],
    mut row: impl FnMut([isize; N], usize, [isize; N]),
) {
    let Some((&last, outer)) = dims.split_last() else {
        row(start, 1, [0; N]);
        return;
    };
    if dims.contains(&0) {
        return;
    }
    let along = steps.map(|s| s[outer.len()]);
    let (mut at, mut index) = (start, vec![0; outer.len()]);
    loop {
        row(at, last, along);
        let mut axis = outer.len();
        loop {
            let Some(next) = axis.checked_sub(1) else { return };
            axis = next;
            index[axis] += 1;
            (0..N).for_each(|i| at[i] += steps[i][axis]);
            if index[axis] < outer[axis] {
                break;
            }
            (0..N).for_each(|i| at[i] -= steps[i][axis] * outer[axis] as isize);
            index[axis] = 0;
        }
    }
}

/// The extents of two arrays together, as NumPy broadcasts them.
pub(super) fn together(a: &[usize], b: &[usize]) -> Result<Vec<usize>, String> {
    let rank = a.len().max(b.len());
    let at = |dims: &[usize], i: usize| (i + dims.len()).checked_sub(rank).map_or(1, |i| dims[i]);
    (0..rank)
        .map(|i| match (at(a, i), at(b, i)) {
            (m, n) if m == n || n == 1 => Ok(m),
            (1, n) => Ok(n),
            _ => Err(format!("constants of {a:?} and {b:?} do not go together")),
        })
        .collect()
}

/// The steps of an array of `dims` where it is spread over `over`.
pub(super) fn spread(dims: &[usize], over: &[usize]) -> Vec<isize> {
    let own = steps(dims);
    let before = over.len() - dims.len();
    let step = |i: usize| match i.checked_sub(before) {
        Some(axis) if dims[axis] != 1 => own[axis],
        _ => 0,
    };
    (0..over.len()).map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spread_as_numpy_does() {
        assert_eq!(together(&[2, 1, 3], &[4, 1]), Ok(vec![2, 4, 3]));
        assert_eq!(together(&[], &[0, 3]), Ok(vec![0, 3]));
        assert!(together(&[2], &[3]).is_err());
        assert_eq!(spread(&[4, 1], &[2, 4, 3]), [0, 1, 0]);
        let from: Vec<i32> = (0..6).collect();
        // Two rows of three, turned; then spread over a third axis.
        assert_eq!(pick(&from, 0, &[3, 2], &[1, 3]), [0, 3, 1, 4, 2, 5]);
        assert_eq!(pick(&from, 5, &[2, 2, 2], &[0, -3, -1]), [5, 4, 2, 1, 5, 4, 2, 1]);
        assert_eq!(pick(&from, 2, &[], &[]), [2]);
        assert!(pick(&from, 0, &[2, 0], &[1, 1]).is_empty());
    }
}
