//! A value that comes from the input.

use crate::view::{CHANNELS, HEIGHT, View, WIDTH};

/// Cells that a Pad node adds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pad {
    /// Top, bottom, left, right.
    pub cells: [i64; 4],
    /// What stands there.
    pub value: f32,
}

/// A value that comes from the input.
#[derive(Clone, Debug)]
pub(crate) struct Activation {
    /// The layer that gives it; none for the input.
    pub layer: Option<usize>,
    /// Height, width, channels of what that gives.
    pub shape: [usize; 3],
    /// How the graph's axes lie in these.
    pub view: View,
    /// Padding that the next layer has to take in.
    pub pad: Option<Pad>,
    /// Whether others read it too, so that the layer may not be changed.
    pub shared: bool,
}

impl Activation {
    /// Axes in the graph, with the batch.
    pub fn rank(&self) -> usize {
        1 + self.view.dims.len()
    }

    /// The extents in the graph, without the batch.
    pub fn dims(&self) -> Vec<usize> {
        self.view.extents()
    }

    /// The extents as a message has them.
    pub fn told(&self) -> String {
        let dims: Vec<String> = self.dims().iter().map(|d| format!(", {d}")).collect();
        format!("[n{}]", dims.concat())
    }

    /// Numbers for one image.
    pub fn size(&self) -> usize {
        self.shape.iter().fold(1, |a, &v| a.saturating_mul(v))
    }

    /// Whether the axes in the graph are channels, height and width, or channels and width of a height of 1.
    pub fn channels_first(&self) -> bool {
        match self.rank() {
            4 => self.view.is(&[CHANNELS, HEIGHT, WIDTH], self.shape),
            3 => self.shape[HEIGHT] == 1 && self.view.is(&[CHANNELS, WIDTH], self.shape),
            _ => false,
        }
    }

    /// Whether it is a row of places, not a picture.
    pub fn line(&self) -> bool {
        self.rank() == 3
    }

    /// An axis of the graph counted from the start, after the batch.
    pub fn axis(&self, axis: i64) -> Result<usize, String> {
        let rank = self.rank() as i64;
        let from_start = if axis < 0 { axis.saturating_add(rank) } else { axis };
        match from_start {
            0 => Err(format!("axis {axis} of {} is the batch, which stays", self.told())),
            a if (1..rank).contains(&a) => Ok(a as usize - 1),
            _ => Err(format!("{} has no axis {axis}", self.told())),
        }
    }

    /// Axes of the graph counted from the start, after the batch, in order.
    pub fn axes(&self, axes: &[i64]) -> Result<Vec<usize>, String> {
        let mut found = axes.iter().map(|&a| self.axis(a)).collect::<Result<Vec<_>, _>>()?;
        found.sort_unstable();
        match found.windows(2).any(|pair| pair[0] == pair[1]) {
            true => Err(format!("axes {axes:?} name one twice")),
            false => Ok(found),
        }
    }
}
