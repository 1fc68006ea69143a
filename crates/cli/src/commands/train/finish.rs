//! The end of a run: its result, its report, and what to do next.

use super::card::Card;
use super::folder::{self, CARD, Folder, REPORT};
use super::judgement::{Judgement, Scores};
use crate::args::Train;
use crate::exit::Interrupted;
use crate::machine;
use crate::output::Context;
use crate::paths::Shown;
use crate::predictions;
use crate::source;
use anyhow::{Result, bail};
use foveal::data::Dataset;
use foveal::train::{Outcome, SavedModel, Status, Temperature};
use foveal::view::clean;
use foveal::view::report::{Language, Report, Steps};
use serde::Serialize;
use std::ffi::OsString;

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
    /// Some of the images that were trained on.
    pub excerpt: Option<Dataset>,
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
                    let run = self.folder.path().shown();
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
                    "training: the loss or a weight was not a finite number in epoch {epoch}, batch {batch}; lower --lr (now \
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
        let (seconds, at) = (self.total_seconds, clean(&self.at));
        text += &context.language.pick(
            format!("{seconds:.2} s in all, model in {at}\n"),
            format!("모두 {seconds:.2}초, 모델은 {at}\n"),
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
                "가장 많은 클래스만 답하는 것보다 낫지 않음. 이미지와 레이블(foveal data show {data}, foveal data check \
                 {data}), 대비(--standardize yes), 학습률(--lr, 지금 {lr})을 살펴보세요"
            ),
        ));
    }

    /// Writes the model card, every prediction, and the report, unless --no-report is given.
    pub fn report(&self) -> Result<()> {
        let card = Card {
            saved: self.saved,
            images: self.images,
            judged: self.judgement.as_ref().map(|j| (j.part(), j.scores())),
            temperature: self.temperature,
        };
        self.folder.write_text(CARD, &card.text(self.context))?;
        if let Some(judgement) = &self.judgement {
            self.folder.write_text(predictions::FILE, &judgement.table(self.saved)?)?;
        } else {
            self.folder.remove(predictions::FILE)?;
        }
        if self.args.no_report {
            // That of an earlier part of the run does not tell of this model.
            return self.folder.remove(REPORT);
        }
        let command = command(&self.context.command_line);
        let when = folder::now();
        let judged = self.judgement.as_ref().map(Judgement::judged);
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
            learnt: self.excerpt.as_ref(),
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
        let run = clean(&self.folder.path().shown());
        let data = clean(&self.args.data);
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
        text += &format!("  foveal predict {run} {sample}\n  foveal eval {run} {data}\n");
        if self.args.tensorboard {
            text += &format!("  tensorboard --logdir {run}\n");
        }
        context.print(&text)
    }
}

/// The command as it was given, quoted so that a shell takes it again.
pub fn command(command_line: &[OsString]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    let quoted = |a: String| {
        if !a.is_empty() && a.chars().all(plain) { a } else { format!("'{}'", a.replace('\'', "'\\''")) }
    };
    let given = command_line.iter().skip(1).map(|a| quoted(a.to_string_lossy().into_owned()));
    std::iter::once("foveal".to_owned()).chain(given).collect::<Vec<_>>().join(" ")
}
