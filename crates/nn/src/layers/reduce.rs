use super::layer::{Role, Shape, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::grid::{Op, Reduction};
use serde::{Deserialize, Serialize};

/// The mean, sum or maximum over the axes that are named, which become 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reduce {
    /// What is made of the numbers.
    pub how: How,
    /// The axes that it goes over: `"height"`, `"width"`, `"channels"`.
    pub over: Vec<Along>,
}

/// What a [`Reduce`] makes of numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Their mean.
    #[default]
    Mean,
    /// Their sum.
    Sum,
    /// The largest.
    Max,
}

/// An axis of maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Along {
    /// Rows.
    Height,
    /// Columns.
    Width,
    /// Channels.
    Channels,
}

impl Default for Reduce {
    /// The mean of each map.
    fn default() -> Self {
        Self { how: How::Mean, over: vec![Along::Height, Along::Width] }
    }
}

impl Reduce {
    fn over(&self) -> [bool; 3] {
        [Along::Height, Along::Width, Along::Channels].map(|axis| self.over.contains(&axis))
    }
}

impl Simple for Reduce {
    fn arithmetic(&self, _: &[Shape]) -> Result<Arithmetic, String> {
        if self.over.is_empty() {
            return Err("it goes over no axis: name some of \"height\", \"width\" and \"channels\"".into());
        }
        let how = match self.how {
            How::Mean => Reduction::Mean,
            How::Sum => Reduction::Sum,
            How::Max => Reduction::Max,
        };
        Ok(Arithmetic::Op(Op::Reduce { how, over: self.over() }))
    }

    fn role(&self) -> Role {
        if self.over() == [false, false, true] { Role::Follows } else { Role::Subsampling }
    }

    fn words(&self) -> Words {
        let (en, ko) = match self.how {
            How::Mean => ("mean", "평균"),
            How::Sum => ("sum", "합"),
            How::Max => ("maximum", "최댓값"),
        };
        let name = |axis: &Along| match axis {
            Along::Height => ("height", "높이"),
            Along::Width => ("width", "너비"),
            Along::Channels => ("channels", "채널"),
        };
        let names: Vec<_> = self.over.iter().map(name).collect();
        let list = |pick: fn(&(&'static str, &'static str)) -> &'static str, with: &str| {
            names.iter().map(pick).collect::<Vec<_>>().join(with)
        };
        Words::new(
            format!("{en} over {}", list(|n| n.0, " and ")),
            format!("{} 방향 {ko}", list(|n| n.1, "\u{b7}")),
        )
    }
}
