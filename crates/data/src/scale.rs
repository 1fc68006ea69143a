//! What scale raw numbers are on: what black and white are.

use serde::{Deserialize, Serialize};

use crate::{Dataset, Error, Sample};

/// What black and white are among the raw numbers of samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// 0 to 255.
    #[default]
    Bytes,
    /// 0 to 1.
    Unit,
    /// -1 to 1.
    Signed,
    /// 0 to 65,535: 16 bits.
    Words,
    /// Numbers that are no pixels, or already standardized: of these nobody knows what white is.
    Other,
}

impl Scale {
    /// The names on the command line, in the order of the variants.
    pub const NAMES: [&str; 5] = ["bytes", "unit", "signed", "16-bit", "other"];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The factor and the summand by which raw numbers become 0 (black) to 1 (white); `None` for [`Scale::Other`].
    pub fn to_unit(self) -> Option<[f32; 2]> {
        match self {
            Scale::Bytes => Some([1.0 / 255.0, 0.0]),
            Scale::Unit => Some([1.0, 0.0]),
            Scale::Signed => Some([0.5, 0.5]),
            Scale::Words => Some([1.0 / 65_535.0, 0.0]),
            Scale::Other => None,
        }
    }

    /// Puts pixels from 0 to `full` on this scale, rounded to the depth that `full` is the white of.
    pub(crate) fn put(self, pixels: &mut [f32], full: f32) -> Result<(), Error> {
        // Quotients by the full scale, as `x / 255` in NumPy: these have the same bits as arrays made so.
        let to: &dyn Fn(f32) -> f32 = match self {
            Scale::Bytes if full == 255.0 => &|v| v.round(),
            Scale::Bytes => &|v| (v * 255.0 / full).round(),
            Scale::Words => &|v| (v * 65_535.0 / full).round(),
            Scale::Unit => &|v| v.round() / full,
            Scale::Signed => &|v| v.round() / (full / 2.0) - 1.0,
            Scale::Other => return Err(Error::Scale),
        };
        pixels.iter_mut().for_each(|v| *v = to(*v));
        Ok(())
    }
}

/// The range of the numbers of samples.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Range {
    /// The least finite number.
    pub low: f32,
    /// The greatest.
    pub high: f32,
    /// Whether all are whole.
    pub whole: bool,
}

impl Range {
    /// The range of the samples within `range`; `None` where there is no finite number.
    pub fn of(data: &Dataset, range: std::ops::Range<usize>) -> Option<Self> {
        let mut all = Self { low: f32::INFINITY, high: f32::NEG_INFINITY, whole: true };
        for i in range {
            match data.sample(i) {
                Sample::U8(bytes) => {
                    all.low = bytes.iter().fold(all.low, |low, &v| low.min(v.into()));
                    all.high = bytes.iter().fold(all.high, |high, &v| high.max(v.into()));
                }
                Sample::F32(numbers) => {
                    for &v in numbers.iter().filter(|v| v.is_finite()) {
                        (all.low, all.high) = (all.low.min(v), all.high.max(v));
                        all.whole &= v.fract() == 0.0;
                    }
                }
            }
        }
        (all.low <= all.high).then_some(all)
    }

    /// The scale that these numbers are on.
    ///
    /// ```
    /// use foveal_data::{Scale, scale::Range};
    /// use foveal_data::{Dataset, Samples, Targets};
    ///
    /// let scale = |numbers: [f32; 2]| {
    ///     let targets = Targets::Values { values: vec![0.0], names: vec!["x".into()] };
    ///     let set = Dataset::new("x", [1, 2, 1], Samples::F32(numbers.to_vec()), targets).unwrap();
    ///     Range::of(&set, 0..1).unwrap().scale()
    /// };
    /// assert_eq!(scale([0.0, 200.0]), Scale::Bytes);
    /// assert_eq!(scale([0.0, 1.0]), Scale::Unit);
    /// assert_eq!(scale([-0.9, 0.7]), Scale::Signed);
    /// assert_eq!(scale([12.0, 4000.0]), Scale::Words);
    /// assert_eq!(scale([-2.1, 3.3]), Scale::Other);
    /// ```
    pub fn scale(&self) -> Scale {
        // Interpolation may go a little too far.
        const SLACK: f32 = 1e-3;
        match (self.low, self.high) {
            (low, high) if low >= -SLACK && high <= 1.0 + SLACK => Scale::Unit,
            (low, high) if low >= -1.0 - SLACK && high <= 1.0 + SLACK => Scale::Signed,
            (low, high) if low >= 0.0 && high <= 255.0 => Scale::Bytes,
            (low, high) if low >= 0.0 && high <= 65_535.0 && self.whole => Scale::Words,
            _ => Scale::Other,
        }
    }
}

/// Refuses parts of a data set that are on two scales, such as training samples from 0 to 1 and test samples from 0 to
/// 255. `parts` are what they are called and what their numbers are.
///
/// # Errors
/// [`Error::Mixture`].
pub fn alike(name: &str, parts: &[(&'static str, Range)]) -> Result<(), Error> {
    let small = |r: &Range| matches!(r.scale(), Scale::Unit | Scale::Signed);
    let kind = |r: &Range| match (small(r), r.scale()) {
        (true, _) => 0,
        (_, Scale::Bytes) => 1,
        (_, Scale::Words) => 2,
        // Standardized numbers may be small in one part by chance.
        _ => 3,
    };
    let Some((first, rest)) = parts.split_first() else { return Ok(()) };
    for other in rest {
        let (a, b) = (kind(&first.1), kind(&other.1));
        let far = a != b && a != 3 && b != 3;
        // Bytes and 16 bits differ by far where they differ; -1 to 1 beside 0 to 1 is one and the other.
        let signed = a == 0 && b == 0 && (first.1.low < -0.1) != (other.1.low < -0.1);
        if far || signed {
            let words =
                |(part, r): &(&str, Range)| format!("the {part} part goes from {} to {}", r.low, r.high);
            return Err(Error::Mixture {
                name: name.to_string(),
                problem: format!("{}, {}", words(first), words(other)),
            });
        }
    }
    Ok(())
}
