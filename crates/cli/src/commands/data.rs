//! `foveal data`

use crate::args::Data;
use crate::array_text::{number, shape};
use crate::output::{Context, Side, count, table};
use crate::source;
use anyhow::Result;
use foveal::data::{Dataset, Fault, Report, duplicates_between};
use foveal_mnist as mnist;
use serde::Serialize;

/// Lists or checks.
pub fn run(args: &Data, context: &Context) -> Result<()> {
    match args {
        Data::List => list(context),
        Data::Check { data } => check(data, context),
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
        return context.print_json(&serde_json::json!({ "datasets": [listed], "formats": ["idx"] }));
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
        "Your own: a folder with train-images-idx3-ubyte, train-labels-idx1-ubyte,\n\
         t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, plain or .gz.",
        "직접 만든 자료: train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte,\n\
         t10k-labels-idx1-ubyte 파일(그대로 또는 .gz)이 든 폴더.",
    );
    context.print(&format!("{}\n{own}\n", table(&columns, &[row])))
}

#[derive(Serialize)]
struct Checked {
    dataset: String,
    shape: [usize; 3],
    classes: Vec<String>,
    train: Part,
    test: Option<Part>,
    /// Test samples that also stand in the training part.
    shared: usize,
}

#[derive(Serialize)]
struct Part {
    samples: usize,
    class_counts: Vec<u64>,
    mean: f64,
    std: f64,
    faults: Vec<String>,
}

fn check(data: &str, context: &Context) -> Result<()> {
    let set = source::open(data, context.threads)?;
    let reports = (set.train.check(), set.test.as_ref().map(Dataset::check));
    let shared = set.test.as_ref().map_or(0, |test| duplicates_between(&set.train, test));
    let classes = set.train.classes().unwrap_or_default();
    if context.json {
        return context.print_json(&Checked {
            dataset: source::name(data),
            shape: set.train.shape(),
            classes: classes.to_vec(),
            train: part(reports.0),
            test: reports.1.map(part),
            shared,
        });
    }
    let parts: Vec<(&str, &Report)> = std::iter::once((context.say("training", "훈련"), &reports.0))
        .chain(reports.1.as_ref().map(|r| (context.say("test", "시험"), r)))
        .collect();
    let mut text = format!("{} {}\n\n", source::name(data), shape(&set.train.shape()));
    text += &figures(&parts, classes, context);
    text += &faults(&parts, shared, context);
    context.print(&text)
}

fn part(report: Report) -> Part {
    Part {
        samples: report.samples,
        class_counts: report.class_counts,
        mean: report.mean,
        std: report.std,
        faults: report.faults.iter().map(Fault::to_string).collect(),
    }
}

fn figures(parts: &[(&str, &Report)], classes: &[String], context: &Context) -> String {
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
    rows.push(row(context.say("mean", "평균").into(), &|r| number(r.mean as f32)));
    rows.push(row(context.say("deviation", "표준편차").into(), &|r| number(r.std as f32)));
    table(&columns, &rows)
}

fn faults(parts: &[(&str, &Report)], shared: usize, context: &Context) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (name, report) in parts {
        lines.extend(report.faults.iter().map(|f| format!("{name}: {}", in_words(f, context))));
    }
    if shared > 0 {
        lines.push(match context.say("en", "ko") {
            "ko" => format!("시험 표본 {shared}개가 훈련 표본에도 있습니다"),
            _ => format!("{shared} test samples also stand in the training part"),
        });
    }
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
