//! Samples as small pictures, for sheets of many.

use foveal::data::{Dataset, Sample};
use foveal::view::Panel;
use ndarray::Array2;

/// The longest side of a panel in the units of a figure.
const SIDE: usize = 112;

/// The units of a figure that a cell of a sample of `shape` takes.
pub fn cell([height, width, _]: [usize; 3]) -> i32 {
    (SIDE / height.max(width)).max(1) as i32
}

/// Sample `i` of a data set as a panel.
pub fn panel(data: &Dataset, i: usize, title: String) -> Panel {
    let own = Picture::of(data, i);
    Panel::picture(title, own.colors(data.shape(), own.range()))
}

/// The numbers of a sample.
pub enum Picture {
    U8(Vec<u8>),
    F32(Vec<f32>),
}

impl Picture {
    /// Of sample `i`.
    pub fn of(data: &Dataset, i: usize) -> Self {
        match data.sample(i) {
            Sample::U8(pixels) => Picture::U8(pixels.to_vec()),
            Sample::F32(pixels) => Picture::F32(pixels.to_vec()),
        }
    }

    /// The numbers that are drawn as black and as white: 0 and 255 for bytes, else the least and the greatest.
    pub fn range(&self) -> [f32; 2] {
        let Self::F32(values) = self else { return [0.0, 255.0] };
        let finite = values.iter().copied().filter(|v| v.is_finite());
        let [low, high] = finite.fold([f32::MAX, f32::MIN], |[a, b], v| [a.min(v), b.max(v)]);
        if low < high { [low, high] } else { [low - 1.0, low + 1.0] }
    }

    fn at(&self, i: usize) -> f32 {
        match self {
            Self::U8(v) => f32::from(v[i]),
            Self::F32(v) => v[i],
        }
    }

    /// Three channels are red, green and blue; of any other number the first is drawn in grey. A picture that is larger
    /// than a panel gives every so many-th pixel.
    pub fn colors(&self, [height, width, channels]: [usize; 3], [low, high]: [f32; 2]) -> Array2<[u8; 3]> {
        let tone = |v: f32| ((v - low) / (high - low) * 255.0 + 0.5) as u8;
        let step = height.max(width).div_ceil(2 * SIDE).max(1);
        Array2::from_shape_fn((height.div_ceil(step), width.div_ceil(step)), |(y, x)| {
            let at = (y * width + x) * step * channels;
            let channel = |c: usize| tone(self.at(at + if channels == 3 { c } else { 0 }));
            [channel(0), channel(1), channel(2)]
        })
    }
}
