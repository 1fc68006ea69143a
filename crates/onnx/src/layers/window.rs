//! How windows move over pictures, and how they are padded.

use crate::attributes::Attributes;
use foveal_nn::Padding;

/// Larger extents of windows, steps and padding are refused.
const LARGEST: i64 = 1 << 30;

/// How a window moves.
pub(super) struct Window {
    pub strides: [i64; 2],
    /// Top, left, bottom, right.
    pub pads: [i64; 4],
    pub auto: Auto,
    pub ceil: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Auto {
    No,
    Valid,
    Upper,
    Lower,
}

pub(super) fn check(what: &str, values: &[i64], least: i64) -> Result<(), String> {
    match values.iter().find(|v| !(least..=LARGEST).contains(*v)) {
        Some(v) => Err(format!("{what} of {v} is not supported, only {least} and above")),
        None => Ok(()),
    }
}

impl Window {
    /// Over pictures, or over a row of places (`line`).
    pub fn new(attributes: &Attributes, line: bool) -> Result<Self, String> {
        let strides = attributes.pair("strides", line)?;
        let pads = match line {
            true => attributes.some("pads", [0; 2]).map(|[before, after]| [0, before, 0, after])?,
            false => attributes.some("pads", [0; 4])?,
        };
        check("a stride", &strides, 1)?;
        check("padding", &pads, 0)?;
        let auto = match attributes.text("auto_pad", "NOTSET")? {
            "NOTSET" | "" => Auto::No,
            "VALID" => Auto::Valid,
            "SAME_UPPER" => Auto::Upper,
            "SAME_LOWER" => Auto::Lower,
            other => return Err(format!("auto_pad = {other} is not supported")),
        };
        Ok(Self { strides, pads, auto, ceil: attributes.int("ceil_mode", 0)? != 0 })
    }

    /// The padding over an image of `shape`, with `cells` (top, bottom, left, right) that stand before it.
    pub fn padding(
        &self,
        shape: [usize; 3],
        kernel: [i64; 2],
        dilations: [i64; 2],
        cells: [i64; 4],
    ) -> Result<Padding, String> {
        check("a window", &kernel, 1)?;
        check("a dilation", &dilations, 1)?;
        if self.auto == Auto::Upper && cells == [0; 4] {
            return Ok(Padding::Same);
        }
        let mut found = [0; 4];
        for axis in 0..2 {
            let (s, reach) = (self.strides[axis], (kernel[axis] - 1).saturating_mul(dilations[axis]) + 1);
            let n = shape[axis] as i64 + cells[2 * axis] + cells[2 * axis + 1];
            let same = ((n + s - 1) / s - 1).saturating_mul(s).saturating_add(reach - n).max(0);
            let (before, after) = match self.auto {
                Auto::No => self.ceiling(axis, n, s, reach),
                Auto::Valid => (0, 0),
                Auto::Upper => (same / 2, same - same / 2),
                Auto::Lower => (same - same / 2, same / 2),
            };
            found[2 * axis] = before + cells[2 * axis];
            found[2 * axis + 1] = after + cells[2 * axis + 1];
        }
        check("padding", &found, 0)?;
        Ok(if found == [0; 4] { Padding::Valid } else { Padding::Explicit(found) })
    }

    /// The given padding, with as many cells more as the last window reaches over with ceil_mode.
    fn ceiling(&self, axis: usize, n: i64, s: i64, reach: i64) -> (i64, i64) {
        let (before, after) = (self.pads[axis], self.pads[axis + 2]);
        let room = n + before + after - reach;
        if !self.ceil || room < 0 {
            return (before, after);
        }
        let steps = (room + s - 1) / s;
        // A window that would begin beyond the image and the padding before it is left out.
        let steps = if steps * s >= n + before { steps - 1 } else { steps };
        (before, after.max(steps * s + reach - n - before))
    }
}
