//! Augmentation: each epoch sees each picture a little changed.
//!
//! How a picture changes depends on the seed, the epoch and which picture it is, and on nothing else: not on threads,
//! batches or the order of pictures. The moves (shift, rotation, scale, shear, flip, crop) are composed to one affine
//! map, so that a picture is read only once, bilinearly. Places beyond its edge have the value of the nearest pixel.
//!
//! ```
//! use foveal_data::augment::{Augment, Key};
//! let augment = Augment { shift: 2.0, rotate: 10.0, ..Augment::default() };
//! let picture = vec![7u8; 28 * 28];
//! let (mut out, mut room) = (vec![0; 28 * 28], Vec::new());
//! let change = augment.change([28, 28, 1], Key::new(0, 1, 42));
//! change.apply(&picture, &mut out, &mut room);
//! assert_eq!(out, picture); // an even picture stays as it is
//! ```

mod draw;
mod text;
mod warp;

pub use draw::Key;
use draw::Slot;
pub use text::SETS;
pub use warp::{Map, Pixel};

use serde::{Deserialize, Serialize};

/// How far a picture may change; 0 means never. Each amount is drawn evenly from its range, unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Augment {
    /// Moves by up to so many pixels, down or up and right or left.
    pub shift: f32,
    /// Turns about the middle by up to so many degrees, either way.
    pub rotate: f32,
    /// Enlarges or reduces by up to this share of the size.
    pub scale: f32,
    /// Slants by up to so many degrees, either way.
    pub shear: f32,
    /// Swaps left and right in half of the cases.
    pub flip: bool,
    /// Cuts away up to this share of height and width, at random edges, and enlarges the rest to the old size.
    pub crop: f32,
    /// Lightens or darkens by up to this share of the whole range: 255 for bytes, largest minus smallest number
    /// of the picture otherwise.
    pub brightness: f32,
    /// Raises or lowers the distance of every number from the picture's mean by up to this share.
    pub contrast: f32,
    /// Puts a square of so many pixels a side somewhere, filled with the picture's mean; at the edge it is cut.
    pub cutout: u32,
    /// Mixes with another training picture: the share is drawn from Beta(mixup, mixup) (Zhang et al. 2018).
    pub mixup: f32,
}

/// The settings that have a number: their names, and the largest number allowed.
pub const NUMBERS: [(&str, f32); 9] = [
    ("shift", 4096.0),
    ("rotate", 180.0),
    ("scale", 0.9),
    ("shear", 60.0),
    ("crop", 0.9),
    ("brightness", 1.0),
    ("contrast", 1.0),
    ("cutout", 4096.0),
    ("mixup", 1.0),
];

/// Below this, numbers from the Beta distribution are practically 0 or 1.
const LEAST_MIXUP: f32 = 0.05;

/// A setting that is out of range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{setting} must be {allowed}, got {value}")]
#[non_exhaustive]
pub struct OutOfRange {
    /// Name of the setting.
    pub setting: &'static str,
    /// The value given.
    pub value: f32,
    /// What is allowed, in words.
    pub allowed: String,
}

impl Augment {
    /// For digits and other writing on an even background, about 28 pixels wide: small moves, no mirror images.
    pub fn digits() -> Self {
        Self { shift: 2.0, rotate: 10.0, scale: 0.1, shear: 10.0, ..Self::default() }
    }

    /// For photographs: mirror images, crops, light.
    pub fn photos() -> Self {
        let (flip, crop) = (true, 0.25);
        Self { flip, crop, rotate: 5.0, brightness: 0.15, contrast: 0.2, ..Self::default() }
    }

    /// Whether pictures never change.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Checks every value.
    ///
    /// # Errors
    /// The first setting that is out of range.
    pub fn check(&self) -> Result<(), OutOfRange> {
        for ((setting, most), value) in NUMBERS.into_iter().zip(self.numbers()) {
            if !(0.0..=most).contains(&value) {
                return Err(OutOfRange { setting, value, allowed: format!("from 0 to {most}") });
            }
        }
        if self.mixup > 0.0 && self.mixup < LEAST_MIXUP {
            let allowed = format!("0 or from {LEAST_MIXUP} to 1");
            return Err(OutOfRange { setting: "mixup", value: self.mixup, allowed });
        }
        Ok(())
    }

    /// The values of [`NUMBERS`].
    fn numbers(&self) -> [f32; 9] {
        let cutout = self.cutout as f32;
        [
            self.shift,
            self.rotate,
            self.scale,
            self.shear,
            self.crop,
            self.brightness,
            self.contrast,
            cutout,
            self.mixup,
        ]
    }

    /// The change of the picture `key`, of `shape` (height, width, channels).
    pub fn change(&self, shape: [usize; 3], key: Key) -> Change {
        let [height, width, _] = shape;
        let hole = (self.cutout > 0).then(|| {
            let side = self.cutout as usize;
            let corner = |slot, n: usize| key.unit(slot) * n as f64 - side as f64 / 2.0;
            let [top, left] = [corner(Slot::CutRow, height), corner(Slot::CutColumn, width)];
            let cells = |from: f64, n: usize| {
                let from = libm::floor(from) as i64;
                let cell = |at: i64| at.clamp(0, n as i64) as usize;
                [cell(from), cell(from.saturating_add(side as i64))]
            };
            [cells(top, height), cells(left, width)]
        });
        Change {
            shape,
            map: self.moves().then(|| self.map(height, width, key)),
            gain: 1.0 + self.contrast * key.both(Slot::Contrast) as f32,
            light: self.brightness * key.both(Slot::Brightness) as f32,
            hole,
        }
    }

    fn moves(&self) -> bool {
        self.flip || self.numbers()[..5].iter().any(|v| *v > 0.0)
    }

    /// The map from a cell of the new picture to its place in the old one, which is cropped, flipped, sheared, scaled,
    /// rotated and shifted, in this order.
    fn map(&self, height: usize, width: usize, key: Key) -> Map {
        let range = |most: f32, slot| f64::from(most) * key.both(slot);
        let middle = [height, width].map(|n| (n as f64 - 1.0) / 2.0);
        let turn = range(self.rotate, Slot::Rotate).to_radians();
        let (sin, cos) = (libm::sin(turn), libm::cos(turn));
        let slant = libm::tan(range(self.shear, Slot::Shear).to_radians());
        let smaller = 1.0 / (1.0 + range(self.scale, Slot::Scale));
        let mirror = if self.flip && key.unit(Slot::Flip) < 0.5 { -1.0 } else { 1.0 };
        // The inverse of (turn * scale * slant * mirror), rows before columns.
        let [yy, yx] = [cos * smaller, -sin * smaller];
        let [xy, xx] = [sin * smaller, cos * smaller];
        let linear =
            Map { row: [yy, yx, 0.0], column: [mirror * (xy - slant * yy), mirror * (xx - slant * yx), 0.0] };
        let moved = [range(self.shift, Slot::ShiftRow), range(self.shift, Slot::ShiftColumn)];
        let about_middle = linear.about(middle, moved);
        let kept = 1.0 - f64::from(self.crop) * key.unit(Slot::Crop);
        let from = |n: usize, slot| (1.0 - kept) * n as f64 * key.unit(slot);
        about_middle.into_window(kept, [from(height, Slot::CropRow), from(width, Slot::CropColumn)])
    }

    /// The share that a picture keeps when it is mixed with another: at least a half, since partners are drawn at
    /// random and smaller shares would only give the same pairs the other way round. 1 without mixup.
    pub fn share(&self, key: Key) -> f32 {
        if self.mixup <= 0.0 {
            return 1.0;
        }
        let share = key.beta(f64::from(self.mixup.max(LEAST_MIXUP)));
        share.max(1.0 - share) as f32
    }

    /// Writes what training sees of the picture `own` into `out`: the changed picture, with mixup mixed with `other`,
    /// which changes as it would by itself. Gives the share of `own`.
    ///
    /// # Panics
    /// When a picture has another length than the shape's.
    pub fn apply<P: Pixel>(
        &self,
        shape: [usize; 3],
        own: (Key, &[P]),
        other: (Key, &[P]),
        out: &mut Vec<P>,
        room: &mut Scratch<P>,
    ) -> f32 {
        out.resize(own.1.len(), P::default());
        self.change(shape, own.0).apply(own.1, out, &mut room.numbers);
        let share = self.share(own.0);
        if share < 1.0 {
            room.other.resize(other.1.len(), P::default());
            self.change(shape, other.0).apply(other.1, &mut room.other, &mut room.numbers);
            mix(out, &room.other, share);
        }
        share
    }

    /// Which of `count` pictures the picture `key` is mixed with.
    pub fn partner(&self, key: Key, count: usize) -> usize {
        key.below(Slot::Partner, count)
    }
}

/// Memory for the work on a picture, used again for the next one.
#[derive(Clone, Debug, Default)]
pub struct Scratch<P> {
    other: Vec<P>,
    numbers: Vec<f32>,
}

/// The change of one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Change {
    shape: [usize; 3],
    /// From a cell of the new picture to a place in the old one; `None` if nothing moves.
    pub map: Option<Map>,
    /// What the distance from the mean is multiplied by.
    pub gain: f32,
    /// What is then added, as a share of the range of values.
    pub light: f32,
    /// The rows and the columns that are cut out, each from and to.
    pub hole: Option<[[usize; 2]; 2]>,
}

impl Change {
    /// The changed picture, `[height][width][channel]` as `picture`; `room` is memory that is used again.
    ///
    /// # Panics
    /// When `picture` or `out` has another length than the shape's.
    pub fn apply<P: Pixel>(&self, picture: &[P], out: &mut [P], room: &mut Vec<f32>) {
        let n: usize = self.shape.iter().product();
        assert!(picture.len() == n && out.len() == n, "pictures of the shape {:?}", self.shape);
        match &self.map {
            Some(map) => warp::warp(map, self.shape, picture, out, room),
            None => out.copy_from_slice(picture),
        }
        let tones = self.gain != 1.0 || self.light != 0.0;
        if n == 0 || !(tones || self.hole.is_some()) {
            return;
        }
        if tones {
            let (mean, range) = (mean(out, 1, 0), P::range(picture));
            let add = mean - mean * self.gain + self.light * range;
            out.iter_mut().for_each(|v| *v = P::from_f32(v.to_f32() * self.gain + add));
        }
        if let Some([rows, columns]) = self.hole {
            self.cut(rows, columns, out);
        }
    }

    fn cut<P: Pixel>(&self, rows: [usize; 2], columns: [usize; 2], out: &mut [P]) {
        let [_, width, channels] = self.shape;
        for c in 0..channels {
            let fill = P::from_f32(mean(out, channels, c));
            for row in rows[0]..rows[1] {
                let cells = (row * width + columns[0]) * channels..(row * width + columns[1]) * channels;
                out[cells].iter_mut().skip(c).step_by(channels).for_each(|v| *v = fill);
            }
        }
    }
}

/// The mean of channel `c` of `channels`.
fn mean<P: Pixel>(picture: &[P], channels: usize, c: usize) -> f32 {
    let all = picture.iter().skip(c).step_by(channels);
    let sum: f64 = all.map(|v| f64::from(v.to_f32())).sum();
    (sum / (picture.len() / channels) as f64) as f32
}

/// Mixes `other` into `picture`, of which `share` stays.
///
/// # Panics
/// When the lengths differ.
pub fn mix<P: Pixel>(picture: &mut [P], other: &[P], share: f32) {
    assert_eq!(picture.len(), other.len(), "pictures of one shape");
    for (v, o) in picture.iter_mut().zip(other) {
        *v = P::from_f32(v.to_f32() * share + o.to_f32() * (1.0 - share));
    }
}
