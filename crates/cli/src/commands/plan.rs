//! `foveal summary --plan`: the engine's steps, and with `--profile` where the time goes.

use crate::args::Summary;
use crate::output::{Context, bytes};
use crate::table::{Side, table};
use anyhow::{Result, bail};
use foveal::kernels::peak::fma_gflops;
use foveal::nn::engine::{
    Engine, Example, Options, Part, Pixels, PlanReport, PlannedStep, Profile, Target, describe,
};
use foveal::nn::init::Random;
use foveal::nn::loss::Loss;
use foveal::nn::optim::Optimizer;
use foveal::nn::{Isa, Model};
use serde::Serialize;

/// Images in a batch, unless the command line says otherwise.
pub const BATCH: usize = 128;

/// A profile that would need more memory is refused.
const MOST_BYTES: usize = 8 << 30;

/// Batches are profiled for about so many seconds, but at least one and at most [`MOST_ROUNDS`].
const SECONDS: f64 = 1.5;
const MOST_ROUNDS: f64 = 100.0;

/// The peak is measured before and after the profile, each for so many seconds.
const PEAK_SECONDS: f64 = 0.2;

/// Times of a plan, and the peak of the same run.
struct Measured {
    profile: Profile,
    peak: f64,
}

/// Shows the plan of `model`.
pub fn run(model: &Model, args: &Summary, context: &Context) -> Result<()> {
    let batch = args.batch_size.map_or(BATCH, |n| n as usize);
    let options = options(model, batch, context.threads, !args.inference);
    let plan = describe(model, &options)?;
    let measured = if args.profile { Some(measure(model, &options, &plan, context)?) } else { None };
    if context.json {
        return context.print_json(&json(&plan, measured.as_ref(), context));
    }
    let mut text = head(&plan, context) + "\n" + &steps(&plan, context);
    if let Some(measured) = &measured {
        text += &("\n".to_owned() + &times(&plan, measured, context));
    }
    context.print(&text)
}

/// The engine's options for random pictures.
pub fn options(model: &Model, batch_size: usize, threads: usize, training: bool) -> Options {
    let channels = model.input_shape()[2];
    Options {
        batch_size,
        threads,
        loss: training.then(Loss::default),
        optimizer: Optimizer::default(),
        seed: 0,
        scale: vec![1.0 / 255.0; channels],
        shift: vec![0.0; channels],
        isa: Isa::best(),
    }
}

/// One random picture for `model`.
pub fn picture(model: &Model, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    (0..model.input_shape().iter().product()).map(|_| random.bits() as u8).collect()
}

/// Training data: the same random picture again and again, each time of another class.
pub fn example<'a>(picture: &'a [u8], outputs: usize) -> impl Fn(usize) -> Example<'a> + Sync {
    move |i| Example { pixels: Pixels::U8(picture), target: Target::Class((i % outputs) as u32), weight: 1.0 }
}

fn measure(model: &Model, options: &Options, plan: &PlanReport, context: &Context) -> Result<Measured> {
    if plan.memory_bytes > MOST_BYTES {
        bail!(
            "a batch of {} needs {} of memory, more than the limit of {}; profile it with a smaller --batch-size",
            plan.batch_size,
            bytes(plan.memory_bytes as u64),
            bytes(MOST_BYTES as u64)
        );
    }
    let peak = || fma_gflops(options.isa, options.threads, PEAK_SECONDS);
    let before = peak();
    let mut engine = Engine::new(model, options.clone())?;
    let picture = picture(model, context.seed);
    let example = example(&picture, model.outputs());
    let first = engine.profile(1, &example);
    // Each round runs the batch twice.
    let rounds = (SECONDS / (2.0 * first.seconds)).clamp(1.0, MOST_ROUNDS);
    let profile = engine.profile(rounds as usize, &example);
    Ok(Measured { profile, peak: before.max(peak()) })
}

fn head(plan: &PlanReport, context: &Context) -> String {
    let kind =
        if plan.training { context.say("training", "훈련") } else { context.say("inference", "추론") };
    let (n, groups, lanes, isa) = (plan.batch_size, plan.groups, plan.lanes, plan.isa);
    let (arenas, arena) = (plan.arenas, bytes(plan.arena_bytes as u64));
    let all = bytes(plan.memory_bytes as u64);
    let (by, by_korean) = if plan.one_at_a_time {
        (", one image at a time".to_owned(), "한 장씩".to_owned())
    } else {
        (format!(" in {groups} group(s) of {lanes} images"), format!("이미지 {lanes}장씩 {groups}묶음"))
    };
    context.language.pick(
        format!(
            "  plan for {kind}: batch {n}{by}, {isa}\n  memory: {arenas} \
             arena(s) of {arena}; {all} in all\n"
        ),
        format!(
            "  {kind} 계획: 배치 {n}, {by_korean}, {isa}\n  메모리: 작업 영역 {arenas}개 × \
             {arena}, 모두 {all}\n"
        ),
    )
}

fn name(step: &PlannedStep, context: &Context) -> String {
    let text = match step.part {
        Part::Input => context.say("(input)", "(입력)"),
        Part::Loss => context.say("(loss)", "(손실)"),
        Part::Output => context.say("(output)", "(출력)"),
        Part::Update => context.say("(parameter update)", "(매개변수 갱신)"),
        Part::Layers => return step.layers.join(" + "),
    };
    text.to_owned()
}

fn steps(plan: &PlanReport, context: &Context) -> String {
    let layout = if plan.one_at_a_time {
        context.say("layout h,w,c", "배열 h,w,c")
    } else {
        context.say("layout c,h,w,lane", "배열 c,h,w,lane")
    };
    let columns = [
        (context.say("step", "단계"), Side::Left),
        (context.say("kernel", "커널"), Side::Left),
        (layout, Side::Right),
        (context.say("read", "읽기"), Side::Right),
        (context.say("written", "쓰기"), Side::Right),
        (context.say("parameters", "매개변수"), Side::Right),
        (context.say("FLOPs forward", "FLOPs 순전파"), Side::Right),
        (context.say("backward", "역전파"), Side::Right),
    ];
    let or_none = |n: u64, text: String| if n == 0 { "-".to_owned() } else { text };
    let cells = |n: u64| or_none(n, bytes(n));
    let flops = |n: u64| or_none(n, metric(n as f64));
    let total =
        |of: fn(&PlannedStep) -> u64| plan.steps.iter().fold(0u64, |sum, s| sum.saturating_add(of(s)));
    let width = if plan.training { columns.len() } else { columns.len() - 1 };
    let mut rows: Vec<Vec<String>> = Vec::new();
    for step in &plan.steps {
        let layout = step.layout.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let layout = if step.part == Part::Update { "-".to_owned() } else { layout };
        rows.push(vec![
            name(step, context),
            step.kernel.to_owned(),
            layout,
            cells(step.bytes_read),
            cells(step.bytes_written),
            cells(step.parameter_bytes),
            flops(step.forward_flops),
            flops(step.backward_flops),
        ]);
    }
    rows.push(vec![
        context.say("total", "합계").to_owned(),
        String::new(),
        String::new(),
        cells(total(|s| s.bytes_read)),
        cells(total(|s| s.bytes_written)),
        String::new(),
        flops(total(|s| s.forward_flops)),
        flops(total(|s| s.backward_flops)),
    ]);
    rows.iter_mut().for_each(|row| row.truncate(width));
    table(&columns[..width], &rows)
}

/// Billions of operations a second.
fn rate(flops: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { flops as f64 / seconds / 1e9 } else { 0.0 }
}

fn times(plan: &PlanReport, measured: &Measured, context: &Context) -> String {
    let columns = [
        (context.say("step", "단계"), Side::Left),
        (context.say("forward µs", "순전파 µs"), Side::Right),
        ("GFLOP/s", Side::Right),
        (context.say("of peak", "최대 대비"), Side::Right),
        (context.say("backward µs", "역전파 µs"), Side::Right),
        ("GFLOP/s", Side::Right),
        (context.say("of peak", "최대 대비"), Side::Right),
        (context.say("of the time", "시간 비율"), Side::Right),
    ];
    let peak = measured.peak;
    let sum: f64 = measured.profile.steps.iter().flatten().sum();
    let three = |flops: u64, seconds: f64| {
        let micros = if seconds > 0.0 { format!("{:.1}", 1e6 * seconds) } else { "-".into() };
        let rate = rate(flops, seconds);
        let told = |text: String| if flops == 0 || seconds <= 0.0 { "-".into() } else { text };
        [micros, told(format!("{rate:.1}")), told(share(rate, peak))]
    };
    let row = |name: String, flops: [u64; 2], seconds: [f64; 2]| {
        let mut row = vec![name];
        row.extend((0..2).flat_map(|d| three(flops[d], seconds[d])));
        row.push(share(seconds[0] + seconds[1], sum));
        row
    };
    let mut rows: Vec<Vec<String>> = plan
        .steps
        .iter()
        .zip(&measured.profile.steps)
        .map(|(s, times)| row(name(s, context), [s.forward_flops, s.backward_flops], *times))
        .collect();
    let totals = totals(plan);
    let seconds = [0, 1].map(|d| measured.profile.steps.iter().map(|t| t[d]).sum());
    rows.push(row(context.say("total", "합계").to_owned(), totals, seconds));
    if !plan.training {
        rows.iter_mut().for_each(|row| drop(row.drain(4..7)));
    }
    let columns: Vec<_> =
        columns.into_iter().enumerate().filter(|(i, _)| plan.training || !(4..7).contains(i)).collect();
    let columns: Vec<_> = columns.into_iter().map(|(_, column)| column).collect();
    table(&columns, &rows) + "\n" + &whole(plan, measured, context)
}

/// The line about a whole batch.
fn whole(plan: &PlanReport, measured: &Measured, context: &Context) -> String {
    let (seconds, peak, threads) = (measured.profile.seconds, measured.peak, context.threads);
    let rate = rate(totals(plan).iter().fold(0, |a, &b| a.saturating_add(b)), seconds);
    let images = crate::output::count((plan.batch_size as f64 / seconds) as u64);
    let (micros, share) = (format!("{:.1}", 1e6 * seconds), share(rate, peak));
    context.language.pick(
        format!(
            "  whole batch, not stopped at each step: {micros} µs, {images} images/s, {rate:.1} GFLOP/s, {share} \
             of the FMA peak\n  FMA peak with {threads} thread(s), same run: {peak:.1} GFLOP/s\n"
        ),
        format!(
            "  단계마다 멈추지 않은 배치 전체: {micros} µs, 초당 이미지 {images}장, {rate:.1} GFLOP/s, FMA 최대의 \
             {share}\n  같은 실행에서 잰 FMA 최대, 스레드 {threads}개: {peak:.1} GFLOP/s\n"
        ),
    )
}

/// Operations of a batch, forward and backward.
pub fn totals(plan: &PlanReport) -> [u64; 2] {
    plan.steps
        .iter()
        .fold([0u64; 2], |[f, b], s| [f.saturating_add(s.forward_flops), b.saturating_add(s.backward_flops)])
}

/// A share in per cent.
pub fn share(part: f64, whole: f64) -> String {
    if whole > 0.0 { format!("{:.1} %", 100.0 * part / whole) } else { "-".into() }
}

/// 1.5 M.
fn metric(n: f64) -> String {
    let (mut value, mut unit) = (n, 0);
    const UNITS: [&str; 7] = ["", " k", " M", " G", " T", " P", " E"];
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{value:.0}") } else { format!("{value:.1}{}", UNITS[unit]) }
}

#[derive(Serialize)]
struct Json {
    training: bool,
    isa: &'static str,
    lanes: usize,
    batch_size: usize,
    groups: usize,
    one_at_a_time: bool,
    arenas: usize,
    arena_bytes: usize,
    memory_bytes: usize,
    forward_flops: u64,
    backward_flops: u64,
    steps: Vec<JsonStep>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<JsonProfile>,
}

#[derive(Serialize)]
struct JsonStep {
    part: &'static str,
    layers: Vec<String>,
    kernel: &'static str,
    layout: Vec<usize>,
    bytes_read: u64,
    bytes_written: u64,
    parameter_bytes: u64,
    forward_flops: u64,
    backward_flops: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    forward: Option<Figures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backward: Option<Figures>,
}

#[derive(Serialize)]
struct Figures {
    seconds: f64,
    gflops: f64,
    share_of_peak: f64,
}

#[derive(Serialize)]
struct JsonProfile {
    threads: usize,
    peak_gflops: f64,
    images_per_second: f64,
    #[serde(flatten)]
    whole: Figures,
}

fn figures(flops: u64, seconds: f64, peak: f64) -> Figures {
    let gflops = rate(flops, seconds);
    Figures { seconds, gflops, share_of_peak: gflops / peak }
}

fn json(plan: &PlanReport, measured: Option<&Measured>, context: &Context) -> Json {
    let [forward_flops, backward_flops] = totals(plan);
    let step = |(i, s): (usize, &PlannedStep)| {
        let of = |flops: u64, d: usize| measured.map(|m| figures(flops, m.profile.steps[i][d], m.peak));
        JsonStep {
            part: match s.part {
                Part::Input => "input",
                Part::Layers => "layers",
                Part::Loss => "loss",
                Part::Output => "output",
                Part::Update => "update",
            },
            layers: s.layers.clone(),
            kernel: s.kernel,
            layout: s.layout.clone(),
            bytes_read: s.bytes_read,
            bytes_written: s.bytes_written,
            parameter_bytes: s.parameter_bytes,
            forward_flops: s.forward_flops,
            backward_flops: s.backward_flops,
            forward: of(s.forward_flops, 0),
            backward: of(s.backward_flops, 1).filter(|_| plan.training),
        }
    };
    Json {
        training: plan.training,
        isa: plan.isa,
        lanes: plan.lanes,
        batch_size: plan.batch_size,
        groups: plan.groups,
        one_at_a_time: plan.one_at_a_time,
        arenas: plan.arenas,
        arena_bytes: plan.arena_bytes,
        memory_bytes: plan.memory_bytes,
        forward_flops,
        backward_flops,
        steps: plan.steps.iter().enumerate().map(step).collect(),
        profile: measured.map(|m| JsonProfile {
            threads: context.threads,
            peak_gflops: m.peak,
            images_per_second: plan.batch_size as f64 / m.profile.seconds,
            whole: figures(forward_flops.saturating_add(backward_flops), m.profile.seconds, m.peak),
        }),
    }
}
