//! Where everything in a figure stands.

use super::{Figure, LARGEST, MARGIN, Panel, SMALL, Scale, TEXT, TITLE, bar_room, ranges};
use crate::{Error, draw};

/// Left of a panel, for its row numbers.
const BESIDE: i32 = 24;
/// Below a panel, for its column numbers.
const BELOW: i32 = 34;

/// Where everything stands, in units.
pub(super) struct Plan {
    pub(super) width: i32,
    pub(super) height: i32,
    /// The left edge of each column of panels, and the right end of the last.
    pub(super) columns: Vec<i32>,
    /// The upper edge of each row of panels, and the lower end of the last.
    pub(super) rows: Vec<i32>,
    /// Below a panel, for its column numbers.
    pub(super) below: i32,
    pub(super) cell: i32,
    /// Height of the title above a panel.
    pub(super) panel_title: i32,
    pub(super) title: Vec<String>,
    pub(super) note: Vec<String>,
    pub(super) ranges: Vec<(f32, f32)>,
    /// Whether one bar stands at the right, or one beside each panel.
    pub(super) bar_for_all: bool,
}

impl Plan {
    pub(super) fn new(figure: &Figure) -> Result<Self, Error> {
        let panels = &figure.panels;
        if panels.is_empty() || panels.iter().any(|p| p.values.is_empty()) {
            return Err(Error::Figure("there is nothing to draw".into()));
        }
        let across = figure.columns.min(panels.len());
        let compact = figure.compact;
        let fitting = cell(panels, across, compact)?;
        let cell = figure.cell.unwrap_or(fitting);
        let ranges = ranges(figure);
        let numbered = panels.iter().filter(|p| p.picture.is_none()).count();
        let bar_for_all = numbered == 1 || figure.scale == Scale::Shared || figure.range.is_some();
        let bar = if numbered == 0 || figure.bare { 0 } else { bar_room(&ranges) };
        let text = if compact { SMALL } else { TEXT };
        let panel_title = if panels.iter().any(|p| !p.title.is_empty()) { text + 12 } else { 0 };
        let beside = if bar_for_all { 12 } else { bar };
        let (left, below) = if compact { (0, 6) } else { (BESIDE, BELOW) };
        let size = |p: &Panel| {
            let (rows, columns) = p.values.dim();
            let titled = draw::width(&p.title, text as f32) as i32 + 12;
            [(columns as i32 * cell + beside + left).max(titled), rows as i32 * cell + panel_title + below]
        };
        let sizes: Vec<[i32; 2]> = panels.iter().map(size).collect();
        let note = match figure.note.as_str() {
            "" if numbered > 1 && !compact && figure.range.is_some() => Scale::Shared.about(figure.language),
            "" if numbered > 1 && !compact => figure.scale.about(figure.language),
            note => note,
        };
        let widths = (0..across).map(|c| sizes.iter().skip(c).step_by(across).map(|s| s[0]).max());
        let widths: Vec<i32> = widths.map(Option::unwrap_or_default).collect();
        let heights = sizes.chunks(across).map(|row| row.iter().map(|s| s[1]).max().unwrap_or_default());
        let body: i32 = widths.iter().sum::<i32>() + if bar_for_all { bar - left } else { -left };
        let words = !figure.title.is_empty() || !note.is_empty();
        let width = (body + 2 * MARGIN + left).max(if words { 420 } else { 0 });
        let lines = |text: &str, size| draw::wrap(text, size as f32, (width - 2 * MARGIN) as f32);
        let (title, note) = (lines(&figure.title, TITLE), lines(note, TEXT));
        let columns = edges((width - body + left) / 2, widths.into_iter());
        let top = if title.is_empty() { 0 } else { title.len() as i32 * (TITLE + 6) + 10 };
        let rows = edges(MARGIN + top, heights);
        let foot = if note.is_empty() { 0 } else { note.len() as i32 * (TEXT + 5) + 4 };
        let height = rows.last().copied().unwrap_or_default() + foot + MARGIN;
        if width.max(height) > LARGEST {
            return Err(Error::Figure(format!("{} panels are too many for one figure", panels.len())));
        }
        Ok(Self { width, height, columns, rows, below, cell, panel_title, title, note, ranges, bar_for_all })
    }
}

/// The side of a cell, the same in all panels.
fn cell(panels: &[Panel], across: usize, compact: bool) -> Result<i32, Error> {
    let room = match across {
        _ if compact => 62,
        1 => 360,
        2 => 280,
        3 => 240,
        _ => 190,
    };
    let longest = panels.iter().map(|p| p.values.nrows().max(p.values.ncols())).max().unwrap_or(1);
    let longest = i32::try_from(longest).ok().filter(|&n| n <= LARGEST);
    let longest = longest.ok_or_else(|| Error::Figure(format!("more than {LARGEST} cells in a line")))?;
    Ok((room / longest).clamp(1, if compact { 16 } else { 110 }))
}

fn edges(start: i32, sizes: impl Iterator<Item = i32>) -> Vec<i32> {
    let mut edges = vec![start];
    for size in sizes {
        edges.push(edges[edges.len() - 1] + size);
    }
    edges
}
