//! What the network sees: filters, and the feature maps of a few samples.

use super::Judged;
use super::classes::Answers;
use super::sheets::{embed, png};
use super::{excite, parts, texts};
use crate::ColorMap;
use crate::inside::grad_cam;
use crate::overview::{colors, overlay};
use crate::text::{Text, Writer, count, number, same, t};
use foveal_data::Dataset;
use foveal_nn::Model;
use foveal_nn::spec::LayerKind;
use foveal_train::SavedModel;
use ndarray::{Array2, Array4, ArrayView2, Axis, Slice};

/// Maps of a layer that are shown, at most.
const MAPS: usize = 16;
/// Convolutions whose filters are shown, filters of each, and input channels of a filter.
const FILTERS: [usize; 3] = [3, 32, 8];
/// Columns of tiles.
const COLUMNS: usize = 8;
/// Pixels of a tile's side and between tiles, as shown; pictures have twice as many, for dense screens.
const TILE: usize = 48;
const SMALL: usize = 27;
const GAP: usize = 4;

/// Filters, what becomes of the samples at `indices`, and which of those that were `learnt` excite the maps.
pub(super) fn draw(
    w: &mut Writer,
    saved: &SavedModel,
    judged: &Judged,
    indices: &[u32],
    answers: Option<&Answers>,
    learnt: Option<(&Dataset, usize)>,
) {
    if judged.data.vocabulary().is_some() {
        return texts::draw(w, saved, judged, indices, answers);
    }
    begin(w);
    filters(w, &saved.model);
    let layers = parts::few(&saved.model, parts::maps(&saved.model));
    if !layers.is_empty() && !indices.is_empty() {
        w.text("h3", "", &t("Feature maps and Grad-CAM", "특징 맵과 Grad-CAM"));
        w.text("p", " class=\"about\"", &t(
            "What each layer makes of an image. The maps of one layer share one scale, written beside its name. Grad-CAM is bright where the image speaks for a class, each picture on its own scale.",
            "층마다 이미지를 무엇으로 바꾸는지 보입니다. 한 층의 맵은 층 이름 옆에 적은 하나의 눈금을 함께 씁니다. Grad-CAM은 이미지에서 그 분류의 근거가 된 곳을 밝게 나타내며, 그림마다 눈금이 다릅니다.",
        ));
        w.raw("<div class=\"samples\">");
        for &i in indices {
            sample(w, saved, judged, i, answers, &layers);
        }
        w.raw("</div>");
    }
    if let Some((data, all)) = learnt {
        excite::draw(w, saved, data, all);
    }
    w.raw("</section>");
}

/// Filters alone, when there are no samples to show.
pub(super) fn filters_alone(w: &mut Writer, model: &Model) {
    // Filters over the numbers of an embedding are no pictures.
    if model.vocabulary().is_none() && model.nodes().iter().any(|n| matches!(n.kind, LayerKind::Conv2d(_))) {
        begin(w);
        filters(w, model);
        w.raw("</section>");
    }
}

fn begin(w: &mut Writer) {
    w.section("inside", &t("What the network sees", "신경망이 보는 것"), &t("", ""));
}

fn filters(w: &mut Writer, model: &Model) {
    let [layers, most, deep] = FILTERS;
    let convs: Vec<_> =
        model.nodes().iter().filter(|n| matches!(n.kind, LayerKind::Conv2d(_))).take(layers).collect();
    if convs.is_empty() {
        return;
    }
    w.text("h3", "", &t("Filters", "필터"));
    w.text(
        "p",
        " class=\"about\"",
        &t(
            "Red adds, blue takes away, white does nothing.",
            "빨강은 더하고 파랑은 빼며 흰색은 영향을 주지 않습니다.",
        ),
    );
    w.raw("<div class=\"filters\">");
    for node in convs {
        let p = &model.params()[node.params[0]];
        let &[h, wide, depth, n] = p.shape.as_slice() else { continue };
        let Ok(filter) = Array4::from_shape_vec((h, wide, depth, n), p.values.clone()) else { continue };
        let (shown, channels) = (n.min(if depth > 1 { COLUMNS * 2 } else { most }), depth.min(deep));
        // One channel: filters row by row. More: a column for each filter, a row for each channel.
        let tiles: Vec<ArrayView2<f32>> = (0..channels)
            .flat_map(|c| (0..shown).map(move |o| (c, o)))
            .map(|(c, o)| filter.view().index_axis_move(Axis(3), o).index_axis_move(Axis(2), c))
            .collect();
        let columns = if depth > 1 { shown } else { COLUMNS };
        let far = p.values.iter().fold(0f32, |a, v| a.max(v.abs()));
        let all = shown == n && channels == depth;
        let label = t(format!("filters of {}", node.name), format!("{}의 필터", node.name));
        w.raw("<figure><figcaption>");
        w.name("span", " class=\"layer\"", &node.name);
        w.name("span", " class=\"range\"", &format!("\u{b1}{}", number(f64::from(far))));
        let (a, b) = (count(shown as u64), count(n as u64));
        let (c, d) = (count(channels as u64), count(depth as u64));
        if !all {
            w.text(
                "span",
                " class=\"range\"",
                &t(
                    format!("{a} of {b} filters, {c} of {d} channels"),
                    format!("필터 {b}개 중 {a}개, 채널 {d}개 중 {c}개"),
                ),
            );
        }
        w.raw("</figcaption>");
        let side = if depth > 1 { SMALL } else { TILE };
        picture(w, &tiles, (columns, side), ColorMap::Diverging, (-far, far), &label);
        w.raw("</figure>");
    }
    w.raw("</div>");
}

fn sample(
    w: &mut Writer,
    saved: &SavedModel,
    judged: &Judged,
    index: u32,
    answers: Option<&Answers>,
    layers: &[(&str, usize)],
) {
    let [h, wide, c] = saved.model.input_shape();
    let raw = judged.data.sample(index as usize).numbers();
    let Ok(x) = Array4::from_shape_vec((1, h, wide, c), saved.preprocess.apply(&raw)) else { return };
    let Ok(values) = saved.model.activations(x.view()) else { return };
    w.raw("<article class=\"sample\"><header>");
    w.name("span", " class=\"index\"", &format!("#{index}"));
    if let Some((truth, said, sure)) = answers.and_then(|a| a.about(index)) {
        let class = if truth == said { "right" } else { "wrong" };
        let sure = format!("{:.1} %", 100.0 * sure);
        w.text(
            "p",
            &format!(" class=\"{class}\""),
            &t(
                format!("true {truth}, model says {said} ({sure})"),
                format!("정답 {truth}, 예측 {said} ({sure})"),
            ),
        );
    }
    w.raw("</header><div class=\"seen\">");
    w.raw("<figure><figcaption>");
    w.text("span", "", &t("input", "입력"));
    w.raw("</figcaption>");
    input(w, &x, index);
    w.raw("</figure>");
    match answers.and_then(|a| a.classes(index)) {
        Some(classes) => {
            classes.iter().for_each(|&(class, name)| cam(w, &saved.model, &x, class, Some(name)))
        }
        None => cam(w, &saved.model, &x, 0, None),
    }
    if let Some(answers) = answers {
        answers.bars(w, index);
    }
    w.raw("</div>");
    for &(name, v) in layers {
        maps(w, name, &values[v]);
    }
    w.raw("</article>");
}

/// Grad-CAM of an output over the input; nothing for a model that has no maps.
fn cam(w: &mut Writer, model: &Model, x: &Array4<f32>, class: usize, name: Option<&str>) {
    let image = x.view().index_axis_move(Axis(0), 0);
    let Ok(cam) = grad_cam(model, image, Some(class), None) else { return };
    let over = overlay(&colors(image), cam.heat.view());
    let pixels: Vec<u8> = over.iter().flatten().copied().collect();
    let bytes = png(&pixels, x.shape()[2], x.shape()[1], 3);
    let title = match name {
        Some(name) => t(format!("Grad-CAM for {name}"), format!("{name}의 Grad-CAM")),
        None => same("Grad-CAM"),
    };
    w.raw("<figure><figcaption>");
    w.text("span", "", &title);
    w.raw("</figcaption>");
    embed(w, &bytes, "shot", "", &title);
    w.raw("</figure>");
}

fn maps(w: &mut Writer, name: &str, value: &Array4<f32>) {
    let channels = value.shape()[3];
    let shown = channels.min(MAPS);
    let tiles: Vec<ArrayView2<f32>> = (0..shown).map(|c| map(value, c)).collect();
    let finite = || tiles.iter().flat_map(|t| t.iter().copied()).filter(|v| v.is_finite());
    let (low, high) = finite().fold((0f32, 0f32), |(a, b), v| (a.min(v), b.max(v)));
    w.raw("<figure><figcaption>");
    w.name("span", " class=\"layer\"", name);
    let range = format!("{} \u{2026} {}", number(f64::from(low)), number(f64::from(high)));
    w.name("span", " class=\"range\"", &range);
    if shown < channels {
        w.text(
            "span",
            " class=\"range\"",
            &t(format!("{shown} of {channels} maps"), format!("맵 {channels}개 중 {shown}개")),
        );
    }
    w.raw("</figcaption>");
    let label = t(format!("feature maps of {name}"), format!("{name}의 특징 맵"));
    picture(w, &tiles, (COLUMNS, TILE), ColorMap::Viridis, (low, high), &label);
    w.raw("</figure>");
}

/// Channel `c` of the first image.
fn map(value: &Array4<f32>, c: usize) -> ArrayView2<'_, f32> {
    value.view().index_axis_move(Axis(3), c).index_axis_move(Axis(0), 0)
}

fn input(w: &mut Writer, x: &Array4<f32>, index: u32) {
    let (low, high) = x.iter().fold((f32::MAX, f32::MIN), |(a, b), &v| (a.min(v), b.max(v)));
    let channels = if x.shape()[3] == 3 { 3 } else { 1 };
    let pixels: Vec<u8> = x
        .slice_axis(Axis(3), Slice::from(..channels))
        .iter()
        .map(|v| ((v - low) / (high - low).max(f32::MIN_POSITIVE) * 255.0).round() as u8)
        .collect();
    let bytes = png(&pixels, x.shape()[2], x.shape()[1], channels);
    let label = t(format!("image {index}"), format!("이미지 {index}번"));
    embed(w, &bytes, "shot", "", &label);
}

/// Tiles of about `side` pixels in rows of `columns`, as one picture.
fn picture(
    w: &mut Writer,
    tiles: &[ArrayView2<f32>],
    (columns, side): (usize, usize),
    colors: ColorMap,
    (low, high): (f32, f32),
    label: &Text,
) {
    let Some(first) = tiles.first() else { return };
    let (h, wide) = first.dim();
    let longest = h.max(wide);
    let by = (2 * side).div_ceil(longest).max(1);
    // The gap keeps its share when a tile has more pixels than asked for.
    let gap = (GAP * longest * by / side).max(2);
    let (tile_h, tile_w) = (h * by + gap, wide * by + gap);
    let columns = columns.min(tiles.len());
    let (rows, width) = (tiles.len().div_ceil(columns), columns * tile_w - gap);
    let height = rows * tile_h - gap;
    let shown = width * side / (longest * by);
    let mut pixels = vec![0u8; width * height * 4];
    for (i, tile) in tiles.iter().enumerate() {
        let (top, left) = (i / columns * tile_h, i % columns * tile_w);
        let shades = shades(tile, colors, low, high);
        for (y, x) in (0..h * by).flat_map(|y| (0..wide * by).map(move |x| (y, x))) {
            let at = ((top + y) * width + left + x) * 4;
            pixels[at..at + 4].copy_from_slice(&shades[[y / by, x / by]]);
        }
    }
    let bytes = png(&pixels, width, height, 4);
    embed(w, &bytes, "tiles", &format!(" width=\"{shown}\""), label);
}

fn shades(tile: &ArrayView2<f32>, colors: ColorMap, low: f32, high: f32) -> Array2<[u8; 4]> {
    let room = (high - low).max(f32::MIN_POSITIVE);
    tile.map(|v| {
        let [r, g, b] = colors.color((v - low) / room);
        [r, g, b, 255]
    })
}
