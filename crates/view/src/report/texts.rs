//! What the network reads: a few texts, token by token.

use super::Judged;
use super::classes::Answers;
use crate::text::{Writer, number, t};
use crate::words::words;
use foveal_train::SavedModel;

/// Tokens of a text that are shown.
const SHOWN: usize = 120;

/// The texts at `indices`, each token marked by what it counts.
pub(super) fn draw(
    w: &mut Writer,
    saved: &SavedModel,
    judged: &Judged,
    indices: &[u32],
    answers: Option<&Answers>,
) {
    w.section(
        "inside",
        &t("What the network reads", "신경망이 읽는 것"),
        &t(
            "Tokens in red speak for the answer of the model, those in blue against it: the gradient times the embedding. A dotted line is under tokens that the vocabulary does not have.",
            "빨간 토큰은 모델의 답을 뒷받침하고 파란 토큰은 그 반대입니다(기울기와 임베딩의 곱). 점선이 그어진 토큰은 어휘에 없는 것입니다.",
        ),
    );
    w.raw("<div class=\"read\">");
    for &index in indices {
        if let Some(text) = judged.data.text(index as usize) {
            sample(w, saved, text, index, answers);
        }
    }
    w.raw("</div></section>");
}

fn sample(w: &mut Writer, saved: &SavedModel, text: &str, index: u32, answers: Option<&Answers>) {
    let Ok((_, words)) = words(saved, text, None) else { return };
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
    w.raw("</header><p class=\"tokens\" dir=\"auto\">");
    let far = words.iter().fold(f32::MIN_POSITIVE, |a, word| a.max(word.counts.abs()));
    for word in words.iter().take(SHOWN) {
        let side = if word.counts >= 0.0 { "for" } else { "against" };
        let unknown = if word.known { "" } else { " unknown" };
        let share = word.counts.abs() / far;
        let attributes = format!(
            " class=\"{side}{unknown}\" style=\"--share:{share:.3}\" title=\"{}\"",
            number(f64::from(word.counts))
        );
        w.name("span", &attributes, &word.token);
        w.raw(" ");
    }
    w.raw(if words.len() > SHOWN { "\u{2026}</p>" } else { "</p>" });
    if let Some(answers) = answers {
        answers.bars(w, index);
    }
    w.raw("</article>");
}
