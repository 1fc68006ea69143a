//! Which of the training pictures excite each map most, and where: what a filter has learnt to answer to.

use super::sheets::{embed, png};
use super::{LEARNT, parts};
use crate::overview::{colors, receptive_field};
use crate::text::{Writer, count, t};
use foveal_data::Dataset;
use foveal_nn::Model;
use foveal_train::SavedModel;
use ndarray::{Array2, Array4, Axis};

/// Layers, maps of each, and pictures for each map.
const SHOWN: [usize; 3] = [3, 8, 6];
/// Pictures that are looked through, at least; at most [`LEARNT`].
const LEAST: usize = 24;
/// Operations that the looking may take: a second or so.
const OPERATIONS: u64 = 40_000_000_000;
/// Pixels of a tile's side and between tiles.
const TILE: usize = 56;
const GAP: usize = 3;
/// Pixels between one map's row and the next.
const ROW: usize = 9;

/// A picture's largest answer in a map.
#[derive(Clone, Copy)]
struct Peak {
    value: f32,
    index: u32,
    place: [usize; 2],
}

/// Rows of pictures, one for each map of a few layers; `data` are some of the `all` samples that were trained on. Nothing
/// for a model without maps.
pub(super) fn draw(w: &mut Writer, saved: &SavedModel, data: &Dataset, all: usize) {
    let model = &saved.model;
    let layers = spread(parts::few(model, parts::maps(model)));
    let tried = tried(model, data.len());
    if layers.is_empty()
        || tried.is_empty()
        || data.vocabulary().is_some()
        || data.shape() != model.input_shape()
    {
        return;
    }
    let peaks = peaks(saved, data, &tried, &layers);
    w.text("h3", "", &t("What excites a map", "특징 맵이 반응하는 것"));
    let (some, all) = (count(tried.len() as u64), count(all as u64));
    w.text("p", " class=\"about\"", &t(
        format!("A row for each map: the parts of training pictures that it answers to most, the strongest first, as large as what one of its cells sees. {some} of {all} pictures were looked through."),
        format!("특징 맵마다 한 줄입니다. 훈련 그림에서 그 맵이 가장 세게 반응한 부분을 센 것부터, 맵의 한 칸이 보는 크기로 잘라 놓았습니다. 그림 {all}장 중 {some}장을 살펴보았습니다."),
    ));
    w.raw("<div class=\"filters\">");
    for ((name, v), maps) in layers.into_iter().zip(peaks) {
        let rows: Vec<Vec<Array2<[u8; 3]>>> = maps
            .iter()
            .map(|peaks| peaks.iter().filter_map(|p| part(saved, data, *p, v)).collect())
            .collect();
        w.raw("<figure><figcaption>");
        w.name("span", " class=\"layer\"", name);
        let channels = model.value_shape(v)[2];
        if rows.len() < channels {
            let (shown, n) = (rows.len(), count(channels as u64));
            let text = t(format!("the first {shown} of {n} maps"), format!("맵 {n}개 중 앞의 {shown}개"));
            w.text("span", " class=\"range\"", &text);
        }
        w.raw("</figcaption>");
        let (pixels, width, height) = sheet(&rows);
        let label = t(
            format!("pictures that excite the maps of {name}"),
            format!("{name}의 특징 맵이 가장 세게 반응하는 그림"),
        );
        embed(w, &png(&pixels, width, height, 3), "tiles", "", &label);
        w.raw("</figure>");
    }
    w.raw("</div>");
}

/// The first, the middle and the last of many.
fn spread(layers: Vec<(&str, usize)>) -> Vec<(&str, usize)> {
    let n = layers.len();
    if n <= SHOWN[0] { layers } else { vec![layers[0], layers[n / 2], layers[n - 1]] }
}

/// Training samples that are looked through: evenly from first to last, as many as there is time for.
fn tried(model: &Model, all: usize) -> Vec<u32> {
    let each = model.nodes().iter().fold(0u64, |sum, n| sum.saturating_add(n.flops)).max(1);
    let most = usize::try_from(OPERATIONS / each).unwrap_or(usize::MAX).clamp(LEAST, LEARNT);
    let n = all.min(most);
    (0..n).map(|k| (k * all / n) as u32).collect()
}

/// For each layer and map the strongest peaks of different pictures.
fn peaks(saved: &SavedModel, data: &Dataset, tried: &[u32], layers: &[(&str, usize)]) -> Vec<Vec<Vec<Peak>>> {
    let maps = |&(_, v): &(&str, usize)| vec![Vec::new(); saved.model.value_shape(v)[2].min(SHOWN[1])];
    let mut all: Vec<Vec<Vec<Peak>>> = layers.iter().map(maps).collect();
    for &index in tried {
        let Some(values) = picture(saved, data, index).and_then(|x| saved.model.activations(x.view()).ok())
        else {
            continue;
        };
        for (maps, &(_, v)) in all.iter_mut().zip(layers) {
            for (c, peaks) in maps.iter_mut().enumerate() {
                let map = values[v].view().index_axis_move(Axis(3), c).index_axis_move(Axis(0), 0);
                let first = Peak { value: f32::NEG_INFINITY, index, place: [0, 0] };
                let peak = map.indexed_iter().fold(first, |best, ((row, column), &value)| {
                    if value > best.value { Peak { value, place: [row, column], ..best } } else { best }
                });
                // Where nothing answers there is nothing to show.
                if peak.value.is_finite() && (peak.value > 0.0 || map.iter().any(|v| *v < peak.value)) {
                    let at = peaks.partition_point(|p: &Peak| p.value >= peak.value);
                    peaks.insert(at, peak);
                    peaks.truncate(SHOWN[2]);
                }
            }
        }
    }
    all
}

/// A sample as the first layer sees it.
fn picture(saved: &SavedModel, data: &Dataset, index: u32) -> Option<Array4<f32>> {
    let [h, w, c] = data.shape();
    let raw = data.sample(index as usize).numbers();
    Array4::from_shape_vec((1, h, w, c), saved.preprocess.apply(&raw)).ok()
}

/// The part of a picture around a peak of value `v`, as a tile.
fn part(saved: &SavedModel, data: &Dataset, peak: Peak, v: usize) -> Option<Array2<[u8; 3]>> {
    let x = picture(saved, data, peak.index)?;
    let whole = colors(x.index_axis(Axis(0), 0));
    let (shape, [h, w, _]) = (data.shape(), saved.model.value_shape(v));
    let field = receptive_field(&saved.model, v).unwrap_or([shape[0], shape[1]]);
    let span = |axis: usize, cells: usize| {
        let (size, seen) = (shape[axis], field[axis].clamp(1, shape[axis]));
        let middle = (2 * peak.place[axis] + 1) * size / (2 * cells.max(1));
        let start = middle.saturating_sub(seen / 2).min(size - seen);
        (start, seen)
    };
    let ((top, rows), (left, columns)) = (span(0, h), span(1, w));
    // The longer side fills the tile; the rest stays white.
    let longest = rows.max(columns);
    Some(Array2::from_shape_fn((TILE, TILE), |(i, j)| {
        let (row, column) = (i * longest / TILE, j * longest / TILE);
        if row < rows && column < columns { whole[[top + row, left + column]] } else { [255; 3] }
    }))
}

/// Tiles in rows, on a grey from which white ones stand apart; with width and height.
fn sheet(rows: &[Vec<Array2<[u8; 3]>>]) -> (Vec<u8>, usize, usize) {
    let (width, height) = (SHOWN[2] * (TILE + GAP) - GAP, (rows.len() * (TILE + ROW)).max(ROW + 1) - ROW);
    let mut pixels = vec![222u8; width * height * 3];
    for (r, row) in rows.iter().enumerate() {
        for (k, tile) in row.iter().enumerate() {
            for ((i, j), color) in tile.indexed_iter() {
                let at = ((r * (TILE + ROW) + i) * width + k * (TILE + GAP) + j) * 3;
                pixels[at..at + 3].copy_from_slice(color);
            }
        }
    }
    (pixels, width, height)
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveal_data::{Samples, Targets};
    use foveal_nn::Sequential;
    use foveal_train::{PictureFit, Preprocess, Training};

    /// One filter of 1x1 that copies, pictures with one bright pixel each: the brightest come first, at their places.
    #[test]
    fn the_strongest_pictures_come_first_where_they_are_strong() {
        let mut model = Sequential::new([5, 7, 1]).conv2d(1, 1).flatten().dense(2).build(0).unwrap();
        model.params_mut()[0].values = vec![1.0];
        let count = 9usize;
        let mut pixels = vec![0u8; count * 35];
        for i in 0..count {
            pixels[i * 35 + i + 7] = (20 * (i * 4 % count) + 10) as u8;
        }
        let targets = Targets::Values { values: vec![0.0; count], names: vec!["none".into()] };
        let data = Dataset::new("dots", [5, 7, 1], Samples::U8(pixels), targets).unwrap();
        let saved = SavedModel {
            model,
            preprocess: Preprocess::unit(1, PictureFit::Resize),
            classes: Vec::new(),
            training: Training::default(),
        };
        let indices: Vec<u32> = (0..count as u32).collect();
        let layers = parts::maps(&saved.model);
        let peaks = peaks(&saved, &data, &tried(&saved.model, count), &layers);
        let found: Vec<(u32, [usize; 2])> = peaks[0][0].iter().map(|p| (p.index, p.place)).collect();
        let mut wanted = indices.clone();
        wanted.sort_by_key(|&i| std::cmp::Reverse(i as usize * 4 % count));
        let place = |i: u32| [(i as usize + 7) / 7, (i as usize + 7) % 7];
        assert_eq!(found, wanted[..SHOWN[2]].iter().map(|&i| (i, place(i))).collect::<Vec<_>>());
        // The tile is the one cell that the map's cell sees: the brightest of its picture.
        let tile = part(&saved, &data, peaks[0][0][0], layers[0].1).unwrap();
        assert!(tile.iter().all(|c| *c == [255; 3]), "{:?}", tile[[0, 0]]);
    }
}
