//! `foveal bench`: shares of this machine's own peak.

mod measure;
mod shapes;

use super::plan::share;
use crate::args;
use crate::output::{Context, count};
use crate::table::{Side, table};
use anyhow::Result;
use foveal::nn::Isa;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use measure::{Convolution, Effort, Training};
use serde::Serialize;

/// The models that are trained.
const MODELS: [&str; 3] = ["fast", "lab-11-1", "lab-11-2"];

/// Everything that is measured.
#[derive(Serialize)]
struct Report {
    isa: &'static str,
    threads: usize,
    batch_size: usize,
    /// GFLOP/s of one core and of all threads.
    peak_one: f64,
    peak: f64,
    convolutions: Vec<Convolution>,
    training: Vec<Training>,
    latency_model: &'static str,
    latency_seconds: f64,
    seconds: f64,
}

/// Measures, and prints the results.
pub fn run(args: &args::Bench, context: &Context) -> Result<()> {
    let effort = if args.quick { Effort::QUICK } else { Effort::FULL };
    let threads = context.threads;
    let progress = Progress::new(context, shapes::ALL.len() + MODELS.len() + 3);
    progress.tell(context.say("peak", "최대 성능"));
    let mut peaks = Peaks::default();
    peaks.measure(threads, effort);
    let mut convolutions = Vec::new();
    for shape in &shapes::ALL {
        progress.tell(shape.name);
        convolutions.push(measure::convolution(shape, effort)?);
        peaks.again(threads, effort);
    }
    let mut training = Vec::new();
    for name in MODELS {
        progress.tell(name);
        training.push(measure::training(name, threads, effort)?);
        peaks.again(threads, effort);
    }
    progress.tell(context.say("one image", "이미지 한 장"));
    let latency_seconds = measure::latency(MODELS[0], effort)?;
    progress.tell(context.say("peak", "최대 성능"));
    peaks.measure(threads, effort);
    progress.done();
    let report = Report {
        isa: Isa::best().name(),
        threads,
        batch_size: super::plan::BATCH,
        peak_one: peaks.one,
        peak: peaks.all,
        convolutions,
        training,
        latency_model: MODELS[0],
        latency_seconds,
        seconds: context.started.elapsed().as_secs_f64(),
    };
    if context.json {
        return context.print_json(&report);
    }
    context.print(&text(&report, context))
}

/// The highest peak of the run: measured before, between and after everything else, since a machine's speed changes.
#[derive(Default)]
struct Peaks {
    one: f64,
    all: f64,
}

impl Peaks {
    fn measure(&mut self, threads: usize, effort: Effort) {
        self.one = self.one.max(foveal::kernels::peak::fma_gflops(Isa::best(), 1, effort.peak));
        self.again(threads, effort);
        if threads == 1 {
            self.all = self.one;
        }
    }

    fn again(&mut self, threads: usize, effort: Effort) {
        self.all = self.all.max(foveal::kernels::peak::fma_gflops(Isa::best(), threads, effort.peak));
    }
}

/// What is being measured: a live line on a terminal; elsewhere one line at the start.
struct Progress<'a> {
    context: &'a Context,
    bar: Option<ProgressBar>,
}

impl<'a> Progress<'a> {
    fn new(context: &'a Context, steps: usize) -> Self {
        use std::io::IsTerminal;
        let bar = (!context.quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{bar:20} {pos}/{len} {msg}") {
                bar.set_style(style.progress_chars("█▌░"));
            }
            bar
        });
        if bar.is_none() {
            context.note(context.say("measuring, less than a minute", "재는 중, 1분이 걸리지 않음"));
        }
        Self { context, bar }
    }

    fn tell(&self, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{} {what}", self.context.say("measuring", "재는 중:")));
            bar.inc(1);
        }
    }

    fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn text(report: &Report, context: &Context) -> String {
    let mut text = peaks(report, context);
    text += &format!("\n{}", convolutions(report, context));
    text += &format!("\n{}", training(report, context));
    let micros = 1e6 * report.latency_seconds;
    let (model, seconds) = (report.latency_model, report.seconds);
    text += &context.language.pick(
        format!(
            "\n  one image through {model}, one thread: {micros:.1} µs\n  medians; {seconds:.0} s in all\n"
        ),
        format!(
            "\n  {model}에 이미지 한 장, 스레드 하나: {micros:.1} µs\n  모두 중앙값, 전체 {seconds:.0}초\n"
        ),
    );
    text
}

fn peaks(report: &Report, context: &Context) -> String {
    let (isa, threads, one, all) = (report.isa, report.threads, report.peak_one, report.peak);
    context.language.pick(
        format!(
            "  FMA peak, {isa}, measured in this run\n    one thread    {one:7.1} GFLOP/s\n    {threads} \
             thread(s)   {all:7.1} GFLOP/s, the 100 % below\n"
        ),
        format!(
            "  이 실행에서 잰 FMA 최대 성능, {isa}\n    스레드 1개  {one:7.1} GFLOP/s\n    스레드 {threads}개  \
             {all:7.1} GFLOP/s, 아래의 100 %\n"
        ),
    )
}

fn convolutions(report: &Report, context: &Context) -> String {
    let columns = [
        (context.say("convolution, GFLOP/s, share", "합성곱, GFLOP/s, 비율"), Side::Left),
        (context.say("batch", "배치"), Side::Right),
        (context.say("forward", "순전파"), Side::Right),
        (context.say("input gradient", "입력 기울기"), Side::Right),
        (context.say("filter gradient", "필터 기울기"), Side::Right),
    ];
    let row = |c: &Convolution| {
        let rates = [c.forward_gflops, c.backward_input_gflops, c.backward_filter_gflops];
        let cells = rates.map(|gflops| format!("{gflops:.1}  {:>7}", share(gflops, report.peak)));
        [c.shape.to_owned(), c.batch.to_string()].into_iter().chain(cells).collect()
    };
    table(&columns, &report.convolutions.iter().map(row).collect::<Vec<_>>())
}

fn training(report: &Report, context: &Context) -> String {
    let step = context
        .language
        .pick(format!("training, batch {}", report.batch_size), format!("훈련, 배치 {}", report.batch_size));
    let columns = [
        (step.as_str(), Side::Left),
        (context.say("images/s", "이미지/s"), Side::Right),
        ("GFLOP/s", Side::Right),
        (context.say("share", "비율"), Side::Right),
    ];
    let row = |t: &Training| {
        let images = count(t.images_per_second as u64);
        vec![t.model.to_owned(), images, format!("{:.1}", t.gflops), share(t.gflops, report.peak)]
    };
    table(&columns, &report.training.iter().map(row).collect::<Vec<_>>())
}
