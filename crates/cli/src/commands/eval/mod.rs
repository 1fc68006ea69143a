//! `foveal eval`

mod mistakes;
mod report;
mod samples;

use super::model;
use crate::args::Eval;
use crate::output::{Context, count};
use crate::values;
use anyhow::{Result, bail};
use foveal::data::Dataset;
use foveal::train::{
    Evaluation, LabelScores, Ranking, SavedModel, at_temperature, judge, judge_saved, probabilities,
};
use report::ClassReport;
use samples::Test;
use serde::Serialize;

/// Scores a model on the test part of a data set.
pub fn run(args: &Eval, context: &Context) -> Result<()> {
    let members = model::members(&args.model)?;
    let saved = &members[0];
    let test = Test::open(args, saved, context)?;
    let data = &test.data;
    fits(saved, data, &args.data)?;
    let outputs = model::outputs(&members, data, context.threads)?;
    let scores = match judge_saved(saved, data, None, &outputs)? {
        Evaluation::Classes(scores) => scores,
        Evaluation::Labels(s) => return of_labels(&s, args, context),
        Evaluation::Values(_) if args.mistakes.is_some() => {
            bail!("--mistakes: the model gives values, of which none is right or wrong; leave it out")
        }
        Evaluation::Values(s) if context.json => {
            let targets = values::targets(&s);
            return context.print_json(&Values { loss: s.loss, mae: s.mae, rmse: s.rmse, r2: s.r2, targets });
        }
        Evaluation::Values(s) => {
            return context
                .print(&values::text(&s, context).replace(", R", "\nR").replace(", RMSE", "\nRMSE"));
        }
    };
    let likely = probabilities(&saved.model, &outputs);
    let labels = data.labels().unwrap_or_default();
    // An ensemble's members have temperatures of their own.
    let temperature = saved.training.temperature.filter(|_| members.len() == 1);
    let before = temperature.map(|t| -> Result<f64> {
        let plain = at_temperature(&saved.model, &outputs, 1.0 / t);
        match judge(&saved.model, data, None, &plain)? {
            Evaluation::Classes(scores) => Ok(scores.reliability.error()),
            Evaluation::Values(_) | Evaluation::Labels(_) => Ok(0.0),
        }
    });
    let report = ClassReport {
        mistakes: if context.json { mistakes::named(&test, &likely) } else { Vec::new() },
        rankings: Ranking::each(&likely, labels, scores.per_class.len()),
        scores,
        top: args.top_k.map(usize::from),
        temperature: temperature.zip(before.transpose()?),
    };
    if let Some(folder) = &args.mistakes {
        mistakes::write(folder, &test, &likely, context)?;
    }
    if context.json { context.print_json(&report.json()) } else { context.print(&report.text(data, context)) }
}

/// The scores of several labels a sample.
fn of_labels(s: &LabelScores, args: &Eval, context: &Context) -> Result<()> {
    if args.mistakes.is_some() {
        bail!("--mistakes: is for one class a sample, and the model gives several labels; leave it out")
    }
    if context.json {
        return context.print_json(&Labels {
            loss: s.loss,
            map: s.map,
            macro_f1: s.macro_f1,
            micro_f1: s.micro_f1,
            exact: s.exact,
            hamming: s.hamming,
            samples: s.samples,
            labels: values::labels(s),
        });
    }
    let (line, table) = (values::label_line(s, context), values::label_table(s, context));
    let n = count(s.samples);
    let n = context.language.pick(format!("{n} samples"), format!("샘플 {n}개"));
    context.print(&format!("{line} ({n})\n\n{table}"))
}

/// Refuses samples of another shape than the model's; those of an .npz or IDX file are not resized.
fn fits(saved: &SavedModel, test: &Dataset, data: &str) -> Result<()> {
    let (shape, wanted) = (test.shape(), saved.model.input_shape());
    if shape != wanted {
        bail!("{data}: its samples are {shape:?} (height, width, channels), the model takes {wanted:?}");
    }
    if saved.model.vocabulary().is_some() && saved.preprocess.text.is_none() {
        bail!(
            "{data}: the model is for texts and has no vocabulary to read them by; it takes only .npy arrays"
        );
    }
    Ok(())
}

#[derive(Serialize)]
struct Labels {
    loss: f64,
    /// The mean of the labels' average precisions.
    map: f64,
    macro_f1: f64,
    micro_f1: f64,
    /// The share of samples whose labels are all right.
    exact: f64,
    /// The share of samples and labels that are right.
    hamming: f64,
    samples: u64,
    labels: Vec<values::Label>,
}

#[derive(Serialize)]
struct Values {
    loss: f64,
    mae: f64,
    rmse: f64,
    /// Not there where all true values of a target are equal.
    r2: Option<f64>,
    targets: Vec<values::Owned>,
}
