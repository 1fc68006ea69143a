//! Line charts and scatter plots as SVG.

use crate::clean::steers;
use crate::text::{Text, Writer, escape, number, t};
use std::fmt::Write;

pub(super) const WIDTH: f64 = 400.0;
pub(super) const HEIGHT: f64 = 250.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 40.0;

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Faint: every step.
    Faint,
    /// A line.
    Line,
    /// A line with a mark at each point.
    Marked,
}

/// A line of a chart.
pub(super) struct Line {
    pub name: Text,
    /// CSS class that colours it.
    pub class: &'static str,
    pub style: Style,
    pub points: Vec<(f64, f64)>,
}

/// How a chart writes the numbers of its y axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Number,
    Percent,
}

impl Unit {
    fn tick(self, v: f64, step: f64) -> String {
        match self {
            Unit::Percent => format!("{} %", places(100.0 * v, 100.0 * step)),
            Unit::Number if v != 0.0 && step < 1e-4 => format!("{v:.1e}"),
            Unit::Number => places(v, step),
        }
    }

    fn value(self, v: f64) -> String {
        match self {
            Unit::Percent => crate::text::percent(v),
            Unit::Number => number(v),
        }
    }
}

/// `v` with as many places as steps of `step` need.
fn places(v: f64, step: f64) -> String {
    let places = (-step.log10().floor()).clamp(0.0, 8.0) as usize;
    let text = format!("{v:.places$}");
    if text.trim_start_matches('-').chars().all(|c| c == '0' || c == '.') { "0".into() } else { text }
}

/// A chart over epochs.
pub(super) struct Chart {
    pub title: Text,
    pub x: Text,
    pub unit: Unit,
    /// What the y axis must show whatever the data are.
    pub keep: f64,
    /// Where the y axis begins; lines that are below come in from there. Without, it begins at the least number.
    pub from: Option<f64>,
    pub lines: Vec<Line>,
    /// An upright line at an epoch, and what it says.
    pub mark: Option<(f64, Text)>,
}

/// An axis: what it goes from and to, and its ticks.
pub(super) struct Axis {
    pub low: f64,
    pub high: f64,
    pub ticks: Vec<f64>,
    pub step: f64,
}

impl Axis {
    /// An axis over `values` with about `wanted` ticks at round numbers; it ends at its outer ticks.
    pub fn over(values: impl Iterator<Item = f64>, wanted: usize) -> Self {
        let finite = values.filter(|v| v.is_finite());
        let (low, high) = finite.fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        let room = if high > low { high - low } else { high.abs().max(1.0) };
        let (low, high) = if high > low { (low, high) } else { (low - room / 2.0, high + room / 2.0) };
        let raw = (high - low) / wanted.max(1) as f64;
        let power = 10f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= raw * 0.999);
        let step = step.unwrap_or(raw);
        let (first, last) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
        let ticks = (0..=(last - first) as usize).map(|i| (first + i as f64) * step).collect();
        Self { low: first * step, high: last * step, ticks, step }
    }

    pub fn share(&self, v: f64) -> f64 {
        (v - self.low) / (self.high - self.low)
    }
}

pub(super) fn px(x: &Axis, v: f64) -> f64 {
    LEFT + x.share(v) * (WIDTH - LEFT - RIGHT)
}

pub(super) fn py(y: &Axis, v: f64) -> f64 {
    HEIGHT - BOTTOM - y.share(v) * (HEIGHT - TOP - BOTTOM)
}

/// The grid, the ticks and the names of the axes.
pub(super) fn frame(w: &mut Writer, x: &Axis, y: &Axis, unit: Unit, names: (&Text, Option<&Text>)) {
    let base = HEIGHT - BOTTOM;
    for &v in &y.ticks {
        let at = py(y, v);
        let (end, label) = (WIDTH - RIGHT, unit.tick(v, y.step));
        w.raw(format!(
            "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{end}\"/><text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\">{label}</text>",
            LEFT - 7.0,
            at + 4.0
        ));
    }
    w.raw(format!("<path class=\"axis\" d=\"M{LEFT} {base}H{}\"/>", WIDTH - RIGHT));
    for &v in &x.ticks {
        let step = if v.fract() == 0.0 { 1.0 } else { x.step };
        let (at, label) = (px(x, v), Unit::Number.tick(v, step));
        w.raw(format!(
            "<path class=\"axis\" d=\"M{at:.1} {base}v4\"/><text class=\"tick\" x=\"{at:.1}\" y=\"{:.1}\" \
             text-anchor=\"middle\">{label}</text>",
            base + 17.0
        ));
    }
    let middle = (LEFT + WIDTH - RIGHT) / 2.0;
    w.text(
        "text",
        &format!(" class=\"name\" x=\"{middle}\" y=\"{}\" text-anchor=\"middle\"", HEIGHT - 5.0),
        names.0,
    );
    if let Some(name) = names.1 {
        let high = (TOP + base) / 2.0;
        let place = format!(
            " class=\"name\" x=\"11\" y=\"{high}\" text-anchor=\"middle\" transform=\"rotate(-90 11 {high})\""
        );
        w.text("text", &place, name);
    }
}

impl Chart {
    /// Draws the chart: a figure with a legend, an SVG that the keyboard can walk, and a line for the values at hand.
    pub fn draw(&self, w: &mut Writer) {
        let points = || self.lines.iter().flat_map(|l| &l.points);
        let end = points().map(|p| p.0).fold(f64::MIN_POSITIVE, f64::max);
        let x = Axis::over([0.0, end].into_iter(), 5);
        // Whole epochs have ticks, and the axis ends where the run does.
        let whole = |v: &f64| v.fract() == 0.0 && *v <= end;
        let x = Axis { ticks: x.ticks.iter().copied().filter(whole).collect(), low: 0.0, high: end, ..x };
        let low = self.from.unwrap_or(f64::NEG_INFINITY);
        let y = Axis::over(points().map(|p| p.1.max(low)).chain([self.keep]), 4);
        w.raw("<figure class=\"chart\"><figcaption>");
        w.text("h3", "", &self.title);
        w.raw("<ul class=\"legend\">");
        // One line alone is what the title says.
        for line in self.lines.iter().filter(|_| self.lines.len() > 1) {
            let faint = if line.style == Style::Faint { " faint" } else { "" };
            w.raw(format!("<li><i class=\"key {}{faint}\"></i>", line.class));
            w.text("span", "", &line.name);
            w.raw("</li>");
        }
        w.raw("</ul></figcaption>");
        let label = w.label("aria-label", &self.title);
        w.raw(format!(
            "<div class=\"plot\"{label}><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" aria-hidden=\"true\">"
        ));
        frame(w, &x, &y, self.unit, (&self.x, None));
        if let Some((at, text)) = self.mark.as_ref().filter(|mark| mark.0 <= end) {
            let (at, right) = (px(&x, *at), x.share(*at) > 0.5);
            w.raw(format!("<path class=\"best\" d=\"M{at:.1} {TOP}V{}\"/>", HEIGHT - BOTTOM));
            let (side, anchor) = if right { (-5.0, "end") } else { (5.0, "start") };
            let place = format!(
                " class=\"best-name\" x=\"{:.1}\" y=\"{}\" text-anchor=\"{anchor}\"",
                at + side,
                TOP + 10.0
            );
            w.text("text", &place, text);
        }
        for line in &self.lines {
            self.line(w, line, &x, &y);
        }
        w.raw(format!("<g class=\"cursor\" hidden><path d=\"M0 {TOP}V{}\"/></g></svg>", HEIGHT - BOTTOM));
        w.raw("<p class=\"readout\"></p><script type=\"application/json\">");
        let data = self.data(&x, &y);
        w.raw(data);
        w.raw("</script></div></figure>");
    }

    fn line(&self, w: &mut Writer, line: &Line, x: &Axis, y: &Axis) {
        let mut path = String::new();
        let mut pen = 'M';
        for &(a, b) in &line.points {
            if !b.is_finite() || b < y.low {
                pen = 'M';
                continue;
            }
            let _ = write!(path, "{pen}{:.1} {:.1}", px(x, a), py(y, b));
            pen = 'L';
        }
        let class = line.class;
        let faint = if line.style == Style::Faint { " faint" } else { "" };
        w.raw(format!("<path class=\"line {class}{faint}\" d=\"{path}\"/>"));
        if line.style == Style::Marked && line.points.len() <= 40 {
            for &(a, b) in line.points.iter().filter(|p| p.1.is_finite()) {
                w.raw(format!(
                    "<circle class=\"mark {class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"/>",
                    px(x, a),
                    py(y, b)
                ));
            }
        }
    }

    /// The lines for the script: where each point is drawn and what it says.
    fn data(&self, x: &Axis, y: &Axis) -> String {
        let lines: Vec<String> = self
            .lines
            .iter()
            .filter(|l| l.style != Style::Faint)
            .map(|line| {
                let points: Vec<String> = line
                    .points
                    .iter()
                    .filter(|p| p.1.is_finite() && p.1 >= y.low)
                    .map(|&(a, b)| {
                        format!(
                            "[{:.1},{:.1},\"{}\",\"{}\"]",
                            px(x, a),
                            py(y, b),
                            number(round(a)),
                            self.unit.value(b)
                        )
                    })
                    .collect();
                let (en, ko) = (json(&line.name.en), json(&line.name.ko));
                format!(
                    "{{\"en\":{en},\"ko\":{ko},\"class\":\"{}\",\"points\":[{}]}}",
                    line.class,
                    points.join(",")
                )
            })
            .collect();
        let (en, ko) = (json(&self.x.en), json(&self.x.ko));
        format!("{{\"en\":{en},\"ko\":{ko},\"lines\":[{}]}}", lines.join(","))
    }
}

fn round(v: f64) -> f64 {
    (v * 100.0).round() / 100.0
}

/// A JSON text that is safe inside a script element.
pub(super) fn json(text: &str) -> String {
    let text = serde_json::to_string(text).unwrap_or_default();
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        let mut units = [0; 2];
        match c {
            c if c == '<' || steers(c) => {
                c.encode_utf16(&mut units).iter().for_each(|unit| safe += &format!("\\u{unit:04x}"));
            }
            c => safe.push(c),
        }
    }
    safe
}

/// Points over two axes, with a line for what would be right.
pub(super) struct Scatter {
    pub title: Text,
    pub x: Text,
    pub y: Text,
    pub points: Vec<(f64, f64)>,
    /// From where to where the line of right answers goes: `y = x`, or `y = 0`.
    pub diagonal: bool,
}

impl Scatter {
    /// Draws the plot.
    pub fn draw(&self, w: &mut Writer) {
        let both = || self.points.iter().flat_map(|p| [p.0, p.1]);
        let one = |i: usize| self.points.iter().map(move |p| if i == 0 { p.0 } else { p.1 });
        let (x, y) = if self.diagonal {
            (Axis::over(both(), 5), Axis::over(both(), 5))
        } else {
            (Axis::over(one(0), 5), Axis::over(one(1).chain([0.0]), 4))
        };
        self.begin(w);
        frame(w, &x, &y, Unit::Number, (&self.x, Some(&self.y)));
        let (from, to) = if self.diagonal { (x.low, x.high) } else { (0.0, 0.0) };
        w.raw(format!(
            "<path class=\"right\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>",
            px(&x, x.low),
            py(&y, from),
            px(&x, x.high),
            py(&y, to)
        ));
        let mut path = String::new();
        for &(a, b) in self.points.iter().filter(|p| p.0.is_finite() && p.1.is_finite()) {
            let _ = write!(path, "M{:.1} {:.1}h0", px(&x, a), py(&y, b));
        }
        w.raw(format!("<path class=\"points\" d=\"{path}\"/></svg></div></figure>"));
    }

    fn begin(&self, w: &mut Writer) {
        begin(w, &self.title);
    }
}

/// Begins a figure with its title.
pub(super) fn begin(w: &mut Writer, title: &Text) {
    w.raw("<figure class=\"chart\"><figcaption>");
    w.text("h3", "", title);
    let label = w.label("aria-label", title);
    w.raw(format!("</figcaption><div><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\"{label}>"));
}

/// Draws how often values lie in each of some thirty ranges.
pub(super) fn histogram(w: &mut Writer, title: &Text, x_name: &Text, values: &[f64]) {
    let x = Axis::over(values.iter().copied(), 5);
    const BINS: usize = 30;
    let mut counts = [0usize; BINS];
    for v in values.iter().filter(|v| v.is_finite()) {
        counts[((x.share(*v) * BINS as f64) as usize).min(BINS - 1)] += 1;
    }
    let y = Axis::over(counts.iter().map(|&c| c as f64).chain([0.0]), 4);
    begin(w, title);
    frame(w, &x, &y, Unit::Number, (x_name, Some(&t("samples", "표본"))));
    let wide = (WIDTH - LEFT - RIGHT) / BINS as f64;
    for (i, &count) in counts.iter().enumerate().filter(|c| *c.1 > 0) {
        let (left, top) = (LEFT + i as f64 * wide, py(&y, count as f64));
        let from = x.low + (x.high - x.low) * i as f64 / BINS as f64;
        w.raw(format!(
            "<rect class=\"bin\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"><title>{}: {count}</title></rect>",
            left + 0.5,
            wide - 1.0,
            HEIGHT - BOTTOM - top,
            escape(&number(from))
        ));
    }
    w.raw("</svg></div></figure>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers_around_the_data() {
        for (values, wanted, ticks) in [
            (vec![0.0, 0.93], 4, vec![0.0, 0.5, 1.0]),
            (vec![-3.0, 3.0], 4, vec![-4.0, -2.0, 0.0, 2.0, 4.0]),
            (vec![5.0], 2, vec![0.0, 5.0, 10.0]),
            (vec![f64::NAN], 2, vec![0.0, 0.5, 1.0]),
        ] {
            let axis = Axis::over(values.into_iter(), wanted);
            assert!(axis.ticks.len() == ticks.len(), "{:?}", axis.ticks);
            assert!(axis.ticks.iter().zip(&ticks).all(|(a, b)| (a - b).abs() < 1e-9), "{:?}", axis.ticks);
        }
    }

    #[test]
    fn a_gap_in_the_numbers_is_a_gap_in_the_line() {
        let points = vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, 0.5)];
        let line = Line { name: t("loss", "손실"), class: "train", style: Style::Line, points };
        let chart = Chart {
            title: t("a", "가"),
            x: t("x", "엑스"),
            unit: Unit::Number,
            keep: 0.0,
            from: None,
            lines: vec![line],
            mark: Some((1.0, t("best", "최고"))),
        };
        let mut w = Writer::new(super::super::Language::English);
        chart.draw(&mut w);
        assert!(!w.html.contains("NaN") && w.html.contains("\"points\":[[50.0"), "{}", w.html);
    }

    #[test]
    fn a_text_cannot_end_its_script() {
        assert_eq!(json("</script>\""), "\"\\u003c/script>\\\"\"");
    }
}
