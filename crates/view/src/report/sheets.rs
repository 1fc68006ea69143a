//! Small pictures of samples, packed into sheets that are PNG.

use super::Judged;
use crate::text::{Text, Writer, base64, escape, t};
use foveal_data::{Dataset, Sample};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use std::collections::HashMap;
use std::fmt::Write;

/// Pictures in a row of a sheet, and rows.
pub(super) const SIDE: usize = 32;
const SHEET: usize = SIDE * SIDE;
/// The longer side of a small picture, at most.
const LONGEST: usize = 48;
/// Bytes of all sheets together, at most: with a third more for base64, a report stays under 4 MB.
const BUDGET: usize = 2_600_000;
/// Pixels that are tried, at most.
const PIXELS: usize = 24_000_000;

/// Samples as pictures.
pub(super) struct Sheets {
    /// Height and width of a picture.
    pub size: [usize; 2],
    /// The sheets, as PNG.
    pngs: Vec<Vec<u8>>,
    /// How many of the samples asked for are there.
    pub held: usize,
    /// The samples as they were written, where they are texts: there are no pictures then.
    texts: Vec<String>,
    /// The files of the samples that are there, where samples are files.
    names: Vec<String>,
}

/// Characters of a text that are shown.
const SHOWN: usize = 400;
/// Bytes of all texts together, at most.
const TEXTS: usize = 1_500_000;

/// Texts of `data` at `indices`, as many of the first as there is room for; none where samples are no texts.
fn texts(data: &Dataset, indices: &[u32]) -> Vec<String> {
    let mut room = TEXTS;
    let short = |&i: &u32| {
        let text = data.text(i as usize)?;
        let mut short: String = text.chars().take(SHOWN).collect();
        if short.len() < text.len() {
            short.push('\u{2026}');
        }
        room = room.checked_sub(short.len())?;
        Some(short)
    };
    indices.iter().map_while(short).collect()
}

impl Sheets {
    /// The samples at `indices` of `data`, as many of the first as there is room for, by `threads` workers.
    pub fn new(data: &Dataset, indices: &[u32], threads: usize) -> Self {
        if data.vocabulary().is_some() {
            let texts = texts(data, indices);
            return Self { size: [1, 1], pngs: Vec::new(), held: texts.len(), texts, names: Vec::new() };
        }
        let [h, w, _] = data.shape();
        let longest = h.max(w);
        let fit = |side: usize| if longest > LONGEST { (side * LONGEST / longest).max(1) } else { side };
        let size = [fit(h), fit(w)];
        let channels = if data.shape()[2] == 3 { 3 } else { 1 };
        let most = PIXELS / (size[0] * size[1] * channels);
        let tried = &indices[..indices.len().min(most)];
        let range = range(data);
        let sheets: Vec<&[u32]> = tried.chunks(SHEET).collect();
        let each = sheets.len().div_ceil(threads.max(1)).max(1);
        let pngs: Vec<Vec<u8>> = std::thread::scope(|scope| {
            let draw = |sheet: &&[u32]| sheet_png(data, sheet, size, channels, range);
            let workers: Vec<_> = sheets
                .chunks(each)
                .map(|some| scope.spawn(move || some.iter().map(draw).collect::<Vec<_>>()))
                .collect();
            workers.into_iter().flat_map(|w| w.join().expect("a sheet is drawn")).collect()
        });
        let mut total = 0;
        let fitting = pngs.into_iter().take_while(|png| {
            total += png.len();
            total <= BUDGET
        });
        let pngs: Vec<Vec<u8>> = fitting.collect();
        let held = (pngs.len() * SHEET).min(tried.len());
        Self { size, pngs, held, texts: Vec::new(), names: Vec::new() }
    }

    /// With the files of the samples at `indices`, which these sheets show.
    pub fn named(self, judged: &Judged<'_>, indices: &[u32]) -> Self {
        let Some(names) = judged.names else { return self };
        let row: HashMap<u32, usize> = match judged.indices {
            Some(all) => all.iter().copied().zip(0..).collect(),
            None => (0..judged.data.len() as u32).zip(0..).collect(),
        };
        let name = |index: &u32| row.get(index).and_then(|&k| names.get(k)).cloned();
        let names = indices.iter().take(self.held).map_while(name).collect();
        Self { names, ..self }
    }

    /// The files of the samples that are there; none where samples are no files.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Writes the sample at `place`, number `index` of the data set, as a picture or a text; nothing where it is
    /// not there.
    pub fn draw(&self, w: &mut Writer, place: usize, index: u32) {
        let label = w.samples(t(format!("image {index}"), format!("이미지 {index}번")));
        let label = w.label("aria-label", &label);
        if let Some(text) = self.texts.get(place) {
            w.raw(format!(
                "<div class=\"picture written\"><blockquote{label} dir=\"auto\" translate=\"no\">"
            ));
            w.raw(escape(text));
            w.raw("</blockquote>");
        } else if let Some(attributes) = self.attributes(place) {
            w.raw(format!("<div class=\"picture\"><span role=\"img\"{label}{attributes}></span>"));
        } else {
            return;
        }
        let name = self.names.get(place).map_or_else(|| format!("#{index}"), String::clone);
        w.name("span", " class=\"index\"", &name);
        w.raw("</div>");
    }

    /// The texts held, where samples are texts.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// How much larger a picture is shown.
    pub fn zoom(&self) -> usize {
        (56 / self.size[0].max(self.size[1]).max(1)).max(1)
    }

    /// The CSS that pictures take their pixels from: a class `s0`, `s1` … for each sheet.
    pub fn css(&self) -> String {
        let [h, w] = self.size;
        let mut css = format!(":root{{--w:{w};--h:{h};--z:{}}}", self.zoom());
        for (i, png) in self.pngs.iter().enumerate() {
            let rows = self.held.saturating_sub(i * SHEET).min(SHEET).div_ceil(SIDE);
            let _ = write!(
                css,
                ".s{i}{{--rows:{rows};background-image:url(data:image/png;base64,{})}}",
                base64(png)
            );
        }
        css
    }

    /// The attributes of the picture at `place`, if it is there.
    pub fn attributes(&self, place: usize) -> Option<String> {
        if place >= self.held || !self.texts.is_empty() {
            return None;
        }
        let (sheet, at) = (place / SHEET, place % SHEET);
        Some(format!(" class=\"thumb s{sheet}\" style=\"--c:{};--r:{}\"", at % SIDE, at / SIDE))
    }
}

/// The least and the largest number of a data set of `f32`.
fn range(data: &Dataset) -> (f32, f32) {
    match data.samples() {
        foveal_data::Samples::U8(_) | foveal_data::Samples::Stored(_) => (0.0, 255.0),
        foveal_data::Samples::F32(values) => {
            let finite = values.iter().copied().filter(|v| v.is_finite());
            finite.fold((f32::MAX, f32::MIN), |(a, b), v| (a.min(v), b.max(v)))
        }
    }
}

fn sheet_png(
    data: &Dataset,
    indices: &[u32],
    [h, w]: [usize; 2],
    channels: usize,
    range: (f32, f32),
) -> Vec<u8> {
    let (width, height) = (SIDE * w, indices.len().div_ceil(SIDE) * h);
    let mut pixels = vec![0u8; width * height * channels];
    let row = w * channels;
    for (place, &i) in indices.iter().enumerate() {
        let small = picture(data, i as usize, [h, w], channels, range);
        let corner = (place / SIDE * h * SIDE + place % SIDE) * row;
        for (y, line) in small.chunks_exact(row).enumerate() {
            let at = corner + y * width * channels;
            pixels[at..at + row].copy_from_slice(line);
        }
    }
    png(&pixels, width, height, channels)
}

/// Pixels of one (grey), three (RGB) or four (RGBA) channels as PNG.
pub(super) fn png(pixels: &[u8], width: usize, height: usize, channels: usize) -> Vec<u8> {
    let color = match channels {
        1 => ExtendedColorType::L8,
        3 => ExtendedColorType::Rgb8,
        _ => ExtendedColorType::Rgba8,
    };
    let filter = match channels {
        1 => FilterType::NoFilter,
        3 => FilterType::Paeth,
        // Enlarged cells: most rows are the row above.
        _ => FilterType::Up,
    };
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Level(LEVEL), filter);
    encoder.write_image(pixels, width as u32, height as u32, color).expect("as many pixels as the size says");
    bytes
}

/// Of nine: one is fast and a sixth larger than the best.
const LEVEL: u8 = 1;

/// One sample as bytes, its pixels averaged where it is made smaller; channels beyond colours are averaged to grey.
fn picture(
    data: &Dataset,
    i: usize,
    [h, w]: [usize; 2],
    channels: usize,
    (low, high): (f32, f32),
) -> Vec<u8> {
    let [from_h, from_w, from_c] = data.shape();
    let sample = data.sample(i);
    if let Sample::U8(bytes) = &sample
        && [from_h, from_w, from_c] == [h, w, channels]
    {
        return bytes.to_vec();
    }
    let value = |at: usize| match &sample {
        Sample::U8(v) => f32::from(v[at]),
        Sample::F32(v) => v[at],
    };
    let scale = if high > low { 255.0 / (high - low) } else { 0.0 };
    let mut out = Vec::with_capacity(h * w * channels);
    for (y, x, c) in (0..h * w * channels).map(|k| (k / channels / w, k / channels % w, k % channels)) {
        let (rows, columns) = (span(y, h, from_h), span(x, w, from_w));
        let depth = if channels == 3 { c..c + 1 } else { 0..from_c };
        let mut sum = 0.0;
        for (r, k) in rows.clone().flat_map(|r| columns.clone().map(move |k| (r, k))) {
            sum += depth.clone().map(|d| value((r * from_w + k) * from_c + d)).sum::<f32>();
        }
        let mean = sum / (rows.len() * columns.len() * depth.len()) as f32;
        out.push(((mean - low) * scale).round().clamp(0.0, 255.0) as u8);
    }
    out
}

/// The cells of `from` that cell `i` of `to` covers.
fn span(i: usize, to: usize, from: usize) -> std::ops::Range<usize> {
    let start = i * from / to;
    start..((i + 1) * from / to).max(start + 1).min(from)
}

/// Writes a picture into the page.
pub(super) fn embed(w: &mut Writer, png: &[u8], class: &str, attributes: &str, label: &Text) {
    let alt = w.label("alt", label);
    w.raw(format!("<img class=\"{class}\"{attributes}{alt} src=\"data:image/png;base64,{}\">", base64(png)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveal_data::{Samples, Targets};

    fn noise(n: usize, shape: [usize; 3]) -> Dataset {
        let size = n * shape.iter().product::<usize>();
        let mut state = 1u32;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 24) as u8
        };
        let pixels = (0..size).map(|_| random()).collect();
        let targets = Targets::Classes { labels: vec![0; n], names: vec!["a".into()] };
        Dataset::new("noise", shape, Samples::U8(pixels), targets).unwrap()
    }

    #[test]
    fn each_picture_is_where_its_attributes_say() {
        let data = noise(40, [3, 2, 1]);
        let order: Vec<u32> = (0..40).rev().collect();
        let sheets = Sheets::new(&data, &order, 2);
        assert_eq!((sheets.held, sheets.size), (40, [3, 2]));
        assert_eq!(sheets.attributes(33).unwrap(), " class=\"thumb s0\" style=\"--c:1;--r:1\"");
        assert!(sheets.attributes(40).is_none());
        let image = image::load_from_memory(&sheets.pngs[0]).unwrap().to_luma8();
        let Sample::U8(want) = data.sample(order[33] as usize) else { panic!() };
        let found: Vec<u8> = (0..6).map(|p| image.get_pixel(2 + p % 2, 3 + p / 2)[0]).collect();
        assert_eq!(found, want[..]);
    }

    #[test]
    fn large_colour_sets_are_cut_to_the_budget_and_made_smaller() {
        let data = noise(1500, [96, 64, 3]);
        let order: Vec<u32> = (0..1500).collect();
        let sheets = Sheets::new(&data, &order, 2);
        assert_eq!(sheets.size, [48, 32]);
        assert!(sheets.css().len() < BUDGET * 7 / 5);
        assert!(sheets.held < 1500, "{}", sheets.held);
    }
}
