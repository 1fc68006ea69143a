//! Figures: arrays as coloured cells, with ticks, titles and colour bars.
//!
//! ```
//! use foveal_view::{ColorMap, imshow};
//! let image = ndarray::arr2(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]);
//! let png = imshow(image.view(), "3 x 3", ColorMap::Greys).to_png()?;
//! assert!(png.starts_with(b"\x89PNG"));
//! # Ok::<(), foveal_view::Error>(())
//! ```

mod plan;

use crate::draw::{self, Anchor, Canvas};
use crate::{ColorMap, Error, colormap};
use image::{ImageFormat, RgbImage};
use ndarray::{Array2, ArrayView2};
use plan::Plan;
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
/// The width of a colour bar.
const BAR: i32 = 14;
/// The smallest text that can be read.
const LEAST: i32 = 9;
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
    /// Rows and columns of padding at the top, bottom, left and right of them: drawn as padding, and of no
    /// account for the colours.
    pub padding: [usize; 4],
}

impl Panel {
    /// Cells without padding.
    pub fn new(title: impl Into<String>, values: Array2<f32>) -> Self {
        Self { title: title.into(), values, padding: [0; 4] }
    }

    fn is_padding(&self, (row, column): (usize, usize)) -> bool {
        let [top, bottom, left, right] = self.padding;
        let (rows, columns) = self.values.dim();
        row < top || row + bottom >= rows || column < left || column + right >= columns
    }
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
    subplots(vec![Panel::new("", values.to_owned())], title, colors, Scale::Shared)
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
        let labels = Labels::new(&self.panels, plan.cell);
        for (i, panel) in self.panels.iter().enumerate() {
            self.panel(pen, &plan, labels.as_ref(), panel, i);
        }
        if plan.bar_for_all {
            let last = |edges: &[i32]| edges.last().copied().unwrap_or(0);
            let y = plan.rows[0] + plan.panel_title;
            let height = last(&plan.rows) - plan.below - y;
            bar(pen, self.colors, plan.ranges[0], [last(&plan.columns), y], height);
        }
        let mut y = plan.height - MARGIN - (plan.note.len() as i32 - 1) * (TEXT + 5) - TEXT / 2;
        for line in &plan.note {
            pen.text(plan.width / 2, y, line, TEXT, Anchor::Middle, SOFT);
            y += TEXT + 5;
        }
        Ok(canvas.into_image())
    }

    fn panel(&self, pen: &mut Pen, plan: &Plan, labels: Option<&Labels>, panel: &Panel, index: usize) {
        let cell = plan.cell;
        let across = plan.columns.len() - 1;
        let (x, y) = (plan.columns[index % across], plan.rows[index / across] + plan.panel_title);
        let (rows, columns) = panel.values.dim();
        let (width, height) = (columns as i32 * cell, rows as i32 * cell);
        let (low, high) = plan.ranges[index];
        pen.text(x + width / 2, y - TEXT, &panel.title, TEXT, Anchor::Middle, INK);
        for (place, &value) in panel.values.indexed_iter() {
            let (cx, cy) = (x + place.1 as i32 * cell, y + place.0 as i32 * cell);
            let (color, ink) = if panel.is_padding(place) {
                pen.hatch(cx, cy, cell);
                ([255; 3], SOFT)
            } else {
                let color = shade(self.colors, value, low, high);
                pen.fill(cx, cy, cell, cell, color);
                (color, [0; 3])
            };
            if let Some(labels) = labels {
                let ink = if colormap::luminance(color) > 0.179 { ink } else { [255; 3] };
                let (text, middle) = (labels.text(value), cell / 2);
                pen.text(cx + middle, cy + middle, &text, labels.size, Anchor::Middle, ink);
            }
        }
        pen.frame(x, y, width, height);
        ticks(pen, x, y, rows, columns, cell);
        if !plan.bar_for_all {
            bar(pen, self.colors, (low, high), [x + width + 12, y], height);
        }
    }
}

/// The range of numbers that each panel's colours stand for.
fn ranges(figure: &Figure) -> Vec<(f32, f32)> {
    let finite = |p: &Panel| {
        let inside = p.values.indexed_iter().filter(|(at, v)| v.is_finite() && !p.is_padding(*at));
        inside.map(|(_, &v)| v).fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)))
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

    /// Padding: pale, with slanting lines.
    fn hatch(&mut self, x: i32, y: i32, side: i32) {
        self.fill(x, y, side, side, [0xf4, 0xf4, 0xf4]);
        let [x, y, side] = [x, y, side].map(|v| v * DENSITY);
        for row in 0..side {
            for column in (0..side).filter(|column| (row + column).rem_euclid(8 * DENSITY) < DENSITY) {
                self.canvas.fill(x + column, y + row, 1, 1, [0xd8, 0xd8, 0xd8]);
            }
        }
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
    let height = rows as i32 * cell;
    for i in (0..columns as i32).step_by(step as usize) {
        let middle = x + i * cell + cell / 2;
        pen.fill(middle, y + height + 1, 1, 4, SOFT);
        pen.text(middle, y + height + 13, &i.to_string(), SMALL, Anchor::Middle, SOFT);
    }
    for i in (0..rows as i32).step_by(step as usize) {
        let middle = y + i * cell + cell / 2;
        pen.fill(x - 5, middle, 4, 1, SOFT);
        pen.text(x - 8, middle, &i.to_string(), SMALL, Anchor::End, SOFT);
    }
}

/// A colour bar with the numbers at its ends and in its middle.
fn bar(pen: &mut Pen, colors: ColorMap, range: (f32, f32), [x, y]: [i32; 2], height: i32) {
    let (low, high) = range;
    let numbers = bar_numbers(range);
    if low == high {
        pen.fill(x, y, BAR, height, shade(colors, low, low, high));
        pen.frame(x, y, BAR, height);
        pen.text(x + BAR + 7, y + height / 2, &numbers[1], SMALL, Anchor::Start, INK);
        return;
    }
    for i in 0..height {
        let t = 1.0 - i as f32 / (height - 1).max(1) as f32;
        pen.fill(x, y + i, BAR, 1, colors.color(t));
    }
    pen.frame(x, y, BAR, height);
    for (text, at) in numbers.iter().zip([height, height / 2, 0]) {
        pen.fill(x + BAR + 1, y + at, 3, 1, SOFT);
        pen.text(x + BAR + 7, y + at, text, SMALL, Anchor::Start, INK);
    }
}

/// The least, the middle and the greatest number of a bar.
fn bar_numbers((low, high): (f32, f32)) -> [String; 3] {
    let values = [low, low / 2.0 + high / 2.0, high];
    let places = places(values.into_iter());
    values.map(|v| number(v, places))
}

/// The width of a bar with its numbers and the gaps around it.
fn bar_room(ranges: &[(f32, f32)]) -> i32 {
    let widths = ranges.iter().flat_map(|r| bar_numbers(*r)).map(|t| draw::width(&t, SMALL as f32) as i32);
    12 + BAR + 7 + widths.max().unwrap_or(0) + 8
}

/// How the numbers in the cells are written.
struct Labels {
    places: Option<usize>,
    size: i32,
}

impl Labels {
    /// The same in all panels. Nothing when the cells are too many or too small to read numbers in.
    fn new(panels: &[Panel], cell: i32) -> Option<Self> {
        if panels.iter().any(|p| p.values.len() > FEW) {
            return None;
        }
        let values = || panels.iter().flat_map(|p| p.values.iter().copied());
        let places = places(values());
        let wanted = (cell as f32 * 0.36).min(26.0);
        let widest = values().map(|v| draw::width(&number(v, places), wanted)).fold(1.0f32, f32::max);
        let size = (wanted * (cell as f32 * 0.84 / widest).min(1.0)) as i32;
        (size >= LEAST).then_some(Self { places, size })
    }

    fn text(&self, value: f32) -> String {
        number(value, self.places)
    }
}

/// Decimals that give the largest number three digits, no more than any number needs; none for numbers too large or
/// too small to be written out.
fn places(values: impl Iterator<Item = f32>) -> Option<usize> {
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

fn number(value: f32, places: Option<usize>) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_any_numbers_can_be_drawn() {
        let odd = ndarray::arr2(&[[f32::NAN, f32::INFINITY], [f32::NEG_INFINITY, 1e-30]]);
        let huge = ndarray::arr2(&[[f32::MAX, f32::MIN]]);
        for colors in [ColorMap::Greys, ColorMap::Diverging, ColorMap::Magma] {
            for scale in [Scale::Shared, Scale::PerPanel] {
                let panels = vec![Panel::new("가", odd.clone()), Panel::new("", huge.clone())];
                assert!(subplots(panels, "수", colors, scale).render().is_ok());
            }
        }
        assert!(subplots(Vec::new(), "", ColorMap::Gray, Scale::Shared).render().is_err());
        assert!(imshow(Array2::zeros((0, 3)).view(), "", ColorMap::Gray).render().is_err());
        assert!(imshow(Array2::zeros((9000, 1)).view(), "", ColorMap::Gray).render().is_err());
    }

    #[test]
    fn cells_have_the_colours_of_their_numbers() {
        let image = imshow(ndarray::arr2(&[[0.0, 1.0]]).view(), "", ColorMap::Gray).render().unwrap();
        let counts = |color: [u8; 3]| image.pixels().filter(|p| p.0 == color).count();
        // Two cells of 110 x 110 units, less the text in them; white is also the paper.
        assert!(counts([0; 3]) > 110 * 110 * 4 * 8 / 10, "{}", counts([0; 3]));
    }
}
