//! The model drawn as its three parts: convolution, subsampling, fully connected.

use crate::text::{Text, Writer, count, percent, t};
use foveal_nn::Model;
use foveal_nn::layers::{Role, Words};
use foveal_nn::model::Node;

/// Layers whose maps are shown for a sample.
const LAYERS: usize = 6;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Convolution,
    Subsampling,
    Connected,
}

impl Part {
    const ALL: [Part; 3] = [Part::Convolution, Part::Subsampling, Part::Connected];

    fn class(self) -> &'static str {
        match self {
            Part::Convolution => "convolution",
            Part::Subsampling => "subsampling",
            Part::Connected => "connected",
        }
    }

    fn title(self) -> Text {
        match self {
            Part::Convolution => t("Convolution", "합성곱"),
            Part::Subsampling => t("Subsampling", "서브샘플링"),
            Part::Connected => t("Fully connected", "완전 연결"),
        }
    }

    fn about(self) -> Text {
        match self {
            Part::Convolution => t(
                "Small filters slide over the image; each looks for one pattern everywhere.",
                "작은 필터가 이미지를 훑으며, 필터마다 한 가지 무늬를 모든 자리에서 찾습니다.",
            ),
            Part::Subsampling => t(
                "Each window keeps one number, so the maps shrink and small shifts matter less.",
                "창마다 수 하나만 남겨 특징 맵이 작아지고, 조금 움직인 것은 덜 중요해집니다.",
            ),
            Part::Connected => {
                t("Every feature has a say in every answer.", "모든 특징이 모든 답에 한 표씩 던집니다.")
            }
        }
    }
}

/// A step of the drawing: a layer and those that only change its numbers.
struct Card<'a> {
    part: Part,
    nodes: Vec<&'a Node>,
    parameters: usize,
    flops: u64,
    /// The node whose output the step ends with.
    last: usize,
}

/// The steps that give maps: their layer's name, and the value of [`Model::activations`] they end with.
pub(super) fn maps(model: &Model) -> Vec<(&str, usize)> {
    let cards = cards(model).into_iter();
    cards
        .filter(|c| c.part != Part::Connected && model.value_shape(c.last + 1)[..2] != [1, 1])
        .map(|c| (c.nodes[0].name.as_str(), c.last + 1))
        .collect()
}

/// Of many layers the first, and the last of each height and width.
pub(super) fn few<'a>(model: &Model, mut layers: Vec<(&'a str, usize)>) -> Vec<(&'a str, usize)> {
    if layers.len() > LAYERS {
        let size = |v: usize| [model.value_shape(v)[0], model.value_shape(v)[1]];
        let sizes: Vec<[usize; 2]> = layers.iter().map(|l| size(l.1)).collect();
        let mut i = 0;
        layers.retain(|_| {
            i += 1;
            i == 1 || !sizes[i..].contains(&sizes[i - 1])
        });
    }
    layers.truncate(LAYERS);
    layers
}

fn cards(model: &Model) -> Vec<Card<'_>> {
    let mut cards: Vec<Card> = Vec::new();
    for (i, node) in model.nodes().iter().enumerate() {
        let part = match node.kind.role() {
            Role::Convolution => Some(Part::Convolution),
            Role::Subsampling => Some(Part::Subsampling),
            Role::Connected => Some(Part::Connected),
            Role::Joins => Some(cards.last().map_or(Part::Convolution, |c| c.part)),
            Role::Follows => cards.is_empty().then_some(Part::Convolution),
        };
        if let Some(part) = part {
            cards.push(Card { part, nodes: Vec::new(), parameters: 0, flops: 0, last: i });
        }
        let card = cards.last_mut().expect("the first layer begins a card");
        card.nodes.push(node);
        card.last = i;
        card.parameters += node.params.iter().map(|&p| model.params()[p].values.len()).sum::<usize>();
        card.flops += node.flops;
    }
    cards
}

/// Draws the model.
pub(super) fn draw(w: &mut Writer, model: &Model) {
    let cards = cards(model);
    w.section("model", &t("The model", "모델"), &t(
        "A convolutional net has three parts: convolution and subsampling find features, then fully connected layers decide.",
        "합성곱 신경망은 세 부분으로 되어 있습니다. 합성곱과 서브샘플링이 특징을 찾고, 완전 연결 층이 답을 정합니다.",
    ));
    totals(w, &cards);
    w.raw("<ol class=\"flow\">");
    step(w, "input", &model.input_shape(), |w| {
        w.text("span", " class=\"what\"", &t("input", "입력"));
    });
    let many = cards.len() > 24;
    for card in cards.iter().take(24) {
        step(w, card.part.class(), &card.nodes.last().map_or([1, 1, 1], |n| n.shape), |w| {
            about(w, model, card)
        });
    }
    w.raw("</ol>");
    if many {
        let left = cards.len() - 24;
        w.text(
            "p",
            " class=\"note\"",
            &t(format!("{left} more steps are in the table."), format!("나머지 {left}단계는 표에 있습니다.")),
        );
    }
    table(w, model);
    w.raw("</section>");
}

fn totals(w: &mut Writer, cards: &[Card]) {
    let all = |f: &dyn Fn(&Card) -> u64| cards.iter().map(f).sum::<u64>().max(1);
    let (parameters, flops) = (all(&|c| c.parameters as u64), all(&|c| c.flops));
    w.raw("<div class=\"parts\">");
    for part in Part::ALL {
        let own = || cards.iter().filter(|c| c.part == part);
        let (p, f) = (own().map(|c| c.parameters as u64).sum::<u64>(), own().map(|c| c.flops).sum::<u64>());
        w.raw(format!("<div class=\"part {}\">", part.class()));
        w.text("h3", "", &part.title());
        w.text("p", "", &part.about());
        w.raw("<dl>");
        for (name, n, of) in
            [(t("parameters", "매개변수"), p, parameters), (t("operations", "연산"), f, flops)]
        {
            let share = n as f64 / of as f64;
            w.raw("<div>");
            w.text("dt", "", &name);
            w.raw(format!(
                "<dd><span class=\"n\">{}</span><span class=\"share\" style=\"--share:{share:.4}\"></span>\
                 <span class=\"of\">{}</span></dd></div>",
                count(n),
                percent(share)
            ));
        }
        w.raw("</dl></div>");
    }
    w.raw("</div>");
}

fn step(w: &mut Writer, class: &str, shape: &[usize; 3], about: impl FnOnce(&mut Writer)) {
    w.raw(format!("<li class=\"step {class}\">{}", glyph(*shape)));
    w.raw("<span class=\"shape\" translate=\"no\">");
    w.raw(if shape[..2] == [1, 1] {
        count(shape[2] as u64)
    } else {
        shape.map(|v| v.to_string()).join("\u{d7}")
    });
    w.raw("</span>");
    about(w);
    w.raw("</li>");
}

fn about(w: &mut Writer, model: &Model, card: &Card) {
    let first = card.nodes[0];
    w.name("span", " class=\"layer\"", &first.name);
    let Words { en, ko } = first.kind.words();
    w.text("span", " class=\"what\"", &t(en, ko));
    for node in &card.nodes[1..] {
        w.name("span", " class=\"tag\"", node.kind.name());
    }
    let from: Vec<&str> = first.inputs.iter().map(|&v| value_name(model, v)).collect();
    if from.len() > 1 {
        w.name("span", " class=\"tag\"", &from.join(" + "));
    }
    if card.parameters > 0 {
        let n = count(card.parameters as u64);
        w.text("span", " class=\"count\"", &t(format!("{n} parameters"), format!("매개변수 {n}개")));
    }
}

fn value_name(model: &Model, v: usize) -> &str {
    v.checked_sub(1).map_or("input", |i| model.nodes()[i].name.as_str())
}

/// Maps as a pile of squares, a row of numbers as a column of dots.
fn glyph([h, w, c]: [usize; 3]) -> String {
    const SIZE: f64 = 76.0;
    let mut svg = format!("<svg class=\"glyph\" viewBox=\"0 0 {SIZE} {SIZE}\" aria-hidden=\"true\">");
    if [h, w] == [1, 1] {
        let dots = c.min(9);
        let gap = 7.6;
        let top = SIZE / 2.0 - gap * (dots as f64 - 1.0) / 2.0;
        for i in 0..dots {
            let y = top + gap * i as f64;
            if c > 9 && i == 4 {
                for k in [-1.9, 0.0, 1.9] {
                    svg += &format!("<circle class=\"more\" cx=\"38\" cy=\"{:.1}\" r=\"0.7\"/>", y + k);
                }
            } else {
                svg += &format!("<circle cx=\"38\" cy=\"{y:.1}\" r=\"2.9\"/>");
            }
        }
    } else {
        let sheets = c.min(5);
        // Large maps do not push small ones out of sight: sides grow with the root.
        let side = |v: usize| (9.0 * (v as f64).sqrt()).clamp(10.0, 54.0);
        let (high, wide, shift) = (side(h), side(w), 3.6);
        let spread = shift * (sheets as f64 - 1.0);
        let (x, y) = ((SIZE - wide - spread) / 2.0, (SIZE - high - spread) / 2.0);
        for i in 0..sheets {
            let by = shift * i as f64;
            svg += &format!(
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"{high:.1}\" rx=\"1.5\"/>",
                x + by,
                y + by
            );
        }
    }
    svg + "</svg>"
}

fn table(w: &mut Writer, model: &Model) {
    w.raw("<details class=\"more\"><summary>");
    w.text("span", "", &t("Every layer", "모든 층"));
    w.raw("</summary><div class=\"scroll\" tabindex=\"0\" role=\"region\"");
    let label = w.label("aria-label", &t("Every layer", "모든 층"));
    w.raw(label);
    w.raw("><table><thead><tr>");
    for (name, class) in [
        (t("layer", "층"), ""),
        (t("kind", "종류"), ""),
        (t("from", "입력"), ""),
        (t("output", "출력"), " class=\"r\""),
        (t("parameters", "매개변수"), " class=\"r\""),
        (t("operations", "연산"), " class=\"r\""),
    ] {
        w.text("th", &format!(" scope=\"col\"{class}"), &name);
    }
    w.raw("</tr></thead><tbody>");
    for node in model.nodes() {
        let own: usize = node.params.iter().map(|&p| model.params()[p].values.len()).sum();
        let from: Vec<&str> = node.inputs.iter().map(|&v| value_name(model, v)).collect();
        w.raw("<tr>");
        w.name("th", " scope=\"row\"", &node.name);
        w.name("td", "", node.kind.name());
        w.name("td", "", &from.join(", "));
        w.name("td", " class=\"r\"", &node.shape.map(|v| v.to_string()).join("\u{d7}"));
        for n in [own as u64, node.flops] {
            w.raw(format!("<td class=\"r\">{}</td>", if n == 0 { "\u{b7}".into() } else { count(n) }));
        }
        w.raw("</tr>");
    }
    w.raw("</tbody></table></div></details>");
}
