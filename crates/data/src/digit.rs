//! Making a picture of a digit look as MNIST's digits do.

use crate::Picture;
use crate::resample::resize;

/// A border at most this bright counts as black: what is left is noise of the camera or the codec.
const BLACK: f32 = 16.0;
/// A picture whose ink differs less than this from its background is blank.
const LEAST_CONTRAST: f32 = 16.0;
/// What is fainter than this share of the strongest ink is paper: shadows, texture, codec noise.
const PAPER: f32 = 0.15;

/// Fits a picture of one digit to `size` x `size` pixels (28 for MNIST), the way MNIST's digits
/// were made (LeCun et al. 1998, section III.A): `size * size` numbers, 0 for paper, 255 for full
/// ink, row by row.
///
/// 1. The picture becomes grey. A border brighter than the mean means dark ink on light paper,
///    which is inverted.
/// 2. The background, the median of the border, is subtracted. The strongest ink becomes 255;
///    whatever is fainter than 15 % of it becomes 0.
/// 3. The box around the ink is scaled, keeping its aspect ratio, until its longer side is
///    `size * 20 / 28`.
/// 4. It is placed so that its centre of mass lies on pixel (`size / 2`, `size / 2`), where it lies
///    in MNIST, as far as the frame allows.
///
/// A picture of `size` x `size` pixels with bright ink and a black border only becomes grey and is
/// not changed otherwise. A blank picture gives zeros.
///
/// ```
/// // A dark bar on light paper, right of the centre.
/// let pixels = (0..60 * 50).map(|i| if (35..40).contains(&(i % 50)) && i / 50 > 9 { 20.0 } else { 230.0 });
/// let picture = foveal_data::Picture::new(60, 50, 1, pixels.collect())?;
/// let digit = foveal_data::picture::fit_digit(&picture, 28);
/// assert_eq!(digit[0], 0.0);
/// assert_eq!(digit[14 * 28 + 14], 255.0);
/// # Ok::<(), foveal_data::Error>(())
/// ```
pub fn fit_digit(picture: &Picture, size: usize) -> Vec<f32> {
    let (height, width) = (picture.height(), picture.width());
    let mut grey = picture.grey();
    let background = border_median(&grey, height, width);
    let mean = grey.iter().map(|&v| f64::from(v)).sum::<f64>() / grey.len() as f64;
    let light_paper = f64::from(background) > mean;
    if (height, width) == (size, size) && !light_paper && background <= BLACK {
        return grey;
    }
    let mut digit = vec![0.0; size.saturating_mul(size)];
    if !keep_ink(&mut grey, background, light_paper) {
        return digit;
    }
    let Some(ink) = crop(&grey, width) else {
        return digit;
    };
    let ink = scale(&ink, (size * 20 / 28).max(1));
    place(&ink, &mut digit, size);
    digit
}

/// A rectangle of ink, row by row.
struct Ink {
    height: usize,
    width: usize,
    pixels: Vec<f32>,
}

fn border_median(grey: &[f32], height: usize, width: usize) -> f32 {
    let mut border: Vec<f32> = Vec::with_capacity(2 * (height + width));
    for (row, line) in grey.chunks_exact(width).enumerate() {
        if row == 0 || row + 1 == height {
            border.extend_from_slice(line);
        } else {
            border.push(line[0]);
            border.push(line[width - 1]);
        }
    }
    let middle = border.len() / 2;
    *border.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// Turns grey values into ink, 0 to 255; gives false if there is no ink.
fn keep_ink(grey: &mut [f32], background: f32, light_paper: bool) -> bool {
    let sign = if light_paper { -1.0 } else { 1.0 };
    let mut strongest = 0.0f32;
    for value in grey.iter_mut() {
        *value = (sign * (*value - background)).max(0.0);
        strongest = strongest.max(*value);
    }
    if strongest < LEAST_CONTRAST {
        return false;
    }
    for value in grey.iter_mut() {
        *value = if *value < PAPER * strongest { 0.0 } else { *value * (255.0 / strongest) };
    }
    true
}

/// The smallest rectangle around all ink.
fn crop(ink: &[f32], width: usize) -> Option<Ink> {
    let mut rows: Option<(usize, usize)> = None;
    let (mut left, mut right) = (width, 0);
    for (row, line) in ink.chunks_exact(width).enumerate() {
        let Some(first) = line.iter().position(|&v| v > 0.0) else {
            continue;
        };
        let last = line.iter().rposition(|&v| v > 0.0).unwrap_or(first);
        (left, right) = (left.min(first), right.max(last));
        rows = Some((rows.map_or(row, |(top, _)| top), row));
    }
    let (top, bottom) = rows?;
    let lines = ink.chunks_exact(width).skip(top).take(bottom - top + 1);
    Some(Ink {
        height: bottom - top + 1,
        width: right - left + 1,
        pixels: lines.flat_map(|line| &line[left..=right]).copied().collect(),
    })
}

/// Scales the longer side to `side`, and the strongest ink back to 255: a thin line fades when it
/// is shrunk, a digit of MNIST never does.
fn scale(ink: &Ink, side: usize) -> Ink {
    let longer = ink.height.max(ink.width) as f64;
    let fit = |length: usize| {
        let scaled = (length as f64 * side as f64 / longer).round() as usize;
        scaled.clamp(1, side)
    };
    let (height, width) = (fit(ink.height), fit(ink.width));
    let mut pixels = resize(&ink.pixels, [ink.height, ink.width], 1, [height, width]);
    let strongest = pixels.iter().copied().fold(0.0, f32::max);
    if strongest > 0.0 {
        for pixel in &mut pixels {
            *pixel = (*pixel * (255.0 / strongest)).min(255.0);
        }
    }
    Ink { height, width, pixels }
}

/// Copies the ink into the frame, its centre of mass in the middle.
fn place(ink: &Ink, digit: &mut [f32], size: usize) {
    let (mut mass, mut down, mut right) = (0.0f64, 0.0f64, 0.0f64);
    for (i, &pixel) in ink.pixels.iter().enumerate() {
        let pixel = f64::from(pixel);
        mass += pixel;
        down += pixel * (i / ink.width) as f64;
        right += pixel * (i % ink.width) as f64;
    }
    let offset = |moment: f64, length: usize| {
        let wanted = (size as f64 / 2.0 - moment / mass).round().max(0.0) as usize;
        wanted.min(size.saturating_sub(length))
    };
    let (top, left) = (offset(down, ink.height), offset(right, ink.width));
    let lines = digit.chunks_exact_mut(size.max(1)).skip(top);
    for (line, ink_line) in lines.zip(ink.pixels.chunks_exact(ink.width)) {
        for (to, &from) in line.iter_mut().skip(left).zip(ink_line) {
            *to = from;
        }
    }
}
