//! An affine map of a picture; between cells it is read bilinearly.

mod sealed {
    pub trait Sealed {}
    impl Sealed for u8 {}
    impl Sealed for f32 {}
}

/// A number of a picture.
pub trait Pixel: Copy + Default + sealed::Sealed {
    /// As a number.
    fn to_f32(self) -> f32;
    /// The nearest value of this type.
    fn from_f32(value: f32) -> Self;
    /// The distance from the darkest to the lightest value.
    fn range(picture: &[Self]) -> f32;
}

impl Pixel for u8 {
    #[inline(always)]
    fn to_f32(self) -> f32 {
        f32::from(self)
    }

    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        // The last bits of an f32 from 2^23 on are its whole part, rounded: cheaper than a conversion.
        (value.clamp(0.0, 255.0) + 8_388_608.0).to_bits() as u8
    }

    fn range(_: &[Self]) -> f32 {
        255.0
    }
}

impl Pixel for f32 {
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }

    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        value
    }

    fn range(picture: &[Self]) -> f32 {
        let all = |f: fn(f32, f32) -> f32, from| picture.iter().copied().fold(from, f);
        (all(f32::max, f32::MIN) - all(f32::min, f32::MAX)).max(0.0)
    }
}

/// An affine map of places: the row is `row[0] * y + row[1] * x + row[2]`, and the column likewise. Whole numbers are
/// the middles of cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Map {
    /// For the row: the factors of y and x, and what is added.
    pub row: [f64; 3],
    /// The same for the column.
    pub column: [f64; 3],
}

impl Map {
    /// This linear map about `middle`, after a shift by `moved`: `middle + self (p - middle - moved)`.
    pub(super) fn about(&self, middle: [f64; 2], moved: [f64; 2]) -> Self {
        let from = [middle[0] + moved[0], middle[1] + moved[1]];
        let with = |[y, x, _]: [f64; 3], middle| [y, x, middle - y * from[0] - x * from[1]];
        Self { row: with(self.row, middle[0]), column: with(self.column, middle[1]) }
    }

    /// This map, but into a window of the picture: one that begins at `from` and has the share `kept` of each side.
    pub(super) fn into_window(self, kept: f64, from: [f64; 2]) -> Self {
        // A cell's middle p lies (p + 1/2) from the edge.
        let with = |[y, x, add]: [f64; 3], from: f64| [kept * y, kept * x, kept * (add + 0.5) + from - 0.5];
        Self { row: with(self.row, from[0]), column: with(self.column, from[1]) }
    }

    /// The place that the cell in row `y` and column `x` comes from.
    pub fn place(&self, y: f64, x: f64) -> [f64; 2] {
        [self.row, self.column].map(|m| m[0] * y + m[1] * x + m[2])
    }
}

/// Places are fixed-point numbers with so many bits after the point.
const BITS: u32 = 32;

fn fixed(value: f64) -> i64 {
    (value * (1u64 << BITS) as f64) as i64
}

/// The part after the point, from 0 to 1.
#[inline(always)]
fn part(place: i64) -> f32 {
    ((place as u32) >> 8) as i32 as f32 * (1.0 / (1 << 24) as f32)
}

/// Writes `picture`, moved by `map`, into `out`; both have the same `shape`.
pub(super) fn warp<P: Pixel>(
    map: &Map,
    shape: [usize; 3],
    picture: &[P],
    out: &mut [P],
    room: &mut Vec<f32>,
) {
    if picture.is_empty() {
        return;
    }
    widen(shape, picture, room);
    // For one and three channels the inner loop knows their number when it is compiled.
    match shape[2] {
        1 => numbers::<P, 1>(map, shape, room, out),
        3 => numbers::<P, 3>(map, shape, room, out),
        _ => numbers::<P, 0>(map, shape, room, out),
    }
}

/// Calls `cell` for each cell of the new picture, row by row, with its index and its place in the old picture.
#[inline(always)]
fn places(map: &Map, [height, width, _]: [usize; 3], mut cell: impl FnMut(usize, i64, i64)) {
    let [bottom, right] = [height, width].map(|n| (n as i64 - 1) << BITS);
    let step = [map.row[1], map.column[1]].map(fixed);
    for y in 0..height {
        let [mut v, mut u] = map.place(y as f64, 0.0).map(fixed);
        for x in 0..width {
            cell(y * width + x, v.clamp(0, bottom), u.clamp(0, right));
            (v, u) = (v + step[0], u + step[1]);
        }
    }
}

/// The map for `C` channels; `C` = 0 means as many as the shape says.
fn numbers<P: Pixel, const C: usize>(map: &Map, shape: [usize; 3], source: &[f32], out: &mut [P]) {
    let channels = if C == 0 { shape[2] } else { C };
    let stride = (shape[1] + 1) * channels;
    places(map, shape, |i, row, column| {
        let (fy, fx) = (part(row), part(column));
        let at = (row >> BITS) as usize * stride + (column >> BITS) as usize * channels;
        let upper = &source[at..at + 2 * channels];
        let lower = &source[at + stride..at + stride + 2 * channels];
        for (k, out) in out[i * channels..(i + 1) * channels].iter_mut().enumerate() {
            let top = upper[k] + fx * (upper[k + channels] - upper[k]);
            let bottom = lower[k] + fx * (lower[k + channels] - lower[k]);
            *out = P::from_f32(top + fy * (bottom - top));
        }
    });
}

/// The picture as numbers, with the last row and column repeated, so that every cell has a right and a lower neighbour.
fn widen<P: Pixel>([_, width, channels]: [usize; 3], picture: &[P], out: &mut Vec<f32>) {
    out.clear();
    for row in picture.chunks_exact(width * channels) {
        out.extend(row.iter().map(|v| v.to_f32()));
        out.extend(row[(width - 1) * channels..].iter().map(|v| v.to_f32()));
    }
    let last = out.len() - (width + 1) * channels;
    out.extend_from_within(last..);
}
