//! The numbers in the cells of a figure.

use super::{FEW, LEAST, Panel};
use crate::draw;

/// How the numbers in the cells are written.
pub(super) struct Labels {
    places: Option<usize>,
    pub size: i32,
}

impl Labels {
    /// The same in all panels. Nothing when the cells are too many or too small to read numbers in.
    pub fn new(panels: &[Panel], cell: i32) -> Option<Self> {
        if panels.iter().any(|p| p.values.len() > FEW) {
            return None;
        }
        let values = || panels.iter().filter(|p| p.picture.is_none()).flat_map(|p| p.values.iter().copied());
        let places = places(values());
        let wanted = (cell as f32 * 0.36).min(26.0);
        let widest = values().map(|v| draw::width(&number(v, places), wanted)).fold(1.0f32, f32::max);
        let size = (wanted * (cell as f32 * 0.84 / widest).min(1.0)) as i32;
        (size >= LEAST).then_some(Self { places, size })
    }

    pub fn text(&self, value: f32) -> String {
        number(value, self.places)
    }
}

/// Decimals that give the largest number three digits, no more than any number needs; none for numbers too large or
/// too small to be written out.
pub(super) fn places(values: impl Iterator<Item = f32>) -> Option<usize> {
    let finite: Vec<f32> = values.filter(|v| v.is_finite()).collect();
    let largest = finite.iter().fold(0.0f32, |a, v| a.max(v.abs()));
    if largest == 0.0 {
        return Some(0);
    }
    if !(1e-3..1e6).contains(&largest) {
        return None;
    }
    let most = (2 - largest.log10().floor() as i32).clamp(0, 5) as usize;
    let needed = |v: &f32| {
        let text = format!("{v:.most$}");
        text.split_once('.').map_or(0, |(_, fraction)| fraction.trim_end_matches('0').len())
    };
    finite.iter().map(needed).max()
}

/// A number with so many decimals; without, as a power of ten.
pub(super) fn number(value: f32, places: Option<usize>) -> String {
    match places {
        _ if !value.is_finite() || value == 0.0 => {
            if value == 0.0 {
                "0".into()
            } else {
                value.to_string()
            }
        }
        Some(places) => format!("{value:.places$}"),
        None => format!("{value:.1e}"),
    }
}
