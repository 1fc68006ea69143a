//! Figures: arrays as coloured cells, with ticks, titles and colour bars.
//!
//! ```
//! use foveal_view::{ColorMap, imshow};
//! let image = ndarray::arr2(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]);
//! let png = imshow(image.view(), "3 x 3", ColorMap::Greys).to_png()?;
//! assert!(png.starts_with(b"\x89PNG"));
//! # Ok::<(), foveal_view::Error>(())
//! ```

use crate::draw::{self, Anchor, Canvas};
use crate::{ColorMap, Error, colormap};
use image::{ImageFormat, RgbImage};
use ndarray::{Array2, ArrayView2};
use std::io::Cursor;

/// Pixels of a figure for one of its units: figures are made for dense screens and for print.
const DENSITY: i32 = 2;
const TITLE: i32 = 19;
const TEXT: i32 = 14;
const SMALL: i32 = 12;
const MARGIN: i32 = 20;
const INK: [u8; 3] = [0x22, 0x22, 0x22];
const SOFT: [u8; 3] = [0x66, 0x66, 0x66];
/// The colour of a cell that is not a number.
const NAN: [u8; 3] = [0xe0, 0xb0, 0xd0];
/// A cell shows its number when there are at most this many cells.
const FEW: usize = 64;
/// The longest side of a figure in its own units.
const LARGEST: i32 = 8000;

/// Whether the panels of a figure share one scale of colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Scale {
    /// One range for all panels, so that colours may be compared between them.
    #[default]
    Shared,
    /// Each panel has its own range, from its least to its greatest number.
    PerPanel,
}

/// One array in a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// What stands above it.
    pub title: String,
    /// Its cells.
    pub values: Array2<f32>,
}

/// A picture of one or more arrays.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    title: String,
    note: String,
    panels: Vec<Panel>,
    colors: ColorMap,
    scale: Scale,
    columns: usize,
    range: Option<(f32, f32)>,
}

/// A figure of one array: nearest-neighbour cells, each with its number when there are few.
pub fn imshow(values: ArrayView2<f32>, title: impl Into<String>, colors: ColorMap) -> Figure {
    let panel = Panel { title: String::new(), values: values.to_owned() };
    subplots(vec![panel], title, colors, Scale::Shared)
}

/// A figure of several arrays, side by side.
pub fn subplots(panels: Vec<Panel>, title: impl Into<String>, colors: ColorMap, scale: Scale) -> Figure {
    let columns = panels.len().clamp(1, 8);
    Figure { title: title.into(), note: String::new(), panels, colors, scale, columns, range: None }
}

impl Figure {
    /// With a line of text below, such as whether the panels share a scale.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// With this many panels in a row.
    pub fn columns(mut self, columns: usize) -> Self {
        self.columns = columns.max(1);
        self
    }

    /// With this range of numbers over the whole colour map, for all panels.
    pub fn range(mut self, low: f32, high: f32) -> Self {
        self.range = Some((low, high));
        self
    }

    /// The figure as a PNG file.
    ///
    /// # Errors
    /// When there is no panel, a panel has no cell, or the picture would be too large.
    pub fn to_png(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = Cursor::new(Vec::new());
        let image = self.render()?;
        image.write_to(&mut bytes, ImageFormat::Png).map_err(|e| Error::Figure(e.to_string()))?;
        Ok(bytes.into_inner())
    }

    /// The figure as pixels.
    ///
    /// # Errors
    /// As [`Figure::to_png`].
    pub fn render(&self) -> Result<RgbImage, Error> {
        let plan = Plan::new(self)?;
        let mut canvas = Canvas::new((plan.width * DENSITY) as u32, (plan.height * DENSITY) as u32);
        let pen = &mut Pen { canvas: &mut canvas };
        let mut y = MARGIN;
        for line in &plan.title {
            pen.text(plan.width / 2, y + TITLE / 2, line, TITLE, Anchor::Middle, INK);
            y += TITLE + 6;
        }
        for (i, panel) in self.panels.iter().enumerate() {
            let (row, column) = ((i / plan.columns) as i32, (i % plan.columns) as i32);
            let place = [plan.left + column * plan.step[0], plan.top + row * plan.step[1] + plan.panel_title];
            self.panel(pen, &plan, panel, place);
        }
        if plan.bar_for_all {
            let x = plan.left + plan.columns as i32 * plan.step[0];
            let y = plan.top + plan.panel_title;
            let height = (plan.rows as i32 - 1) * plan.step[1] + plan.side[1];
            bar(pen, self.colors, plan.ranges[0], [x, y], height);
        }
        let mut y = plan.height - MARGIN - (plan.note.len() as i32 - 1) * (TEXT + 5) - TEXT / 2;
        for line in &plan.note {
            pen.text(plan.width / 2, y, line, TEXT, Anchor::Middle, SOFT);
            y += TEXT + 5;
        }
        Ok(canvas.into_image())
    }

    fn panel(&self, pen: &mut Pen, plan: &Plan, panel: &Panel, [x, y]: [i32; 2]) {
        let cell = plan.cell;
        let (rows, columns) = panel.values.dim();
        let (width, height) = (columns as i32 * cell, rows as i32 * cell);
        let index = self.panels.iter().position(|p| std::ptr::eq(p, panel)).unwrap_or(0);
        let (low, high) = plan.ranges[index];
        let numbers = cell >= 24 && panel.values.len() <= FEW;
        let labels = numbers.then(|| labels(panel.values.iter().copied()));
        pen.text(x + width / 2, y - TEXT, &panel.title, TEXT, Anchor::Middle, INK);
        for (i, (place, &value)) in panel.values.indexed_iter().enumerate() {
            let color = shade(self.colors, value, low, high);
            let (cx, cy) = (x + place.1 as i32 * cell, y + place.0 as i32 * cell);
            pen.fill(cx, cy, cell, cell, color);
            if let Some(labels) = &labels {
                let ink = if colormap::luminance(color) > 0.179 { [0; 3] } else { [255; 3] };
                let size = fitting(&labels[i], cell);
                pen.text(cx + cell / 2, cy + cell / 2, &labels[i], size, Anchor::Middle, ink);
            }
        }
        pen.frame(x, y, width, height);
        ticks(pen, x, y, rows, columns, cell);
        if !plan.bar_for_all {
            bar(pen, self.colors, (low, high), [x + width + 12, y], height);
        }
    }
}

/// Where everything stands, in units.
struct Plan {
    width: i32,
    height: i32,
    left: i32,
    top: i32,
    rows: usize,
    columns: usize,
    /// From one panel to the next.
    step: [i32; 2],
    /// The largest panel's cells.
    side: [i32; 2],
    cell: i32,
    panel_title: i32,
    title: Vec<String>,
    note: Vec<String>,
    ranges: Vec<(f32, f32)>,
    bar_for_all: bool,
}

impl Plan {
    fn new(figure: &Figure) -> Result<Self, Error> {
        let panels = &figure.panels;
        if panels.is_empty() || panels.iter().any(|p| p.values.is_empty()) {
            return Err(Error::Figure("there is nothing to draw".into()));
        }
        let most = |f: fn(&Panel) -> usize| panels.iter().map(f).max().unwrap_or(1);
        let (high, wide) = (most(|p| p.values.nrows()), most(|p| p.values.ncols()));
        let columns = figure.columns.min(panels.len());
        let rows = panels.len().div_ceil(columns);
        let room = match columns {
            1 => 360,
            2 => 260,
            3 => 230,
            _ => 180,
        };
        let longest = i32::try_from(high.max(wide)).unwrap_or(i32::MAX);
        let cell = (room / longest).clamp(1, 110);
        let (wide, high) = (wide as i64 * i64::from(cell), high as i64 * i64::from(cell));
        if wide.max(high) > i64::from(LARGEST) {
            return Err(Error::Figure(format!("{high} x {wide} cells are too many to draw")));
        }
        let side = [wide as i32, high as i32];
        let ranges = ranges(figure);
        let bar_for_all = panels.len() == 1 || figure.scale == Scale::Shared || figure.range.is_some();
        let bar = 12 + 14 + 6 + bar_text(&ranges) + 6;
        let panel_title = if panels.iter().any(|p| !p.title.is_empty()) { TEXT + 12 } else { 0 };
        let text = |p: &Panel| draw::width(&p.title, TEXT as f32) as i32 + 8;
        let title_room = panels.iter().map(text).max().unwrap_or(0);
        let beside = if bar_for_all { 22 } else { bar + 22 };
        let step = [(side[0] + beside).max(title_room), side[1] + panel_title + 34];
        let left = MARGIN + 24;
        let body = left + columns as i32 * step[0] + if bar_for_all { bar } else { 0 } + MARGIN;
        let width = body.max(420);
        let left = left + (width - body) / 2;
        let lines = |text: &str, size| draw::wrap(text, size as f32, (width - 2 * MARGIN) as f32);
        let (title, note) = (lines(&figure.title, TITLE), lines(&figure.note, TEXT));
        let top = MARGIN + title.len() as i32 * (TITLE + 6) + 10;
        let foot = if note.is_empty() { 0 } else { note.len() as i32 * (TEXT + 5) + 4 };
        let height = top + rows as i32 * step[1] + foot + MARGIN;
        if width.max(height) > LARGEST {
            return Err(Error::Figure(format!("{} panels are too many for one figure", panels.len())));
        }
        Ok(Self {
            width,
            height,
            left,
            top,
            rows,
            columns,
            step,
            side,
            cell,
            panel_title,
            title,
            note,
            ranges,
            bar_for_all,
        })
    }
}

/// The range of numbers that each panel's colours stand for.
fn ranges(figure: &Figure) -> Vec<(f32, f32)> {
    let finite = |p: &Panel| {
        let numbers = p.values.iter().copied().filter(|v| v.is_finite());
        numbers.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)))
    };
    let each: Vec<(f32, f32)> = figure.panels.iter().map(finite).collect();
    let all = each.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |a, b| (a.0.min(b.0), a.1.max(b.1)));
    let settle = |(low, high): (f32, f32)| {
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        figure.colors.range(low, high)
    };
    each.into_iter()
        .map(|own| match (figure.range, figure.scale) {
            (Some(range), _) => range,
            (None, Scale::Shared) => settle(all),
            (None, Scale::PerPanel) => settle(own),
        })
        .collect()
}

fn shade(colors: ColorMap, value: f32, low: f32, high: f32) -> [u8; 3] {
    if value.is_nan() {
        return NAN;
    }
    // Halved, so that the span of two large numbers does not overflow.
    let span = high / 2.0 - low / 2.0;
    colors.color(if span > 0.0 { (value / 2.0 - low / 2.0) / span } else { 0.5 })
}

/// Draws in units on a canvas of pixels.
struct Pen<'a> {
    canvas: &'a mut Canvas,
}

impl Pen<'_> {
    fn fill(&mut self, x: i32, y: i32, width: i32, height: i32, color: [u8; 3]) {
        self.canvas.fill(x * DENSITY, y * DENSITY, width * DENSITY, height * DENSITY, color);
    }

    fn frame(&mut self, x: i32, y: i32, width: i32, height: i32) {
        let [x, y, width, height] = [x, y, width, height].map(|v| v * DENSITY);
        self.canvas.frame(x, y, width, height, DENSITY, SOFT);
    }

    fn text(&mut self, x: i32, y: i32, text: &str, size: i32, anchor: Anchor, color: [u8; 3]) {
        let [x, y, size] = [x, y, size].map(|v| (v * DENSITY) as f32);
        self.canvas.text(x, y, text, size, anchor, color);
    }
}

/// Row and column numbers: all of a few, else every second, fifth, tenth ...
fn ticks(pen: &mut Pen, x: i32, y: i32, rows: usize, columns: usize, cell: i32) {
    let every = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
    let step = every.into_iter().find(|&step| step * cell >= 22).unwrap_or(1000);
    let (width, height) = (columns as i32 * cell, rows as i32 * cell);
    for i in (0..columns as i32).step_by(step as usize) {
        let middle = x + i * cell + cell / 2;
        pen.fill(middle, y + height + 1, 1, 4, SOFT);
        pen.text(middle, y + height + 13, &i.to_string(), SMALL, Anchor::Middle, SOFT);
    }
    for i in (0..rows as i32).step_by(step as usize) {
        let middle = y + i * cell + cell / 2;
        pen.fill(x - 5, middle, 4, 1, SOFT);
        debug_assert!(width > 0);
        pen.text(x - 8, middle, &i.to_string(), SMALL, Anchor::End, SOFT);
    }
}

/// A colour bar with the numbers at its ends and in its middle.
fn bar(pen: &mut Pen, colors: ColorMap, (low, high): (f32, f32), [x, y]: [i32; 2], height: i32) {
    if low == high {
        pen.fill(x, y, 14, height, shade(colors, low, low, high));
        pen.frame(x, y, 14, height);
        pen.text(x + 20, y + height / 2, &short(low), SMALL, Anchor::Start, INK);
        return;
    }
    for i in 0..height {
        let t = 1.0 - i as f32 / (height - 1).max(1) as f32;
        pen.fill(x, y + i, 14, 1, colors.color(t));
    }
    pen.frame(x, y, 14, height);
    let middle = low / 2.0 + high / 2.0;
    for (value, at) in [(high, 0), (middle, height / 2), (low, height)] {
        pen.fill(x + 15, y + at, 3, 1, SOFT);
        pen.text(x + 21, y + at, &short(value), SMALL, Anchor::Start, INK);
    }
}

fn bar_text(ranges: &[(f32, f32)]) -> i32 {
    let widest = |(low, high): &(f32, f32)| {
        [*low, *low / 2.0 + *high / 2.0, *high].map(|v| draw::width(&short(v), SMALL as f32) as i32 + 2)
    };
    ranges.iter().flat_map(widest).max().unwrap_or(0)
}

/// A number in a few signs.
fn short(value: f32) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let size = value.abs();
    if !(1e-3..1e5).contains(&size) {
        return format!("{value:.1e}");
    }
    let decimals = (2 - size.log10().floor() as i32).clamp(0, 5) as usize;
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

fn labels(values: impl Iterator<Item = f32>) -> Vec<String> {
    values.map(short).collect()
}

/// The text size at which `label` fits a cell.
fn fitting(label: &str, cell: i32) -> i32 {
    let room = cell as f32 * 0.84;
    let wanted = (cell as f32 * 0.36).clamp(9.0, 26.0);
    let width = draw::width(label, wanted).max(1.0);
    (wanted * (room / width).min(1.0)) as i32
}
