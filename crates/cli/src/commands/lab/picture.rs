//! Feature maps as shaded characters, for a terminal without colours.

use crate::array_text;
use ndarray::{Array4, ArrayView2};

/// So many columns of maps stand side by side.
const WIDE: usize = 100;

/// The maps of the first image, side by side; in each the least number is dark and the greatest bright.
pub fn maps(x: &Array4<f32>) -> String {
    let maps: Vec<ArrayView2<f32>> =
        (0..x.shape()[3]).map(|channel| array_text::map(x.view(), 0, channel)).collect();
    let one = x.shape()[2] * 2 + 2;
    let mut text = String::new();
    for row in maps.chunks((WIDE / one).max(1)) {
        let drawn: Vec<Vec<String>> = row.iter().map(|map| shaded(*map)).collect();
        for line in 0..drawn[0].len() {
            let parts: Vec<&str> = drawn.iter().map(|map| map[line].as_str()).collect();
            text += &format!("  {}\n", parts.join("  "));
        }
    }
    text
}

/// Each number as a place between the least (0) and the greatest (1).
fn shares(map: ArrayView2<f32>) -> ndarray::Array2<f32> {
    let (low, high) = map.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
    map.mapv(|v| if high > low { (v - low) / (high - low) } else { 0.5 })
}

/// Two characters for a cell, so that cells are about square.
fn shaded(map: ArrayView2<f32>) -> Vec<String> {
    const SHADES: [&str; 5] = ["  ", "░░", "▒▒", "▓▓", "██"];
    let shade = |v: &f32| SHADES[((v * 4.0).round() as usize).min(4)];
    shares(map).rows().into_iter().map(|row| row.iter().map(shade).collect()).collect()
}
