//! A scene as one HTML page that opens offline.

use super::Scene;
use super::parts::{Content, Part, Picture, parts};
use crate::draw::png;
use crate::text::{Language, Writer, base64, escape, number, t};
use crate::{ColorMap, Error};
use image::{Rgb, RgbImage};
use ndarray::Array2;
use std::fmt::Write;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// About the side of a tile, in CSS pixels.
const TILE: usize = 64;

pub(super) fn html(scene: &Scene, language: Language) -> Result<String, Error> {
    let mut w = Writer::new(language);
    w.raw("<div class=\"hero\">");
    w.text("p", " class=\"kicker\"", &t("What the network sees", "신경망이 보는 것"));
    w.name("h1", "", &scene.name);
    w.name("p", " class=\"when\"", &scene.model);
    w.raw("</div>");
    let all = parts(scene)?;
    let (first, layers): (Vec<&Part>, Vec<&Part>) = all.iter().partition(|p| !p.id.starts_with("layer-"));
    w.raw("<div class=\"first\">");
    for part in first {
        w.section(&part.id, &part.title, &part.about);
        pictures(&mut w, &part.pictures)?;
        w.raw("</section>");
    }
    w.raw("</div><section class=\"layers\" aria-labelledby=\"layers-title\"><header>");
    w.text("h2", " id=\"layers-title\"", &t("Layer by layer", "층마다"));
    let about = t(
        "Blue is below 0, red above, white is 0. Where nothing is below 0: from dark to yellow.",
        "파랑은 0보다 작은 값, 빨강은 큰 값, 흰색은 0입니다. 음수가 없는 층은 어두운색에서 노란색으로 갑니다.",
    );
    w.text("p", " class=\"about\"", &about);
    w.raw("</header>");
    for part in layers {
        w.raw("<article>");
        w.text("h3", "", &part.title);
        w.text("p", " class=\"about\"", &part.about);
        pictures(&mut w, &part.pictures)?;
        w.raw("</article>");
    }
    w.raw("</section>");
    let title = escape(&format!("{}: {}", scene.model, scene.name));
    let pieces = [
        ("lang", language.code()),
        ("title", &title),
        ("style", STYLE),
        ("bar", &bar(language)),
        ("main", &w.html),
        ("script", SCRIPT),
    ];
    Ok(fill(PAGE, &pieces))
}

/// Puts the pieces in their places; what is in a piece is left as it is.
fn fill(page: &str, pieces: &[(&str, &str)]) -> String {
    let mut parts = page.split("{{");
    let mut html = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or(("", part));
        html.push_str(pieces.iter().find(|p| p.0 == name).map_or("", |p| p.1));
        html.push_str(rest);
    }
    html
}

fn bar(language: Language) -> String {
    let mut w = Writer::new(language);
    let label = w.label("aria-label", &t("Language", "언어"));
    let _ = write!(w.html, "<div class=\"switch\" role=\"group\"{label}>");
    for (code, name, own) in [("en", "English", Language::English), ("ko", "한국어", Language::Korean)] {
        let on = language == own;
        let _ = write!(
            w.html,
            "<button type=\"button\" lang=\"{code}\" translate=\"no\" data-language=\"{code}\" \
             aria-pressed=\"{on}\">{name}</button>"
        );
    }
    let label = w.label("aria-label", &t("Switch between light and dark", "밝은 화면과 어두운 화면 바꾸기"));
    let _ = write!(
        w.html,
        "</div><button type=\"button\" class=\"theme\"{label}><svg viewBox=\"0 0 20 20\" aria-hidden=\"true\">\
         <circle cx=\"10\" cy=\"10\" r=\"7\"/><path d=\"M10 3a7 7 0 0 1 0 14z\"/></svg></button>"
    );
    w.html
}

fn pictures(w: &mut Writer, pictures: &[Picture]) -> Result<(), Error> {
    if pictures.is_empty() {
        return Ok(());
    }
    w.raw("<div class=\"pictures\">");
    for picture in pictures {
        w.raw("<figure>");
        w.text("figcaption", "", &picture.caption);
        match &picture.content {
            Content::Drawing(drawing) => {
                let svg = drawing.to_svg(w.pick(&picture.caption))?;
                let label = w.label("aria-label", &picture.caption);
                let wide = drawing.size()[0];
                // The caption says what the picture is, in the language of the page.
                let svg = svg.replacen("role=\"img\"", "aria-hidden=\"true\"", 1);
                let _ = write!(
                    w.html,
                    "<div class=\"drawing\" role=\"img\" tabindex=\"0\"{label}><div style=\"width:{wide}px\">{svg}</div></div>"
                );
            }
            Content::Colors(colors) => {
                let label = w.label("alt", &picture.caption);
                let src = source(colors)?;
                let (rows, columns) = colors.dim();
                let wide = 224 * columns / rows.max(columns).max(1);
                let _ = write!(
                    w.html,
                    "<img class=\"whole\" width=\"{wide}\" height=\"{}\" src=\"{src}\"{label}>",
                    224 * rows / rows.max(columns).max(1)
                );
            }
            Content::Tiles(colors) => {
                let label = w.label("alt", &picture.caption);
                let (rows, columns) = colors.dim();
                let src = source(colors)?;
                let _ = write!(w.html, "<img width=\"{columns}\" height=\"{rows}\" src=\"{src}\"{label}>");
            }
            Content::Grid { maps, colors, range } => tiles(w, maps, *colors, *range)?,
        }
        w.raw("</figure>");
    }
    w.raw("</div>");
    Ok(())
}

fn tiles(
    w: &mut Writer,
    maps: &[(String, Array2<f32>)],
    colors: ColorMap,
    range: (f32, f32),
) -> Result<(), Error> {
    let bar = Array2::from_shape_fn((1, 64), |(_, i)| colors.color(i as f32 / 63.0));
    let _ = write!(
        w.html,
        "<p class=\"scale\"><span>{}</span><img alt=\"\" src=\"{}\"><span>{}</span></p>",
        number(range.0.into()),
        source(&bar)?,
        number(range.1.into())
    );
    w.raw("<ul class=\"tiles\">");
    for (name, map) in maps {
        let pixels = map.mapv(|v| crate::figure::shade(colors, v, range.0, range.1));
        let (rows, columns) = map.dim();
        let longest = rows.max(columns).max(1);
        let zoom = (TILE as f32 / longest as f32).max(1.0).round() as usize;
        let _ = write!(
            w.html,
            "<li><img alt=\"\" width=\"{}\" height=\"{}\" src=\"{}\"><span translate=\"no\">{}</span></li>",
            columns * zoom,
            rows * zoom,
            source(&pixels)?,
            escape(name)
        );
    }
    w.raw("</ul>");
    Ok(())
}

/// Cells as an address of a picture, a pixel each.
fn source(colors: &Array2<[u8; 3]>) -> Result<String, Error> {
    let (rows, columns) = colors.dim();
    let image = RgbImage::from_fn(columns as u32, rows as u32, |x, y| Rgb(colors[[y as usize, x as usize]]));
    Ok(format!("data:image/png;base64,{}", base64(&png(&image)?)))
}
