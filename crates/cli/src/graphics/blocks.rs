//! Panels as half blocks: a line of text shows two rows of cells, and panels stand side by side while there is room.

use crate::table::width;
use foveal::view::Drawing;
use ndarray::Array2;

type Colors = Array2<[u8; 3]>;

/// The first panels of a drawing, at most `most`, each below its title, in lines of at most `columns`.
pub fn text(drawing: &Drawing, most: usize, columns: usize, true_color: bool) -> String {
    let fit = |(title, colors)| (title, fitted(colors, columns.saturating_sub(2)));
    let panels: Vec<(&str, Colors)> = drawing.panels().take(most).map(fit).collect();
    let wide = |(title, colors): &(&str, Colors)| colors.ncols().max(width(title));
    let mut text = String::new();
    let mut rest = panels.as_slice();
    while !rest.is_empty() {
        let (mut count, mut used) = (0, 0);
        while count < rest.len() && (count == 0 || used + wide(&rest[count]) + 2 <= columns) {
            used += wide(&rest[count]) + 2;
            count += 1;
        }
        let (row, after) = rest.split_at(count);
        rest = after;
        lines(&mut text, row, true_color);
    }
    let more = drawing.panels().count() - panels.len();
    if more > 0 {
        text += &format!("  … + {more}\n");
    }
    text
}

fn lines(text: &mut String, row: &[(&str, Colors)], true_color: bool) {
    let room: Vec<usize> = row.iter().map(|(title, colors)| colors.ncols().max(width(title))).collect();
    if row.iter().any(|(title, _)| !title.is_empty()) {
        let mut line = String::new();
        for ((title, _), room) in row.iter().zip(&room) {
            line += &format!("  {title}{}", " ".repeat(room - width(title)));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    let tall = row.iter().map(|(_, colors)| colors.nrows().div_ceil(2)).max().unwrap_or(0);
    for line in 0..tall {
        for ((_, colors), room) in row.iter().zip(&room) {
            text.push_str("  ");
            let there = 2 * line < colors.nrows();
            // The colours of the last cell, foreground and background: an escape code is written only for a change.
            let mut last = [None; 2];
            for column in 0..colors.ncols() {
                let mut turn = |layer: usize, color: Option<[u8; 3]>| {
                    if last[layer] != Some(color) {
                        last[layer] = Some(color);
                        *text += &color.map_or("\x1b[49m".into(), |c| paint([38, 48][layer], c, true_color));
                    }
                };
                match there.then(|| colors.get([2 * line, column]).copied()).flatten() {
                    Some(upper) => {
                        turn(0, Some(upper));
                        turn(1, colors.get([2 * line + 1, column]).copied());
                        text.push('▀');
                    }
                    None => text.push(' '),
                }
            }
            if there {
                text.push_str("\x1b[0m");
            }
            text.push_str(&" ".repeat(room - colors.ncols()));
        }
        while text.ends_with(' ') {
            text.pop();
        }
        text.push('\n');
    }
}

/// Small panels are doubled, large ones shrunk to `columns`.
fn fitted(colors: &Colors, columns: usize) -> Colors {
    let (h, w) = colors.dim();
    if w <= 8 && h <= 8 {
        return Array2::from_shape_fn((4 * h, 4 * w), |(i, j)| colors[[i / 4, j / 4]]);
    }
    let by = w.div_ceil(columns.max(1)).max(h.div_ceil(400)).max(1);
    Array2::from_shape_fn((h.div_ceil(by), w.div_ceil(by)), |(i, j)| {
        let cells: Vec<[u8; 3]> =
            (0..by * by).filter_map(|k| colors.get([i * by + k / by, j * by + k % by]).copied()).collect();
        let mean = |c: usize| cells.iter().map(|v| u32::from(v[c])).sum::<u32>() / cells.len().max(1) as u32;
        [0, 1, 2].map(|c| mean(c) as u8)
    })
}

fn paint(layer: u8, [r, g, b]: [u8; 3], true_color: bool) -> String {
    if true_color {
        return format!("\x1b[{layer};2;{r};{g};{b}m");
    }
    format!("\x1b[{layer};5;{}m", of_256([r, g, b]))
}

/// The nearest of the 216 colours of the cube and the 24 greys.
fn of_256(color: [u8; 3]) -> u8 {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let far =
        |a: [u8; 3]| -> i32 { a.iter().zip(color).map(|(&a, b)| (i32::from(a) - i32::from(b)).pow(2)).sum() };
    let level = |v: u8| (0..6).min_by_key(|&i| LEVELS[i].abs_diff(v)).unwrap_or(0);
    let [r, g, b] = color.map(level);
    let grey = ((u32::from(color[0]) + u32::from(color[1]) + u32::from(color[2])) / 3).saturating_sub(3) / 10;
    let grey = grey.min(23) as u8;
    let shade = 8 + 10 * grey;
    if far([shade; 3]) < far([LEVELS[r], LEVELS[g], LEVELS[b]]) {
        232 + grey
    } else {
        (16 + 36 * r + 6 * g + b) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveal::view::{ColorMap, Panel, Scale, subplots};

    #[test]
    fn a_line_holds_two_rows_and_no_more_than_there_is_room() {
        let panels =
            (0..5).map(|i| Panel::new(format!("맵 {i}"), Array2::ones((9, 20)) * i as f32)).collect();
        let drawing = subplots(panels, "", ColorMap::Gray, Scale::Shared).draw().unwrap();
        let drawn = text(&drawing, 5, 50, true);
        // Two side by side: three times a title and five lines.
        assert_eq!(drawn.lines().count(), 3 * (1 + 5));
        assert_eq!(drawn.matches('▀').count(), 5 * 5 * 20);
        for line in drawn.lines() {
            let seen: usize = line
                .split("\x1b[")
                .enumerate()
                .map(|(i, part)| width(if i == 0 { part } else { part.split_once('m').unwrap().1 }))
                .sum();
            assert!(seen <= 50, "{seen}");
            assert!(!line.contains('\x1b') || line.ends_with("\x1b[0m"));
        }
        assert!(drawn.contains("\x1b[38;2;255;255;255m"));
        // Each panel has one colour: it is named once a line, above and below, and taken back below at the end.
        assert_eq!(drawn.matches("\x1b[38").count(), 5 * 5);
        assert!(text(&drawing, 3, 50, true).ends_with("\n  … + 2\n"));
    }

    #[test]
    fn colours_of_256_are_near() {
        assert_eq!([[0; 3], [255; 3], [255, 0, 0], [128; 3]].map(of_256), [16, 231, 196, 244]);
    }
}
