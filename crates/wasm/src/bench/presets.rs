//! Settings to begin with: the lecture's steps, and what is often got wrong.

use super::fill::{Pattern, fill, reshape};
use super::setting::{Operator, Outcome, Pad, Setting, run};
use foveal::nn::init::Random;
use serde::{Deserialize, Serialize};
use tsify::Tsify;

/// The first training image of MNIST's file, 28 x 28 pixels.
const DIGIT: &[u8; 784] = include_bytes!("digit.bin");

/// A setting to begin with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
pub struct Preset {
    /// Its name in links and in the page's texts.
    pub key: String,
    /// Whether it is a step of the lecture.
    pub lecture: bool,
    /// The setting.
    pub setting: Setting,
}

/// All presets, the lecture's first.
pub fn all() -> Vec<Preset> {
    let preset =
        |lecture| move |(key, setting): (&str, Setting)| Preset { key: key.into(), lecture, setting };
    lecture().into_iter().map(preset(true)).chain(more().into_iter().map(preset(false))).collect()
}

/// 3 x 3 cells of 1 to 9 under a 2 x 2 filter of ones.
fn toy() -> Setting {
    Setting {
        operator: Operator::Conv2d,
        input: [3, 3, 1],
        values: (1..10).map(|v| v as f32).collect(),
        kernel: [2, 2],
        filters: 1,
        weights: vec![1.0; 4],
        strides: [1, 1],
        dilations: [1, 1],
        padding: Pad::Valid,
        explicit: [0; 4],
    }
}

fn lecture() -> Vec<(&'static str, Setting)> {
    let toy = toy();
    let same = Setting { padding: Pad::Same, ..toy.clone() };
    let three = Setting { filters: 3, weights: [1.0, 10.0, -1.0].repeat(4), ..same.clone() };
    let pool = Setting {
        operator: Operator::MaxPool,
        values: vec![4.0, 3.0, 2.0, 1.0],
        ..reshape(&toy, [2, 2, 1], [2, 2], 1)
    };
    let pool_same = Setting { padding: Pad::Same, ..pool.clone() };
    let negative = Setting { values: vec![-4.0, -3.0, -2.0, -1.0], ..pool_same.clone() };
    let conv = digit(5, Random::new(0).normals(3 * 3 * 5, 0.01));
    let small = pooled(&conv);
    vec![
        ("valid", toy),
        ("same", same),
        ("three-filters", three),
        ("max-pool", pool),
        ("max-pool-same", pool_same),
        ("negatives", negative),
        ("digit", conv),
        ("digit-pool", small),
    ]
}

/// The digit under `filters` filters of 3 x 3, SAME, stride 2.
fn digit(filters: usize, weights: Vec<f32>) -> Setting {
    Setting {
        operator: Operator::Conv2d,
        input: [28, 28, 1],
        values: DIGIT.iter().map(|&p| f32::from(p) / 255.0).collect(),
        kernel: [3, 3],
        filters,
        weights,
        strides: [2, 2],
        dilations: [1, 1],
        padding: Pad::Same,
        explicit: [0; 4],
    }
}

/// The feature maps of `conv` as the input of a 2 x 2 max pooling with stride 2.
fn pooled(conv: &Setting) -> Setting {
    let values = match run(conv) {
        Outcome::Fits { answer } => answer.values,
        Outcome::Refused { .. } => Vec::new(),
    };
    Setting {
        operator: Operator::MaxPool,
        input: [14, 14, conv.filters],
        values,
        kernel: [2, 2],
        filters: 1,
        weights: vec![1.0; 4 * conv.filters],
        ..conv.clone()
    }
}

fn more() -> Vec<(&'static str, Setting)> {
    let toy = toy();
    let edge = reshape(&toy, [6, 8, 1], [3, 3], 2);
    let edge = fill(&fill(&edge, Pattern::InputEdge, 0), Pattern::FilterUpright, 0);
    let level = fill(&edge, Pattern::FilterLevel, 0);
    // The second filter looks for level edges, of which this input has none.
    let weights = edge.weights.iter().zip(&level.weights).enumerate();
    let weights = weights.map(|(i, (&a, &b))| if i % 2 == 0 { a } else { b }).collect();
    let colours = fill(&reshape(&toy, [4, 5, 3], [2, 3], 2), Pattern::InputRandom, 3);
    let counted = |input, kernel| fill(&reshape(&toy, input, kernel, 1), Pattern::InputCount, 0);
    vec![
        ("lopsided", digit(1, vec![1.0; 9])),
        ("large-stride", Setting { strides: [3, 3], ..counted([8, 8, 1], [2, 2]) }),
        ("dilation", Setting { dilations: [2, 2], ..counted([7, 7, 1], [3, 3]) }),
        ("channels", fill(&colours, Pattern::FilterRandom, 5)),
        ("edges", Setting { weights, padding: Pad::Same, ..edge }),
        (
            "explicit",
            Setting {
                padding: Pad::Explicit,
                explicit: [2, 0, 1, 3],
                strides: [2, 1],
                ..counted([4, 5, 1], [3, 2])
            },
        ),
        (
            "average",
            Setting {
                operator: Operator::AvgPool,
                padding: Pad::Same,
                strides: [2, 2],
                ..counted([5, 5, 1], [3, 3])
            },
        ),
        ("too-large", counted([3, 3, 1], [4, 4])),
    ]
}
