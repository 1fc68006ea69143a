//! What is done to the samples of a fresh run before the first layer.

use crate::args::{Train, YesNo};
use crate::output::Context;
use crate::source::{MNIST, Told, tell};
use anyhow::Result;
use foveal::data::{Dataset, Scale, Split, Window};
use foveal::train::{Moments, PictureFit, Preprocess};

/// Pixels whose deviation is less than this share of the way from black to white are standardized. MNIST's is 0.31,
/// photographs have 0.2 to 0.3.
const LOW: f64 = 0.1;
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
    let lines = |told: Vec<Told>| told.into_iter().map(|told| told.0).collect();
    if let Some(vocabulary) = data.vocabulary() {
        return Ok(Preprocess { told: lines(told), ..Preprocess::text(vocabulary.clone()) });
    }
    let window = window.map(|w| [w.centre(), w.width()]);
    let plain = Preprocess { window, ..Preprocess::on(scale, data.shape()[2], fit) };
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
