//! The end of a run: its result, its report, and what to do next.

use super::card::Card;
use super::folder::{self, CARD, Folder};
use crate::args::Train;
use crate::exit::Interrupted;
use crate::machine;
use crate::output::{Context, count};
use crate::predictions;
use crate::source::{self, Kept, Parts, thin};
use crate::values;
use anyhow::{Result, bail};
use foveal::data::Dataset;
use foveal::train::{
    Evaluation, Grouped, Outcome, SavedModel, Status, Temperature, ValueScores, combine, probabilities,
};
use foveal::view::report::{self, Language, Part, Report, Steps};
use serde::Serialize;

/// Fewer images than this do not tell whether a model is better than chance.
const LEAST: u64 = 10;

/// The samples that a model is judged by.
#[derive(Clone, Copy)]
pub struct Judged<'a> {
    pub part: Part,
    pub data: &'a Dataset,
    /// Which samples of `data` count; `None`: all.
    pub indices: Option<&'a [u32]>,
    /// What was kept together in `data`.
    pub kept: Option<&'a Kept>,
}

impl<'a> Judged<'a> {
    /// A test part that stands by itself.
    pub fn test(data: &'a Dataset) -> Self {
        Self { part: Part::Test, data, indices: None, kept: None }
    }

    /// The samples of the training data that were set aside for the test, else those for validation; `None` where there
    /// are neither.
    pub fn within(data: &'a Dataset, parts: &'a Parts) -> Option<Self> {
        let (part, indices) = match parts.test.is_empty() {
            false => (Part::Test, &parts.test),
            true => (Part::Validation, &parts.split.validation),
        };
        let kept = Some(&parts.kept);
        (!indices.is_empty()).then_some(Self { part, data, indices: Some(indices), kept })
    }

    /// How many samples are judged.
    fn len(&self) -> usize {
        self.indices.map_or(self.data.len(), <[u32]>::len)
    }
}

/// The outputs and scores of a model on the images that it is judged by.
pub struct Judgement<'a> {
    of: Judged<'a>,
    outputs: Vec<f32>,
    scores: Evaluation,
    /// The file of each sample that was judged, where samples are files.
    files: Option<Vec<String>>,
}

impl<'a> Judgement<'a> {
    /// Judges a model.
    pub fn new(saved: &SavedModel, of: Judged<'a>, threads: usize) -> Result<Self> {
        let (model, preprocess) = (&saved.model, &saved.preprocess);
        let outputs = foveal::train::predict(model, preprocess, of.data, of.indices, threads)?;
        let scores = foveal::train::judge(model, of.data, of.indices, &outputs)?;
        Ok(Self { of, outputs, scores, files: None })
    }

    /// With the files of the training part and of the test part, where samples are files.
    pub fn named(self, files: Option<[Vec<String>; 2]>) -> Self {
        let files = files.map(|[train, test]| match self.of.indices {
            Some(indices) => indices.iter().map(|&i| train[i as usize].clone()).collect(),
            None => test,
        });
        Self { files, ..self }
    }

    /// How many samples were judged.
    pub fn samples(&self) -> usize {
        self.of.len()
    }

    /// The name of the part that was judged.
    pub fn part(&self) -> &'static str {
        if self.of.part == Part::Validation { "validation" } else { "test" }
    }

    /// The judgement of several models together, on the same images.
    pub fn together(saved: &SavedModel, members: &[Judgement<'a>]) -> Result<Self> {
        let of = members[0].of;
        let all: Vec<Vec<f32>> = members.iter().map(|m| m.outputs.clone()).collect();
        let outputs = combine(&saved.model, &all, !saved.classes.is_empty());
        let scores = foveal::train::judge(&saved.model, of.data, of.indices, &outputs)?;
        Ok(Self { of, outputs, scores, files: members[0].files.clone() })
    }

    /// The scores.
    pub fn scores(&self) -> &Evaluation {
        &self.scores
    }

    /// The samples that were judged, as indices.
    fn indices(&self) -> Vec<u32> {
        self.of.indices.map_or_else(|| (0..self.of.data.len() as u32).collect(), <[u32]>::to_vec)
    }

    /// How many of the groups that were kept together were judged.
    pub fn groups(&self) -> Option<usize> {
        Some(self.of.kept?.named.as_ref()?.count(&self.indices()))
    }

    /// How many groups were judged, in both languages.
    fn counted(&self) -> Option<[String; 2]> {
        Some(self.of.kept?.by.as_ref()?.words(self.groups()?))
    }

    /// How many groups are right if each is judged as one; `None` where there are none, or a group has several classes.
    pub fn of_groups(&self, saved: &SavedModel) -> Option<Grouped> {
        let groups = self.of.kept?.named.as_ref()?.within(&self.indices()).places();
        let (labels, indices) = (self.of.data.labels()?, self.indices());
        let own: Vec<u32> = indices.iter().map(|&i| labels[i as usize]).collect();
        Grouped::of(&probabilities(&saved.model, &self.outputs), &own, &groups)
    }

    /// Which classes have no sample here, or a single one, in both languages.
    pub fn lacking(&self) -> Option<[String; 2]> {
        let Evaluation::Classes(scores) = &self.scores else { return None };
        let names: Vec<String> = scores.per_class.iter().map(|c| c.class.clone()).collect();
        let seen: Vec<usize> = scores.per_class.iter().map(|c| c.support as usize).collect();
        thin(&names, &seen)
    }

    /// What the model says about every sample.
    fn table(&self, saved: &SavedModel) -> Result<String> {
        self.rows(saved, self.part())
    }

    /// The same for a part of another name.
    pub fn rows(&self, saved: &SavedModel, part: &str) -> Result<String> {
        let files = self.files.as_deref();
        let (data, indices, outputs) = (self.of.data, self.of.indices, &self.outputs[..]);
        predictions::table(saved, &predictions::Judged { part, data, indices, outputs, files })
    }

    /// Whether a classifier does no better than one that always answers the most frequent class: its accuracy is no
    /// higher, or its loss is that of a constant answer and its accuracy within a tenth. Too few images cannot tell.
    fn is_chance(&self) -> bool {
        let Evaluation::Classes(scores) = &self.scores else { return false };
        let n = scores.images().max(1) as f64;
        let shares = scores.per_class.iter().map(|c| c.support as f64 / n).filter(|share| *share > 0.0);
        let entropy: f64 = shares.map(|share| -share * share.ln()).sum();
        let majority = scores.majority();
        let constant = scores.loss >= 0.97 * entropy && scores.accuracy <= majority + 0.1;
        scores.images() >= LEAST && majority < 1.0 && (scores.accuracy <= majority || constant)
    }

    /// The accuracy on the test part, if that was judged.
    pub fn test_accuracy(&self) -> Option<f64> {
        match &self.scores {
            Evaluation::Classes(scores) if self.of.part == Part::Test => Some(scores.accuracy),
            _ => None,
        }
    }
}

/// A run whose training is over.
pub struct Finished<'a> {
    pub args: &'a Train,
    pub context: &'a Context,
    pub folder: &'a Folder,
    pub saved: &'a SavedModel,
    pub trained: &'a Outcome,
    pub steps: &'a Steps,
    /// Training and validation images.
    pub images: [usize; 2],
    /// The model's file.
    pub at: String,
    /// The epoch of the checkpoint, if there is one.
    pub kept: Option<usize>,
    /// The temperature that the last layer has been divided by.
    pub temperature: Option<Temperature>,
    pub judgement: Option<Judgement<'a>>,
    /// Seconds from the program's start to the result.
    pub total_seconds: f64,
}

#[derive(Serialize)]
struct Json<'a> {
    dataset: &'a str,
    model: &'a str,
    parameters: usize,
    epochs: usize,
    /// The epoch whose weights are kept, where the best one's are.
    #[serde(skip_serializing_if = "Option::is_none")]
    best_epoch: Option<usize>,
    seed: u64,
    threads: usize,
    train_seconds: f64,
    total_seconds: f64,
    images_per_second: f64,
    validation_accuracy: Option<f64>,
    test_accuracy: Option<f64>,
    /// The temperature that the last layer has been divided by.
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<Scores>,
    model_path: &'a str,
}

/// The scores of a run on the test part, or on the validation samples where there is no test part.
#[derive(Serialize)]
pub struct Scores {
    part: &'static str,
    images: usize,
    #[serde(skip)]
    texts: bool,
    /// Groups that were kept together, and how many of them are right as wholes.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<usize>,
    /// Which classes have no sample or a single one, in words.
    #[serde(skip)]
    lacking: Option<[String; 2]>,
    /// The classes that no sample is of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    absent: Vec<String>,
    /// How many are counted, in words of both languages.
    #[serde(skip)]
    counted: Option<[String; 2]>,
    #[serde(flatten)]
    of: Kind,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Kind {
    Classes {
        accuracy: f64,
        accuracy_interval: [f64; 2],
        majority: f64,
        #[serde(skip_serializing_if = "Option::is_none")]
        top_5: Option<f64>,
        macro_f1: f64,
        calibration_error: f64,
    },
    Values {
        mae: f64,
        rmse: f64,
        r2: Option<f64>,
        targets: Vec<values::Owned>,
        #[serde(skip)]
        all: ValueScores,
    },
}

impl Scores {
    pub fn new(judgement: &Judgement<'_>) -> Self {
        let of = match &judgement.scores {
            Evaluation::Classes(s) => {
                let top_5 = (s.per_class.len() > 5).then(|| s.top_k(5));
                Kind::Classes {
                    accuracy: s.accuracy,
                    accuracy_interval: s.interval(),
                    majority: s.majority(),
                    top_5,
                    macro_f1: s.macro_f1,
                    calibration_error: s.reliability.error(),
                }
            }
            Evaluation::Values(s) => Kind::Values {
                mae: s.mae,
                rmse: s.rmse,
                r2: s.r2,
                targets: values::targets(s),
                all: s.clone(),
            },
        };
        let (part, images) = (judgement.part(), judgement.samples());
        let absent = match &judgement.scores {
            Evaluation::Classes(s) => {
                s.per_class.iter().filter(|c| c.support == 0).map(|c| c.class.clone()).collect()
            }
            Evaluation::Values(_) => Vec::new(),
        };
        Self {
            part,
            images,
            texts: judgement.of.data.vocabulary().is_some(),
            groups: judgement.groups(),
            lacking: judgement.lacking(),
            absent,
            counted: judgement.counted(),
            of,
        }
    }

    /// What makes a figure weak, or says what it counts: groups, classes without samples. In both languages.
    fn few(&self) -> [String; 2] {
        let all: Vec<&[String; 2]> = self.counted.iter().chain(&self.lacking).collect();
        [0, 1].map(|language| all.iter().map(|words| format!("; {}", words[language])).collect())
    }

    pub fn text(&self, context: &Context) -> String {
        let n = count(self.images as u64);
        let (images, images_ko) = match self.texts {
            true => (format!("{n} texts"), format!("글 {n}편")),
            false => (format!("{n} images"), format!("이미지 {n}장")),
        };
        let part = match self.part {
            "test" => context.say("test", "테스트"),
            _ => context.say("validation", "검증"),
        };
        match &self.of {
            Kind::Classes { accuracy, accuracy_interval, majority, top_5, macro_f1, .. } => {
                let (accuracy, [low, high]) = (100.0 * accuracy, accuracy_interval.map(|v| 100.0 * v));
                let most = 100.0 * majority;
                let five = top_5.map(|share| 100.0 * share);
                let [few, few_ko] = self.few();
                let five_en = five.map_or(String::new(), |v| format!(", top-5 {v:.2} %"));
                context.language.pick(
                    format!("{part} accuracy {accuracy:.2} % (95 % interval {low:.1} to {high:.1} %; always the most frequent class {most:.2} %){five_en}, macro F1 {macro_f1:.4} ({images}){few}\n"),
                    format!("{part} 정확도 {accuracy:.2} % (95 % 신뢰구간 {low:.1}~{high:.1} %. 가장 많은 클래스만 답하면 {most:.2} %){five_en}, 매크로 F1 {macro_f1:.4} ({images_ko}){few_ko}\n"),
                )
            }
            Kind::Values { all, .. } => {
                let (text, images) = (values::text(all, context), context.say(&images, &images_ko));
                if all.per_target.len() == 1 {
                    format!("{part} {text} ({images})\n")
                } else {
                    format!("{part} ({images})\n{text}")
                }
            }
        }
    }
}

impl Finished<'_> {
    /// If the training was interrupted or failed: writes a report without a judgement, and gives the error that ends
    /// the program.
    pub fn early_end(&self) -> Result<()> {
        let (context, at) = (self.context, &self.at);
        self.tell_best();
        self.tell_temperature();
        match self.trained.status {
            Status::Finished => Ok(()),
            Status::EarlyStopped => {
                let patience = self.saved.training.recipe.patience.unwrap_or_default();
                context.note(&context.language.pick(
                    format!("stopped early: the validation loss got no lower for {patience} epochs"),
                    format!("일찍 멈춤: 검증 손실이 {patience}에포크 동안 낮아지지 않음"),
                ));
                Ok(())
            }
            Status::Interrupted => {
                self.report()?;
                let kept = context.say("interrupted; what was learnt is in", "중단됨. 배운 데까지는 여기에:");
                context.note(&format!("{kept} {at}"));
                if let Some(epoch) = self.kept {
                    let run = self.folder.path().display();
                    context.note(&context.language.pick(
                        format!("to go on after epoch {epoch}, train with --out {run} --resume"),
                        format!("{epoch}에포크 다음부터 이어 하려면 --out {run} --resume 으로 훈련"),
                    ));
                }
                Err(Interrupted.into())
            }
            Status::NonFinite { epoch, batch } => {
                self.report()?;
                bail!(
                    "training: the loss was not a finite number in epoch {epoch}, batch {batch}; lower --lr (now \
                     {}); the weights from before it are in {at}",
                    self.saved.training.recipe.lr
                )
            }
        }
    }

    /// Says of which epoch the weights are, if not of the last one.
    fn tell_best(&self) {
        let epochs = self.trained.history.len();
        let Some(epoch) = self.saved.training.best_epoch.filter(|epoch| *epoch < epochs) else { return };
        self.context.note(&self.context.language.pick(
            format!("the weights are those of epoch {epoch}, of the lowest validation loss (--keep last keeps the last)"),
            format!("검증 손실이 가장 낮은 {epoch}에포크의 가중치를 남깁니다(--keep last면 마지막 가중치)"),
        ));
    }

    /// Says by which temperature the last layer was divided, and what that changes.
    fn tell_temperature(&self) {
        let (Some(t), [_, n]) = (self.temperature, self.images) else { return };
        let [before, after] = t.error.map(|e| 100.0 * e);
        self.context.note(&self.context.language.pick(
            format!(
                "temperature {:.2}, fitted on {n} validation samples, is in the last layer: calibration error \
                 {before:.1} -> {after:.1} % (--temperature off)",
                t.value
            ),
            format!(
                "검증 표본 {n}개로 맞춘 온도 {:.2}를 마지막 층에 넣음: 보정 오차 {before:.1} -> {after:.1} % \
                 (--temperature off면 넣지 않음)",
                t.value
            ),
        ));
    }

    /// Prints the result. The report is drawn after that, so that its time counts nowhere.
    pub fn show_result(&self) -> Result<()> {
        let context = self.context;
        let test_accuracy = self.judgement.as_ref().and_then(Judgement::test_accuracy);
        if context.json {
            return context.print_json(&Json {
                dataset: &self.saved.training.dataset,
                model: self.args.model(),
                parameters: self.saved.model.params().iter().map(|p| p.values.len()).sum(),
                epochs: self.trained.history.len(),
                best_epoch: self.saved.training.best_epoch,
                seed: context.seed,
                threads: context.threads,
                train_seconds: self.trained.train_seconds,
                total_seconds: self.total_seconds,
                images_per_second: self.trained.images_per_second,
                validation_accuracy: self.trained.validation_accuracy,
                test_accuracy,
                temperature: self.temperature.map(|t| t.value),
                scores: self.judgement.as_ref().map(Scores::new),
                model_path: &self.at,
            });
        }
        let scores = self.judgement.as_ref().map(Scores::new);
        let mut text = scores.map_or_else(String::new, |scores| scores.text(context));
        text += &context.language.pick(
            format!("{:.2} s in all, model in {}\n", self.total_seconds, self.at),
            format!("모두 {:.2}초, 모델은 {}\n", self.total_seconds, self.at),
        );
        context.print(&text)?;
        self.tell_chance();
        Ok(())
    }

    /// Says so if the model has learnt nothing, and what to look at.
    fn tell_chance(&self) {
        if !self.judgement.as_ref().is_some_and(Judgement::is_chance) {
            return;
        }
        let (data, lr) = (&self.args.data, self.saved.training.recipe.lr);
        self.context.note(&self.context.language.pick(
            format!(
                "no better than always answering the most frequent class; look at the pictures and their labels (foveal \
                 data show {data}, foveal data check {data}), at the contrast (--standardize yes) and at the learning \
                 rate (--lr, now {lr})"
            ),
            format!(
                "가장 많은 클래스만 답하는 것보다 낫지 않음. 이미지와 라벨(foveal data show {data}, foveal data check \
                 {data}), 대비(--standardize yes), 학습률(--lr, 지금 {lr})을 살펴보세요"
            ),
        ));
    }

    /// Writes the model card, every prediction, and the report, unless --no-report is given.
    pub fn report(&self) -> Result<()> {
        let card = Card {
            saved: self.saved,
            images: self.images,
            judged: self.judgement.as_ref().map(|j| (j.part(), &j.scores)),
            temperature: self.temperature,
        };
        self.folder.write_text(CARD, &card.text(self.context))?;
        if let Some(judgement) = &self.judgement {
            self.folder.write_text(predictions::FILE, &judgement.table(self.saved)?)?;
        }
        if self.args.no_report {
            return Ok(());
        }
        let command = command();
        let when = folder::now();
        let judged = self.judgement.as_ref().map(|j| report::Judged {
            part: j.of.part,
            data: j.of.data,
            indices: j.of.indices,
            outputs: &j.outputs,
            scores: &j.scores,
        });
        let report = Report {
            language: self.context.language.pick(Language::English, Language::Korean),
            when: &when,
            version: env!("CARGO_PKG_VERSION"),
            command: &command,
            saved: self.saved,
            outcome: self.trained,
            steps: self.steps,
            images: self.images,
            judged,
            machine: machine::this(self.context.threads),
            total_seconds: self.total_seconds,
        };
        self.folder.write_report(&report.to_html())?;
        Ok(())
    }

    /// Prints where the report is, and what can be done with the run.
    pub fn show_next(&self) -> Result<()> {
        let context = self.context;
        if context.json {
            return Ok(());
        }
        let run = self.folder.path().display();
        let mut text = String::new();
        if !self.args.no_report {
            text += &format!("{} {run}/report.html\n", context.say("report in", "보고서는"));
        }
        let sample = match self.args.data.as_str() {
            source::MNIST => "mnist:test:7",
            _ if self.saved.preprocess.text.is_some() => context.say("\"A text.\"", "\"글 한 줄\""),
            _ => "INPUT",
        };
        text += &format!("\n{}\n", context.say("next:", "다음:"));
        text += &format!("  foveal predict {run} {sample}\n  foveal eval {run} {}\n", self.args.data);
        if self.args.tensorboard {
            text += &format!("  tensorboard --logdir {run}\n");
        }
        context.print(&text)
    }
}

/// The command as it was given, quoted so that a shell takes it again.
fn command() -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    let quoted = |a: String| {
        if !a.is_empty() && a.chars().all(plain) { a } else { format!("'{}'", a.replace('\'', "'\\''")) }
    };
    let given = std::env::args_os().skip(1).map(|a| quoted(a.to_string_lossy().into_owned()));
    std::iter::once("foveal".to_owned()).chain(given).collect::<Vec<_>>().join(" ")
}
