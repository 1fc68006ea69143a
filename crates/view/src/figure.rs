//! Figures: arrays as coloured cells, with ticks, titles and colour bars.
//!
//! ```
//! use foveal_view::{ColorMap, imshow};
//! let image = ndarray::arr2(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]);
//! let png = imshow(image.view(), "3 x 3", ColorMap::Greys).to_png()?;
//! assert!(png.starts_with(b"\x89PNG"));
//! # Ok::<(), foveal_view::Error>(())
//! ```

mod labels;
mod plan;

use crate::draw::{self, ACCENT, Anchor, Drawing, INK, SOFT};
use crate::{ColorMap, Error, Language, colormap};
use labels::{Labels, number, places};
use ndarray::{Array2, ArrayView2};
use plan::Plan;

const TITLE: i32 = 19;
const TEXT: i32 = 14;
const SMALL: i32 = 12;
const MARGIN: i32 = 20;
/// The colour of a cell that is not a number.
const NAN: [u8; 3] = [0xe0, 0xb0, 0xd0];
/// A cell shows its number when there are at most this many cells.
const FEW: usize = 64;
/// The width of a colour bar.
const BAR: i32 = 14;
/// The height that a colour bar for all panels has at most.
const LONGEST_BAR: i32 = 600;
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

impl Scale {
    /// What a reader must know of it.
    pub fn about(self, language: Language) -> &'static str {
        match (self, language) {
            (Scale::Shared, Language::English) => {
                "All panels share one colour scale: equal colours are equal numbers."
            }
            (Scale::Shared, Language::Korean) => "모든 그림의 색 눈금이 같습니다. 색이 같으면 값도 같습니다.",
            (Scale::PerPanel, Language::English) => {
                "Each panel has a colour scale of its own: compare shapes, not shades."
            }
            (Scale::PerPanel, Language::Korean) => {
                "그림마다 색의 눈금이 다릅니다. 밝기가 아니라 모양을 견주어 보세요."
            }
        }
    }
}

/// One array in a figure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// What stands above it.
    pub title: String,
    /// Its cells.
    pub values: Array2<f32>,
    /// Rows and columns of padding at the top, bottom, left and right of them: drawn as padding, and of no
    /// account for the colours.
    pub padding: [usize; 4],
    /// The colours of the cells, instead of those that the colour map gives to their numbers.
    pub picture: Option<Array2<[u8; 3]>>,
    /// Cells inside a thick frame: first row, first column, rows, columns.
    pub window: Option<[usize; 4]>,
    /// What the first row and the first column are called, such as -1 for padding.
    pub first: [i64; 2],
    /// Height and width of blocks of cells, each with an empty row and column at its end: ticks count blocks.
    pub blocks: [usize; 2],
    /// Cells at the end that are not there.
    pub missing: usize,
}

impl Panel {
    /// Cells without padding.
    pub fn new(title: impl Into<String>, values: Array2<f32>) -> Self {
        Self { title: title.into(), values, blocks: [1, 1], ..Self::default() }
    }

    /// Cells of given colours, which stand for no numbers.
    pub fn picture(title: impl Into<String>, colors: Array2<[u8; 3]>) -> Self {
        Self { picture: Some(colors.clone()), ..Self::new(title, Array2::zeros(colors.dim())) }
    }

    fn is_padding(&self, (row, column): (usize, usize)) -> bool {
        let [top, bottom, left, right] = self.padding;
        let (rows, columns) = self.values.dim();
        row < top || row + bottom >= rows || column < left || column + right >= columns
    }

    /// Whether the cell is more than the paper between blocks or after the last number.
    fn is_cell(&self, (row, column): (usize, usize)) -> bool {
        let [down, over] = self.blocks;
        let between = |at: usize, block: usize| block > 1 && at % block == block - 1;
        let place = row * self.values.ncols() + column;
        !between(row, down) && !between(column, over) && place + self.missing < self.values.len()
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
    language: Language,
    compact: bool,
    bare: bool,
    cell: Option<i32>,
}

/// A figure of one array: nearest-neighbour cells, each with its number when there are few.
pub fn imshow(values: ArrayView2<f32>, title: impl Into<String>, colors: ColorMap) -> Figure {
    subplots(vec![Panel::new("", values.to_owned())], title, colors, Scale::Shared)
}

/// A figure of several arrays, side by side; below them it says whether they share a scale.
pub fn subplots(panels: Vec<Panel>, title: impl Into<String>, colors: ColorMap, scale: Scale) -> Figure {
    let columns = panels.len().clamp(1, 8);
    Figure {
        title: title.into(),
        note: String::new(),
        panels,
        colors,
        scale,
        columns,
        range: None,
        language: Language::default(),
        compact: false,
        bare: false,
        cell: None,
    }
}

impl Figure {
    /// With this text below instead of the words about the scale.
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

    /// In this language, where the figure has words of its own.
    pub fn language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }

    /// With cells of this side in units; without it, what fits.
    pub fn cell(mut self, side: i32) -> Self {
        self.cell = Some(side.clamp(1, 200));
        self
    }

    /// With the range that the colour map spreads over numbers from `low` to `high`: around 0 for a diverging map.
    pub(crate) fn range_of(self, low: f32, high: f32) -> Self {
        let (low, high) = self.colors.range(low, high);
        self.range(low, high)
    }

    /// Without a colour bar.
    pub fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    /// Small panels without ticks and without a note: for grids of many.
    pub fn compact(mut self) -> Self {
        self.compact = true;
        self
    }

    /// The figure as a PNG file for dense screens and for print: two pixels for a unit.
    ///
    /// # Errors
    /// When there is no panel, a panel has no cell, or the picture would be too large.
    pub fn to_png(&self) -> Result<Vec<u8>, Error> {
        self.draw()?.to_png(2)
    }

    /// The figure as an SVG file.
    ///
    /// # Errors
    /// As [`Figure::to_png`].
    pub fn to_svg(&self) -> Result<String, Error> {
        self.draw()?.to_svg(&self.title)
    }

    /// The figure, drawn.
    ///
    /// # Errors
    /// As [`Figure::to_png`].
    pub fn draw(&self) -> Result<Drawing, Error> {
        let plan = Plan::new(self)?;
        let mut pen = Drawing::new(plan.width, plan.height);
        let mut y = MARGIN;
        for line in &plan.title {
            pen.text([plan.width / 2, y + TITLE / 2], line, TITLE, Anchor::Middle, INK);
            y += TITLE + 6;
        }
        let labels = if self.compact { None } else { Labels::new(&self.panels, plan.cell) };
        for (i, panel) in self.panels.iter().enumerate() {
            self.panel(&mut pen, &plan, labels.as_ref(), panel, i);
        }
        if plan.bar_for_all && !self.bare {
            let last = |edges: &[i32]| edges.last().copied().unwrap_or(0);
            let y = plan.rows[0] + plan.panel_title;
            let height = (last(&plan.rows) - plan.below - y).min(LONGEST_BAR);
            if let Some(i) = self.panels.iter().position(|p| p.picture.is_none()) {
                bar(&mut pen, self.colors, plan.ranges[i], [last(&plan.columns), y], height);
            }
        }
        let mut y = plan.height - MARGIN - (plan.note.len() as i32 - 1) * (TEXT + 5) - TEXT / 2;
        for line in &plan.note {
            pen.text([plan.width / 2, y], line, TEXT, Anchor::Middle, SOFT);
            y += TEXT + 5;
        }
        Ok(pen)
    }

    fn panel(&self, pen: &mut Drawing, plan: &Plan, labels: Option<&Labels>, panel: &Panel, index: usize) {
        let cell = plan.cell;
        let across = plan.columns.len() - 1;
        let (x, y) = (plan.columns[index % across], plan.rows[index / across] + plan.panel_title);
        let (rows, columns) = panel.values.dim();
        let (width, height) = (columns as i32 * cell, rows as i32 * cell);
        let (low, high) = plan.ranges[index];
        let size = if self.compact { SMALL } else { TEXT };
        pen.text([x + width / 2, y - size], &panel.title, size, Anchor::Middle, INK);
        let color = |place: (usize, usize)| match &panel.picture {
            Some(picture) => picture[place],
            None if !panel.is_cell(place) => [255; 3],
            None if panel.is_padding(place) => [0xf4; 3],
            None => shade(self.colors, panel.values[place], low, high),
        };
        let colors = Array2::from_shape_fn((rows, columns), color);
        pen.cells([x, y, width, height], colors.clone(), Some(&panel.title));
        for (place, &value) in panel.values.indexed_iter().filter(|(at, _)| panel.is_cell(*at)) {
            let (cx, cy) = (x + place.1 as i32 * cell, y + place.0 as i32 * cell);
            let padding = panel.is_padding(place);
            if padding {
                pen.hatch(cx, cy, cell);
            }
            if let (Some(labels), None) = (labels, &panel.picture) {
                let dark = !padding && colormap::luminance(colors[place]) <= 0.179;
                let ink = if padding {
                    SOFT
                } else if dark {
                    [255; 3]
                } else {
                    [0; 3]
                };
                let middle = [cx + cell / 2, cy + cell / 2];
                pen.text(middle, &labels.text(value), labels.size, Anchor::Middle, ink);
            }
        }
        if panel.blocks == [1, 1] && panel.missing == 0 {
            pen.frame([x, y, width, height], 1, SOFT);
        }
        if let Some([top, left, rows, columns]) = panel.window {
            let edge = |v: usize| v as i32 * cell;
            pen.frame([x + edge(left) + 2, y + edge(top) + 2, edge(columns) - 4, edge(rows) - 4], 3, ACCENT);
        }
        if !self.compact {
            ticks(pen, panel, [x, y], cell);
        }
        if !plan.bar_for_all && !self.bare && panel.picture.is_none() {
            bar(pen, self.colors, (low, high), [x + width + 12, y], height);
        }
    }
}

/// The range of numbers that each panel's colours stand for.
fn ranges(figure: &Figure) -> Vec<(f32, f32)> {
    let finite = |p: &Panel| {
        let inside = p
            .values
            .indexed_iter()
            .filter(|(at, v)| v.is_finite() && !p.is_padding(*at) && p.is_cell(*at) && p.picture.is_none());
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

pub(crate) fn shade(colors: ColorMap, value: f32, low: f32, high: f32) -> [u8; 3] {
    if value.is_nan() {
        return NAN;
    }
    // Halved, so that the span of two large numbers does not overflow.
    let span = high / 2.0 - low / 2.0;
    colors.color(if span > 0.0 { (value / 2.0 - low / 2.0) / span } else { 0.5 })
}

/// Row and column numbers, of cells or of blocks: all of a few, else every second, fifth, tenth ...
fn ticks(pen: &mut Drawing, panel: &Panel, [x, y]: [i32; 2], cell: i32) {
    let (rows, columns) = panel.values.dim();
    let every = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
    let [down, over] = panel.blocks.map(|v| v.max(1) as i32);
    let step = |side: i32| every.into_iter().find(|&step| step * side >= 22).unwrap_or(1000);
    // Between blocks lies one empty row or column.
    let middle = |i: i32, block: i32| i * block * cell + (block - i32::from(block > 1)) * cell / 2;
    let height = rows as i32 * cell;
    let [top, left] = panel.first;
    for i in (0..(columns as i32 + over - 1) / over).step_by(step(over * cell) as usize) {
        let middle = x + middle(i, over);
        pen.fill(middle, y + height + 1, 1, 4, SOFT);
        pen.text([middle, y + height + 13], &(i64::from(i) + left).to_string(), SMALL, Anchor::Middle, SOFT);
    }
    for i in (0..(rows as i32 + down - 1) / down).step_by(step(down * cell) as usize) {
        let middle = y + middle(i, down);
        pen.fill(x - 5, middle, 4, 1, SOFT);
        pen.text([x - 8, middle], &(i64::from(i) + top).to_string(), SMALL, Anchor::End, SOFT);
    }
}

/// A colour bar with the numbers at its ends and in its middle.
fn bar(pen: &mut Drawing, colors: ColorMap, range: (f32, f32), [x, y]: [i32; 2], height: i32) {
    let (low, high) = range;
    let numbers = bar_numbers(range);
    if low == high {
        pen.fill(x, y, BAR, height, shade(colors, low, low, high));
        pen.frame([x, y, BAR, height], 1, SOFT);
        pen.text([x + BAR + 7, y + height / 2], &numbers[1], SMALL, Anchor::Start, INK);
        return;
    }
    let shades = height.max(2) as usize;
    let shades =
        Array2::from_shape_fn((shades, 1), |(i, _)| colors.color(1.0 - i as f32 / (shades - 1) as f32));
    pen.cells([x, y, BAR, height], shades, None);
    pen.frame([x, y, BAR, height], 1, SOFT);
    // Where there is no room for three, the middle one goes.
    let room = height >= 3 * SMALL + 4;
    for (text, at) in numbers.iter().zip([height, height / 2, 0]).filter(|(_, at)| room || *at != height / 2)
    {
        pen.fill(x + BAR + 1, y + at, 3, 1, SOFT);
        pen.text([x + BAR + 7, y + at], text, SMALL, Anchor::Start, INK);
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
                assert!(subplots(panels, "수", colors, scale).draw().is_ok());
            }
        }
        assert!(subplots(Vec::new(), "", ColorMap::Gray, Scale::Shared).draw().is_err());
        assert!(imshow(Array2::zeros((0, 3)).view(), "", ColorMap::Gray).draw().is_err());
        assert!(imshow(Array2::zeros((9000, 1)).view(), "", ColorMap::Gray).draw().is_err());
    }

    #[test]
    fn cells_have_the_colours_of_their_numbers() {
        let image = imshow(ndarray::arr2(&[[0.0, 1.0]]).view(), "", ColorMap::Gray)
            .draw()
            .unwrap()
            .render(2)
            .unwrap();
        let counts = |color: [u8; 3]| image.pixels().filter(|p| p.0 == color).count();
        // Two cells of 110 x 110 units, less the text in them; white is also the paper.
        assert!(counts([0; 3]) > 110 * 110 * 4 * 8 / 10, "{}", counts([0; 3]));
    }

    #[test]
    fn a_figure_says_whether_its_panels_share_a_scale() {
        let panels = || vec![Panel::new("a", Array2::zeros((2, 2))), Panel::new("b", Array2::ones((2, 2)))];
        let svg = |figure: Figure| figure.to_svg().unwrap();
        for language in [Language::English, Language::Korean] {
            for scale in [Scale::Shared, Scale::PerPanel] {
                let drawn = svg(subplots(panels(), "", ColorMap::Gray, scale).language(language));
                assert!(drawn.contains(scale.about(language)), "{drawn}");
            }
        }
        let fixed = subplots(panels(), "", ColorMap::Gray, Scale::PerPanel).range(0.0, 2.0);
        assert!(svg(fixed).contains(Scale::Shared.about(Language::English)));
        let own = subplots(panels(), "", ColorMap::Gray, Scale::PerPanel).note("mine");
        assert!(svg(own.clone()).contains("mine") && !svg(own).contains("scale of its own"));
        let one = imshow(Array2::zeros((2, 2)).view(), "", ColorMap::Gray);
        assert!(!svg(one).contains("scale"));
    }

    #[test]
    fn cells_are_sharp_at_any_density() {
        let cells = Array2::from_shape_fn((30, 30), |(i, j)| ((i * 7 + j * 13) % 5) as f32);
        let drawing = imshow(cells.view(), "", ColorMap::Viridis).draw().unwrap();
        let (one, two) = (drawing.render(1).unwrap(), drawing.render(2).unwrap());
        assert_eq!((2 * one.width(), 2 * one.height()), two.dimensions());
        let of_cells: std::collections::HashSet<[u8; 3]> =
            drawing.panels().flat_map(|(_, colors)| colors.iter().copied()).collect();
        assert_eq!(of_cells.len(), 5);
        let mut seen = 0;
        for (x, y, pixel) in one.enumerate_pixels().filter(|p| of_cells.contains(&p.2.0)) {
            let same = (0..4).all(|k| two.get_pixel(2 * x + k % 2, 2 * y + k / 2) == pixel);
            seen += usize::from(same);
        }
        // All cells, and the bar's rows of these colours.
        assert!(seen >= 900 * 12 * 12, "{seen}");
    }

    #[test]
    fn as_svg_it_has_the_same_words_and_cells() {
        let panels = vec![
            Panel { padding: [0, 1, 0, 0], ..Panel::new("값 <1> & \"2\"", Array2::from_elem((2, 3), 7.5)) },
            Panel { window: Some([1, 0, 1, 1]), first: [-1, 0], ..Panel::new("", Array2::zeros((7, 7))) },
            Panel::picture("", Array2::from_elem((2, 2), [1, 2, 3])),
        ];
        let svg = subplots(panels, "수", ColorMap::Diverging, Scale::PerPanel).to_svg().unwrap();
        assert!(svg.contains("<title>수</title>") && svg.contains("값 &lt;1&gt; &amp; &quot;2&quot;"));
        assert_eq!(svg.matches(">7.5<").count(), 6 + 1);
        assert_eq!(svg.matches("#010203").count(), 4);
        // 49 cells are one picture.
        assert!(svg.matches("data:image/png;base64,").count() >= 1 && svg.matches("<svg").count() == 1);
        assert!(svg.contains(">-1<") && svg.contains("#d6451b"));
    }

    #[test]
    fn ink_is_chosen_by_the_cell_it_stands_on() {
        for colors in
            [ColorMap::Greys, ColorMap::Gray, ColorMap::Viridis, ColorMap::Magma, ColorMap::Diverging]
        {
            for i in 0..=100 {
                let paper = colormap::luminance(colors.color(i as f32 / 100.0));
                let ink = if paper > 0.179 { 0.0 } else { 1.0 };
                let contrast = (f32::max(paper, ink) + 0.05) / (f32::min(paper, ink) + 0.05);
                assert!(contrast >= 4.5, "{colors:?} at {i} %: {contrast}");
            }
        }
        assert_eq!(ColorMap::Diverging.range(-1.0, 3.0), (-3.0, 3.0));
        assert_eq!(ColorMap::Diverging.color(0.5), [0xf7; 3]);
    }
}
