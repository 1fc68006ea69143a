//! Arrays as text, much as NumPy prints them.

use ndarray::{Array4, ArrayView2, ArrayView4, Axis};

/// Arrays of more numbers than this are shown by their edges.
const LONG: usize = 1000;
/// Rows, columns or maps shown at each edge.
const EDGE: usize = 3;

/// A shape: `(1, 2, 2, 1)`.
pub fn shape(shape: &[usize]) -> String {
    let sides: Vec<String> = shape.iter().map(usize::to_string).collect();
    let comma = if sides.len() == 1 { "," } else { "" };
    format!("({}{comma})", sides.join(", "))
}

/// One number, as short as can be.
pub fn number(value: f32) -> String {
    decimals(&[value]).text(value)
}

/// The feature maps `[h, w]` of `x` `[n, h, w, c]`, one after the other.
pub fn maps(x: &Array4<f32>) -> String {
    if x.is_empty() {
        return "[]\n".into();
    }
    all_maps(x, x.len() > LONG)
}

/// The feature maps of `x` by their edges alone.
pub fn edges(x: &Array4<f32>) -> String {
    all_maps(x, true)
}

fn all_maps(x: &Array4<f32>, long: bool) -> String {
    let (n, _, _, c) = x.dim();
    let all: Vec<(usize, usize)> = (0..n).flat_map(|n| (0..c).map(move |c| (n, c))).collect();
    let style = decimals(x.iter().copied().collect::<Vec<_>>().as_slice());
    let mut text = String::new();
    for (i, &(image, channel)) in all.iter().enumerate() {
        if long && all.len() > 2 * EDGE && (EDGE..all.len() - EDGE).contains(&i) {
            if i == EDGE {
                text += &format!("... {} more ...\n", all.len() - 2 * EDGE);
            }
            continue;
        }
        if all.len() > 1 {
            text += &format!("n {image}, channel {channel}\n");
        }
        text += &grid(map(x.view(), image, channel), &style, long);
    }
    text
}

/// One feature map.
pub fn map(x: ArrayView4<'_, f32>, image: usize, channel: usize) -> ArrayView2<'_, f32> {
    x.index_axis_move(Axis(0), image).index_axis_move(Axis(2), channel)
}

/// Every number of one map.
pub fn whole(map: ArrayView2<f32>) -> String {
    let style = decimals(map.iter().copied().collect::<Vec<_>>().as_slice());
    grid(map, &style, false)
}

fn grid(map: ArrayView2<f32>, style: &Style, long: bool) -> String {
    let shown = |extent: usize| -> Vec<Option<usize>> {
        if !long || extent <= 2 * EDGE + 1 {
            return (0..extent).map(Some).collect();
        }
        (0..EDGE).map(Some).chain([None]).chain((extent - EDGE..extent).map(Some)).collect()
    };
    let (rows, columns) = (shown(map.nrows()), shown(map.ncols()));
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let cell = |column: &Option<usize>| match (row, column) {
                (Some(r), Some(c)) => style.text(map[[*r, *c]]),
                _ => "...".into(),
            };
            columns.iter().map(cell).collect()
        })
        .collect();
    let wide = cells.iter().flatten().map(String::len).max().unwrap_or(0);
    let mut text = String::new();
    for (i, row) in cells.iter().enumerate() {
        let line: Vec<String> = row.iter().map(|cell| format!("{cell:>wide$}")).collect();
        let (open, close) = (if i == 0 { "[[" } else { " [" }, if i + 1 == cells.len() { "]]" } else { "]" });
        text += &format!("{open}{}{close}\n", line.join(" "));
    }
    text
}

/// How the numbers of one array are written, all alike.
#[derive(Debug, PartialEq)]
enum Style {
    Fixed(usize),
    Scientific,
}

impl Style {
    fn text(&self, value: f32) -> String {
        match self {
            _ if value.is_nan() => "NaN".into(),
            _ if value.is_infinite() => if value > 0.0 { "inf" } else { "-inf" }.into(),
            Style::Fixed(places) => {
                let text = format!("{value:.places$}");
                // -0 is printed as 0.
                if text.trim_matches(['-', '0', '.']).is_empty() { text.replace('-', "") } else { text }
            }
            Style::Scientific => format!("{value:.4e}"),
        }
    }
}

/// So many decimals that the largest number has six digits, but no more than one of the numbers needs.
fn decimals(values: &[f32]) -> Style {
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    let largest = finite().fold(0.0f32, |a, v| a.max(v.abs()));
    if finite().all(|v| v.fract() == 0.0) && largest < 1e7 {
        return Style::Fixed(0);
    }
    if !(1e-4..1e6).contains(&largest) {
        return Style::Scientific;
    }
    let digits = largest.log10().floor() as i32 + 1;
    let most = (6 - digits).clamp(0, 9) as usize;
    let needed = |v: f32| {
        let text = format!("{v:.most$}");
        let fraction = text.split_once('.').map_or("", |(_, f)| f);
        fraction.trim_end_matches('0').len()
    };
    Style::Fixed(finite().map(needed).max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_alike() {
        assert_eq!(decimals(&[12.0, 16.0]), Style::Fixed(0));
        assert_eq!(decimals(&[0.5, 12.25]), Style::Fixed(2));
        assert_eq!(decimals(&[0.0312, f32::NAN]), Style::Fixed(4));
        assert_eq!(decimals(&[1e-9, 0.0]), Style::Scientific);
        assert_eq!(number(-0.0), "0");
        assert_eq!(number(f32::NEG_INFINITY), "-inf");
    }

    #[test]
    fn long_arrays_are_shown_by_their_edges() {
        let text = maps(&Array4::zeros((1, 40, 40, 9)));
        assert!(text.lines().count() < 70 && text.contains("... 3 more ..."), "{text}");
        assert_eq!(maps(&Array4::zeros((0, 2, 2, 1))), "[]\n");
    }
}
