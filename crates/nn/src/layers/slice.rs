use super::fields::is_ones_of_three;
use super::layer::{Role, Shape, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::grid::{Op, Rearrangement};
use serde::{Deserialize, Serialize};

/// A part of the rows, columns or channels: each `[begin, end]`, the end left out, negative numbers counted from the
/// end as in Python; all of an axis that is not named. A split into parts is a slice for each part.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Slice {
    /// Rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<[i64; 2]>,
    /// Columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<[i64; 2]>,
    /// Channels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<[i64; 2]>,
    /// Steps along rows, columns and channels, 1 or more.
    #[serde(skip_serializing_if = "is_ones_of_three")]
    pub steps: [i64; 3],
}

impl Default for Slice {
    fn default() -> Self {
        Self { rows: None, columns: None, channels: None, steps: [1; 3] }
    }
}

impl Slice {
    /// Begin and number of what is taken along each axis.
    /// Begin and number of what is taken of rows, columns and channels of an input `[h, w, c]`.
    ///
    /// # Errors
    /// When a range lies outside, or is empty.
    pub fn spans(&self, from: Shape) -> Result<[[usize; 2]; 3], String> {
        let mut spans = [[0; 2]; 3];
        let asked = [("rows", self.rows), ("columns", self.columns), ("channels", self.channels)];
        for (axis, (what, range)) in asked.into_iter().enumerate() {
            let (extent, step) = (from[axis], self.steps[axis]);
            let [begin, end] = range.unwrap_or([0, i64::try_from(extent).unwrap_or(i64::MAX)]);
            let place = |at: i64| {
                let back = usize::try_from(at.unsigned_abs()).ok()?;
                let place = if at < 0 { extent.checked_sub(back)? } else { back };
                (place <= extent).then_some(place)
            };
            let (Some(first), Some(last)) = (place(begin), place(end)) else {
                return Err(format!(
                    "{what} = [{begin}, {end}] reach beyond the {extent} of the input {from:?}"
                ));
            };
            if first >= last || step < 1 {
                return Err(format!(
                    "{what} = [{begin}, {end}] by steps of {step} are none of the input {from:?}"
                ));
            }
            let step = usize::try_from(step).unwrap_or(usize::MAX);
            spans[axis] = [first, (last - first).div_ceil(step)];
        }
        Ok(spans)
    }
}

impl Simple for Slice {
    fn arithmetic(&self, from: &[Shape]) -> Result<Arithmetic, String> {
        let spans = self.spans(from[0])?;
        let (begin, size) = (spans.map(|s| s[0]), spans.map(|s| s[1]));
        let how = Rearrangement::Slice { begin, size, step: self.steps };
        Ok(Arithmetic::Op(Op::Rearrange { how, fill: 0.0 }))
    }

    fn role(&self) -> Role {
        Role::Joins
    }

    fn words(&self) -> Words {
        let (mut en, mut ko) = (Vec::new(), Vec::new());
        let named =
            [("rows", "행", self.rows), ("columns", "열", self.columns), ("channels", "채널", self.channels)];
        for (what, word, range) in named {
            if let Some([begin, end]) = range {
                en.push(format!("{what} {begin}..{end}"));
                ko.push(format!("{word} {begin}..{end}"));
            }
        }
        if en.is_empty() {
            return Words::new(format!("every {:?}", self.steps), format!("{:?}칸마다", self.steps));
        }
        Words::new(en.join(", "), ko.join(", "))
    }
}
