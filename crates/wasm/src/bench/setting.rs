use super::limits;
use foveal::nn::{Axis, Conv2dGeometry, Conv2dOptions, Padding, Pool2dGeometry, Pool2dOptions, ops};
use ndarray::Array4;
use serde::{Deserialize, Serialize};
use tsify::Tsify;

/// What is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// A convolution.
    Conv2d,
    /// The largest of each window.
    MaxPool,
    /// The mean of each window.
    AvgPool,
}

impl Operator {
    /// As in the library.
    pub fn name(self) -> &'static str {
        match self {
            Operator::Conv2d => "conv2d",
            Operator::MaxPool => "max_pool",
            Operator::AvgPool => "avg_pool",
        }
    }
}

/// How the border is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
pub enum Pad {
    /// VALID.
    #[serde(rename = "VALID")]
    Valid,
    /// SAME.
    #[serde(rename = "SAME")]
    Same,
    /// As the setting's `explicit` says.
    #[serde(rename = "explicit")]
    Explicit,
}

/// All that the bench is set to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
pub struct Setting {
    /// What is computed.
    pub operator: Operator,
    /// Height, width and channels of the input.
    pub input: [usize; 3],
    /// The input's numbers by row, column, channel.
    pub values: Vec<f32>,
    /// Height and width of the filter, or of the window of a pooling.
    pub kernel: [usize; 2],
    /// Number of filters; a pooling has none but keeps the number.
    pub filters: usize,
    /// The filters' numbers by row, column, channel, filter; a pooling keeps them.
    pub weights: Vec<f32>,
    /// Step between windows, down and across.
    pub strides: [usize; 2],
    /// Step between the filter's cells, down and across; 1 for a pooling.
    pub dilations: [usize; 2],
    /// Border treatment.
    pub padding: Pad,
    /// Rows and columns added at the top, bottom, left and right where `padding` is explicit.
    pub explicit: [usize; 4],
}

impl Setting {
    /// The input as `[1, h, w, c]`.
    pub(super) fn x(&self) -> Option<Array4<f32>> {
        let [h, w, c] = self.input;
        Array4::from_shape_vec((1, h, w, c), self.values.clone()).ok()
    }

    /// The filters as `[kh, kw, c, o]`.
    pub(super) fn filter(&self) -> Option<Array4<f32>> {
        let [h, w] = self.kernel;
        Array4::from_shape_vec((h, w, self.input[2], self.filters), self.weights.clone()).ok()
    }

    fn border(&self) -> Padding {
        match self.padding {
            Pad::Valid => Padding::Valid,
            Pad::Same => Padding::Same,
            Pad::Explicit => Padding::Explicit(self.explicit.map(signed)),
        }
    }

    pub(super) fn conv(&self) -> Conv2dOptions {
        Conv2dOptions {
            strides: self.strides.map(signed),
            dilations: self.dilations.map(signed),
            padding: self.border(),
            groups: 1,
        }
    }

    pub(super) fn pool(&self) -> Pool2dOptions {
        Pool2dOptions {
            ksize: self.kernel.map(signed),
            strides: self.strides.map(signed),
            padding: self.border(),
        }
    }

    /// Dilations as the operator uses them.
    pub(super) fn spread(&self) -> [usize; 2] {
        if self.operator == Operator::Conv2d { self.dilations } else { [1, 1] }
    }

    /// Whether every extent is within the bench's limits and the numbers are as many as the extents say.
    pub fn sound(&self) -> bool {
        let [h, w, c] = self.input;
        let [kh, kw] = self.kernel;
        let within =
            |values: &[usize], least: usize, most: usize| values.iter().all(|v| (least..=most).contains(v));
        within(&[h, w], 1, limits::EXTENT)
            && within(&[c], 1, limits::CHANNELS)
            && within(&[kh, kw], 1, limits::KERNEL)
            && within(&[self.filters], 1, limits::FILTERS)
            && within(&[self.strides, self.dilations].concat(), 1, limits::STEP)
            && within(&self.explicit, 0, limits::STEP)
            && self.values.len() == h * w * c
            && self.weights.len() == kh * kw * c * self.filters
            && self.values.iter().chain(&self.weights).all(|v| v.is_finite())
    }
}

pub(super) fn signed(v: usize) -> i64 {
    i64::try_from(v).unwrap_or(i64::MAX)
}

/// One side of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Down.
    Height,
    /// Across.
    Width,
}

/// One axis of a result, with all that its formula names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
pub struct Line {
    /// Input extent.
    pub input: usize,
    /// Output extent; 0 where the window does not fit.
    pub output: usize,
    /// Extent of the filter or window.
    pub kernel: usize,
    /// Step between windows.
    pub stride: usize,
    /// Step between the filter's cells.
    pub dilation: usize,
    /// What the filter covers: `(kernel - 1) * dilation + 1`.
    pub reach: usize,
    /// Padding before the first cell.
    pub before: usize,
    /// Padding after the last cell.
    pub after: usize,
}

impl From<Axis> for Line {
    fn from(a: Axis) -> Self {
        Self {
            input: a.input,
            output: a.output,
            kernel: a.kernel,
            stride: a.stride,
            dilation: a.dilation,
            reach: a.reach(),
            before: a.before,
            after: a.after,
        }
    }
}

/// The result of a setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
pub struct Answer {
    /// The vertical axis.
    pub rows: Line,
    /// The horizontal axis.
    pub columns: Line,
    /// Height, width and channels of the output.
    pub shape: [usize; 3],
    /// The output's numbers by row, column, channel.
    pub values: Vec<f32>,
}

/// Why a setting has no result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Refusal {
    /// The window is larger than the padded input.
    Window {
        /// On which side.
        side: Side,
        /// The numbers of that side.
        line: Line,
    },
    /// A window of a pooling could lie wholly in the padding.
    Padding {
        /// On which side.
        side: Side,
        /// The numbers of that side.
        line: Line,
    },
    /// More cells than the page draws.
    Cells {
        /// How many cells.
        cells: usize,
        /// How many are allowed.
        most: usize,
    },
    /// Something else, which no setting of the page leads to.
    Other {
        /// What the library says.
        text: String,
    },
}

/// A result or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Outcome {
    /// The setting has a result.
    Fits {
        /// The result.
        answer: Answer,
    },
    /// It has none.
    Refused {
        /// Why.
        refusal: Refusal,
    },
}

/// Computes a setting.
pub fn run(setting: &Setting) -> Outcome {
    match compute(setting) {
        Ok(answer) => Outcome::Fits { answer },
        Err(refusal) => Outcome::Refused { refusal },
    }
}

fn compute(s: &Setting) -> Result<Answer, Refusal> {
    let other = |text: String| Refusal::Other { text };
    let (true, Some(x), Some(filter)) = (s.sound(), s.x(), s.filter()) else {
        return Err(other("the setting is beyond the bench's limits".into()));
    };
    let (h, w, depth) = geometry(s)?;
    let drawn = |a: &Axis| a.input + a.before + a.after;
    let cells = (drawn(&h) * drawn(&w) * s.input[2]).max(h.output * w.output * depth);
    if cells > limits::CELLS {
        return Err(Refusal::Cells { cells, most: limits::CELLS });
    }
    let y = match s.operator {
        Operator::Conv2d => ops::conv2d(x.view(), filter.view(), None, &s.conv()),
        Operator::MaxPool => ops::max_pool(x.view(), &s.pool()),
        Operator::AvgPool => ops::avg_pool(x.view(), &s.pool()),
    };
    let y = y.map_err(|e| other(e.to_string()))?;
    Ok(Answer {
        rows: h.into(),
        columns: w.into(),
        shape: [h.output, w.output, depth],
        values: y.into_raw_vec_and_offset().0,
    })
}

/// Both axes and the output's channels.
pub(super) fn geometry(s: &Setting) -> Result<(Axis, Axis, usize), Refusal> {
    let [h, w, c] = s.input;
    let name = s.operator.name();
    let found = match s.operator {
        Operator::Conv2d => {
            let filter = [s.kernel[0], s.kernel[1], c, s.filters];
            Conv2dGeometry::new(name, &[1, h, w, c], &filter, &s.conv()).map(|g| (g.h, g.w, g.out_channels))
        }
        _ => Pool2dGeometry::new(name, &[1, h, w, c], &s.pool()).map(|g| (g.h, g.w, g.channels)),
    };
    found.map_err(|e| reason(s).unwrap_or(Refusal::Other { text: e.to_string() }))
}

/// The side that does not fit, from the numbers that the library refused.
fn reason(s: &Setting) -> Option<Refusal> {
    let line = |i: usize| {
        let (kernel, dilation) = (s.kernel[i], s.spread()[i]);
        let explicit = s.padding == Pad::Explicit;
        let [before, after] = [2 * i, 2 * i + 1].map(|p| if explicit { s.explicit[p] } else { 0 });
        let (input, stride, reach) = (s.input[i], s.strides[i], (kernel - 1) * dilation + 1);
        Line { input, output: 0, kernel, stride, dilation, reach, before, after }
    };
    let sides = [(Side::Height, line(0)), (Side::Width, line(1))];
    let pool = s.operator != Operator::Conv2d;
    let wide = sides.iter().find(|(_, l)| pool && (l.before >= l.kernel || l.after >= l.kernel));
    if let Some(&(side, line)) = wide {
        return Some(Refusal::Padding { side, line });
    }
    let &(side, line) = sides.iter().find(|(_, l)| l.reach > l.input + l.before + l.after)?;
    Some(Refusal::Window { side, line })
}
