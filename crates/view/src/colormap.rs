//! Colour maps: from a number between 0 and 1 to a colour.

/// A named colour map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ColorMap {
    /// White to black, as matplotlib's `Greys`: ink on paper.
    Greys,
    /// Black to white, as matplotlib's `gray`.
    #[default]
    Gray,
    /// Dark blue, green, yellow (van der Walt and Smith 2015): even steps to the eye.
    Viridis,
    /// Black, violet, light yellow.
    Magma,
    /// Blue, white, red, with 0 in the middle (ColorBrewer's RdBu, reversed).
    Diverging,
}

const GREYS: [u32; 9] =
    [0xffffff, 0xf0f0f0, 0xd9d9d9, 0xbdbdbd, 0x969696, 0x737373, 0x525252, 0x252525, 0x000000];
const GRAY: [u32; 2] = [0x000000, 0xffffff];
const VIRIDIS: [u32; 11] = [
    0x440154, 0x482475, 0x414487, 0x355f8d, 0x2a788e, 0x21918c, 0x22a884, 0x44bf70, 0x7ad151, 0xbddf26,
    0xfde725,
];
const MAGMA: [u32; 11] = [
    0x000004, 0x140e36, 0x3b0f70, 0x641a80, 0x8c2981, 0xb73779, 0xde4968, 0xf7705c, 0xfe9f6d, 0xfecf92,
    0xfcfdbf,
];
const DIVERGING: [u32; 11] = [
    0x053061, 0x2166ac, 0x4393c3, 0x92c5de, 0xd1e5f0, 0xf7f7f7, 0xfddbc7, 0xf4a582, 0xd6604d, 0xb2182b,
    0x67001f,
];

impl ColorMap {
    /// Red, green and blue at `t`, which is held within 0 to 1.
    ///
    /// ```
    /// use foveal_view::ColorMap;
    /// assert_eq!(ColorMap::Greys.color(0.0), [255, 255, 255]);
    /// assert_eq!(ColorMap::Gray.color(2.0), [255, 255, 255]);
    /// assert_eq!(ColorMap::Viridis.color(1.0), [0xfd, 0xe7, 0x25]);
    /// ```
    pub fn color(self, t: f32) -> [u8; 3] {
        let stops: &[u32] = match self {
            ColorMap::Greys => &GREYS,
            ColorMap::Gray => &GRAY,
            ColorMap::Viridis => &VIRIDIS,
            ColorMap::Magma => &MAGMA,
            ColorMap::Diverging => &DIVERGING,
        };
        let t = if t.is_nan() { 0.0 } else { t.clamp(0.0, 1.0) };
        let at = t * (stops.len() - 1) as f32;
        let i = (at as usize).min(stops.len() - 2);
        let part = at - i as f32;
        let channel = |shift: u32| {
            let [a, b] = [stops[i], stops[i + 1]].map(|c| ((c >> shift) & 0xff) as f32);
            (a + (b - a) * part).round() as u8
        };
        [channel(16), channel(8), channel(0)]
    }

    /// The range of numbers that the whole map is spread over: around 0 for a diverging map.
    pub(crate) fn range(self, low: f32, high: f32) -> (f32, f32) {
        if self != ColorMap::Diverging {
            return (low, high);
        }
        let far = low.abs().max(high.abs());
        (-far, far)
    }
}

/// Relative luminance (WCAG 2), 0 for black to 1 for white.
pub(crate) fn luminance(color: [u8; 3]) -> f32 {
    let [r, g, b] = color.map(|v| {
        let v = f32::from(v) / 255.0;
        if v <= 0.03928 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}
