//! `foveal data check`: counts, statistics, and what deserves a look.

use super::between::{Between, between};
use super::faults::{self, Part, Suspects};
use crate::args::Reading;
use crate::array_text::{number, shape};
use crate::output::{Context, count};
use crate::source::{self, CtFacts, Held, Opened, ReadOptions, Told, Whole};
use crate::table::{Side, table};
use crate::values::figure;
use anyhow::Result;
use foveal::data::groups::Groups;
use foveal::data::{Dataset, Report, TargetFacts, duplicates_between};
use serde::Serialize;

#[derive(Serialize)]
struct Checked {
    dataset: String,
    shape: [usize; 3],
    classes: Vec<String>,
    train: PartFacts,
    test: Option<PartFacts>,
    /// Test samples that also stand in the training part.
    shared: usize,
    /// How many samples at the end of the training part are for validation, where the data set says so.
    validation: usize,
    /// Equal and nearly equal samples, for each pair of parts.
    between: Vec<Between>,
    /// What was told about the data.
    read_as: Vec<String>,
    /// For texts: what the data set holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<source::TextFacts>,
    /// Files that were skipped, and why.
    skipped: Vec<String>,
    /// For DICOM slices: what the data set holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    ct: Option<CtFacts>,
}

#[derive(Serialize, Default)]
struct PartFacts {
    samples: usize,
    class_counts: Vec<u64>,
    mean: f64,
    std: f64,
    /// Of a regression: what the values of each target are like.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    targets: Vec<TargetStatistics>,
    faults: Vec<String>,
    /// The same with the samples that they are about.
    suspects: Vec<Suspects>,
}

#[derive(Serialize)]
struct TargetStatistics {
    target: String,
    min: f64,
    max: f64,
    mean: f64,
    std: f64,
    median: f64,
}

/// Checks a data set.
pub fn run(data: &str, reading: &Reading, context: &Context) -> Result<()> {
    let options = ReadOptions { unlabelled: true, ..ReadOptions::from_args(reading) };
    // Skipped files are part of the result here, so they are not named on stderr, too.
    let quiet = Context { quiet: true, ..*context };
    let mut opened = source::open(data, &options, &quiet)?;
    opened.window(data, &options)?;
    divided(&mut opened, data, context)?;
    let set = &opened.source;
    let reports = (set.train.check(), set.test.as_ref().map(Dataset::check));
    let between = between(&opened);
    let classes = set.train.classes().unwrap_or_default();
    let files = |of: usize| opened.files.as_ref().map(|files| &files[of][..]);
    let mut parts =
        vec![Part { name: context.say("training", "훈련"), report: &reports.0, files: files(0) }];
    parts.extend(reports.1.as_ref().map(|report| Part {
        name: context.say("test", "테스트"),
        report,
        files: files(1),
    }));
    let read_as: Vec<String> =
        opened.told.iter().map(|Told([english, korean])| context.say(english, korean).to_owned()).collect();
    if context.json {
        let mut facts = parts.iter().map(part);
        return context.print_json(&Checked {
            dataset: source::name(data),
            shape: set.train.shape(),
            classes: classes.to_vec(),
            train: facts.next().unwrap_or_default(),
            test: facts.next(),
            shared: set.test.as_ref().map_or(0, |test| duplicates_between(&set.train, test)),
            validation: set.validation,
            between,
            read_as,
            text: opened.text.clone(),
            skipped: opened.skipped.clone(),
            ct: opened.ct.clone(),
        });
    }
    context.print(&words(data, &opened, (&parts, &between), &read_as, context))
}

/// What was found, in words.
fn words(
    data: &str,
    opened: &Opened,
    (parts, between): (&[Part<'_>], &[Between]),
    read_as: &[String],
    context: &Context,
) -> String {
    let set = &opened.source;
    let classes = set.train.classes().unwrap_or_default();
    let mut text = format!("{} {}\n\n", source::name(data), shape(&set.train.shape()));
    if let Some(ct) = &opened.ct {
        text += &slices(ct, context);
    }
    if !read_as.is_empty() {
        text += &format!("{}\n", context.say("Read as:", "이렇게 읽음:"));
        text += &read_as.iter().map(|line| format!("  {line}\n")).collect::<String>();
        text.push('\n');
    }
    text += &figures(parts, classes, set.train.vocabulary().is_some(), context);
    if set.validation > 0 {
        let n = count(set.validation as u64);
        text += &context.language.pick(
            format!("\nThe last {n} of training are the data set's own for validation.\n"),
            format!("\n훈련 표본 가운데 마지막 {n}개는 이 자료가 정해 둔 검증 표본입니다.\n"),
        );
    }
    text += &opened.text_facts(context);
    text += &targets(parts, context);
    text += &worth(parts, between, opened, context);
    text += &faults::absent(&set.train, parts, !between.is_empty(), context);
    text
}

/// Counts the patients of each part as a training with this seed would draw them.
fn divided(opened: &mut Opened, data: &str, context: &Context) -> Result<()> {
    let set = &opened.source;
    let (Some(ct), Some(_)) = (&mut opened.ct, &opened.groups) else { return Ok(()) };
    let whole = Whole {
        data: &set.train,
        shown: data,
        held: set.validation,
        tested: set.test.is_some(),
        test: opened.test,
        groups: opened.groups.as_ref(),
    };
    if ct.patients > 1 && opened.test > 0.0 {
        let parts = whole.divide(Held::default(), context.seed)?;
        let named = parts.kept.named.unwrap_or_else(|| Groups::by(0..set.train.len()));
        ct.split = [&parts.split.train, &parts.split.validation, &parts.test].map(|part| named.count(part));
    }
    Ok(())
}

/// The facts about DICOM slices, as a table.
fn slices(ct: &CtFacts, context: &Context) -> String {
    let rows: Vec<Vec<String>> = ct.lines(context).into_iter().map(Vec::from).collect();
    let mut text = table(&[("", Side::Left), ("", Side::Right)], &rows);
    if !ct.labelled {
        text += context.say(
            "\nNo labels: to train, class folders or --labels are needed.\n",
            "\n정답이 없습니다. 훈련하려면 분류 폴더나 --labels가 필요합니다.\n",
        );
    }
    text + "\n"
}

fn part(part: &Part<'_>) -> PartFacts {
    let report = part.report;
    let target = |facts: &TargetFacts| {
        let TargetFacts { name, min, max, mean, std, median, .. } = facts.clone();
        TargetStatistics { target: name, min, max, mean, std, median }
    };
    PartFacts {
        targets: report.targets.iter().map(target).collect(),
        suspects: part.suspects(),
        samples: report.samples,
        class_counts: report.class_counts.clone(),
        mean: report.mean,
        std: report.std,
        faults: report.faults.iter().map(ToString::to_string).collect(),
    }
}

fn figures(parts: &[Part<'_>], classes: &[String], texts: bool, context: &Context) -> String {
    let mut columns = vec![("", Side::Left)];
    columns.extend(parts.iter().map(|part| (part.name, Side::Right)));
    let row = |title: String, cell: &dyn Fn(&Report) -> String| {
        std::iter::once(title).chain(parts.iter().map(|part| cell(part.report))).collect::<Vec<String>>()
    };
    let mut rows = vec![row(context.say("samples", "표본").into(), &|r| count(r.samples as u64))];
    for (i, class) in classes.iter().enumerate() {
        let title = format!("{} {class}", context.say("class", "클래스"));
        rows.push(row(title, &|r| count(r.class_counts.get(i).copied().unwrap_or(0))));
    }
    if texts {
        return table(&columns, &rows);
    }
    rows.push(row(context.say("mean", "평균").into(), &|r| number(r.mean as f32)));
    rows.push(row(context.say("deviation", "표준편차").into(), &|r| number(r.std as f32)));
    table(&columns, &rows)
}

/// What the values of a regression are like.
fn targets(parts: &[Part<'_>], context: &Context) -> String {
    let columns = [
        (context.say("target", "타깃"), Side::Left),
        ("", Side::Left),
        (context.say("least", "최소"), Side::Right),
        (context.say("median", "중앙값"), Side::Right),
        (context.say("greatest", "최대"), Side::Right),
        (context.say("mean", "평균"), Side::Right),
        (context.say("deviation", "표준편차"), Side::Right),
    ];
    let row = |part: &Part<'_>, facts: &TargetFacts| {
        let names = [facts.name.escape_debug().to_string(), part.name.to_owned()];
        let figures = [facts.min, facts.median, facts.max, facts.mean, facts.std].map(figure);
        names.into_iter().chain(figures).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> =
        parts.iter().flat_map(|part| part.report.targets.iter().map(move |facts| row(part, facts))).collect();
    if rows.is_empty() { String::new() } else { format!("\n{}", table(&columns, &rows)) }
}

/// What deserves a look; nothing where nothing was found.
fn worth(parts: &[Part<'_>], between: &[Between], opened: &Opened, context: &Context) -> String {
    let mut lines: Vec<String> = parts.iter().flat_map(|part| part.lines(context)).collect();
    lines.extend(between.iter().flat_map(|b| b.lines(context)));
    lines.extend(
        opened
            .ct
            .iter()
            .flat_map(|ct| &ct.odd)
            .map(|[english, korean]| context.say(english, korean).to_owned()),
    );
    let was = context.say("skipped", "건너뜀:");
    lines.extend(opened.skipped.iter().map(|file| format!("{was} {file}")));
    if lines.is_empty() {
        return String::new();
    }
    let title = context.say("Worth a look:", "눈여겨볼 것:");
    format!("\n{title}\n{}", lines.iter().map(|line| format!("  {line}\n")).collect::<String>())
}
