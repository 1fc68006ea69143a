//! The head of the report, and how the run was made: recipe, seed, machine, versions, timings.

use super::{Part, Report};
use crate::text::{Text, Writer, count, number, percent, same, t};
use foveal_nn::loss::Loss;
use foveal_nn::optim::Optimizer;
use foveal_nn::schedule::Schedule;
use foveal_train::{ClassScores, Evaluation, Status};

/// So many classes are named.
const NAMED: usize = 8;

type Fact = (Text, String);

/// The title and the figures that are asked for first.
pub(super) fn head(w: &mut Writer, report: &Report) {
    let training = &report.saved.training;
    w.raw("<section class=\"hero\" aria-labelledby=\"title\"><div>");
    w.text("p", " class=\"kicker\"", &t("Training report", "훈련 보고서"));
    w.raw("<h1 id=\"title\" translate=\"no\">");
    w.name("span", "", &training.model);
    w.raw(" <span class=\"on\">\u{b7}</span> ");
    w.name("span", "", &training.dataset);
    w.raw("</h1>");
    if !report.when.is_empty() {
        w.name("p", " class=\"when\"", report.when);
    }
    w.raw("</div>");
    score(w, report);
    w.raw("</section><dl class=\"stats\">");
    for (name, value) in first(report) {
        let name = w.samples(name);
        w.raw("<div>");
        w.text("dt", "", &name);
        w.name("dd", "", &value);
        w.raw("</div>");
    }
    w.raw("</dl>");
    if let Some(text) = notice(report.outcome.status) {
        w.text("p", " class=\"notice\" role=\"note\"", &text);
    }
}

fn notice(status: Status) -> Option<Text> {
    Some(match status {
        Status::Finished => return None,
        Status::EarlyStopped => t(
            "Training stopped early: the validation loss had got no lower for a while.",
            "한동안 검증 손실이 낮아지지 않아 훈련을 일찍 멈췄습니다.",
        ),
        Status::Interrupted => t(
            "Training was interrupted; the model has not been tested.",
            "훈련이 중단되었습니다. 모델은 아직 테스트하지 않았습니다.",
        ),
        Status::NonFinite { epoch, batch } => t(
            format!(
                "The loss was not a finite number in epoch {epoch}, batch {batch}: a lower learning rate may help. The weights are those from before it."
            ),
            format!(
                "에포크 {epoch}, 배치 {batch}에서 손실이 유한한 수가 아니었습니다. 학습률을 낮춰 보세요. 가중치는 그 전의 것입니다."
            ),
        ),
    })
}

fn score(w: &mut Writer, report: &Report) {
    let Some(judged) = &report.judged else { return };
    let images = count(judged.indices.map_or(judged.data.len(), <[u32]>::len) as u64);
    let (value, name) = match judged.scores {
        Evaluation::Classes(scores) => (percent(scores.accuracy), t("accuracy", "정확도")),
        Evaluation::Values(scores) => (number(scores.rmse), same("RMSE")),
        Evaluation::Labels(scores) => {
            (percent(scores.map), t("mean average precision", "평균 정밀도의 평균(mAP)"))
        }
    };
    let part = judged.part.name();
    w.raw("<div class=\"score\">");
    w.name("p", " class=\"big\"", &value);
    let about = w.samples(t(
        format!("{} {}, {images} images", part.en, name.en),
        format!("{} {}, 이미지 {images}장", part.ko, name.ko),
    ));
    w.text("p", "", &about);
    if let Evaluation::Classes(scores) = judged.scores {
        let ([low, high], most) = (scores.interval().map(percent), percent(scores.majority()));
        let about = t(
            format!("95 % interval {low} to {high}; always the most frequent class: {most}"),
            format!("95 % 신뢰구간 {low}~{high}. 가장 많은 클래스만 답하면 {most}"),
        );
        w.text("p", "", &about);
        if let Some(few) = few(scores) {
            w.text("p", "", &few);
        }
    }
    w.raw("</div>");
}

/// Which classes have no image here or a single one.
fn few(scores: &ClassScores) -> Option<Text> {
    let list = |wanted: u64| {
        let all: Vec<&str> =
            scores.per_class.iter().filter(|c| c.support == wanted).map(|c| c.class.as_str()).collect();
        let more = if all.len() > NAMED { ", \u{2026}" } else { "" };
        (!all.is_empty()).then(|| all[..all.len().min(NAMED)].join(", ") + more)
    };
    let none = list(0).map(|l| t(format!("no image of class {l}"), format!("클래스 {l}의 이미지가 없음")));
    let one =
        list(1).map(|l| t(format!("a single image of class {l}"), format!("클래스 {l}의 이미지가 하나뿐임")));
    none.into_iter().chain(one).reduce(|a, b| t(format!("{}; {}", a.en, b.en), format!("{}; {}", a.ko, b.ko)))
}

fn first(report: &Report) -> Vec<Fact> {
    let mut facts = Vec::new();
    match report.judged.as_ref().map(|j| j.scores) {
        Some(Evaluation::Classes(scores)) => {
            if scores.per_class.len() > 5 {
                facts.push((t("top-5 accuracy", "상위 5개 정확도"), percent(scores.top_k(5))));
            }
            facts.push((t("macro F1", "매크로 F1"), format!("{:.4}", scores.macro_f1)));
            facts.push((t("loss", "손실"), format!("{:.4}", scores.loss)));
        }
        Some(Evaluation::Values(scores)) => {
            if let [one] = &scores.per_target[..] {
                facts.push((t("target", "타깃"), one.name.clone()));
            }
            facts.push((same("MAE"), number(scores.mae)));
            let r2 = scores.r2.map_or_else(|| "\u{2013}".to_owned(), |r2| format!("{r2:.4}"));
            facts.push((same("R\u{b2}"), r2));
        }
        Some(Evaluation::Labels(scores)) => {
            facts.push((t("macro F1", "매크로 F1"), format!("{:.4}", scores.macro_f1)));
            facts.push((t("micro F1", "마이크로 F1"), format!("{:.4}", scores.micro_f1)));
            facts.push((t("all labels right", "레이블이 모두 맞은 비율"), percent(scores.exact)));
            facts.push((t("loss", "손실"), format!("{:.4}", scores.loss)));
        }
        None => {}
    }
    if let Some(accuracy) = report.outcome.validation_accuracy {
        facts.push((t("validation accuracy", "검증 정확도"), percent(accuracy)));
    } else if let Some(loss) = report.outcome.validation_loss {
        facts.push((t("validation loss", "검증 손실"), number(loss)));
    }
    let parameters: usize = report.saved.model.params().iter().map(|p| p.values.len()).sum();
    facts.push((t("parameters", "파라미터"), count(parameters as u64)));
    facts.push((t("training time, s", "훈련 시간(초)"), format!("{:.2}", report.outcome.train_seconds)));
    facts.push((t("images a second", "초당 이미지"), count(report.outcome.images_per_second as u64)));
    facts
}

/// How the run was made.
pub(super) fn run(w: &mut Writer, report: &Report) {
    w.section(
        "run",
        &t("How it was made", "실행 정보"),
        &t(
            "The same recipe and seed give the same model file, byte for byte, with any number of threads.",
            "같은 레시피와 시드는 스레드 수와 상관없이 한 바이트도 다르지 않은 모델 파일을 만듭니다.",
        ),
    );
    w.raw("<div class=\"facts\">");
    list(w, &t("Recipe", "레시피"), recipe(report));
    list(w, &t("Data", "데이터"), data(report));
    list(w, &t("Machine and time", "기계와 시간"), machine(report));
    w.raw("</div>");
    if !report.command.is_empty() {
        w.text("h3", " class=\"again\"", &t("Run it again", "다시 실행하기"));
        w.name("pre", " tabindex=\"0\"", report.command);
    }
    w.raw("</section>");
}

fn list(w: &mut Writer, title: &Text, facts: Vec<(Text, Text)>) {
    w.raw("<div>");
    w.text("h3", "", title);
    w.raw("<dl>");
    for (name, value) in facts.into_iter().filter(|f| !f.1.en.is_empty()) {
        let name = w.samples(name);
        w.raw("<div>");
        w.text("dt", "", &name);
        if value.en == value.ko {
            w.name("dd", "", &value.en);
        } else {
            w.text("dd", "", &value);
        }
        w.raw("</div>");
    }
    w.raw("</dl></div>");
}

fn recipe(report: &Report) -> Vec<(Text, Text)> {
    let recipe = &report.saved.training.recipe;
    let planned = recipe.epochs;
    let done = report.outcome.history.len();
    let epochs = if done == planned {
        same(count(done as u64))
    } else {
        t(format!("{done} of {planned}"), format!("{planned} 중 {done}"))
    };
    let mut facts = vec![
        (t("epochs", "에포크"), epochs),
        (t("batch size", "배치 크기"), same(count(recipe.batch_size as u64))),
        (t("learning rate", "학습률"), same(number(f64::from(recipe.lr)))),
        (t("schedule", "학습률 계획"), schedule(&recipe.schedule)),
        (t("optimizer", "옵티마이저"), optimizer(&recipe.optimizer)),
        (t("loss", "손실 함수"), loss(recipe.loss)),
        (t("augmentation", "데이터 증강"), same(recipe.augment.to_string())),
        (t("seed", "시드"), same(recipe.seed.to_string())),
    ];
    if let Some(patience) = recipe.patience {
        facts.push((t("patience, epochs", "조기 종료까지 기다리는 에포크"), same(patience.to_string())));
    }
    let kept = if recipe.keep_best {
        match report.saved.training.best_epoch {
            Some(epoch) => t(
                format!("of epoch {epoch}, the lowest validation loss"),
                format!("검증 손실이 가장 낮은 {epoch}에포크의 것"),
            ),
            None => t("of the epoch with the lowest validation loss", "검증 손실이 가장 낮은 에포크의 것"),
        }
    } else if recipe.average > 0.0 {
        let share = format!("{:.0} %", 100.0 * recipe.average);
        t(format!("mean over the last {share}"), format!("마지막 {share}의 평균"))
    } else {
        t("of the last step", "마지막 단계의 것")
    };
    facts.push((t("weights", "가중치"), kept));
    facts
}

fn short(v: f32) -> String {
    number(f64::from(v))
}

fn schedule(schedule: &Schedule) -> Text {
    match schedule {
        Schedule::Constant => t("constant", "일정"),
        Schedule::Step { every, factor } => {
            let by = short(*factor);
            t(format!("times {by} every {every} epochs"), format!("에포크 {every}번마다 {by}배"))
        }
        Schedule::Cosine { floor } => {
            let to = short(*floor);
            t(format!("cosine to {to} of it"), format!("코사인, 끝은 {to}배"))
        }
        Schedule::OneCycle { warmup, start, end } => {
            let (s, e, up) = (short(*start), short(*end), format!("{:.0} %", 100.0 * warmup));
            t(
                format!("from {s} of it up for {up}, then down to {e}"),
                format!("{s}배에서 {up} 동안 올라간 뒤 {e}배로 내려감"),
            )
        }
    }
}

fn optimizer(optimizer: &Optimizer) -> Text {
    match optimizer {
        Optimizer::Sgd { momentum, nesterov, decay } => {
            let name = if *nesterov { "SGD (Nesterov)" } else { "SGD" };
            let (m, d) = (short(*momentum), short(*decay));
            t(
                format!("{name}, momentum {m}, weight decay {d}"),
                format!("{name}, 모멘텀 {m}, 가중치 감쇠 {d}"),
            )
        }
        Optimizer::Adam { beta1, beta2, epsilon, decay } => {
            let name = if *decay > 0.0 { "AdamW" } else { "Adam" };
            let mut text = format!(
                "{name} (\u{3b2}\u{2081} {}, \u{3b2}\u{2082} {}, \u{3b5} {epsilon:e}",
                short(*beta1),
                short(*beta2)
            );
            if *decay > 0.0 {
                text += &format!(", \u{3bb} {}", short(*decay));
            }
            same(text + ")")
        }
    }
}

fn loss(loss: Loss) -> Text {
    match loss {
        Loss::CrossEntropy { label_smoothing } if label_smoothing > 0.0 => {
            let s = short(label_smoothing);
            t(format!("cross-entropy, label smoothing {s}"), format!("교차 엔트로피, 레이블 스무딩 {s}"))
        }
        Loss::CrossEntropy { .. } => t("cross-entropy", "교차 엔트로피"),
        Loss::BinaryCrossEntropy => {
            t("binary cross-entropy, each label by itself", "레이블마다 이진 교차 엔트로피")
        }
        Loss::MeanSquared => t("mean squared error", "평균 제곱 오차"),
        Loss::Huber { delta } => t(format!("Huber, \u{3b4} {delta}"), format!("후버, \u{3b4} {delta}")),
    }
}

fn data(report: &Report) -> Vec<(Text, Text)> {
    let [train, validation] = report.images.map(|n| same(count(n as u64)));
    let mut facts = vec![
        (t("data set", "데이터"), same(report.saved.training.dataset.clone())),
        (t("training images", "훈련 이미지"), train),
        (t("validation images", "검증 이미지"), validation),
    ];
    if let Some(judged) = report.judged.as_ref().filter(|j| j.part == Part::Test) {
        let n = judged.indices.map_or(judged.data.len(), <[u32]>::len);
        facts.push((t("test images, read once", "테스트 이미지, 한 번만 읽음"), same(count(n as u64))));
    }
    let shape = report.saved.model.input_shape().map(|v| v.to_string()).join("\u{d7}");
    facts.push((t("input", "입력"), same(shape)));
    let scale = &report.saved.preprocess;
    let told = scale.told.iter().enumerate();
    facts.extend(told.map(|(i, [en, ko])| {
        let name = if i == 0 { t("told by the data", "데이터로 알아낸 것") } else { same("") };
        (name, t(en.clone(), ko.clone()))
    }));
    if let Some(vocabulary) = &scale.text {
        let n = count(vocabulary.size() as u64);
        let name = vocabulary.tokens().name();
        facts.push((t("tokens", "토큰"), same(name)));
        facts.push((t("numbers of the vocabulary", "어휘의 수"), same(n)));
        return facts;
    }
    let first = |v: &[f32]| v.first().map_or_else(String::new, |v| short(*v));
    let same_for_all = |v: &[f32]| v.iter().all(|x| Some(x) == v.first());
    if same_for_all(&scale.scale) && same_for_all(&scale.shift) {
        let text = format!("x \u{b7} {} + {}", first(&scale.scale), first(&scale.shift));
        facts.push((t("preprocessing", "전처리"), same(text)));
    }
    facts
}

fn machine(report: &Report) -> Vec<(Text, Text)> {
    let m = &report.machine;
    let seconds = |s: f64| t(format!("{s:.2} s"), format!("{s:.2}초"));
    vec![
        (t("processor", "프로세서"), same(m.cpu.clone())),
        (t("instruction set", "명령어 집합"), same(m.instructions.clone())),
        (t("threads", "스레드"), same(m.threads.to_string())),
        (t("system", "운영 체제"), same(m.system.clone())),
        (t("version", "버전"), same(format!("foveal {}", report.version))),
        (t("training", "훈련"), seconds(report.outcome.train_seconds)),
        (t("in all", "모두"), seconds(report.total_seconds)),
    ]
}
