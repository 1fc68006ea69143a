//! What is shown, part by part, in both languages, and all parts as one drawing.

use super::{Scene, Told, bars};
use crate::draw::{self, Anchor, Drawing, INK, SOFT};
use crate::figure::{Panel, Scale, subplots};
use crate::inside::FeatureMaps;
use crate::overview::{colors, overlay, range, share};
use crate::text::{Text, number, percent, t};
use crate::{ColorMap, Error, Language};
use ndarray::{Array2, Array3, Array4, ArrayView2, Axis};

/// Feature maps of a layer that are drawn; of more, the first.
const MAPS: usize = 256;
/// The same where a network has too many layers for all to be shown.
const SOME: usize = 32;
/// Input channels and filters of a convolution that are drawn.
const DEEP: [usize; 2] = [16, 64];
/// Colour filters side by side, and about the side of one in pixels.
const ACROSS: usize = 16;
const TINTED: usize = 30;
/// Columns of a flat layer.
const FLAT: usize = 32;
/// The longest side of a map; a larger one is shrunk.
const LARGEST: usize = 224;

/// A part: a title, words about it, pictures.
pub(super) struct Part {
    pub id: String,
    pub title: Text,
    pub about: Text,
    pub pictures: Vec<Picture>,
}

/// A picture with its caption.
pub(super) struct Picture {
    pub caption: Text,
    pub content: Content,
}

/// What a picture is made of.
pub(super) enum Content {
    /// A drawing of its own.
    Drawing(Drawing),
    /// Small maps on one scale.
    Grid { maps: Vec<(String, Array2<f32>)>, colors: ColorMap, range: (f32, f32) },
    /// Colours, such as the input's own.
    Colors(Array2<[u8; 3]>),
    /// Colours, a pixel each.
    Tiles(Array2<[u8; 3]>),
}

pub(super) fn parts(scene: &Scene) -> Result<Vec<Part>, Error> {
    let mut parts = vec![input(scene), answer(scene)];
    parts.extend(cam(scene));
    for layer in &scene.layers {
        parts.push(self::layer(scene, layer)?);
    }
    if scene.hidden > 0
        && let Some(answer) = parts.get_mut(1)
    {
        let (shown, all) = (scene.layers.len(), scene.layers.len() + scene.hidden);
        let [en, ko] = [
            format!(
                " Below: {shown} of {all} layers, the last maps of each size; --layer NAME shows any other."
            ),
            format!(
                " 아래는 층 {all}개 중 {shown}개, 크기마다 마지막 특징 맵입니다. 다른 층은 --layer 이름."
            ),
        ];
        answer.about.en += &en;
        answer.about.ko += &ko;
    }
    Ok(parts)
}

fn shape(array: &Array3<f32>) -> String {
    let (h, w, c) = array.dim();
    format!("{h} \u{d7} {w} \u{d7} {c}")
}

fn input(scene: &Scene) -> Part {
    let (low, high) = range(&scene.input);
    let (of, from, to) = (shape(&scene.input), number(low.into()), number(high.into()));
    let mut pictures =
        vec![Picture { caption: t("input", "입력"), content: Content::Colors(colors(scene.input.view())) }];
    if scene.input.dim().2 > 1 {
        pictures.push(Picture {
            caption: t("its channels, on one scale", "채널별, 같은 눈금"),
            content: grid(&scene.input, ColorMap::Gray, MAPS),
        });
    }
    Part {
        id: "input".into(),
        title: t("The input", "입력"),
        about: t(
            format!("As the first layer sees it, after preprocessing: {of}, numbers from {from} to {to}."),
            format!("전처리를 거쳐 첫 층에 들어가는 그대로입니다. 크기 {of}, 값은 {from}부터 {to}까지."),
        ),
        pictures,
    }
}

fn answer(scene: &Scene) -> Part {
    let part = |about, pictures| Part { id: "answer".into(), title: t("The answer", "답"), about, pictures };
    let Some(best) = scene.class() else {
        let values: Vec<String> = scene.outputs.iter().take(100).map(|&v| number(v.into())).collect();
        let values = values.join(", ");
        return part(
            t(format!("The network gives {values}."), format!("신경망의 출력은 {values}.")),
            Vec::new(),
        );
    };
    let (name, p) = &scene.probabilities[best];
    let p = percent(f64::from(*p));
    let more = scene.probabilities.len() > bars::MOST;
    let caption = if more {
        t("the likeliest classes", "확률이 높은 클래스")
    } else {
        t("probability of each class", "클래스별 확률")
    };
    let content = Content::Drawing(bars::bars(&scene.probabilities));
    part(
        t(format!("The network says {name}, with {p}."), format!("신경망의 답은 {name}, 확률은 {p}입니다.")),
        vec![Picture { caption, content }],
    )
}

fn cam(scene: &Scene) -> Option<Part> {
    let cam = scene.cam.as_ref()?;
    let class = scene.probabilities.get(cam.class).map_or(cam.class.to_string(), |p| p.0.clone());
    let layer = &cam.layer;
    let all = range(&cam.heat);
    let base = colors(scene.input.view());
    let heat = cam.heat.mapv(|v| ColorMap::Magma.color(share(v, (0.0, all.1))));
    let over = overlay(&base, cam.heat.view());
    let about = if all.1 > 0.0 {
        t(
            format!(
                "Grad-CAM for {class} over the feature maps of {layer}: the brighter, the more what is there speaks \
                 for {class}."
            ),
            format!(
                "{layer} 층의 특징 맵으로 본 {class}의 Grad-CAM입니다. 밝은 곳일수록 {class}라는 답을 뒷받침합니다."
            ),
        )
    } else {
        t(
            format!("Grad-CAM: nothing in the feature maps of {layer} speaks for {class}."),
            format!("Grad-CAM: {layer} 층의 특징 맵에서 {class}라는 답을 뒷받침하는 곳이 없습니다."),
        )
    };
    let picture = |caption, colors| Picture { caption, content: Content::Colors(colors) };
    Some(Part {
        id: "cam".into(),
        title: t("Where it looked", "어디를 보았나"),
        about,
        pictures: vec![
            picture(t("over the input", "입력 위에"), over),
            picture(t("the heat alone", "열지도만"), heat),
        ],
    })
}

fn layer(scene: &Scene, layer: &FeatureMaps) -> Result<Part, Error> {
    let mut pictures = Vec::new();
    if let Some((_, filter)) = scene.filters.iter().find(|(name, _)| *name == layer.name) {
        pictures.extend(tinted(filter));
        pictures.push(filters(filter)?);
    }
    let (h, w, c) = layer.values.dim();
    let (low, high) = range(&layer.values);
    let (of, from, to) = (shape(&layer.values), number(low.into()), number(high.into()));
    let same = matches!(layer.kind, "flatten" | "dropout");
    let about = match layer.kind {
        "flatten" => t(
            format!("{of}. The same numbers, in one row."),
            format!("{of}. 같은 값을 한 줄로 늘어놓습니다."),
        ),
        "dropout" => t(
            format!("{of}. After training everything is let through."),
            format!("{of}. 학습이 끝나면 값을 그대로 통과시킵니다."),
        ),
        _ => {
            let [en, ko] = seen(scene, layer);
            t(format!("{of}, from {from} to {to}.{en}"), format!("{of}, 값은 {from}부터 {to}까지.{ko}"))
        }
    };
    let map = if low < 0.0 { ColorMap::Diverging } else { ColorMap::Viridis };
    if !same && (h, w) != (1, 1) {
        let most = if scene.hidden > 0 { SOME } else { MAPS };
        let caption = if c <= most {
            t(format!("{c} feature maps, one scale"), format!("특징 맵 {c}장, 같은 눈금"))
        } else {
            t(
                format!("the first {most} of {c} feature maps, one scale"),
                format!("특징 맵 {c}장 중 처음 {most}장, 같은 눈금"),
            )
        };
        pictures.push(Picture { caption, content: grid(&layer.values, map, most) });
    } else if !same {
        pictures.push(flat(&layer.values, map)?);
    }
    let title = format!("{} ({})", layer.name, layer.kind);
    Ok(Part { id: format!("layer-{}", layer.name), title: t(title.clone(), title), about, pictures })
}

/// The maps of a layer, the same scale for all.
fn grid(values: &Array3<f32>, colors: ColorMap, most: usize) -> Content {
    let maps = values.axis_iter(Axis(2)).take(most).enumerate();
    let maps = maps.map(|(c, map)| (c.to_string(), shrink(map))).collect();
    let (low, high) = range(values);
    Content::Grid { maps, colors, range: colors.range(low, high) }
}

/// A map as it is, or the means of blocks of a large one.
fn shrink(map: ArrayView2<f32>) -> Array2<f32> {
    let by = map.nrows().max(map.ncols()).div_ceil(LARGEST).max(1);
    if by == 1 {
        return map.to_owned();
    }
    let (rows, columns) = (map.nrows().div_ceil(by), map.ncols().div_ceil(by));
    Array2::from_shape_fn((rows, columns), |(i, j)| {
        let cells = (0..by * by).filter_map(|k| map.get([i * by + k / by, j * by + k % by]));
        let (sum, count) = cells.fold((0.0, 0), |(s, n), v| (s + v, n + 1));
        sum / count.max(1) as f32
    })
}

/// The numbers of a flat layer, row by row.
fn flat(values: &Array3<f32>, colors: ColorMap) -> Result<Picture, Error> {
    let all: Vec<f32> = values.iter().copied().take(FLAT * 64).collect();
    let columns = all.len().clamp(1, FLAT);
    let rows = all.len().div_ceil(columns);
    let cells = Array2::from_shape_fn((rows, columns), |(i, j)| {
        all.get(i * columns + j).copied().unwrap_or(f32::NAN)
    });
    let panel = Panel { missing: cells.len() - all.len(), ..Panel::new("", cells) };
    let n = values.len();
    let caption = if n > all.len() {
        t(format!("the first {} of {n} numbers", all.len()), format!("값 {n}개 중 처음 {}개", all.len()))
    } else {
        t(format!("{n} numbers, row by row"), format!("값 {n}개, 줄 단위로"))
    };
    let figure = subplots(vec![panel], "", colors, Scale::Shared).cell(24);
    Ok(Picture { caption, content: Content::Drawing(figure.draw()?) })
}

/// What of the input a cell of the layer depends on, in both languages.
fn seen(scene: &Scene, layer: &FeatureMaps) -> [String; 2] {
    let field = scene.fields.iter().find(|(name, _)| *name == layer.name);
    let Some(&(_, [rows, columns])) = field.filter(|(_, field)| *field != [1, 1]) else {
        return [String::new(), String::new()];
    };
    [
        format!(" Each cell sees {rows} \u{d7} {columns} cells of the input."),
        format!(" 칸 하나가 입력의 {rows} \u{d7} {columns}칸을 봅니다."),
    ]
}

/// Filters on red, green and blue as small pictures: grey is 0, a colour is what the filter answers to.
fn tinted(filter: &Array4<f32>) -> Option<Picture> {
    let (h, w, depth, n) = filter.dim();
    if depth != 3 || (h, w) == (1, 1) {
        return None;
    }
    let (low, high) = range(filter);
    let far = high.max(-low).max(f32::MIN_POSITIVE);
    let across = n.min(ACROSS);
    let side = (TINTED / w.max(h)).max(1);
    let (tall, wide) = (h * side + 2, w * side + 2);
    let rows = n.div_ceil(across);
    let colors = Array2::from_shape_fn((rows * tall, across * wide), |(i, j)| {
        let (o, y, x) = (i / tall * across + j / wide, i % tall / side, j % wide / side);
        if o >= n || y >= h || x >= w {
            return [255; 3];
        }
        [0, 1, 2].map(|c| (127.5 * (1.0 + filter[[y, x, c, o]] / far)).round() as u8)
    });
    Some(Picture {
        caption: t(
            format!(
                "{n} filters {h} \u{d7} {w} in colour: grey is 0, a colour is what the filter answers to"
            ),
            format!("색으로 본 {h} \u{d7} {w} 필터 {n}개: 회색은 0, 보이는 색이 필터가 반응하는 색입니다"),
        ),
        content: Content::Tiles(colors),
    })
}

/// A convolution's filters: on one channel a tile each; on more, a column for each filter.
fn filters(filter: &Array4<f32>) -> Result<Picture, Error> {
    let (h, w, depth, n) = filter.dim();
    let (low, high) = range(filter);
    let size = format!("{h} \u{d7} {w}");
    if depth == 1 {
        let maps = (0..n.min(MAPS)).map(|o| {
            let map = filter.view().index_axis_move(Axis(3), o).index_axis_move(Axis(2), 0);
            (o.to_string(), map.to_owned())
        });
        let colors = ColorMap::Diverging;
        return Ok(Picture {
            caption: t(
                format!("{n} filters {size}, one scale: red adds, blue takes away"),
                format!("{size} 필터 {n}개, 같은 눈금: 빨강은 더하고 파랑은 뺍니다"),
            ),
            content: Content::Grid { maps: maps.collect(), colors, range: colors.range(low, high) },
        });
    }
    let [channels, shown] = [depth.min(DEEP[0]), n.min(DEEP[1])];
    let (rows, columns) = (channels * (h + 1) - 1, shown * (w + 1) - 1);
    let cells = Array2::from_shape_fn((rows, columns), |(i, j)| {
        let place = [i % (h + 1), j % (w + 1), i / (h + 1), j / (w + 1)];
        filter.get(place).copied().unwrap_or(0.0)
    });
    let panel = Panel { blocks: [h + 1, w + 1], ..Panel::new("", cells) };
    let figure = subplots(vec![panel], "", ColorMap::Diverging, Scale::Shared).range_of(low, high);
    let cell = (960 / columns as i32).clamp(2, 10);
    let part =
        |shown: usize, all: usize| if shown < all { format!("{shown}/{all}") } else { all.to_string() };
    let (over, down) = (part(shown, n), part(channels, depth));
    Ok(Picture {
        caption: t(
            format!(
                "filters {size}: a column for each filter ({over}), a row for each input channel ({down})"
            ),
            format!("{size} 필터: 열마다 필터 하나({over}), 행마다 입력 채널 하나({down})"),
        ),
        content: Content::Drawing(figure.cell(cell).draw()?),
    })
}

impl Content {
    /// As a drawing.
    pub(super) fn draw(&self) -> Result<Drawing, Error> {
        match self {
            Content::Drawing(drawing) => Ok(drawing.clone()),
            Content::Colors(colors) => {
                subplots(vec![Panel::picture("", colors.clone())], "", ColorMap::Gray, Scale::Shared)
                    .cell((224 / colors.dim().0.max(colors.dim().1).max(1) as i32).clamp(1, 40))
                    .draw()
            }
            Content::Tiles(colors) => {
                subplots(vec![Panel::picture("", colors.clone())], "", ColorMap::Gray, Scale::Shared)
                    .cell(1)
                    .compact()
                    .draw()
            }
            Content::Grid { maps, colors, range } => {
                let panels = maps.iter().map(|(name, map)| Panel::new(name.clone(), map.clone())).collect();
                let longest = maps.iter().map(|m| m.1.ncols() + 1).max().unwrap_or(1) as i32;
                let tile = (62 / longest).clamp(1, 16) * longest + 12;
                let columns = if maps.len() <= 8 { maps.len() } else { (960 / tile).clamp(1, 16) as usize };
                let figure = subplots(panels, "", *colors, Scale::Shared).columns(columns).compact();
                figure.range(range.0, range.1).draw()
            }
        }
    }
}

fn pick(text: &Text, language: Language) -> &str {
    match language {
        Language::English => &text.en,
        Language::Korean => &text.ko,
    }
}

pub(super) fn told(scene: &Scene, language: Language) -> Result<Vec<Told>, Error> {
    let part = |part: Part| {
        let drawings = part.pictures.iter().map(|p| {
            let caption = pick(&p.caption, language).to_owned();
            Ok((caption, p.content.draw()?))
        });
        Ok(Told {
            title: pick(&part.title, language).to_owned(),
            about: pick(&part.about, language).to_owned(),
            drawings: drawings.collect::<Result<_, Error>>()?,
        })
    };
    parts(scene)?.into_iter().map(part).collect()
}

const WIDE: i32 = 1120;
const MARGIN: i32 = 28;
const GAP: i32 = 20;

/// All parts below each other.
pub(super) fn stack(scene: &Scene, language: Language) -> Result<Drawing, Error> {
    let parts = told(scene, language)?;
    let widest = parts.iter().flat_map(|p| &p.drawings).map(|d| d.1.size()[0] as i32).max().unwrap_or(0);
    let width = WIDE.max(widest + 2 * MARGIN);
    let mut pen = Drawing::new(width, 0);
    let mut y = MARGIN;
    let heading = format!("{}: {}", scene.model, scene.name);
    pen.text([MARGIN, y + 12], &heading, 24, Anchor::Start, INK);
    y += 44;
    for part in parts {
        pen.text([MARGIN, y + 10], &part.title, 19, Anchor::Start, INK);
        y += 28;
        for line in draw::wrap(&part.about, 14.0, (width - 2 * MARGIN) as f32) {
            pen.text([MARGIN, y + 8], &line, 14, Anchor::Start, SOFT);
            y += 20;
        }
        y = rows(&mut pen, part.drawings, y + 8, width) + GAP;
    }
    Ok(pen.tall(y))
}

/// Drawings side by side while there is room; gives where they end.
fn rows(pen: &mut Drawing, drawings: Vec<(String, Drawing)>, top: i32, width: i32) -> i32 {
    let (mut x, mut y, mut tall) = (MARGIN, top, 0);
    for (caption, drawing) in drawings {
        let [w, h] = drawing.size().map(|v| v as i32);
        let wide = w.max(draw::width(&caption, 13.0).ceil() as i32);
        if x > MARGIN && x + wide > width - MARGIN {
            (x, y, tall) = (MARGIN, y + tall + 12, 0);
        }
        pen.text([x, y + 8], &caption, 13, Anchor::Start, SOFT);
        pen.put(drawing, x, y + 22);
        tall = tall.max(h + 22);
        x += wide + GAP;
    }
    y + tall
}
