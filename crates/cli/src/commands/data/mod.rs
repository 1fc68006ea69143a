//! `foveal data`

use crate::args::{Data, Reading};
use crate::array_text::{number, shape};
use crate::output::{Context, count};
use crate::source::{self, CtFacts, ReadOptions};
use crate::table::{Side, table};
use anyhow::Result;
use between::{Between, between};
use foveal::data::{Dataset, Fault, Report, duplicates_between};
use foveal_mnist as mnist;
use serde::Serialize;

mod between;
mod show;

/// Lists, checks or shows data sets.
pub fn run(args: &Data, context: &Context) -> Result<()> {
    match args {
        Data::List => list(context),
        Data::Check { data, reading } => check(data, reading, context),
        Data::Show(args) => show::run(args, context),
    }
}

#[derive(Serialize)]
struct Listed {
    name: &'static str,
    train: usize,
    test: usize,
    shape: [usize; 3],
    classes: usize,
}

fn list(context: &Context) -> Result<()> {
    let listed = Listed {
        name: source::MNIST,
        train: mnist::TRAIN,
        test: mnist::TEST,
        shape: [mnist::HEIGHT, mnist::WIDTH, 1],
        classes: mnist::CLASSES,
    };
    if context.json {
        return context.print_json(
            &serde_json::json!({ "datasets": [listed], "formats": ["class folders", "csv", "npz", "dicom", "tsv", "idx"] }),
        );
    }
    let columns = [
        (context.say("name", "이름"), Side::Left),
        (context.say("training", "훈련"), Side::Right),
        (context.say("test", "시험"), Side::Right),
        (context.say("shape", "크기"), Side::Left),
        (context.say("classes", "분류 수"), Side::Right),
    ];
    let row = vec![
        listed.name.to_owned(),
        count(listed.train as u64),
        count(listed.test as u64),
        shape(&listed.shape),
        listed.classes.to_string(),
    ];
    let own = context.say(
        "Your own:\n  \
         a folder with one folder of pictures (PNG, JPEG, BMP, WebP, TIFF) for each class, or\n  \
         train, val and test with class folders in each;\n  \
         a .csv table of path,target: classes, or numbers to learn (regression);\n  \
         a .npz file with x_train, y_train, x_test and y_test, as Keras has them;\n  \
         a folder of DICOM slices of CT, in class folders or with --labels;\n  \
         a .tsv with lines of label<TAB>text, or a folder with train.tsv, val.tsv and test.tsv;\n  \
         a folder with train-images-idx3-ubyte, train-labels-idx1-ubyte,\n  \
         t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, plain or .gz.",
        "직접 만든 자료:\n  \
         분류마다 그림(PNG, JPEG, BMP, WebP, TIFF) 폴더가 하나씩 든 폴더, 또는\n  \
         train, val, test 아래에 분류 폴더가 든 폴더;\n  \
         path,target 행으로 된 .csv 표: 분류, 또는 배울 숫자(회귀);\n  \
         케라스처럼 x_train, y_train, x_test, y_test가 든 .npz 파일;\n  \
         DICOM CT 단면이 분류 폴더에 들었거나 --labels 표가 딸린 폴더;\n  \
         분류<탭>글 줄로 된 .tsv 파일, 또는 train.tsv, val.tsv, test.tsv가 든 폴더;\n  \
         train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte,\n  \
         t10k-labels-idx1-ubyte 파일(그대로 또는 .gz)이 든 폴더.",
    );
    context.print(&format!("{}\n{own}\n", table(&columns, &[row])))
}

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
    /// For texts: what the data set holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<source::TextFacts>,
    /// Files that were skipped, and why.
    skipped: Vec<String>,
    /// For DICOM slices: what the data set holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    ct: Option<CtFacts>,
}

#[derive(Serialize)]
struct PartFacts {
    samples: usize,
    class_counts: Vec<u64>,
    mean: f64,
    std: f64,
    faults: Vec<String>,
}

fn check(data: &str, reading: &Reading, context: &Context) -> Result<()> {
    let options = ReadOptions { unlabelled: true, ..ReadOptions::from_args(reading) };
    // Skipped files are part of the result here, so they are not named on stderr, too.
    let quiet = Context { quiet: true, ..context.clone() };
    let opened = source::open(data, &options, &quiet)?;
    opened.window(data, &options)?;
    let set = &opened.source;
    let reports = (set.train.check(), set.test.as_ref().map(Dataset::check));
    let between = between(&opened);
    let classes = set.train.classes().unwrap_or_default();
    if context.json {
        return context.print_json(&Checked {
            dataset: source::name(data),
            shape: set.train.shape(),
            classes: classes.to_vec(),
            train: part(reports.0),
            test: reports.1.map(part),
            shared: set.test.as_ref().map_or(0, |test| duplicates_between(&set.train, test)),
            validation: set.validation,
            between,
            text: opened.text,
            skipped: opened.skipped,
            ct: opened.ct,
        });
    }
    let parts: Vec<(&str, &Report)> = std::iter::once((context.say("training", "훈련"), &reports.0))
        .chain(reports.1.as_ref().map(|r| (context.say("test", "시험"), r)))
        .collect();
    let mut text = format!("{} {}\n\n", source::name(data), shape(&set.train.shape()));
    if let Some(ct) = &opened.ct {
        text += &slices(ct, context);
    }
    text += &figures(&parts, classes, set.train.vocabulary().is_some(), context);
    if set.validation > 0 {
        let n = count(set.validation as u64);
        text += &context.language.pick(
            format!("\nThe last {n} of training are the data set's own for validation.\n"),
            format!("\n훈련 표본 가운데 마지막 {n}개는 이 자료가 정해 둔 검증 표본입니다.\n"),
        );
    }
    text += &opened.text_facts(context);
    text += &faults(&parts, &between, &opened.skipped, context);
    context.print(&text)
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

fn part(report: Report) -> PartFacts {
    PartFacts {
        samples: report.samples,
        class_counts: report.class_counts,
        mean: report.mean,
        std: report.std,
        faults: report.faults.iter().map(Fault::to_string).collect(),
    }
}

fn figures(parts: &[(&str, &Report)], classes: &[String], texts: bool, context: &Context) -> String {
    let mut columns = vec![("", Side::Left)];
    columns.extend(parts.iter().map(|(name, _)| (*name, Side::Right)));
    let row = |title: String, cell: &dyn Fn(&Report) -> String| {
        std::iter::once(title).chain(parts.iter().map(|(_, r)| cell(r))).collect::<Vec<String>>()
    };
    let mut rows = vec![row(context.say("samples", "표본").into(), &|r| count(r.samples as u64))];
    for (i, class) in classes.iter().enumerate() {
        let title = format!("{} {class}", context.say("class", "분류"));
        rows.push(row(title, &|r| count(r.class_counts.get(i).copied().unwrap_or(0))));
    }
    if texts {
        return table(&columns, &rows);
    }
    rows.push(row(context.say("mean", "평균").into(), &|r| number(r.mean as f32)));
    rows.push(row(context.say("deviation", "표준편차").into(), &|r| number(r.std as f32)));
    table(&columns, &rows)
}

fn faults(parts: &[(&str, &Report)], between: &[Between], skipped: &[String], context: &Context) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (name, report) in parts {
        lines.extend(report.faults.iter().map(|f| format!("{name}: {}", in_words(f, context))));
    }
    lines.extend(between.iter().flat_map(|b| b.lines(context)));
    let was = context.say("skipped", "건너뜀:");
    lines.extend(skipped.iter().map(|file| format!("{was} {file}")));
    if lines.is_empty() {
        return format!("\n{}\n", context.say("Nothing deserves a second look.", "눈여겨볼 것이 없습니다."));
    }
    let title = context.say("Worth a look:", "눈여겨볼 것:");
    format!("\n{title}\n{}", lines.iter().map(|line| format!("  {line}\n")).collect::<String>())
}

fn in_words(fault: &Fault, context: &Context) -> String {
    let korean = match fault {
        Fault::EmptyClass { class } => format!("분류 {class:?}에 표본이 없습니다"),
        Fault::NotFinite { count, first } => {
            format!("표본 {count}개에 NaN이나 무한대가 있습니다 (첫째 {first})")
        }
        Fault::Blank { count, first } => format!("표본 {count}개가 비어 있습니다 (첫째 {first})"),
        Fault::Duplicates { count, first } => {
            format!("표본 {count}개가 앞의 것과 똑같습니다 (첫째 {first})")
        }
        Fault::Contradictions { count, first } => {
            format!("표본 {count}개가 앞의 것과 똑같은데 분류가 다릅니다 (첫째 {first})")
        }
        _ => fault.to_string(),
    };
    context.language.pick(fault.to_string(), korean)
}
