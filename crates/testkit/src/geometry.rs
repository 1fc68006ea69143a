//! Output extents, in numbers so wide that nothing overflows.

/// How a two-dimensional operator pads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pad {
    /// Not at all.
    Valid,
    /// TensorFlow's SAME: the output extent is `ceil(n / s)`, and an odd cell goes after.
    Same,
    /// Top, bottom, left, right.
    Explicit([usize; 4]),
}

impl Pad {
    /// The padding of one axis: 0 for rows, 1 for columns.
    ///
    /// # Panics
    /// If `axis` is neither.
    #[must_use]
    pub fn axis(self, axis: usize) -> AxisPad {
        match self {
            Pad::Valid => AxisPad::Valid,
            Pad::Same => AxisPad::Same,
            Pad::Explicit(p) => AxisPad::Explicit(p[2 * axis] as i128, p[2 * axis + 1] as i128),
        }
    }
}

/// How one axis is padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AxisPad {
    /// Not at all.
    Valid,
    /// TensorFlow's SAME.
    Same,
    /// Cells before and after.
    Explicit(i128, i128),
}

/// The output extent and the padding before and after, as `(out, before, after)`.
///
/// `n` is the input's extent, `k` the filter's, `s` the stride and `d` the
/// dilation; with `e = (k - 1) d + 1`:
/// VALID gives `floor((n - e) / s) + 1`, SAME `ceil(n / s)` with
/// `p = max((out - 1) s + e - n, 0)` split `floor(p / 2)` before and the rest
/// after, explicit `floor((n + before + after - e) / s) + 1`.
///
/// `None` if an argument is zero or negative, the filter does not fit, or the
/// arithmetic leaves 128 bits.
#[must_use]
pub fn output_extent(n: i128, k: i128, s: i128, d: i128, pad: AxisPad) -> Option<(i128, i128, i128)> {
    if n < 1 || k < 1 || s < 1 || d < 1 {
        return None;
    }
    let e = (k - 1).checked_mul(d)?.checked_add(1)?;
    let (before, after) = match pad {
        AxisPad::Valid => (0, 0),
        AxisPad::Explicit(before, after) => (before, after),
        AxisPad::Same => {
            let out = (n - 1) / s + 1;
            let covered = (out - 1).checked_mul(s)?.checked_add(e)?;
            let p = (covered - n).max(0);
            return Some((out, p / 2, p - p / 2));
        }
    };
    if before < 0 || after < 0 {
        return None;
    }
    let room = n.checked_add(before)?.checked_add(after)?.checked_sub(e)?;
    (room >= 0).then_some((room / s + 1, before, after))
}

/// The output extent of a transposed convolution and the cells cut off before and after, as `(out, before, after)`.
///
/// With `e = (k - 1) d + 1`: SAME gives `n s`; VALID `(n - 1) s + e + more`, and at least `n s` if `more` is 0;
/// explicit `(n - 1) s + e - before - after + more`.
///
/// `None` if an argument is zero or negative, `more` is not below the larger of `s` and `d` (with SAME: not 0),
/// nothing is left, or the arithmetic leaves 128 bits.
#[must_use]
pub fn transposed_extent(
    n: i128,
    k: i128,
    [s, d, more]: [i128; 3],
    pad: AxisPad,
) -> Option<(i128, i128, i128)> {
    if n < 1 || k < 1 || s < 1 || d < 1 || more < 0 || more >= s.max(d) {
        return None;
    }
    let e = (k - 1).checked_mul(d)?.checked_add(1)?;
    let full = (n - 1).checked_mul(s)?.checked_add(e)?;
    let (out, before, after) = match pad {
        AxisPad::Same if more > 0 => return None,
        AxisPad::Same => {
            let out = n.checked_mul(s)?;
            let hidden = if e > s { e - s } else { 0 };
            (out, hidden / 2, hidden - hidden / 2)
        }
        AxisPad::Valid if more == 0 => (full.max(n.checked_mul(s)?), 0, 0),
        AxisPad::Valid => (full + more, 0, 0),
        AxisPad::Explicit(before, after) if before < 0 || after < 0 => return None,
        AxisPad::Explicit(before, after) => {
            (full.checked_add(more)?.checked_sub(before)?.checked_sub(after)?, before, after)
        }
    };
    (out >= 1).then_some((out, before, after))
}

/// One axis of a concrete operator: which input cell an output cell and a filter cell meet at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    pub n: usize,
    pub k: usize,
    pub stride: usize,
    pub dilation: usize,
    pub before: usize,
    pub out: usize,
}

impl Axis {
    /// Rows (`axis` 0) or columns (1) of an operator; panics if the filter does not fit.
    pub fn new(axis: usize, n: usize, k: usize, s: usize, d: usize, pad: Pad) -> Axis {
        let pad = pad.axis(axis);
        let (out, before, _) = output_extent(n as i128, k as i128, s as i128, d as i128, pad)
            .unwrap_or_else(|| panic!("axis {axis}: n {n}, k {k}, s {s}, d {d}, {pad:?}"));
        Axis { n, k, stride: s, dilation: d, before: before as usize, out: out as usize }
    }

    /// The input cell under filter cell `k` for output cell `out`; `None` in the padding.
    pub fn input(&self, out: usize, k: usize) -> Option<usize> {
        (out * self.stride + k * self.dilation).checked_sub(self.before).filter(|&i| i < self.n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_extents() {
        use AxisPad::{Explicit, Same, Valid};
        assert_eq!(output_extent(28, 3, 1, 1, Valid), Some((26, 0, 0)));
        assert_eq!(output_extent(28, 3, 1, 1, Same), Some((28, 1, 1)));
        assert_eq!(output_extent(28, 2, 2, 1, Same), Some((14, 0, 0)));
        assert_eq!(output_extent(5, 2, 2, 1, Same), Some((3, 0, 1)));
        assert_eq!(output_extent(224, 7, 2, 1, Same), Some((112, 2, 3)));
        assert_eq!(output_extent(7, 3, 3, 2, Same), Some((3, 2, 2)));
        assert_eq!(output_extent(9, 1, 3, 1, Same), Some((3, 0, 0)));
        assert_eq!(output_extent(5, 3, 2, 2, Explicit(0, 3)), Some((2, 0, 3)));
        assert_eq!(output_extent(4, 4, 9, 1, Valid), Some((1, 0, 0)));
    }

    #[test]
    fn what_does_not_fit_is_none() {
        use AxisPad::{Explicit, Same, Valid};
        assert_eq!(output_extent(4, 5, 1, 1, Valid), None);
        assert_eq!(output_extent(4, 3, 1, 2, Valid), None);
        assert_eq!(output_extent(4, 7, 1, 1, Explicit(1, 1)), None);
        for (n, k, s, d) in [(0, 1, 1, 1), (1, 0, 1, 1), (1, 1, 0, 1), (1, 1, 1, 0), (1, 1, -1, 1)] {
            for pad in [Valid, Same, Explicit(0, 0)] {
                assert_eq!(output_extent(n, k, s, d, pad), None);
            }
        }
        assert_eq!(output_extent(4, 1, 1, 1, Explicit(-1, 3)), None);
        assert_eq!(output_extent(1, i128::MAX, 1, 3, Same), None);
    }

    #[test]
    fn known_transposed_extents() {
        use AxisPad::{Explicit, Same, Valid};
        assert_eq!(transposed_extent(14, 3, [2, 1, 0], Same), Some((28, 0, 1)));
        assert_eq!(transposed_extent(14, 2, [2, 1, 0], Valid), Some((28, 0, 0)));
        assert_eq!(transposed_extent(14, 3, [2, 1, 0], Valid), Some((29, 0, 0)));
        assert_eq!(transposed_extent(5, 1, [3, 1, 0], Valid), Some((15, 0, 0)));
        assert_eq!(transposed_extent(5, 1, [3, 1, 1], Valid), Some((14, 0, 0)));
        // PyTorch: (5 - 1) 2 - 2 (3 - 1) + 1 + 1.
        assert_eq!(transposed_extent(5, 3, [2, 1, 1], Explicit(1, 1)), Some((10, 1, 1)));
        assert_eq!(transposed_extent(5, 3, [1, 2, 1], Explicit(0, 0)), Some((10, 0, 0)));
        assert_eq!(transposed_extent(1, 3, [2, 1, 0], Explicit(2, 1)), None);
        assert_eq!(transposed_extent(5, 3, [2, 1, 2], Valid), None);
        assert_eq!(transposed_extent(5, 3, [2, 1, 1], Same), None);
    }

    #[test]
    fn same_covers_every_cell_unless_the_stride_skips() {
        for n in 1..20 {
            for k in 1..6 {
                for s in 1..5 {
                    for d in 1..4 {
                        let (out, before, after) = output_extent(n, k, s, d, AxisPad::Same).unwrap();
                        let e = (k - 1) * d + 1;
                        assert!(after == before || after == before + 1);
                        assert!((out - 1) * s < n && out * s >= n);
                        let explicit = AxisPad::Explicit(before, after);
                        assert_eq!(output_extent(n, k, s, d, explicit).map(|o| o.0), Some(out));
                        assert!(before + after == 0 || (out - 1) * s + e == n + before + after);
                    }
                }
            }
        }
    }
}
