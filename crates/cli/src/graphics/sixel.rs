//! Sixel: bands of six rows, a bit map for each colour of the band (DEC VT340; ECMA-48 DCS).

use std::collections::HashMap;
use std::fmt::Write;

/// Colours that a terminal holds.
const PALETTE: usize = 255;

/// A picture as sixels, with a palette of its own.
pub fn encode(image: &foveal::view::Image) -> String {
    let (width, height) = image.dimensions();
    let (palette, indices) = quantize(image);
    let mut text = format!("\x1bPq\"1;1;{width};{height}");
    for (i, color) in palette.iter().enumerate() {
        let [r, g, b] = color.map(|v| (u32::from(v) * 100 + 127) / 255);
        let _ = write!(text, "#{i};2;{r};{g};{b}");
    }
    let width = width as usize;
    for band in indices.chunks(6 * width.max(1)) {
        let mut used: Vec<u8> = band.to_vec();
        used.sort_unstable();
        used.dedup();
        for color in used {
            let _ = write!(text, "#{color}");
            let sixel = |x: usize| {
                let rows = band.iter().skip(x).step_by(width).enumerate();
                rows.fold(0u8, |bits, (row, &c)| bits | u8::from(c == color) << row)
            };
            run_lengths(&mut text, (0..width).map(sixel));
            text.push('$');
        }
        text.push('-');
    }
    text + "\x1b\\\n"
}

fn run_lengths(text: &mut String, sixels: impl Iterator<Item = u8>) {
    let mut put = |bits: u8, count: usize| {
        let sign = char::from(63 + bits);
        match count {
            0 => {}
            1..=3 => text.extend(std::iter::repeat_n(sign, count)),
            _ => {
                let _ = write!(text, "!{count}{sign}");
            }
        }
    };
    let (mut last, mut count) = (0, 0);
    for bits in sixels {
        if bits == last {
            count += 1;
        } else {
            put(last, count);
            (last, count) = (bits, 1);
        }
    }
    put(last, count);
}

/// The colours used most, at five bits a channel, and for each pixel the nearest of them.
fn quantize(image: &foveal::view::Image) -> (Vec<[u8; 3]>, Vec<u8>) {
    let coarse = |c: [u8; 3]| c.map(|v| v >> 3);
    let mut counts: HashMap<[u8; 3], (usize, [u8; 3])> = HashMap::new();
    for pixel in image.pixels() {
        counts.entry(coarse(pixel.0)).or_insert((0, pixel.0)).0 += 1;
    }
    let mut order: Vec<_> = counts.into_iter().collect();
    order.sort_by_key(|&(key, (count, _))| (std::cmp::Reverse(count), key));
    let palette: Vec<[u8; 3]> = order.iter().take(PALETTE).map(|(_, (_, color))| *color).collect();
    let mut found: HashMap<[u8; 3], u8> = HashMap::new();
    let far = |a: [u8; 3], b: [u8; 3]| -> i32 {
        a.iter().zip(b).map(|(&a, b)| (i32::from(a) - i32::from(b)).pow(2)).sum()
    };
    let nearest =
        |color: [u8; 3]| (0..palette.len()).min_by_key(|&i| far(palette[i], color)).unwrap_or(0) as u8;
    let pixels = image.pixels();
    let indices = pixels.map(|p| *found.entry(coarse(p.0)).or_insert_with(|| nearest(p.0))).collect();
    (palette, indices)
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveal::view::{ColorMap, imshow};
    use ndarray::Array2;

    /// Reads what was written, as a terminal would.
    fn decode(text: &str) -> (usize, usize, Vec<[u32; 3]>) {
        let body = text.strip_prefix("\x1bPq\"1;1;").unwrap().strip_suffix("\x1b\\\n").unwrap();
        let (w, rest) = body.split_once(';').unwrap();
        let (h, rest) = rest.split_once('#').unwrap();
        let (w, h): (usize, usize) = (w.parse().unwrap(), h.parse().unwrap());
        let (mut palette, mut pixels) = (HashMap::new(), vec![[999; 3]; w * h]);
        let (mut x, mut y, mut color) = (0, 0, [0; 3]);
        let rest = format!("#{rest}");
        let mut at = rest.chars().peekable();
        let number = |at: &mut std::iter::Peekable<std::str::Chars<'_>>| -> u32 {
            let mut n = 0;
            while let Some(d) = at.peek().and_then(|c| c.to_digit(10)) {
                n = 10 * n + d;
                at.next();
            }
            n
        };
        while let Some(c) = at.next() {
            let mut count = 1;
            let mut sign = c;
            match c {
                '#' => {
                    let i = number(&mut at);
                    if at.peek() == Some(&';') {
                        let mut parts = [0; 4];
                        for part in &mut parts {
                            assert_eq!(at.next(), Some(';'));
                            *part = number(&mut at);
                        }
                        palette.insert(i, [parts[1], parts[2], parts[3]]);
                    }
                    color = palette[&i];
                    continue;
                }
                '$' => {
                    x = 0;
                    continue;
                }
                '-' => {
                    (x, y) = (0, y + 6);
                    continue;
                }
                '!' => {
                    count = number(&mut at);
                    sign = at.next().unwrap();
                }
                _ => {}
            }
            for _ in 0..count {
                for row in (0..6).filter(|row| (sign as u32 - 63) >> row & 1 == 1) {
                    pixels[(y + row) * w + x] = color;
                }
                x += 1;
            }
        }
        (w, h, pixels)
    }

    #[test]
    fn a_terminal_sees_the_picture() {
        let cells = Array2::from_shape_fn((9, 9), |(i, j)| (i * 9 + j) as f32);
        let image = imshow(cells.view(), "그림", ColorMap::Magma).draw().unwrap().render(1).unwrap();
        let (w, h, pixels) = decode(&encode(&image));
        assert_eq!((w as u32, h as u32), image.dimensions());
        let mut worst = 0;
        for (seen, want) in pixels.iter().zip(image.pixels()) {
            for (s, v) in seen.iter().zip(want.0) {
                worst = worst.max((*s as i32 * 255 / 100 - i32::from(v)).abs());
            }
        }
        assert!(worst < 24, "{worst}");
    }
}
