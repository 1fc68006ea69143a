use super::activations::finite;
use super::layer::{Role, Shape, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::grid::{Op, PadMode, Rearrangement};
use serde::{Deserialize, Serialize};

/// Rows, columns or channels put around the maps. A convolution that pads with zeros does not need it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pad {
    /// Rows above and below, columns left and right.
    pub cells: [usize; 4],
    /// Channels before and after.
    #[serde(skip_serializing_if = "is_zero_pair")]
    pub channels: [usize; 2],
    /// What stands there.
    #[serde(skip_serializing_if = "Mode::is_default")]
    pub mode: Mode,
    /// The number that stands there, with `mode = "constant"`.
    #[serde(skip_serializing_if = "is_zero")]
    pub value: f32,
}

fn is_zero_pair(v: &[usize; 2]) -> bool {
    *v == [0, 0]
}

fn is_zero(v: &f32) -> bool {
    *v == 0.0
}

/// What stands in cells that are put around.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// One number.
    #[default]
    Constant,
    /// The maps mirrored at their edge, which is not repeated.
    Reflect,
    /// The edge repeated.
    Edge,
    /// The maps from the other side.
    Wrap,
}

impl Mode {
    fn is_default(&self) -> bool {
        *self == Mode::Constant
    }
}

impl Simple for Pad {
    fn arithmetic(&self, _: &[Shape]) -> Result<Arithmetic, String> {
        let mode = match self.mode {
            Mode::Constant => PadMode::Constant,
            Mode::Reflect => PadMode::Reflect,
            Mode::Edge => PadMode::Edge,
            Mode::Wrap => PadMode::Wrap,
        };
        let [top, bottom, left, right] = self.cells;
        let cells = [[top, bottom], [left, right], self.channels];
        let fill = finite("value", self.value)?;
        Ok(Arithmetic::Op(Op::Rearrange { how: Rearrangement::Pad { cells, mode }, fill }))
    }

    fn role(&self) -> Role {
        Role::Joins
    }

    fn words(&self) -> Words {
        let [top, bottom, left, right] = self.cells;
        let (en, ko) = match self.mode {
            Mode::Constant => (format!("{} put around", self.value), format!("둘레에 {}", self.value)),
            Mode::Reflect => ("mirrored at the edge".into(), "가장자리를 거울처럼".into()),
            Mode::Edge => ("edge repeated".into(), "가장자리를 반복".into()),
            Mode::Wrap => ("continued from the other side".into(), "반대쪽을 이어서".into()),
        };
        let cells = format!("{top}, {bottom}, {left}, {right}");
        Words::new(format!("{en}: {cells}"), format!("{ko}: {cells}"))
    }
}
