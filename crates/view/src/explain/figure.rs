//! The arithmetic of one cell as a picture: window, filter, products, sum.

use super::{Explanation, Term};
use crate::draw::{Anchor, Drawing, INK, SOFT, width, wrap};
use crate::figure::{Panel, Scale, subplots};
use crate::{ColorMap, Error, Language};
use ndarray::Array2;

/// Channels that are drawn: those whose products weigh most.
const CHANNELS: usize = 4;
/// Columns that a window of one cell and many channels is laid out in.
const WIDE: usize = 16;
const MARGIN: i32 = 24;
const SIGN: i32 = 34;

/// The window of the input (padding hatched), the filter and the products, a row for each channel, and below them
/// `lines`, such as the sum, the bias and the activation. Of many channels, the four whose products weigh most.
///
/// # Errors
/// When the window is too large to be drawn.
pub fn figure(cell: &Explanation, lines: &[String], language: Language) -> Result<Drawing, Error> {
    let say = |en: &'static str, ko: &'static str| if language == Language::Korean { ko } else { en };
    let layout = Layout::new(cell);
    let weighed = matches!(cell.operator, "conv2d" | "dense");
    let inputs =
        if cell.operator == "dense" { say("inputs", "입력") } else { say("input window", "입력 창") };
    let filter = match cell.operator {
        "dense" => say("weights", "가중치"),
        "conv2d" => say("filter", "필터"),
        _ => say("share", "몫"),
    };
    let mut columns = vec![Column { name: inputs, colors: ColorMap::Gray, what: What::Input }];
    if weighed || cell.operator == "avg_pool" {
        columns.push(Column { name: filter, colors: ColorMap::Diverging, what: What::Filter });
        let name = say("products", "곱");
        columns.push(Column { name, colors: ColorMap::Diverging, what: What::Product });
    }
    let mut rows = Vec::new();
    for &channel in &layout.channels {
        let of = if layout.of == 1 {
            String::new()
        } else if language == Language::Korean {
            format!(", 채널 {channel}")
        } else {
            format!(", channel {channel}")
        };
        let panel = |(i, column): (usize, &Column)| {
            let caption = format!("{}{}", column.name, if i == 0 { of.as_str() } else { "" });
            Ok((caption, layout.panel(cell, channel, column)?))
        };
        rows.push(columns.iter().enumerate().map(panel).collect::<Result<Vec<_>, Error>>()?);
    }
    let place = |at: &[usize; 4]| format!("({}, {}, {}, {})", at[0], at[1], at[2], at[3]);
    let title = match language {
        Language::English => format!("{}: cell {} of the output", cell.operator, place(&cell.at)),
        Language::Korean => format!("{}: 출력의 칸 {}", cell.operator, place(&cell.at)),
    };
    let mut lines = lines.to_vec();
    if layout.channels.len() < layout.of {
        lines.push(match language {
            Language::English => {
                format!("Drawn: the {} of {} channels that weigh most.", layout.channels.len(), layout.of)
            }
            Language::Korean => {
                format!(
                    "채널 {}개 가운데 영향이 가장 큰 {}개를 그렸습니다.",
                    layout.of,
                    layout.channels.len()
                )
            }
        });
    }
    let note = say("Each column has a colour scale of its own.", "열마다 색 눈금이 다릅니다.");
    Ok(compose(&title, rows, &lines, if columns.len() > 1 { note } else { "" }))
}

fn compose(title: &str, rows: Vec<Vec<(String, Drawing)>>, lines: &[String], note: &str) -> Drawing {
    let size = |d: &Drawing| d.size().map(|v| v as i32);
    let wide = |row: &Vec<(String, Drawing)>| row.iter().map(|d| size(&d.1)[0] + SIGN).sum::<i32>() - SIGN;
    let body = rows.iter().map(wide).max().unwrap_or(0);
    let all = (body + 2 * MARGIN).max(width(title, 19.0).ceil() as i32 + 2 * MARGIN).max(420);
    let mut pen = Drawing::new(all, 0);
    pen.text([all / 2, MARGIN + 8], title, 19, Anchor::Middle, INK);
    let mut y = MARGIN + 40;
    for row in rows {
        let mut x = (all - wide(&row)) / 2;
        let mut tall = 0;
        for (i, (caption, drawing)) in row.into_iter().enumerate() {
            let [w, h] = size(&drawing);
            if i > 0 {
                pen.text(
                    [x + SIGN / 2, y + 18 + h / 2],
                    ["", "\u{d7}", "="][i.min(2)],
                    26,
                    Anchor::Middle,
                    SOFT,
                );
                x += SIGN;
            }
            pen.text([x + w / 2, y + 6], &caption, 14, Anchor::Middle, INK);
            pen.put(drawing, x, y + 14);
            x += w;
            tall = tall.max(h);
        }
        y += tall + 22;
    }
    for line in lines.iter().flat_map(|l| wrap(l, 16.0, (all - 2 * MARGIN) as f32)) {
        pen.text([all / 2, y + 10], &line, 16, Anchor::Middle, INK);
        y += 26;
    }
    if !note.is_empty() {
        pen.text([all / 2, y + 12], note, 14, Anchor::Middle, SOFT);
        y += 26;
    }
    pen.tall(y + MARGIN - 6)
}

/// How the terms lie on paper.
struct Layout {
    rows: usize,
    columns: usize,
    /// Channels there are, and those drawn.
    of: usize,
    channels: Vec<usize>,
    /// Whether the channels are laid out as one window.
    flat: bool,
}

impl Layout {
    fn new(cell: &Explanation) -> Self {
        let [h, w] = cell.window;
        let of = cell.terms.len() / (h * w).max(1);
        if (h, w) == (1, 1) && of > 1 {
            let columns = of.min(WIDE);
            return Self { rows: of.div_ceil(columns), columns, of: 1, channels: vec![0], flat: true };
        }
        let weight = |c: usize| -> f64 {
            let terms = cell.terms.iter().skip(c).step_by(of);
            terms.map(|t| f64::from(t.product.unwrap_or(0.0).abs())).sum()
        };
        let mut order: Vec<usize> = (0..of).collect();
        order.sort_by(|&a, &b| weight(b).total_cmp(&weight(a)));
        order.truncate(CHANNELS);
        Self { rows: h, columns: w, of, channels: order, flat: false }
    }

    /// The term in row `i`, column `j` of the window of a channel.
    fn term<'a>(&self, cell: &'a Explanation, channel: usize, [i, j]: [usize; 2]) -> Option<&'a Term> {
        let k = i * self.columns + j;
        cell.terms.get(if self.flat { k } else { k * self.of + channel })
    }

    fn panel(&self, cell: &Explanation, channel: usize, column: &Column) -> Result<Drawing, Error> {
        let term = |i, j| self.term(cell, channel, [i, j]);
        let size = (self.rows, self.columns);
        let values = Array2::from_shape_fn(size, |(i, j)| term(i, j).map_or(0.0, |t| column.what.of(t)));
        let missing = if self.flat { self.rows * self.columns - cell.terms.len() } else { 0 };
        // The filter lies on padding as well, but is none.
        let input = column.what != What::Filter;
        let padding = if input { self.padding(cell, channel) } else { [0; 4] };
        let first = if input { self.first(cell, channel) } else { [0, 0] };
        let largest = cell.operator == "max_pool";
        let window = values.indexed_iter().find(|(_, v)| largest && **v == cell.value);
        let window = window.map(|((i, j), _)| [i, j, 1, 1]);
        let panel = Panel { padding, first, missing, window, ..Panel::new("", values) };
        let side = (if self.flat { 420 } else { 260 }) / size.0.max(size.1).max(1) as i32;
        let (low, high) = self.range(cell, column.what);
        let figure = subplots(vec![panel], "", column.colors, Scale::Shared).range_of(low, high);
        figure.bare().cell(side.clamp(6, 64)).draw()
    }

    /// The range of numbers in a column of panels: all channels that are drawn share it.
    fn range(&self, cell: &Explanation, what: What) -> (f32, f32) {
        let drawn = |k: usize| self.flat || self.channels.contains(&(k % self.of));
        let inside = cell.terms.iter().enumerate().filter(|(k, t)| drawn(*k) && !t.padding);
        let values = inside.map(|(_, t)| what.of(t)).filter(|v| v.is_finite());
        let (low, high) = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        // From 0 on, so that a window of equal numbers is not grey in the middle.
        if low > high { (0.0, 1.0) } else { (low.min(0.0), high.max(0.0)) }
    }

    /// Rows and columns of the window that are all padding: top, bottom, left, right.
    fn padding(&self, cell: &Explanation, channel: usize) -> [usize; 4] {
        let outside = |i, j| self.term(cell, channel, [i, j]).is_some_and(|t| t.padding);
        let count = |line: Vec<bool>| {
            let before = line.iter().take_while(|p| **p).count();
            [before, line[before..].iter().filter(|p| **p).count()]
        };
        let rows = (0..self.rows).map(|i| (0..self.columns).all(|j| outside(i, j))).collect();
        let columns = (0..self.columns).map(|j| (0..self.rows).all(|i| outside(i, j))).collect();
        let ([top, bottom], [left, right]) = (count(rows), count(columns));
        [top, bottom, left, right]
    }

    /// The input's row and column in the window's corner, where the window has them one after the other.
    fn first(&self, cell: &Explanation, channel: usize) -> [i64; 2] {
        let at = |i, j| self.term(cell, channel, [i, j]).map(|t| [t.at[1], t.at[2]]);
        let Some([row, column]) = at(0, 0).filter(|_| !self.flat) else { return [0, 0] };
        let next =
            |there: Option<[i64; 2]>, axis: usize, here: i64| there.is_none_or(|t| t[axis] == here + 1);
        let down = self.rows == 1 || next(at(1, 0), 0, row);
        let over = self.columns == 1 || next(at(0, 1), 1, column);
        if down && over { [row, column] } else { [0, 0] }
    }
}

/// What a column of panels shows.
struct Column {
    name: &'static str,
    colors: ColorMap,
    what: What,
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    Input,
    Filter,
    Product,
}

impl What {
    fn of(self, term: &Term) -> f32 {
        match self {
            What::Input => term.input,
            What::Filter => term.filter.unwrap_or(0.0),
            What::Product => term.product.unwrap_or(0.0),
        }
    }
}
