use super::activations::positive;
use super::layer::{Role, Shape, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::grid::{self, Op};
use serde::{Deserialize, Serialize};

/// Another height and width: give `size`, or `scale` with which the extents are multiplied and rounded down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Resize {
    /// Height and width of the output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<[usize; 2]>,
    /// How many times as high and wide. With `size` as well, places are computed by it, as ONNX does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<[f32; 2]>,
    /// `"nearest"` or `"bilinear"`.
    pub method: Method,
    /// Where an output cell lies in the input; without it `"asymmetric"` for nearest cells (PyTorch's) and
    /// `"half_pixel"` for bilinear ones (TensorFlow's and PyTorch's).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coordinates: Option<Coordinates>,
    /// Which cell is the nearest; without it `"floor"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round: Option<Round>,
}

/// What is read between cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The nearest cell.
    #[default]
    Nearest,
    /// The four cells around, in proportion.
    Bilinear,
}

/// Where an output cell lies in the input, by ONNX's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coordinates {
    /// `(i + 1/2) / scale - 1/2`.
    HalfPixel,
    /// The same, but 0 where the output has one cell.
    PytorchHalfPixel,
    /// The corners lie upon each other.
    AlignCorners,
    /// `i / scale`.
    Asymmetric,
    /// `(i + 1/2) / scale`.
    TfHalfPixelForNn,
}

/// Which cell is the nearest, by ONNX's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Round {
    /// Halves go down.
    RoundPreferFloor,
    /// Halves go up.
    RoundPreferCeil,
    /// Down.
    Floor,
    /// Up.
    Ceil,
}

impl Resize {
    fn extents(&self, [h, w, _]: Shape) -> Result<[usize; 2], String> {
        match (self.size, self.scale) {
            (Some(size), _) => Ok(size),
            (None, Some(scale)) => {
                positive("scale", scale[0])?;
                positive("scale", scale[1])?;
                let times = |extent: usize, scale: f32| (extent as f64 * f64::from(scale)).floor() as usize;
                Ok([times(h, scale[0]), times(w, scale[1])])
            }
            (None, None) => Err("it needs a size or a scale, such as scale = [2, 2]".into()),
        }
    }
}

impl Simple for Resize {
    fn arithmetic(&self, from: &[Shape]) -> Result<Arithmetic, String> {
        let method = match self.method {
            Method::Bilinear => grid::Method::Linear,
            Method::Nearest => grid::Method::Nearest(match self.round.unwrap_or(Round::Floor) {
                Round::RoundPreferFloor => grid::NearestRound::RoundPreferFloor,
                Round::RoundPreferCeil => grid::NearestRound::RoundPreferCeil,
                Round::Floor => grid::NearestRound::Floor,
                Round::Ceil => grid::NearestRound::Ceil,
            }),
        };
        let usual = match self.method {
            Method::Nearest => Coordinates::Asymmetric,
            Method::Bilinear => Coordinates::HalfPixel,
        };
        let coordinates = match self.coordinates.unwrap_or(usual) {
            Coordinates::HalfPixel => grid::Coordinates::HalfPixel,
            Coordinates::PytorchHalfPixel => grid::Coordinates::PytorchHalfPixel,
            Coordinates::AlignCorners => grid::Coordinates::AlignCorners,
            Coordinates::Asymmetric => grid::Coordinates::Asymmetric,
            Coordinates::TfHalfPixelForNn => grid::Coordinates::TfHalfPixelForNn,
        };
        let size = self.extents(from[0])?;
        Ok(Arithmetic::Op(Op::Resize(grid::Resize { size, scales: self.scale, method, coordinates })))
    }

    fn role(&self) -> Role {
        Role::Joins
    }

    fn words(&self) -> Words {
        let (en, ko) = match self.method {
            Method::Nearest => ("by the nearest cell", "가장 가까운 칸으로"),
            Method::Bilinear => ("bilinear", "쌍선형으로"),
        };
        match (self.size, self.scale) {
            (Some([h, w]), _) => {
                Words::new(format!("to {h}\u{d7}{w}, {en}"), format!("{ko} {h}\u{d7}{w} 크기로"))
            }
            (None, scale) => {
                let [a, b] = scale.unwrap_or([1.0, 1.0]);
                Words::new(format!("{a}\u{d7}{b} times as large, {en}"), format!("{ko} {a}\u{d7}{b}배로"))
            }
        }
    }
}
