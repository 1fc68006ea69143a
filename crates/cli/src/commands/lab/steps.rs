//! What the steps compute.

use crate::commands::explain::equation;
use crate::output::Context;
use crate::source;
use anyhow::Result;
use foveal::data::Dataset;
use foveal::nn::init::Random;
use foveal::nn::ops::{conv2d, max_pool};
use foveal::nn::{Conv2dOptions, Padding, Pool2dOptions};
use foveal::view::explain;
use ndarray::{Array4, array};

/// How a step's array is shown.
#[derive(Clone, Copy, PartialEq)]
pub enum Show {
    /// Every number.
    Numbers,
    /// A picture on a terminal.
    Picture,
}

/// One step of the lecture.
pub struct LectureStep {
    /// Its mark in the texts and in the code, such as `toy`.
    pub key: &'static str,
    /// What it computes; `None` for a step that only explains.
    pub array: Option<Array4<f32>>,
    /// How the array is shown.
    pub show: Show,
    /// Values that the text names.
    pub named: Vec<(&'static str, String)>,
    /// The arrays that it was computed from, for the figures.
    pub from: Vec<Array4<f32>>,
}

impl LectureStep {
    fn new(key: &'static str, array: Array4<f32>) -> Self {
        Self { key, array: Some(array), show: Show::Numbers, named: Vec::new(), from: Vec::new() }
    }

    fn words(key: &'static str) -> Self {
        Self { key, array: None, show: Show::Numbers, named: Vec::new(), from: Vec::new() }
    }

    fn named(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.named.push((name, value.into()));
        self
    }

    fn from(mut self, arrays: impl IntoIterator<Item = Array4<f32>>) -> Self {
        self.from.extend(arrays);
        self
    }

    fn picture(mut self) -> Self {
        self.show = Show::Picture;
        self
    }
}

/// All steps, in order.
pub fn all(context: &Context) -> Result<Vec<LectureStep>> {
    let mut steps = vec![LectureStep::words("cnn")];
    steps.extend(convolutions(context)?);
    steps.extend(poolings(context)?);
    steps.extend(digit(context)?);
    steps.push(LectureStep::words("next"));
    Ok(steps)
}

fn convolutions(context: &Context) -> Result<Vec<LectureStep>> {
    let image = Array4::from_shape_fn((1, 3, 3, 1), |(_, h, w, _)| (3 * h + w + 1) as f32);
    let filter = Array4::ones((2, 2, 1, 1));
    let valid = Conv2dOptions::default();
    let same = Conv2dOptions { padding: Padding::Same, ..valid };
    let filters = Array4::from_shape_fn((2, 2, 1, 3), |(.., o)| [1.0, 10.0, -1.0][o]);
    let cell = |options: &Conv2dOptions, at| -> Result<String> {
        Ok(equation(&explain::conv2d(image.view(), filter.view(), None, options, at)?, context))
    };
    Ok(vec![
        LectureStep::new("toy", image.clone()),
        LectureStep::new("valid", conv2d(image.view(), filter.view(), None, &valid)?)
            .named("first", cell(&valid, [0, 0, 0, 0])?)
            .named("second", cell(&valid, [0, 0, 1, 0])?)
            .from([image.clone(), filter.clone()]),
        LectureStep::new("same", conv2d(image.view(), filter.view(), None, &same)?)
            .named("corner", cell(&same, [0, 0, 2, 0])?)
            .from([image.clone()]),
        LectureStep::new("three", conv2d(image.view(), filters.view(), None, &same)?),
    ])
}

fn poolings(context: &Context) -> Result<Vec<LectureStep>> {
    let image = array![[[[4.0f32], [3.0]], [[2.0], [1.0]]]];
    let negative = -&image;
    let valid = Pool2dOptions { ksize: [2, 2], strides: [1, 1], padding: Padding::Valid };
    let same = Pool2dOptions { padding: Padding::Same, ..valid };
    let largest = explain::max_pool(image.view(), &valid, [0, 0, 0, 0])?;
    let border = explain::max_pool(negative.view(), &same, [0, 0, 1, 0])?;
    Ok(vec![
        LectureStep::new("pool", max_pool(image.view(), &valid)?)
            .named("largest", equation(&largest, context))
            .from([image.clone()]),
        LectureStep::new("pool-same", max_pool(image.view(), &same)?).from([image]),
        LectureStep::new("pool-negative", max_pool(negative.view(), &same)?)
            .named("negative", equation(&border, context))
            .from([negative]),
    ])
}

fn digit(context: &Context) -> Result<Vec<LectureStep>> {
    let digits = source::training_digits(context.threads)?;
    let raw = courses_first(&digits);
    let label = digits.label(FIRST).unwrap_or_default();
    let digit = &raw / 255.0;
    let normal = Random::new(context.seed).normals(3 * 3 * 5, 0.01);
    let filters = Array4::from_shape_vec((3, 3, 1, 5), normal)?;
    let options = Conv2dOptions { strides: [2, 2], padding: Padding::Same, ..Conv2dOptions::default() };
    let maps = conv2d(digit.view(), filters.view(), None, &options)?;
    let pool = Pool2dOptions { ksize: [2, 2], strides: [2, 2], padding: Padding::Same };
    let small = max_pool(maps.view(), &pool)?;
    Ok(vec![
        LectureStep::new("digit", raw).named("label", label.to_string()).picture(),
        LectureStep::new("digit-conv", maps)
            .named("seed", context.seed.to_string())
            .from([filters])
            .picture(),
        LectureStep::new("digit-pool", small).picture(),
    ])
}

/// The digit that the course looks at. Its loader puts the first 5,000 images of the file aside for validation, so that
/// this one is its first for training.
const FIRST: usize = 5000;

fn courses_first(digits: &Dataset) -> Array4<f32> {
    let pixels = digits.sample(FIRST).numbers();
    Array4::from_shape_fn((1, 28, 28, 1), |(_, h, w, _)| pixels[28 * h + w])
}
