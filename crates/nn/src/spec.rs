//! A model as data: a list of layers, readable as TOML.
//!
//! ```
//! let spec = foveal_nn::ModelSpec::from_toml(r#"
//!     [input]
//!     shape = [28, 28, 1]        # height, width, channels
//!
//!     [[layer]]
//!     kind = "conv2d"
//!     filters = 8
//!     kernel = [3, 3]
//!     padding = "SAME"
//!
//!     [[layer]]
//!     kind = "flatten"
//!
//!     [[layer]]
//!     kind = "dense"
//!     units = 10
//! "#)?;
//! let model = foveal_nn::Model::new(&spec, 0)?;
//! assert_eq!(model.output_shape(), [1, 1, 10]);
//! # Ok::<(), foveal_nn::Error>(())
//! ```

mod file;

use crate::init::Init;
use foveal_kernels::Padding;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A model: the shape of one input and the layers it goes through.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelSpec {
    /// What goes in.
    pub input: InputSpec,
    /// The layers, in order.
    #[serde(rename = "layer")]
    pub layers: Vec<LayerSpec>,
}

/// The shape of one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputSpec {
    /// Height, width, channels.
    pub shape: [usize; 3],
}

/// One layer: its kind, and where it stands in the graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerSpec {
    /// The layer's name; without one it is the kind with a number, such as `conv2d_1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The layers whose outputs go in (`"input"` for the model's input); without any, the layer before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// What the layer does.
    #[serde(flatten)]
    pub kind: LayerKind,
    /// The line of the model file that the layer begins at; 0 for none.
    #[serde(skip)]
    pub line: usize,
}

/// What a layer does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum LayerKind {
    /// Two-dimensional convolution (cross-correlation).
    Conv2d {
        /// Number of filters: the output's channels.
        filters: usize,
        /// Height and width of a filter.
        kernel: [usize; 2],
        /// Step between windows.
        #[serde(default = "ones", skip_serializing_if = "is_ones")]
        strides: [i64; 2],
        /// Step between the filter's cells.
        #[serde(default = "ones", skip_serializing_if = "is_ones")]
        dilations: [i64; 2],
        /// `"VALID"`, `"SAME"` or `[top, bottom, left, right]`.
        #[serde(default, with = "padding")]
        padding: Padding,
        /// Groups that the channels are split into.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        groups: i64,
        /// Whether a number is added for each filter.
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        bias: bool,
        /// How the filters begin.
        #[serde(default, skip_serializing_if = "Init::is_default")]
        init: Init,
    },
    /// A matrix product: every input number to every unit.
    Dense {
        /// Number of outputs.
        units: usize,
        /// Whether a number is added for each unit.
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        bias: bool,
        /// How the weights begin.
        #[serde(default, skip_serializing_if = "Init::is_default")]
        init: Init,
    },
    /// `max(x, 0)`.
    Relu {},
    /// `x` where positive, else `alpha * x`.
    LeakyRelu {
        /// Slope below zero.
        #[serde(default = "leak")]
        alpha: f32,
    },
    /// `x`, but at least `min` and at most `max`: with their defaults, 0 and 6, ReLU6.
    Clip {
        /// The least.
        #[serde(default)]
        min: f32,
        /// The most.
        #[serde(default = "six")]
        max: f32,
    },
    /// `1 / (1 + e^-x)`.
    Sigmoid {},
    /// The hyperbolic tangent.
    Tanh {},
    /// `x * Phi(x)`.
    Gelu {},
    /// Exponentials that sum to 1 over the channels. A classifier does not need it: the loss has its own.
    Softmax {},
    /// The largest of each window.
    MaxPool {
        /// The window.
        ksize: [i64; 2],
        /// Step between windows; the window's size if it is not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        strides: Option<[i64; 2]>,
        /// As a convolution's.
        #[serde(default, with = "padding")]
        padding: Padding,
    },
    /// The mean of each window.
    AvgPool {
        /// The window.
        ksize: [i64; 2],
        /// Step between windows; the window's size if it is not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        strides: Option<[i64; 2]>,
        /// As a convolution's.
        #[serde(default, with = "padding")]
        padding: Padding,
    },
    /// The mean of each channel over the whole image.
    GlobalAvgPool {},
    /// The largest number of each channel over the whole image.
    GlobalMaxPool {},
    /// A row of a table for each number of the input, which stands for a word or a character. It comes first, on
    /// an input of one channel. Numbers must be whole; in an engine one outside the table has its nearest row.
    Embedding {
        /// Rows of the table: numbers from 0 to one less.
        vocabulary: usize,
        /// Numbers in a row: the output's channels.
        size: usize,
        /// How the table begins; for `he`, `fan_in` is `size`.
        #[serde(default, skip_serializing_if = "Init::is_default")]
        init: Init,
    },
    /// Normalizes each channel over the batch, then scales and shifts it.
    BatchNorm {
        /// Share of the moving statistics that stays at each step.
        #[serde(default = "momentum")]
        momentum: f32,
        /// Added to the variance.
        #[serde(default = "epsilon")]
        epsilon: f32,
    },
    /// While training, sets numbers to 0 with probability `rate` and scales the others up.
    Dropout {
        /// Probability of 0.
        rate: f32,
    },
    /// One row of numbers, in the order height, width, channel.
    Flatten {},
    /// The sum of several inputs of one shape.
    Add {},
    /// The channels of several inputs of one height and width, one after the other.
    Concat {},
}

fn ones() -> [i64; 2] {
    [1, 1]
}
fn is_ones(v: &[i64; 2]) -> bool {
    *v == [1, 1]
}
fn one() -> i64 {
    1
}
fn is_one(v: &i64) -> bool {
    *v == 1
}
fn yes() -> bool {
    true
}
fn is_yes(v: &bool) -> bool {
    *v
}
fn leak() -> f32 {
    0.2
}
fn six() -> f32 {
    6.0
}
fn momentum() -> f32 {
    0.99
}
fn epsilon() -> f32 {
    1e-3
}

impl LayerKind {
    /// The kind's name in a model file.
    pub fn name(&self) -> &'static str {
        match self {
            LayerKind::Conv2d { .. } => "conv2d",
            LayerKind::Dense { .. } => "dense",
            LayerKind::Relu {} => "relu",
            LayerKind::LeakyRelu { .. } => "leaky_relu",
            LayerKind::Clip { .. } => "clip",
            LayerKind::Sigmoid {} => "sigmoid",
            LayerKind::Tanh {} => "tanh",
            LayerKind::Gelu {} => "gelu",
            LayerKind::Softmax {} => "softmax",
            LayerKind::MaxPool { .. } => "max_pool",
            LayerKind::AvgPool { .. } => "avg_pool",
            LayerKind::GlobalAvgPool {} => "global_avg_pool",
            LayerKind::GlobalMaxPool {} => "global_max_pool",
            LayerKind::Embedding { .. } => "embedding",
            LayerKind::BatchNorm { .. } => "batch_norm",
            LayerKind::Dropout { .. } => "dropout",
            LayerKind::Flatten {} => "flatten",
            LayerKind::Add {} => "add",
            LayerKind::Concat {} => "concat",
        }
    }
}

impl From<LayerKind> for LayerSpec {
    fn from(kind: LayerKind) -> Self {
        LayerSpec { name: None, inputs: Vec::new(), kind, line: 0 }
    }
}

/// Padding in a model file: `"VALID"`, `"SAME"` or four numbers.
mod padding {
    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Raw {
        Word(String),
        Cells([i64; 4]),
    }

    pub fn serialize<S: Serializer>(padding: &Padding, s: S) -> Result<S::Ok, S::Error> {
        match padding {
            Padding::Explicit(cells) => Raw::Cells(*cells),
            word => Raw::Word(word.to_string()),
        }
        .serialize(s)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Padding, D::Error> {
        let wrong = "padding must be \"VALID\", \"SAME\" or [top, bottom, left, right]";
        match Raw::deserialize(d).map_err(|_| serde::de::Error::custom(wrong))? {
            Raw::Cells(cells) => Ok(Padding::Explicit(cells)),
            Raw::Word(word) if word == "VALID" => Ok(Padding::Valid),
            Raw::Word(word) if word == "SAME" => Ok(Padding::Same),
            Raw::Word(word) => Err(serde::de::Error::custom(format!("{wrong}, not \"{word}\""))),
        }
    }
}

impl ModelSpec {
    /// The rows of the embedding that the model begins with, if it does.
    pub fn vocabulary(&self) -> Option<usize> {
        self.layers.iter().find_map(|layer| match layer.kind {
            LayerKind::Embedding { vocabulary, .. } => Some(vocabulary),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_survives_toml_and_its_errors_name_the_line() {
        let spec = crate::builtin::spec("lab-11-2").unwrap();
        assert_eq!(ModelSpec::from_toml(&spec.to_toml()).unwrap(), strip(&spec));
        let bad = "[input]\nshape = [4, 4, 1]\n\n[[layer]]\nkind = \"conv2d\"\nfilters = 2\nkernel = [3, 3]\nstride = 2\n";
        let message = ModelSpec::from_toml(bad).unwrap_err().to_string();
        assert!(message.contains("line 8") && message.contains("did you mean `strides`?"), "{message}");
        let bad = "[input]\nshape = [4, 4, 1]\n[[layer]]\nkind = \"conv3d\"\n";
        let message = ModelSpec::from_toml(bad).unwrap_err().to_string();
        assert!(message.contains("`kind`") && message.contains("did you mean `conv2d`?"), "{message}");
        let bad = "[input]\nshape = [4, 4]\n";
        assert!(ModelSpec::from_toml(bad).unwrap_err().to_string().contains("line 2"));
        let bad = "[input]\nshape = [4, 4, 1]\n[[layer]]\nkind = \"max_pool\"\nksize = [2, 2]\npadding = \"FULL\"\n";
        assert!(ModelSpec::from_toml(bad).unwrap_err().to_string().contains("FULL"));
    }

    fn strip(spec: &ModelSpec) -> ModelSpec {
        let text = spec.to_toml();
        let mut again = ModelSpec::from_toml(&text).unwrap();
        again.layers.iter_mut().zip(&spec.layers).for_each(|(a, b)| assert_eq!(a.kind, b.kind));
        again.input = spec.input;
        again
    }
}
