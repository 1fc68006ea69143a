//! The kinds of layers, a file each: its options, the shape that comes out, its parameters, forward and gradient,
//! the steps it becomes in the engine, and what a person is told of it.
//!
//! The list below is the only one. A new kind is a file and a row here; the compiler asks for the rest (see
//! docs/adding-a-layer.md).

mod activations;
mod add;
mod avg_pool;
mod batch_norm;
mod celu;
mod channel_shuffle;
mod clip;
mod concat;
mod conv2d;
mod conv2d_transpose;
mod custom;
mod dense;
mod depth_to_space;
mod dropout;
mod elu;
mod embedding;
mod fields;
mod flatten;
mod gelu;
mod global_avg_pool;
mod global_max_pool;
mod group_norm;
mod hard_sigmoid;
mod hard_swish;
mod instance_norm;
mod l2_normalize;
mod layer;
mod layer_norm;
mod leaky_relu;
mod local_response_norm;
mod log_softmax;
mod max_pool;
mod maximum;
mod minimum;
mod mish;
mod multiply;
mod pad;
mod pooling;
mod prelu;
mod reduce;
mod relu;
mod resize;
mod scale;
mod selu;
mod sigmoid;
mod silu;
mod simple;
mod slice;
mod softmax;
mod softplus;
mod space_to_depth;
mod subtract;
mod tanh;
mod transpose;

pub(crate) use layer::{At, Layer, ParamSpec, Pass, Passage, Shape};
pub use layer::{MadeOf, ParamRole, Role, Words};

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident: $name:ident,)*) => {
        $(pub use $name::$kind;)*

        /// What a layer does: its kind, with that kind's options.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        pub enum LayerKind {
            $($(#[$doc])* $kind($kind),)*
            /// A layer of the program's own, which no file can hold.
            #[serde(skip)]
            Custom(Custom),
        }

        impl LayerKind {
            /// The names of all kinds, as they stand in model files.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// The kind's name in a model file.
            pub fn name(&self) -> &'static str {
                match self {
                    $(LayerKind::$kind(_) => stringify!($name),)*
                    LayerKind::Custom(own) => own.kind(),
                }
            }

            /// All that is known of the kind.
            pub(crate) fn layer(&self) -> &dyn Layer {
                match self {
                    $(LayerKind::$kind(layer) => layer,)*
                    LayerKind::Custom(layer) => layer,
                }
            }
        }

        $(impl From<$kind> for LayerKind {
            fn from(layer: $kind) -> Self {
                LayerKind::$kind(layer)
            }
        })*
    };
}

kinds! {
    /// Two-dimensional convolution (cross-correlation).
    Conv2d: conv2d,
    /// The transpose of a convolution, which makes maps larger.
    Conv2dTranspose: conv2d_transpose,
    /// A matrix product: every input number to every unit.
    Dense: dense,
    /// `max(x, 0)`.
    Relu: relu,
    /// `x` where positive, else `alpha x`.
    LeakyRelu: leaky_relu,
    /// `x` where positive, else `alpha x`, with an `alpha` for each channel that is learnt.
    Prelu: prelu,
    /// `x`, but at least `min` and at most `max`: with their defaults, 0 and 6, ReLU6.
    Clip: clip,
    /// `1 / (1 + e^-x)`.
    Sigmoid: sigmoid,
    /// A straight line instead of the sigmoid's curve: `alpha x + beta`, from 0 to 1.
    HardSigmoid: hard_sigmoid,
    /// The hyperbolic tangent.
    Tanh: tanh,
    /// `x` times the normal distribution function of `x`.
    Gelu: gelu,
    /// `x` times the sigmoid of `x`, also called swish.
    Silu: silu,
    /// `x` times a straight line instead of the sigmoid's curve.
    HardSwish: hard_swish,
    /// `x` where positive, else `alpha (e^x - 1)`.
    Elu: elu,
    /// The self-normalizing ELU.
    Selu: selu,
    /// `x` where positive, else `alpha (e^(x / alpha) - 1)`.
    Celu: celu,
    /// `ln(1 + e^x)`.
    Softplus: softplus,
    /// `x tanh(softplus(x))`.
    Mish: mish,
    /// Exponentials that sum to 1 over the channels. A classifier does not need it: the loss has its own.
    Softmax: softmax,
    /// The logarithm of softmax.
    LogSoftmax: log_softmax,
    /// The largest of each window.
    MaxPool: max_pool,
    /// The mean of each window.
    AvgPool: avg_pool,
    /// The mean of each channel over the whole image.
    GlobalAvgPool: global_avg_pool,
    /// The largest number of each channel over the whole image.
    GlobalMaxPool: global_max_pool,
    /// The mean, sum or maximum over the axes that are named.
    Reduce: reduce,
    /// A row of a table for each number of the input, which stands for a word or a character.
    Embedding: embedding,
    /// Normalizes each channel over the batch, then scales and shifts it.
    BatchNorm: batch_norm,
    /// Normalizes the channels of each place, then scales and shifts them.
    LayerNorm: layer_norm,
    /// Normalizes groups of channels over each image, then scales and shifts them.
    GroupNorm: group_norm,
    /// Normalizes each channel over each image, then scales and shifts it.
    InstanceNorm: instance_norm,
    /// Divides each number by what its neighbours in the channels come to.
    LocalResponseNorm: local_response_norm,
    /// Scales the channels of each place to length 1.
    L2Normalize: l2_normalize,
    /// A learnt factor for each channel.
    Scale: scale,
    /// While training, sets numbers to 0 with probability `rate` and scales the others up.
    Dropout: dropout,
    /// One row of numbers, in the order height, width, channel.
    Flatten: flatten,
    /// The sum of its inputs.
    Add: add,
    /// The first input less the second.
    Subtract: subtract,
    /// The product of two inputs: a gate, where one has a single cell or a single channel.
    Multiply: multiply,
    /// The larger of two inputs.
    Maximum: maximum,
    /// The smaller of two inputs.
    Minimum: minimum,
    /// The channels of several inputs of one height and width, one after the other.
    Concat: concat,
    /// A part of the channels, rows or columns.
    Slice: slice,
    /// Rows, columns or channels put around.
    Pad: pad,
    /// Another height and width, by the nearest cell or a straight line between cells.
    Resize: resize,
    /// Mixes the channels of groups.
    ChannelShuffle: channel_shuffle,
    /// Channels become places: maps `block` times as high and wide.
    DepthToSpace: depth_to_space,
    /// Places become channels: maps `block` times smaller.
    SpaceToDepth: space_to_depth,
    /// Height, width and channels change places.
    Transpose: transpose,
}

pub use custom::{Custom, CustomGradients, CustomLayer, CustomParam};
pub use depth_to_space::Order as DepthToSpaceOrder;
pub use pad::Mode as PadMode;
pub use reduce::{Along, How};
pub use resize::{Coordinates, Method as ResizeMethod, Round};

impl From<Custom> for LayerKind {
    fn from(layer: Custom) -> Self {
        LayerKind::Custom(layer)
    }
}

impl LayerKind {
    /// Which of a network's three parts the layer belongs to.
    pub fn role(&self) -> Role {
        self.layer().role()
    }

    /// What the layer does, in a few words.
    pub fn words(&self) -> Words {
        self.layer().words()
    }

    /// Whether each cell is made of the same cell of the inputs (and of statistics), so that maps stay in place:
    /// activations, normalizations, sums.
    pub fn keeps_places(&self) -> bool {
        self.layer().keeps_places()
    }

    /// The activation function, if that is all the layer does.
    pub fn function(&self) -> Option<crate::ops::Activation> {
        self.layer().function()
    }

    /// What a cell of the output is made of.
    pub fn made_of(&self) -> MadeOf {
        self.layer().made_of()
    }

    /// The options of an activation, by name.
    pub fn numbers(&self) -> Vec<(&'static str, f32)> {
        self.layer().numbers()
    }

    /// For a layer that only moves numbers: the cell of an input of shape `from` `[h, w, c]` that stands at cell `at`
    /// of the output; nothing inside where the number is made up, as in padding.
    pub fn moved_from(&self, from: [usize; 3], at: [usize; 3]) -> Option<Option<[usize; 3]>> {
        self.layer().moved_from(from, at)
    }
}
