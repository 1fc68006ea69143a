//! A canvas of pixels: rectangles and lines of text.

use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};
use image::{Rgb, RgbImage};
use std::sync::LazyLock;

static FONT: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(include_bytes!("../fonts/figures.ttf")).expect("the built-in font is whole")
});

/// Which point of a text stands at the given place.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Anchor {
    /// Its left end.
    Start,
    /// Its middle.
    Middle,
    /// Its right end.
    End,
}

/// White paper to draw on.
pub(crate) struct Canvas {
    image: RgbImage,
}

impl Canvas {
    pub(crate) fn new(width: u32, height: u32) -> Self {
        Self { image: RgbImage::from_pixel(width, height, Rgb([255; 3])) }
    }

    pub(crate) fn into_image(self) -> RgbImage {
        self.image
    }

    /// Fills `width` x `height` pixels from (`x`, `y`); what lies outside is left out.
    pub(crate) fn fill(&mut self, x: i32, y: i32, width: i32, height: i32, color: [u8; 3]) {
        let (w, h) = (self.image.width() as i32, self.image.height() as i32);
        for row in y.max(0)..(y + height).min(h) {
            for column in x.max(0)..(x + width).min(w) {
                self.image.put_pixel(column as u32, row as u32, Rgb(color));
            }
        }
    }

    /// A frame of `thick` pixels around (outside) a rectangle.
    pub(crate) fn frame(&mut self, x: i32, y: i32, width: i32, height: i32, thick: i32, color: [u8; 3]) {
        let (w, h) = (width + 2 * thick, height + 2 * thick);
        self.fill(x - thick, y - thick, w, thick, color);
        self.fill(x - thick, y + height, w, thick, color);
        self.fill(x - thick, y - thick, thick, h, color);
        self.fill(x + width, y - thick, thick, h, color);
    }

    /// Writes `text` of `size` pixels, its middle line at height `y`.
    pub(crate) fn text(&mut self, x: f32, y: f32, text: &str, size: f32, anchor: Anchor, color: [u8; 3]) {
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
