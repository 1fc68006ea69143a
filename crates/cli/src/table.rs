//! Tables of text on a terminal.

use foveal::view::short;

/// How many columns a text takes on a terminal; a Hangul or Chinese character takes two.
pub fn width(text: &str) -> usize {
    text.chars()
        .map(|c| if matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{ffdc}') { 2 } else { 1 })
        .sum()
}

/// Which side of its column a text stands on.
#[derive(Clone, Copy, PartialEq)]
pub enum Side {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// Rows under headings; each line begins with two blanks. Cells may hold names of others.
pub fn table(columns: &[(&str, Side)], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| short(cell)).collect()).collect();
    let rows = &rows[..];
    let titles: Vec<String> = columns.iter().map(|(title, _)| short(title)).collect();
    let mut widths: Vec<usize> = titles.iter().map(|title| width(title)).collect();
    for row in rows {
        widths.iter_mut().zip(row).for_each(|(w, cell)| *w = (*w).max(width(cell)));
    }
    let line = |cells: &[String]| {
        let mut text = String::from(" ");
        for ((cell, &w), (_, side)) in cells.iter().zip(&widths).zip(columns) {
            let blanks = " ".repeat(w - width(cell));
            text.push(' ');
            match side {
                Side::Left => text.extend([cell.as_str(), &blanks]),
                Side::Right => text.extend([blanks.as_str(), cell]),
            }
            text.push(' ');
        }
        text.trim_end().to_owned() + "\n"
    };
    std::iter::once(&titles).chain(rows).map(|row| line(row)).collect()
}
