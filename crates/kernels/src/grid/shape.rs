//! The one shape function of operations on grids.

use super::{Op, Rearrangement, Resize};
use crate::geometry::MAX_ARRAY_BYTES;

type Shape = [usize; 3];

impl Op {
    /// The output's height, width and channels.
    ///
    /// # Errors
    /// A sentence that names the offending value and the shapes; the caller says whose they are.
    pub fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, String> {
        if inputs.len() != self.inputs() {
            return Err(format!("takes {} inputs, got {}", self.inputs(), inputs.len()));
        }
        inputs.iter().try_for_each(|&x| sized("input", x, ""))?;
        let x = inputs[0];
        let y = match self {
            Op::Rearrange { how, fill } => {
                finite("fill", *fill)?;
                rearranged(how, x)?
            }
            Op::Resize(r) => resized(r, x)?,
            Op::Binary(_) => broadcast(inputs[0], inputs[1])?,
            Op::Reduce { over, .. } => [0, 1, 2].map(|a| if over[a] { 1 } else { x[a] }),
            _ => {
                self.check_options(x)?;
                x
            }
        };
        sized("output", y, &format!(" of input {x:?}"))?;
        Ok(y)
    }

    fn check_options(&self, x: Shape) -> Result<(), String> {
        match *self {
            Op::GroupNorm { groups, epsilon } => {
                divides("groups", groups, x)?;
                not_negative("epsilon", epsilon)
            }
            Op::LayerNorm { epsilon } | Op::L2Normalize { epsilon } => not_negative("epsilon", epsilon),
            Op::LocalResponseNorm { size, alpha, beta, bias } => {
                if size == 0 {
                    return Err("size must be at least 1, got 0".to_owned());
                }
                not_negative("alpha", alpha)?;
                finite("beta", beta)?;
                if !(bias.is_finite() && bias > 0.0) {
                    return Err(format!("bias must be above 0, got {bias}"));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn finite(what: &str, v: f32) -> Result<(), String> {
    if v.is_finite() { Ok(()) } else { Err(format!("{what} must be a finite number, got {v}")) }
}

fn not_negative(what: &str, v: f32) -> Result<(), String> {
    if v.is_finite() && v >= 0.0 { Ok(()) } else { Err(format!("{what} must be at least 0, got {v}")) }
}

/// Refuses what is empty or larger than an array may be; `of` says what it is made of.
fn sized(what: &str, s: Shape, of: &str) -> Result<(), String> {
    let bytes = s.iter().try_fold(4u64, |n, &e| n.checked_mul(e as u64));
    match bytes {
        Some(0) => Err(format!("{what} [h, w, c] {s:?}{of} is empty; every extent must be at least 1")),
        Some(n) if n <= MAX_ARRAY_BYTES => Ok(()),
        _ => Err(format!("{what} [h, w, c] {s:?}{of} would hold more than {MAX_ARRAY_BYTES} bytes")),
    }
}

fn divides(what: &str, n: usize, x: Shape) -> Result<(), String> {
    if n > 0 && x[2].is_multiple_of(n) {
        return Ok(());
    }
    Err(format!("{what} {n} must divide the {} channels of input [h, w, c] {x:?}", x[2]))
}

fn broadcast(a: Shape, b: Shape) -> Result<Shape, String> {
    let mut y = a;
    for axis in 0..3 {
        y[axis] = match (a[axis], b[axis]) {
            (m, n) if m == n => m,
            (1, n) | (n, 1) => n,
            (m, n) => {
                let what = AXES[axis];
                return Err(format!(
                    "the {what} {m} and {n} of inputs [h, w, c] {a:?} and {b:?} must be equal, or one of them 1"
                ));
            }
        };
    }
    Ok(y)
}

const AXES: [&str; 3] = ["heights", "widths", "channels"];

fn rearranged(how: &Rearrangement, x: Shape) -> Result<Shape, String> {
    match how {
        Rearrangement::Slice { begin, size, step } => sliced(x, *begin, *size, *step),
        Rearrangement::Pad { cells, .. } => {
            let mut y = x;
            for (y, [before, after]) in y.iter_mut().zip(cells) {
                *y = y.checked_add(*before).and_then(|n| n.checked_add(*after)).ok_or_else(|| {
                    format!("padding {cells:?} around input [h, w, c] {x:?} is beyond all bounds")
                })?;
            }
            Ok(y)
        }
        Rearrangement::ChannelShuffle { groups } => divides("groups", *groups, x).map(|()| x),
        Rearrangement::DepthToSpace { block, .. } => {
            let cells = block.checked_mul(*block).filter(|&n| n > 0 && x[2].is_multiple_of(n));
            let Some(cells) = cells else {
                return Err(format!(
                    "block {block} times itself must divide the {} channels of input [h, w, c] {x:?}",
                    x[2]
                ));
            };
            // The block is at most the root of the channels, so that no product is beyond the input's.
            Ok([x[0] * block, x[1] * block, x[2] / cells])
        }
        Rearrangement::SpaceToDepth { block, .. } => {
            if *block == 0 || !x[0].is_multiple_of(*block) || !x[1].is_multiple_of(*block) {
                return Err(format!(
                    "block {block} must divide height {} and width {} of input [h, w, c] {x:?}",
                    x[0], x[1]
                ));
            }
            Ok([x[0] / block, x[1] / block, x[2] * block * block])
        }
        Rearrangement::Nearest { rows, columns } => {
            for (list, n, what) in [(rows, x[0], "row"), (columns, x[1], "column")] {
                if let Some(i) = list.iter().find(|&&i| i >= n) {
                    return Err(format!("{what} {i} is not in input [h, w, c] {x:?}"));
                }
            }
            Ok([rows.len(), columns.len(), x[2]])
        }
        Rearrangement::Transpose { order } => {
            let mut sorted = *order;
            sorted.sort_unstable();
            if sorted != [0, 1, 2] {
                return Err(format!("order {order:?} must name each of the axes 0, 1 and 2 once"));
            }
            Ok(order.map(|a| x[a]))
        }
    }
}

fn sliced(x: Shape, begin: Shape, size: Shape, step: [i64; 3]) -> Result<Shape, String> {
    for axis in 0..3 {
        let (b, n, s) = (begin[axis], size[axis], step[axis]);
        let last = b as i128 + (n as i128 - 1) * i128::from(s);
        if s == 0 && n > 1 {
            return Err(format!("step {step:?} must not be 0"));
        }
        if n > 0 && (b >= x[axis] || !(0..x[axis] as i128).contains(&last)) {
            return Err(format!(
                "begin {begin:?}, size {size:?} and step {step:?} leave input [h, w, c] {x:?}: {} {b} to {last}",
                AXES[axis]
            ));
        }
    }
    Ok(size)
}

fn resized(r: &Resize, x: Shape) -> Result<Shape, String> {
    if let Some(scales) = r.scales
        && !scales.iter().all(|s| s.is_finite() && *s > 0.0)
    {
        return Err(format!("scales must be above 0, got {scales:?}"));
    }
    Ok([r.size[0], r.size[1], x[2]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::{Binary, DepthOrder, PadMode, Reduction};

    fn of(how: Rearrangement, x: Shape) -> Result<Shape, String> {
        Op::Rearrange { how, fill: 0.0 }.output_shape(&[x])
    }

    #[test]
    fn shapes_of_what_moves_numbers() {
        let order = DepthOrder::BlockFirst;
        assert_eq!(of(Rearrangement::DepthToSpace { block: 3, order }, [2, 5, 18]), Ok([6, 15, 2]));
        assert_eq!(of(Rearrangement::SpaceToDepth { block: 3, order }, [6, 15, 2]), Ok([2, 5, 18]));
        assert_eq!(of(Rearrangement::Transpose { order: [2, 0, 1] }, [3, 4, 5]), Ok([5, 3, 4]));
        let cells = [[1, 2], [0, 3], [0, 0]];
        assert_eq!(of(Rearrangement::Pad { cells, mode: PadMode::Wrap }, [3, 4, 5]), Ok([6, 7, 5]));
        let slice = Rearrangement::Slice { begin: [4, 0, 1], size: [3, 4, 2], step: [-2, 1, 3] };
        assert_eq!(of(slice, [5, 4, 5]), Ok([3, 4, 2]));
        let nearest = Rearrangement::Nearest { rows: vec![0, 0, 2], columns: vec![3] };
        assert_eq!(of(nearest, [3, 4, 5]), Ok([3, 1, 5]));
    }

    #[test]
    fn an_extent_of_one_meets_any() {
        let add = Op::Binary(Binary::Add);
        assert_eq!(add.output_shape(&[[3, 4, 5], [1, 1, 5]]), Ok([3, 4, 5]));
        assert_eq!(add.output_shape(&[[3, 1, 5], [1, 4, 1]]), Ok([3, 4, 5]));
        let problem = add.output_shape(&[[3, 4, 5], [3, 2, 5]]).unwrap_err();
        assert!(problem.contains("widths 4 and 2") && problem.contains("[3, 2, 5]"), "{problem}");
        assert_eq!(add.output_shape(&[[3, 4, 5]]), Err("takes 2 inputs, got 1".to_owned()));
    }

    #[test]
    fn reduced_extents_become_one() {
        let op = Op::Reduce { how: Reduction::Max, over: [true, false, true] };
        assert_eq!(op.output_shape(&[[3, 4, 5]]), Ok([1, 4, 1]));
    }

    #[test]
    fn problems_name_the_value_and_the_shape() {
        let order = DepthOrder::ChannelFirst;
        for (op, parts) in [
            (Rearrangement::DepthToSpace { block: 2, order }, ["block 2", "[4, 6, 9]"]),
            (Rearrangement::SpaceToDepth { block: 4, order }, ["width 6", "[4, 6, 9]"]),
            (Rearrangement::Transpose { order: [0, 0, 1] }, ["[0, 0, 1]", "once"]),
            (Rearrangement::Nearest { rows: vec![4], columns: vec![0] }, ["row 4", "[4, 6, 9]"]),
            (Rearrangement::Nearest { rows: vec![], columns: vec![0] }, ["[0, 1, 9]", "empty"]),
        ] {
            let problem = of(op, [4, 6, 9]).unwrap_err();
            assert!(parts.iter().all(|p| problem.contains(p)), "{problem}");
        }
        let problem = Op::LayerNorm { epsilon: f32::INFINITY }.output_shape(&[[1, 1, 1]]).unwrap_err();
        assert!(problem.contains("epsilon") && problem.contains("inf"), "{problem}");
    }
}
