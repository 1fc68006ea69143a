//! Reports of runs of many kinds: whatever the data and the model, one whole page.

use foveal_data::{Dataset, Samples, Split, Targets};
use foveal_nn::loss::Loss;
use foveal_nn::{Model, ModelSpec};
use foveal_train::{
    Outcome, PictureFit, Preprocess, Recipe, SavedModel, Status, Training, fit, judge, predict,
};
use foveal_view::report::{Judged, Language, Machine, Part, Report, Steps};
use std::sync::atomic::AtomicBool;

const HOSTILE: &str = "</script><b onload=\"x\">'&";

const CONVOLUTION: &str = "[[layer]]\nkind = \"conv2d\"\nfilters = 3\nkernel = [3, 3]\npadding = \"SAME\"\n\
     [[layer]]\nkind = \"batch_norm\"\n[[layer]]\nkind = \"relu\"\n[[layer]]\nkind = \"max_pool\"\nksize = [2, 2]\n";

fn model(shape: [usize; 3], body: &str, units: usize, tail: &str) -> Model {
    let text = format!(
        "[input]\nshape = {shape:?}\n{body}[[layer]]\nkind = \"flatten\"\n[[layer]]\nkind = \"dense\"\nunits = {units}\n{tail}"
    );
    Model::new(&ModelSpec::from_toml(&text).unwrap(), 3).unwrap()
}

fn waves(n: usize) -> impl Iterator<Item = f32> {
    (0..n).map(|i| (i as f32 * 0.37).sin() * 100.0 + 120.0)
}

fn classes(n: usize, shape: [usize; 3], k: usize, float: bool) -> Dataset {
    let size = n * shape.iter().product::<usize>();
    let samples = if float {
        Samples::F32(waves(size).collect())
    } else {
        Samples::U8(waves(size).map(|v| v as u8).collect())
    };
    let names = (0..k).map(|c| if c == 1 { HOSTILE.to_owned() } else { format!("class {c}") }).collect();
    let labels = (0..n as u32).map(|i| i % k as u32).collect();
    Dataset::new("waves", shape, samples, Targets::Classes { labels, names }).unwrap()
}

struct Run {
    data: Dataset,
    saved: SavedModel,
    outcome: Outcome,
    steps: Steps,
    split: Split,
}

fn run(data: Dataset, model: Model, loss: Loss) -> Run {
    let split = Split::first(data.len(), data.len() / 5).unwrap();
    let recipe = Recipe { epochs: 2, batch_size: 16, loss, ..Recipe::default() };
    let preprocess = Preprocess::unit(data.shape()[2], PictureFit::Resize);
    let mut steps = Steps::new();
    let stop = AtomicBool::new(false);
    let outcome = fit(model, &data, &split, &preprocess, &recipe, &stop, &mut |e| steps.take(e)).unwrap();
    let training = Training {
        model: HOSTILE.into(),
        dataset: "waves".into(),
        recipe,
        epochs: 2,
        validation_accuracy: outcome.validation_accuracy,
        ..Training::default()
    };
    let classes = data.classes().unwrap_or_default().to_vec();
    let saved = SavedModel { model: outcome.model.clone(), preprocess, classes, training };
    Run { data, saved, outcome, steps, split }
}

impl Run {
    /// The page, in which the validation images are judged, or none.
    fn page(&self, judged: bool) -> String {
        let indices = Some(&self.split.validation[..]);
        let outputs = predict(&self.saved.model, &self.saved.preprocess, &self.data, indices, 1).unwrap();
        let scores = judge(&self.saved.model, &self.data, indices, &outputs).unwrap();
        let part = Part::Validation;
        let report = Report {
            language: Language::Korean,
            when: "2026-01-31 23:59 UTC",
            version: "0.0.0",
            command: HOSTILE,
            saved: &self.saved,
            outcome: &self.outcome,
            steps: &self.steps,
            images: [self.split.train.len(), self.split.validation.len()],
            learnt: Some(&self.data),
            judged: judged.then_some(Judged {
                part,
                data: &self.data,
                indices,
                outputs: &outputs,
                scores: &scores,
                names: None,
            }),
            machine: Machine { cpu: HOSTILE.into(), threads: 2, ..Machine::default() },
            total_seconds: 1.5,
        };
        whole(&report.to_html())
    }
}

/// Checks what holds for every page, and gives it back.
fn whole(html: &str) -> String {
    for tag in
        ["section", "div", "table", "figure", "ul", "ol", "dl", "svg", "script", "style", "button", "article"]
    {
        let (begun, ended) =
            (html.matches(&format!("<{tag}")).count(), html.matches(&format!("</{tag}>")).count());
        assert_eq!(begun, ended, "<{tag}>");
    }
    // Pictures in base64 may hold any letters.
    let mut parts = html.split("base64,");
    let mut written = parts.next().unwrap_or_default().to_owned();
    parts.for_each(|part| written += part.split_once(['"', ')']).map_or("", |rest| rest.1));
    assert!(!written.contains("<b onload") && !written.contains("NaN") && !written.contains("{{"));
    for reach in ["http:", "https:", "src=\"/", "href=", "url(/", "@import", "@font-face"] {
        assert!(!html.contains(reach), "{reach}");
    }
    assert!(html.contains("default-src 'none'"));
    html.to_owned()
}

/// The sum of the counts of all cells that open.
fn cells(html: &str) -> usize {
    let counts = html.split("data-count=\"").skip(1);
    counts.map(|rest| rest.split('"').next().unwrap().parse::<usize>().unwrap()).sum()
}

#[test]
fn classes_of_any_name_and_kind() {
    for (shape, float, body, tail) in [
        ([8, 8, 1], false, CONVOLUTION, ""),
        ([8, 6, 3], true, CONVOLUTION, "[[layer]]\nkind = \"softmax\"\n"),
        ([5, 5, 2], false, "", ""),
    ] {
        let run = run(classes(100, shape, 3, float), model(shape, body, 3, tail), Loss::default());
        let html = run.page(true);
        assert_eq!(cells(&html), 20);
        assert!(html.contains("&lt;/script&gt;&lt;b onload=&quot;x&quot;&gt;&#39;&amp;"));
        // A model without convolution has no maps and no heat.
        assert_eq!(html.contains("class=\"tiles\""), !body.is_empty());
        assert_eq!(html.contains("class=\"shot\""), !body.is_empty());
    }
}

#[test]
fn many_classes_become_pairs() {
    let run = run(classes(300, [8, 8, 1], 45, false), model([8, 8, 1], CONVOLUTION, 45, ""), Loss::default());
    let html = run.page(true);
    assert!(html.contains("class=\"pairs\"") && !html.contains("class=\"matrix\""));
}

#[test]
fn a_run_that_was_not_judged_shows_what_it_has() {
    let mut run =
        run(classes(100, [8, 8, 1], 3, false), model([8, 8, 1], CONVOLUTION, 3, ""), Loss::default());
    run.outcome.status = Status::NonFinite { epoch: 1, batch: 2 };
    run.outcome.history.clear();
    run.steps = Steps::new();
    let html = run.page(false);
    assert!(html.contains("손실이 유한한 수가 아니었습니다") && !html.contains("<table class=\"matrix\""));
}

#[test]
fn a_regression_of_constants() {
    let (n, shape) = (50, [6, 6, 1]);
    let samples = Samples::U8(vec![7; n * 36]);
    let targets = Targets::Values { values: vec![2.0; n], names: vec![HOSTILE.into()] };
    let data = Dataset::new("flat", shape, samples, targets).unwrap();
    let html = run(data, model(shape, CONVOLUTION, 1, ""), Loss::MeanSquared).page(true);
    assert!(html.contains("class=\"points\"") && html.contains("class=\"bin\""));
}
