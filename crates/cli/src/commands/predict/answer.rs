//! What a model says about one input, or why it cannot be read.

use crate::array_text::number;
use crate::commands::bars::bars;
use crate::output::{Number, numbers};
use anyhow::{Result, anyhow};
use foveal::train::SavedModel;
use foveal::view::{clean, short};
use serde::{Serialize, Serializer};

/// An input's name with the answer, or with the error.
#[derive(Serialize)]
pub struct Entry {
    input: String,
    #[serde(flatten)]
    said: Said,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Said {
    Good(Answer),
    Bad {
        #[serde(serialize_with = "as_text")]
        error: anyhow::Error,
    },
}

/// What a model says.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Answer {
    Class {
        class: String,
        index: usize,
        probabilities: Vec<Number>,
    },
    Labels {
        labels: Vec<String>,
        indices: Vec<usize>,
        probabilities: Vec<Number>,
    },
    Values {
        values: Vec<Number>,
    },
    /// Values that have more digits than the model's own numbers.
    Large {
        values: Vec<f64>,
    },
}

fn as_text<S: Serializer>(error: &anyhow::Error, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(&format_args!("{error:#}"))
}

impl Answer {
    /// The likeliest class.
    pub fn class(row: &[f32], classes: &[String]) -> Self {
        let index = (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
        Self::Class { class: classes[index].clone(), index, probabilities: numbers(row) }
    }
}

impl Answer {
    /// The values of a regression.
    pub fn values(row: &[f32], saved: &SavedModel) -> Self {
        match saved.preprocess.origin.is_empty() {
            true => Self::Values { values: numbers(row) },
            false => Self::Large { values: saved.preprocess.values(row) },
        }
    }

    /// All labels whose probabilities reach their thresholds.
    pub fn labels(row: &[f32], saved: &SavedModel) -> Self {
        let indices = saved.labels_of(row);
        let labels = indices.iter().map(|&c| saved.classes[c].clone()).collect();
        Self::Labels { labels, indices, probabilities: numbers(row) }
    }
}

/// The names of labels, `-` for none.
fn list(labels: &[String]) -> String {
    match labels {
        [] => "-".to_owned(),
        _ => labels.iter().map(|label| short(label)).collect::<Vec<_>>().join(", "),
    }
}

impl Entry {
    pub fn good(input: &str, answer: Answer) -> Self {
        Self { input: input.to_owned(), said: Said::Good(answer) }
    }

    pub fn bad(input: &str, error: anyhow::Error) -> Self {
        Self { input: input.to_owned(), said: Said::Bad { error } }
    }

    pub fn is_bad(&self) -> bool {
        matches!(self.said, Said::Bad { .. })
    }

    /// The error, if there is one.
    pub fn error(&self) -> Result<()> {
        match &self.said {
            Said::Good(_) => Ok(()),
            Said::Bad { error } => Err(anyhow!("{error:#}")),
        }
    }

    /// A line, and below it bars for so many classes. `bad` begins the line of one that cannot be read.
    pub fn text(&self, classes: &[String], bars_of: Option<usize>, bad: &str) -> String {
        let name = short(&self.input);
        match (&self.said, bars_of) {
            (Said::Bad { error }, _) => {
                let words: Vec<String> = format!("{error:#}").split_whitespace().map(short).collect();
                format!("{bad} {}\n", words.join(" "))
            }
            (Said::Good(Answer::Values { values }), _) => {
                let numbers: Vec<String> = values.iter().map(|n| number(n.0)).collect();
                format!("{name}: {}\n", numbers.join(" "))
            }
            (Said::Good(Answer::Large { values }), _) => {
                let numbers: Vec<String> = values.iter().map(f64::to_string).collect();
                format!("{name}: {}\n", numbers.join(" "))
            }
            (Said::Good(Answer::Labels { labels, .. }), None) => format!("{name}: {}\n", list(labels)),
            (Said::Good(Answer::Labels { labels, probabilities, .. }), Some(top)) => {
                let likely: Vec<f32> = probabilities.iter().map(|p| p.0).collect();
                format!("{name}: {}\n{}", list(labels), bars(classes, &likely, top))
            }
            (Said::Good(Answer::Class { class, index, probabilities }), None) => {
                format!("{name}: {} {:.2} %\n", short(class), 100.0 * probabilities[*index].0)
            }
            (Said::Good(Answer::Class { class, probabilities, .. }), Some(top)) => {
                let likely: Vec<f32> = probabilities.iter().map(|p| p.0).collect();
                format!("{name}: {}\n{}", short(class), bars(classes, &likely, top))
            }
        }
    }

    /// The cells of its row: the input, `cells` more, the error.
    pub fn row(&self, cells: usize) -> Vec<String> {
        let text = |n: &Number| n.0.to_string();
        let (middle, error): (Vec<String>, String) = match &self.said {
            Said::Bad { error } => (vec![String::new(); cells], clean(&format!("{error:#}"))),
            Said::Good(Answer::Values { values }) => (values.iter().map(text).collect(), String::new()),
            Said::Good(Answer::Large { values }) => {
                (values.iter().map(f64::to_string).collect(), String::new())
            }
            Said::Good(Answer::Labels { labels, probabilities, .. }) => {
                let said = labels.iter().map(|label| clean(label)).collect::<Vec<_>>().join(";");
                (std::iter::once(said).chain(probabilities.iter().map(text)).collect(), String::new())
            }
            Said::Good(Answer::Class { class, probabilities, .. }) => {
                let all = std::iter::once(clean(class)).chain(probabilities.iter().map(text));
                (all.collect(), String::new())
            }
        };
        std::iter::once(clean(&self.input)).chain(middle).chain([error]).collect()
    }
}
