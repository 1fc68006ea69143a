//! What is done to the samples of a fresh run before the first layer.

use crate::args::{Train, YesNo};
use crate::output::Context;
use crate::source::{MNIST, Told, tell};
use anyhow::Result;
use foveal::data::{Dataset, Scale, Split, Targets, Window};
use foveal::train::{Moments, PictureFit, Preprocess};

/// Pixels whose deviation is less than this share of the way from black to white are standardized. MNIST's is 0.31,
/// photographs have 0.2 to 0.3.
const LOW: f64 = 0.1;
/// Single precision must tell values apart that differ by this share of their deviation.
const FINE: f64 = 1e-3;
/// So many samples that are not in memory tell the moments.
const LOOKED: usize = 2000;

/// How the data were read.
pub struct Read {
    pub scale: Scale,
    pub fit: PictureFit,
    pub told: Vec<Told>,
    pub window: Option<Window>,
}

/// Scales pixels to 0..1, and standardizes them by the training samples where that helps or is asked for.
pub fn preprocess(
    args: &Train,
    data: &Dataset,
    split: &Split,
    read: Read,
    context: &Context,
) -> Result<Preprocess> {
    let Read { scale, fit, mut told, window } = read;
    let origin = origin(data, split);
    if let Some(line) = added(data, &origin) {
        tell(std::slice::from_ref(&line), context);
        told.push(line);
    }
    let lines = |told: Vec<Told>| told.into_iter().map(|told| told.0).collect();
    if let Some(vocabulary) = data.vocabulary() {
        return Ok(Preprocess { told: lines(told), origin, ..Preprocess::text(vocabulary.clone()) });
    }
    let window = window.map(|w| [w.centre(), w.width()]);
    let plain = Preprocess { window, origin, ..Preprocess::on(scale, data.shape()[2], fit) };
    let asked = args.learning.standardize;
    // The built-in digits have contrast enough, and need not be looked through for that.
    if asked == Some(YesNo::No) || asked.is_none() && args.data == MNIST {
        return Ok(Preprocess { told: lines(told), ..plain });
    }
    let step = if data.stored().is_some() { split.train.len().div_ceil(LOOKED).max(1) } else { 1 };
    let some: Vec<u32> = split.train.iter().copied().step_by(step).collect();
    let moments = Moments::of(data, &some)?;
    let share = scale.to_unit().map(|[factor, _]| moments.overall() * f64::from(factor));
    if asked.is_none() && share.is_some_and(|share| share >= LOW || share == 0.0) {
        return Ok(Preprocess { told: lines(told), ..plain });
    }
    let line = said(&moments, share.filter(|share| *share < LOW));
    tell(std::slice::from_ref(&line), context);
    told.push(line);
    Ok(Preprocess { told: lines(told), ..plain.with_moments(&moments) })
}

/// What must be added to each output of a regression, because single precision cannot hold its values and tell them
/// apart; empty where none needs it. Round numbers near the mean.
pub fn origin(data: &Dataset, split: &Split) -> Vec<f64> {
    let Targets::Values { values, names } = data.targets() else { return Vec::new() };
    let (k, n) = (names.len(), split.train.len().max(1) as f64);
    let each = |j: usize| {
        let column = || split.train.iter().map(move |&i| values[i as usize * k + j]);
        let mean = column().sum::<f64>() / n;
        let deviation = (column().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        let lost = mean.abs() * f64::from(f32::EPSILON) > FINE * deviation;
        if !(lost && deviation > 0.0 && mean.is_finite() && deviation.is_finite()) {
            return 0.0;
        }
        let step = 10f64.powf(deviation.log10().ceil());
        (mean / step).round() * step
    };
    let all: Vec<f64> = (0..k).map(each).collect();
    if all.iter().any(|v| *v != 0.0) { all } else { Vec::new() }
}

/// That something is added to the outputs.
fn added(data: &Dataset, origin: &[f64]) -> Option<Told> {
    let pairs: Vec<String> = data
        .targets()
        .names()
        .iter()
        .zip(origin)
        .filter(|(_, v)| **v != 0.0)
        .map(|(name, v)| format!("{} {v}", name.escape_debug()))
        .collect();
    let list = pairs.join(", ");
    (!pairs.is_empty()).then(|| {
        Told([
            format!("values that differ little beside their size: learnt as the difference from {list}, which is added to what the model says"),
            format!("크기에 비해 차이가 작은 값: {list}과의 차이를 학습하고, 예측에 다시 더함"),
        ])
    })
}

/// That samples are standardized; `low` is their contrast if that is the reason.
fn said(moments: &Moments, low: Option<f64>) -> Told {
    let list = |values: &[f64]| {
        let first: Vec<String> = values.iter().take(4).map(|v| format!("{v:.4}")).collect();
        first.join(", ")
    };
    let (mean, deviation) = (list(&moments.mean), list(&moments.deviation));
    let [why, why_ko] = low.map_or_else(Default::default, |share| {
        let percent = 100.0 * share;
        [
            format!("low contrast, {percent:.2} % of black to white: "),
            format!("대비가 낮음(검정~하양의 {percent:.2} %): "),
        ]
    });
    Told([
        format!(
            "{why}standardized by the training samples, mean {mean}, deviation {deviation} (--standardize no leaves it)"
        ),
        format!(
            "{why_ko}훈련 데이터의 평균 {mean}, 표준편차 {deviation}(으)로 표준화함 (--standardize no면 하지 않음)"
        ),
    ])
}
