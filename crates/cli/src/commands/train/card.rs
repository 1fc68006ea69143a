//! `model-card.md` in a run folder: what a model is, what it was trained on, how good it is and where that ends.

use crate::output::{Context, count};
use crate::values;
use foveal::train::{ClassScores, Evaluation, PerTarget, SavedModel, Temperature};
use foveal::view::steers;

/// So many classes are listed.
const CLASSES: usize = 50;

/// What a model card tells of.
pub struct Card<'a> {
    pub saved: &'a SavedModel,
    /// Training and validation samples.
    pub images: [usize; 2],
    /// The part that the model was judged by, and its scores.
    pub judged: Option<(&'static str, &'a Evaluation)>,
    /// The temperature that the last layer has been divided by.
    pub temperature: Option<Temperature>,
}

impl Card<'_> {
    /// Its text, as Markdown.
    pub fn text(&self, context: &Context) -> String {
        let training = &self.saved.training;
        let task = match (self.saved.model.vocabulary(), self.saved.classes.is_empty()) {
            (Some(_), false) => "text-classification",
            (Some(_), true) => "text-regression",
            (None, false) => "image-classification",
            (None, true) => "image-regression",
        };
        let mut text = format!("---\nlibrary_name: foveal\npipeline_tag: {task}\n---\n");
        text += &format!("# {} · {}\n\n", plain(&training.model), plain(&training.dataset));
        text += &self.model(context);
        text += &section(context.say("Data", "데이터"), &self.data(context));
        text += &section(context.say("Training", "훈련"), &self.training(context));
        text += &section(context.say("Results", "결과"), &self.results(context));
        text + &section(context.say("Limits", "한계"), &self.limits(context))
    }

    fn model(&self, context: &Context) -> String {
        let model = &self.saved.model;
        let [h, w, c] = model.input_shape();
        let parameters: usize = model.params().iter().map(|p| p.values.len()).sum();
        let parameters = count(parameters as u64);
        let (version, layers) = (env!("CARGO_PKG_VERSION"), model.nodes().len());
        let classes: Vec<String> = self.saved.classes.iter().take(CLASSES).map(|c| plain(c)).collect();
        let more = self.saved.classes.len().saturating_sub(classes.len());
        let more = if more > 0 { format!(" (+{more})") } else { String::new() };
        let mut text = context.language.pick(
            format!(
                "Input {h}x{w}x{c} (height, width, channels), {layers} layers, {parameters} parameters, trained with foveal {version}.\n"
            ),
            format!(
                "입력 {h}x{w}x{c}(높이, 너비, 채널), 층 {layers}개, 파라미터 {parameters}개. foveal {version}로 훈련했습니다.\n"
            ),
        );
        if !classes.is_empty() {
            text += &format!(
                "\n{}: {}{more}\n",
                context.say("Classes, in the outputs' order", "클래스(출력 순서)"),
                classes.join(", ")
            );
        }
        text
    }

    fn data(&self, context: &Context) -> Vec<String> {
        let [train, validation] = self.images.map(|n| count(n as u64));
        let mut lines = vec![context.language.pick(
            format!("{train} training samples, {validation} validation samples"),
            format!("훈련 표본 {train}개, 검증 표본 {validation}개"),
        )];
        let preprocess = &self.saved.preprocess;
        if let Some(vocabulary) = &preprocess.text {
            let (n, tokens) = (count(vocabulary.size() as u64), vocabulary.tokens().name());
            lines.push(context.language.pick(
                format!("texts cut into {tokens}, vocabulary of {n}"),
                format!("글을 {tokens} 단위로 자름, 어휘 {n}개"),
            ));
        } else {
            let (scale, shift) = (list(&preprocess.scale), list(&preprocess.shift));
            lines.push(context.language.pick(
                format!("raw values (0 to 255 of pictures) times {scale}, plus {shift}; the model file and its ONNX export do it themselves"),
                format!("원래 값(이미지는 0~255)에 {scale}을 곱하고 {shift}을 더함. 모델 파일과 ONNX 파일 안에 들어 있음"),
            ));
        }
        if let Some([centre, width]) = preprocess.window {
            lines.push(context.language.pick(
                format!("CT window: centre {centre}, width {width} HU"),
                format!("CT 창: 중심 {centre}, 너비 {width} HU"),
            ));
        }
        lines
    }

    fn training(&self, context: &Context) -> Vec<String> {
        let training = &self.saved.training;
        let recipe = &training.recipe;
        let (done, planned, seed) = (training.epochs, recipe.epochs, recipe.seed);
        let (batch, lr) = (recipe.batch_size, recipe.lr);
        let mut lines = vec![context.language.pick(
            format!("{done} of {planned} epochs, batch size {batch}, learning rate {lr}, seed {seed}; the whole recipe is in config.toml"),
            format!("{planned}에포크 중 {done}에포크, 배치 크기 {batch}, 학습률 {lr}, 시드 {seed}. 전체 레시피는 config.toml에 있음"),
        )];
        if let Some(epoch) = training.best_epoch {
            lines.push(context.language.pick(
                format!("weights of epoch {epoch}, of the lowest validation loss"),
                format!("검증 손실이 가장 낮은 {epoch}에포크의 가중치"),
            ));
        }
        if !recipe.frozen.is_empty() {
            let n = recipe.frozen.len();
            lines.push(
                context
                    .language
                    .pick(format!("{n} layers were not trained"), format!("층 {n}개는 훈련하지 않음")),
            );
        }
        lines
    }

    fn results(&self, context: &Context) -> Vec<String> {
        let Some((part, scores)) = self.judged else {
            return vec![context.say("not judged", "평가하지 않음").to_owned()];
        };
        let part = match part {
            "test" => context.say("test", "테스트"),
            _ => context.say("validation", "검증"),
        };
        match scores {
            Evaluation::Values(s) => {
                let one = |target: &PerTarget| {
                    let (mae, rmse, r2) = (
                        values::figure(target.mae),
                        values::figure(target.rmse),
                        values::r2(target.r2, context),
                    );
                    format!("{part}, {}: MAE {mae}, RMSE {rmse}, R² {r2}", plain(&target.name))
                };
                s.per_target.iter().map(one).collect()
            }
            Evaluation::Labels(s) => {
                vec![format!("{part}: {} ({})", values::label_line(s, context), count(s.samples))]
            }
            Evaluation::Classes(s) => {
                let n = count(s.images());
                let [low, high] = s.interval().map(|v| 100.0 * v);
                let (accuracy, most) = (100.0 * s.accuracy, 100.0 * s.majority());
                let mut lines = vec![
                    context.language.pick(
                        format!("{part} accuracy {accuracy:.2} % of {n} samples, 95 % interval {low:.1} to {high:.1} %"),
                        format!("표본 {n}개의 {part} 정확도 {accuracy:.2} %, 95 % 신뢰구간 {low:.1}~{high:.1} %"),
                    ),
                    context.language.pick(
                        format!("always the most frequent class: {most:.2} %"),
                        format!("가장 많은 클래스만 답하면 {most:.2} %"),
                    ),
                    format!("{} {:.4}", context.say("macro F1", "매크로 F1"), s.macro_f1)
                        + &values::occurring(s, context),
                ];
                lines.push(self.calibration(s, context));
                let weakest =
                    s.per_class.iter().filter(|c| c.support > 0).min_by(|a, b| a.recall.total_cmp(&b.recall));
                lines.extend(weakest.map(|c| {
                    let (name, recall, n) = (plain(&c.class), 100.0 * c.recall, count(c.support));
                    context.language.pick(
                        format!("weakest class: {name}, {recall:.1} % of its {n} samples found"),
                        format!("가장 약한 클래스: {name}, 표본 {n}개 중 {recall:.1} %를 맞힘"),
                    )
                }));
                lines
            }
        }
    }

    fn calibration(&self, s: &ClassScores, context: &Context) -> String {
        let error = 100.0 * s.reliability.error();
        match self.temperature {
            Some(t) => context.language.pick(
                format!(
                    "calibration error {error:.2} % with the temperature {:.2} in the last layer",
                    t.value
                ),
                format!("보정 오차 {error:.2} %(마지막 층에 온도 {:.2})", t.value),
            ),
            None => context
                .language
                .pick(format!("calibration error {error:.2} %"), format!("보정 오차 {error:.2} %")),
        }
    }

    fn limits(&self, context: &Context) -> Vec<String> {
        let mut lines = Vec::new();
        if self.judged.is_some_and(|(part, _)| part == "validation") {
            lines.push(
                context
                    .say(
                        "The figures are of samples that guided the training: on new ones they may be lower.",
                        "훈련에 참고한 검증 표본의 수치이므로 새 표본에서는 더 낮을 수 있습니다.",
                    )
                    .to_owned(),
            );
        }
        lines.push(
            context
                .say(
                    "The figures hold for samples like those of the data set; of others nothing is known.",
                    "이 수치는 데이터와 비슷한 표본에만 해당하며, 다른 표본에서는 알 수 없습니다.",
                )
                .to_owned(),
        );
        if !self.saved.classes.is_empty() {
            lines.push(
                context
                    .say(
                        "It always answers one of its classes, also for what is none of them.",
                        "어느 클래스에도 속하지 않는 입력에도 항상 클래스 하나를 답합니다.",
                    )
                    .to_owned(),
            );
        }
        if self.saved.preprocess.window.is_some() {
            lines.push(context.say("Not a medical device.", "의료 기기가 아닙니다.").to_owned());
        }
        lines
    }
}

fn section(title: &str, lines: &[String]) -> String {
    format!("\n## {title}\n\n{}", lines.iter().map(|line| format!("- {line}\n")).collect::<String>())
}

/// A name that stays one line and is no Markdown.
fn plain(name: &str) -> String {
    let mark = |c: char| "\\`*_[]<>#|".contains(c);
    name.chars()
        .flat_map(|c| {
            let c = if steers(c) { '\u{fffd}' } else { c };
            mark(c).then_some('\\').into_iter().chain([c])
        })
        .collect()
}

/// Numbers, once where all are the same.
fn list(values: &[f32]) -> String {
    let same = values.iter().all(|v| Some(v) == values.first());
    let shown = if same { &values[..values.len().min(1)] } else { values };
    shown.iter().map(f32::to_string).collect::<Vec<_>>().join(", ")
}
