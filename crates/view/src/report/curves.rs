//! Loss, accuracy and learning rate over the run.

use super::chart::{Chart, Line, Style, Unit};
use crate::text::{Text, Writer, t};
use foveal_train::{EpochReport, Event};

/// Points kept of a run's steps, at most: then two neighbours become one.
const KEPT: usize = 600;
/// From so many epochs on, a run is drawn by its epochs' means.
const BY_EPOCH: usize = 8;

/// The mean over some steps.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    /// Epochs done.
    at: f64,
    loss: f64,
    accuracy: Option<f64>,
    lr: f64,
}

/// The steps of a run, thinned as it grows: however long the run, some hundred numbers.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    kept: Vec<Step>,
    /// Steps of the run behind each one that is kept: a power of two.
    each: usize,
    /// The sum of those since the last that was kept.
    sum: Option<Step>,
    summed: usize,
    /// Whether the first was the run's first; not where the run went on from a checkpoint.
    whole: bool,
}

impl Steps {
    /// Nothing has happened yet.
    pub fn new() -> Self {
        Self { each: 1, ..Self::default() }
    }

    /// Takes a step's figures from an event; others are let go by.
    pub fn take(&mut self, event: &Event) {
        let Event::Batch { epoch, batch, batches, step_loss, step_accuracy, lr, .. } = event else { return };
        self.whole |= (*epoch, *batch) == (1, 1);
        let at = (epoch - 1) as f64 + *batch as f64 / *batches as f64;
        self.add(Step { at, loss: *step_loss, accuracy: *step_accuracy, lr: f64::from(*lr) });
    }

    fn add(&mut self, step: Step) {
        let sum = self.sum.map_or(step, |sum| Step {
            at: step.at,
            loss: sum.loss + step.loss,
            accuracy: sum.accuracy.zip(step.accuracy).map(|(a, b)| a + b),
            lr: sum.lr + step.lr,
        });
        self.sum = Some(sum);
        self.summed += 1;
        if self.summed < self.each.max(1) {
            return;
        }
        let n = self.summed as f64;
        self.kept.push(Step {
            at: sum.at,
            loss: sum.loss / n,
            accuracy: sum.accuracy.map(|a| a / n),
            lr: sum.lr / n,
        });
        (self.sum, self.summed) = (None, 0);
        if self.kept.len() > KEPT {
            self.each = self.each.max(1) * 2;
            self.kept =
                self.kept.chunks(2).filter(|two| two.len() == 2).map(|two| mean(two[0], two[1])).collect();
        }
    }

    /// `what` of every step that is kept: the mean over its neighbours, about a thirtieth of the run, and itself.
    fn series(&self, what: impl Fn(&Step) -> Option<f64>) -> [Vec<(f64, f64)>; 2] {
        let raw: Vec<(f64, f64)> = self.kept.iter().filter_map(|s| Some((s.at, what(s)?))).collect();
        let reach = raw.len() / 60;
        let smooth = (0..raw.len()).map(|i| {
            // At the beginning as many after as before, so that a steep fall does not lag.
            let before = reach.min(i);
            let after = if i < reach { before } else { reach.min(raw.len() - 1 - i) };
            let near = &raw[i - before..=i + after];
            (raw[i].0, near.iter().map(|p| p.1).sum::<f64>() / near.len() as f64)
        });
        [smooth.collect(), raw.clone()]
    }
}

fn mean(a: Step, b: Step) -> Step {
    let half = |a: f64, b: f64| (a + b) / 2.0;
    Step {
        at: b.at,
        loss: half(a.loss, b.loss),
        accuracy: a.accuracy.zip(b.accuracy).map(|(a, b)| half(a, b)),
        lr: half(a.lr, b.lr),
    }
}

/// The three charts.
pub(super) fn draw(w: &mut Writer, history: &[EpochReport], steps: &Steps, best: Option<usize>) {
    w.section("curves", &t("How it learnt", "학습 과정"), &t(
        "Training figures are of images as they were trained on; validation figures are of images held back, at the end of each epoch. Both losses are without label smoothing.",
        "훈련 값은 훈련에 쓰인 그때의 이미지로, 검증 값은 따로 떼어 둔 이미지로 에포크가 끝날 때마다 잰 것입니다. 두 손실 모두 레이블 스무딩을 뺀 값입니다.",
    ));
    w.raw("<div class=\"charts\">");
    let epoch = t("epoch", "에포크");
    let mark = best.map(|best| {
        (best as f64, t(format!("weights of epoch {best}"), format!("{best}에포크의 가중치를 남김")))
    });
    let loss = lines(history, steps, |s| Some(s.loss), |e| Some(e.train_loss), |e| e.validation_loss);
    let title = t("Loss", "손실");
    let chart = |title, unit, keep, from, lines, mark| Chart {
        title,
        x: epoch.clone(),
        unit,
        keep,
        from,
        lines,
        mark,
    };
    chart(title, Unit::Number, 0.0, None, loss, mark.clone()).draw(w);
    let accuracy = lines(history, steps, |s| s.accuracy, |e| e.train_accuracy, |e| e.validation_accuracy);
    if accuracy.iter().any(|l| !l.points.is_empty()) {
        let title = t("Accuracy", "정확도");
        let from = Some(begin(&accuracy));
        chart(title, Unit::Percent, 1.0, from, accuracy, mark).draw(w);
    }
    let by_epoch = history.iter().map(|e| (e.epoch as f64, f64::from(e.lr))).collect();
    let points = if steps.whole { steps.series(|s| Some(s.lr))[1].clone() } else { by_epoch };
    let rate = Line { name: t("learning rate", "학습률"), class: "rate", style: Style::Line, points };
    let title = t("Learning rate", "학습률");
    chart(title, Unit::Number, 0.0, None, vec![rate], None).draw(w);
    w.raw("</div></section>");
}

/// Where the axis of accuracies begins: what a run reaches in its first twentieth would press the rest together.
fn begin(lines: &[Line]) -> f64 {
    let end = lines.iter().flat_map(|l| &l.points).fold(0.0, |a, p| p.0.max(a));
    let later = lines.iter().filter(|l| l.style != Style::Faint).flat_map(|l| &l.points);
    later.filter(|p| p.0 >= end / 20.0 && p.1.is_finite()).fold(1.0, |a, p| p.1.min(a))
}

fn lines(
    history: &[EpochReport],
    steps: &Steps,
    of_step: impl Fn(&Step) -> Option<f64>,
    of_epoch: impl Fn(&EpochReport) -> Option<f64>,
    of_validation: impl Fn(&EpochReport) -> Option<f64>,
) -> Vec<Line> {
    let points = |of: &dyn Fn(&EpochReport) -> Option<f64>| -> Vec<(f64, f64)> {
        history.iter().filter_map(|e| Some((e.epoch as f64, of(e)?))).collect()
    };
    let [smooth, raw] = steps.series(of_step);
    let by_epoch = history.len() >= BY_EPOCH || !steps.whole;
    let line = |name: Text, class, style, points| Line { name, class, style, points };
    let mut lines = vec![
        line(t("each step", "단계마다"), "train", Style::Faint, raw),
        line(
            t("training", "훈련"),
            "train",
            if by_epoch { Style::Marked } else { Style::Line },
            if by_epoch { points(&of_epoch) } else { smooth },
        ),
        line(t("validation", "검증"), "validation", Style::Marked, points(&of_validation)),
    ];
    lines.retain(|l| !l.points.is_empty());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_is_thinned_and_keeps_its_mean() {
        let mut steps = Steps::new();
        for i in 0..100_000 {
            steps.add(Step { at: f64::from(i + 1), loss: f64::from(i % 2), accuracy: None, lr: 0.5 });
        }
        assert!((KEPT / 2 - 1..=KEPT).contains(&steps.kept.len()), "{}", steps.kept.len());
        assert!(steps.kept.iter().all(|s| (s.loss - 0.5).abs() < 1e-12 && s.lr == 0.5));
        assert!(steps.kept.windows(2).all(|two| two[0].at < two[1].at));
        assert!(steps.kept.last().unwrap().at > 99_000.0);
    }
}
