//! Drawings: rectangles, cells and lines of text, as pixels or as SVG.

use crate::Error;
use crate::text::{base64, escape};
use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, Rgb, RgbImage};
use ndarray::Array2;
use std::sync::LazyLock;

static FONT: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(include_bytes!("../fonts/figures.ttf")).expect("the built-in font is whole")
});

/// Which point of a text stands at the given place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Anchor {
    /// Its left end.
    Start,
    /// Its middle.
    Middle,
    /// Its right end.
    End,
}

/// Text and lines.
pub(crate) const INK: [u8; 3] = [0x22, 0x22, 0x22];
/// Ticks and notes.
pub(crate) const SOFT: [u8; 3] = [0x66, 0x66, 0x66];
/// The one colour that stands out.
pub(crate) const ACCENT: [u8; 3] = [0xd6, 0x45, 0x1b];
const HATCH: [[u8; 3]; 2] = [[0xf4, 0xf4, 0xf4], [0xd8, 0xd8, 0xd8]];
/// More cells than this are one picture in SVG, not a rectangle each.
const MANY: usize = 36;

/// A mark on the paper; places and sizes in units.
#[derive(Clone, Debug, PartialEq)]
enum Mark {
    Fill([i32; 4], [u8; 3]),
    /// Padding: pale, with slanting lines.
    Hatch([i32; 4]),
    Text {
        x: i32,
        y: i32,
        text: String,
        size: i32,
        anchor: Anchor,
        color: [u8; 3],
    },
    /// Cells stretched over a rectangle, nearest neighbour; the cells of a panel have its title.
    Cells {
        at: [i32; 4],
        colors: Array2<[u8; 3]>,
        title: Option<String>,
    },
}

/// A finished drawing, for PNG, SVG or a terminal.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    width: i32,
    height: i32,
    marks: Vec<Mark>,
}

impl Drawing {
    pub(crate) fn new(width: i32, height: i32) -> Self {
        Self { width, height, marks: Vec::new() }
    }

    /// Width and height in units: pixels of a plain screen.
    pub fn size(&self) -> [u32; 2] {
        [self.width.max(0) as u32, self.height.max(0) as u32]
    }

    /// The panels, each with its title: a colour for each cell.
    pub fn panels(&self) -> impl Iterator<Item = (&str, &Array2<[u8; 3]>)> {
        self.marks.iter().filter_map(|mark| match mark {
            Mark::Cells { colors, title: Some(title), .. } => Some((title.as_str(), colors)),
            _ => None,
        })
    }

    pub(crate) fn fill(&mut self, x: i32, y: i32, width: i32, height: i32, color: [u8; 3]) {
        self.marks.push(Mark::Fill([x, y, width, height], color));
    }

    pub(crate) fn hatch(&mut self, x: i32, y: i32, side: i32) {
        self.marks.push(Mark::Hatch([x, y, side, side]));
    }

    pub(crate) fn cells(&mut self, at: [i32; 4], colors: Array2<[u8; 3]>, title: Option<&str>) {
        self.marks.push(Mark::Cells { at, colors, title: title.map(str::to_owned) });
    }

    /// A frame of `thick` units around (outside) a rectangle.
    pub(crate) fn frame(&mut self, [x, y, width, height]: [i32; 4], thick: i32, color: [u8; 3]) {
        let w = width + 2 * thick;
        self.fill(x - thick, y - thick, w, thick, color);
        self.fill(x - thick, y + height, w, thick, color);
        self.fill(x - thick, y, thick, height, color);
        self.fill(x + width, y, thick, height, color);
    }

    /// `text`, its middle line at height `y`.
    pub(crate) fn text(&mut self, [x, y]: [i32; 2], text: &str, size: i32, anchor: Anchor, color: [u8; 3]) {
        if !text.is_empty() {
            self.marks.push(Mark::Text { x, y, text: text.to_owned(), size, anchor, color });
        }
    }

    /// Puts another drawing on this one, its upper left corner at (`x`, `y`).
    pub(crate) fn put(&mut self, other: Drawing, x: i32, y: i32) {
        self.marks.extend(other.marks.into_iter().map(|mut mark| {
            match &mut mark {
                Mark::Fill(at, _) | Mark::Hatch(at) | Mark::Cells { at, .. } => {
                    at[0] += x;
                    at[1] += y;
                }
                Mark::Text { x: left, y: top, .. } => {
                    *left += x;
                    *top += y;
                }
            }
            mark
        }));
    }

    /// On paper of this height.
    pub(crate) fn tall(self, height: i32) -> Self {
        Self { height, ..self }
    }

    /// As pixels, `density` for a unit: 1 for plain screens, 2 for dense ones and for print.
    ///
    /// # Errors
    /// When a side would be longer than 32,000 pixels or the whole larger than 200 million.
    pub fn render(&self, density: u32) -> Result<RgbImage, Error> {
        let [w, h] = self.size().map(|v| u64::from(v) * u64::from(density.max(1)));
        if w.max(h) > 32_000 || w * h > 200_000_000 {
            return Err(Error::Figure(format!(
                "{w} x {h} pixels are too many for one picture; show one layer"
            )));
        }
        let density = density.max(1) as i32;
        let mut canvas = Canvas::new(w as u32, h as u32);
        for mark in &self.marks {
            let scaled = |at: &[i32; 4]| at.map(|v| v * density);
            match mark {
                Mark::Fill(at, color) => canvas.fill(scaled(at), *color),
                Mark::Hatch(at) => canvas.hatch(scaled(at), density),
                Mark::Cells { at, colors, .. } => canvas.cells(scaled(at), colors),
                Mark::Text { x, y, text, size, anchor, color } => {
                    let [x, y, size] = [x, y, size].map(|v| (v * density) as f32);
                    canvas.text(x, y, text, size, *anchor, *color);
                }
            }
        }
        Ok(canvas.image)
    }

    /// As a PNG file, `density` pixels for a unit.
    ///
    /// # Errors
    /// As [`Drawing::render`].
    pub fn to_png(&self, density: u32) -> Result<Vec<u8>, Error> {
        png(&self.render(density)?)
    }

    /// As an SVG file. Its texts are texts (the classes `ink`, `soft` and `paper` let a page colour them), its
    /// cells stay sharp at any size.
    ///
    /// # Errors
    /// When a picture in it cannot be encoded.
    pub fn to_svg(&self, title: &str) -> Result<String, Error> {
        let (w, h) = (self.width, self.height);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
             role=\"img\" font-family=\"{FAMILY}\">\n<title>{}</title>\n\
             <rect class=\"paper\" width=\"{w}\" height=\"{h}\" fill=\"#fff\"/>\n",
            escape(title)
        );
        for mark in &self.marks {
            mark.to_svg(&mut svg)?;
        }
        Ok(svg + "</svg>\n")
    }
}

const FAMILY: &str = "'Nanum Gothic', 'Noto Sans KR', 'Noto Sans CJK KR', 'Apple SD Gothic Neo', \
                      'Malgun Gothic', system-ui, sans-serif";

impl Mark {
    fn to_svg(&self, svg: &mut String) -> Result<(), Error> {
        let rect = |[x, y, w, h]: [i32; 4], color: [u8; 3]| {
            let class = class(color);
            format!(
                "<rect{class} x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" fill=\"{}\"/>\n",
                hex(color)
            )
        };
        match self {
            Mark::Fill(at, color) => *svg += &rect(*at, *color),
            Mark::Hatch(at) => {
                *svg += &rect(*at, HATCH[0]);
                *svg +=
                    &format!("<path d=\"{}\" stroke=\"{}\" fill=\"none\"/>\n", slants(*at), hex(HATCH[1]));
            }
            Mark::Text { x, y, text, size, anchor, color } => {
                let anchor = match anchor {
                    Anchor::Start => "",
                    Anchor::Middle => " text-anchor=\"middle\"",
                    Anchor::End => " text-anchor=\"end\"",
                };
                let (class, fill) = (class(*color), hex(*color));
                let baseline = *y as f32 + 0.35 * *size as f32;
                *svg += &format!(
                    "<text{class} x=\"{x}\" y=\"{baseline:.1}\" font-size=\"{size}\"{anchor} fill=\"{fill}\">{}</text>\n",
                    escape(text)
                );
            }
            Mark::Cells { at: [x, y, w, h], colors, .. } if colors.len() <= MANY => {
                let (rows, columns) = colors.dim();
                let edge = |i: usize, of: usize, size: i32| (i as i64 * i64::from(size) / of as i64) as i32;
                *svg += "<g shape-rendering=\"crispEdges\">";
                for ((i, j), &color) in colors.indexed_iter() {
                    let (top, left) = (edge(i, rows, *h), edge(j, columns, *w));
                    let (bottom, right) = (edge(i + 1, rows, *h), edge(j + 1, columns, *w));
                    let (w, h, fill) = (right - left, bottom - top, hex(color));
                    let (x, y) = (x + left, y + top);
                    *svg += &format!("<path fill=\"{fill}\" d=\"M{x} {y}h{w}v{h}h-{w}z\"/>");
                }
                *svg += "</g>\n";
            }
            Mark::Cells { at: [x, y, w, h], colors, .. } => {
                let (rows, columns) = colors.dim();
                let image = RgbImage::from_fn(columns as u32, rows as u32, |x, y| {
                    Rgb(colors[[y as usize, x as usize]])
                });
                *svg += &format!(
                    "<image x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" preserveAspectRatio=\"none\" \
                     style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{}\"/>\n",
                    base64(&png(&image)?)
                );
            }
        }
        Ok(())
    }
}

/// Slanted lines through a square, as the path of an SVG.
fn slants([x, y, side, _]: [i32; 4]) -> String {
    let line = |k: i32| {
        let (a, b) = (k.min(side), (k - side).max(0));
        format!("M{} {}L{} {}", x + b, y + a, x + a, y + b)
    };
    (8..2 * side).step_by(8).map(line).collect()
}

fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn class(color: [u8; 3]) -> &'static str {
    match color {
        INK => " class=\"ink\"",
        SOFT => " class=\"soft\"",
        _ => "",
    }
}

/// Pixels as a PNG file.
pub(crate) fn png(image: &RgbImage) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive);
    encoder
        .write_image(image.as_raw(), image.width(), image.height(), ExtendedColorType::Rgb8)
        .map_err(|e| Error::Figure(e.to_string()))?;
    Ok(bytes)
}

/// White paper to draw on.
struct Canvas {
    image: RgbImage,
}

impl Canvas {
    fn new(width: u32, height: u32) -> Self {
        Self { image: RgbImage::from_pixel(width, height, Rgb([255; 3])) }
    }

    /// Fills a rectangle; what lies outside the paper is left out.
    fn fill(&mut self, [x, y, width, height]: [i32; 4], color: [u8; 3]) {
        let (w, h) = (self.image.width() as i32, self.image.height() as i32);
        for row in y.max(0)..(y + height).min(h) {
            for column in x.max(0)..(x + width).min(w) {
                self.image.put_pixel(column as u32, row as u32, Rgb(color));
            }
        }
    }

    fn hatch(&mut self, at: [i32; 4], density: i32) {
        self.fill(at, HATCH[0]);
        let [x, y, width, height] = at;
        for row in 0..height {
            for column in (0..width).filter(|column| (row + column).rem_euclid(8 * density) < density) {
                self.fill([x + column, y + row, 1, 1], HATCH[1]);
            }
        }
    }

    fn cells(&mut self, [x, y, width, height]: [i32; 4], colors: &Array2<[u8; 3]>) {
        let (rows, columns) = colors.dim();
        let (w, h) = (self.image.width() as i32, self.image.height() as i32);
        for row in (0..height).filter(|row| (0..h).contains(&(y + row))) {
            let from = row as usize * rows / height as usize;
            for column in (0..width).filter(|column| (0..w).contains(&(x + column))) {
                let color = colors[[from, column as usize * columns / width as usize]];
                self.image.put_pixel((x + column) as u32, (y + row) as u32, Rgb(color));
            }
        }
    }

    /// Writes `text` of `size` pixels, its middle line at height `y`.
    fn text(&mut self, x: f32, y: f32, text: &str, size: f32, anchor: Anchor, color: [u8; 3]) {
        let (glyphs, width) = layout(text, size);
        let left = match anchor {
            Anchor::Start => x,
            Anchor::Middle => x - width / 2.0,
            Anchor::End => x - width,
        };
        // Digits and capitals reach about 0.36 of the size above and below the middle line.
        let baseline = y + 0.32 * size;
        for mut glyph in glyphs {
            glyph.position = point(glyph.position.x + left, baseline);
            self.glyph(glyph, color);
        }
    }

    fn glyph(&mut self, glyph: Glyph, color: [u8; 3]) {
        let Some(outline) = FONT.outline_glyph(glyph) else { return };
        let bounds = outline.px_bounds();
        outline.draw(|dx, dy, cover| {
            let (x, y) = (bounds.min.x + dx as f32, bounds.min.y + dy as f32);
            if x < 0.0 || y < 0.0 {
                return;
            }
            if let Some(pixel) = self.image.get_pixel_mut_checked(x as u32, y as u32) {
                for (to, from) in pixel.0.iter_mut().zip(color) {
                    let mixed = f32::from(*to) + (f32::from(from) - f32::from(*to)) * cover.clamp(0.0, 1.0);
                    *to = mixed.round() as u8;
                }
            }
        });
    }
}

/// The width of `text` in pixels.
pub(crate) fn width(text: &str, size: f32) -> f32 {
    layout(text, size).1
}

fn layout(text: &str, size: f32) -> (Vec<Glyph>, f32) {
    let font = FONT.as_scaled(PxScale::from(size));
    let mut x = 0.0;
    let mut glyphs = Vec::new();
    let mut last = None;
    for character in text.chars() {
        let id = font.glyph_id(if character == '\u{2212}' { '-' } else { character });
        x += last.map_or(0.0, |last| font.kern(last, id));
        glyphs.push(id.with_scale_and_position(PxScale::from(size), point(x, 0.0)));
        x += font.h_advance(id);
        last = Some(id);
    }
    (glyphs, x)
}

/// Breaks `text` at spaces into lines of at most `room` pixels.
pub(crate) fn wrap(text: &str, size: f32, room: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
