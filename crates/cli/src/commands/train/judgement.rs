//! What a model is judged by, its outputs and its scores.

use crate::output::{Context, count};
use crate::predictions;
use crate::source::{Kept, Parts, thin};
use crate::values;
use anyhow::Result;
use foveal::data::Dataset;
use foveal::train::{
    Evaluation, Grouped, LabelScores, SavedModel, ValueScores, combine, judge_saved, probabilities,
};
use foveal::view::report::{self, Part};
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
        let scores = judge_saved(saved, of.data, of.indices, &outputs)?;
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
        let scores = judge_saved(saved, of.data, of.indices, &outputs)?;
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

    /// As the report needs it.
    pub fn judged(&self) -> report::Judged<'_> {
        report::Judged {
            part: self.of.part,
            data: self.of.data,
            indices: self.of.indices,
            outputs: &self.outputs,
            scores: &self.scores,
            names: self.files.as_deref(),
        }
    }

    /// What the model says about every sample.
    pub fn table(&self, saved: &SavedModel) -> Result<String> {
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
    pub fn is_chance(&self) -> bool {
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
    Labels {
        map: f64,
        macro_f1: f64,
        micro_f1: f64,
        exact: f64,
        labels: Vec<values::Label>,
        #[serde(skip)]
        scores: LabelScores,
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
            Evaluation::Labels(s) => Kind::Labels {
                map: s.map,
                macro_f1: s.macro_f1,
                micro_f1: s.micro_f1,
                exact: s.exact,
                labels: values::labels(s),
                scores: s.clone(),
            },
        };
        let (part, images) = (judgement.part(), judgement.samples());
        let absent = match &judgement.scores {
            Evaluation::Classes(s) => {
                s.per_class.iter().filter(|c| c.support == 0).map(|c| c.class.clone()).collect()
            }
            Evaluation::Values(_) => Vec::new(),
            Evaluation::Labels(s) => {
                s.per_label.iter().filter(|c| c.support == 0).map(|c| c.label.clone()).collect()
            }
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
            Kind::Labels { scores, .. } => {
                let [few, few_ko] = self.few();
                let few = context.say(&few, &few_ko);
                format!(
                    "{part} {} ({}){few}\n{}",
                    values::label_line(scores, context),
                    context.say(&images, &images_ko),
                    values::label_table(scores, context)
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
