//! What an operation is, and what can be told of it without its numbers.

use super::{Binary, Rearrangement, Reduction, Resize};

/// A layer's arithmetic. Shapes are `[h, w, c]`, of one image.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Numbers at other places, as they are.
    Rearrange {
        /// Which goes where.
        how: Rearrangement,
        /// What stands where nothing goes (constant padding).
        fill: f32,
    },
    /// Rows and columns read between the cells.
    Resize(Resize),
    /// Two inputs, number by number, with NumPy's broadcasting: an extent of 1 meets any.
    Binary(Binary),
    /// `gamma (x - mean) / sqrt(variance + epsilon) + beta` with the statistics of one image over height, width and
    /// the channels of a group (Wu and He 2018); parameters gamma `[c]` and beta `[c]`. With as many groups as
    /// channels it is instance normalization. The variance is divided by the count.
    GroupNorm {
        /// Channels are split into so many groups.
        groups: usize,
        /// Added to the variance.
        epsilon: f32,
    },
    /// The same with the statistics over the channels of each place (Ba, Kiros and Hinton 2016); parameters gamma
    /// `[c]` and beta `[c]`.
    LayerNorm {
        /// Added to the variance.
        epsilon: f32,
    },
    /// `x / (bias + alpha / size * s)^beta`, where `s` sums the squares of `size` channels around x's
    /// (Krizhevsky, Sutskever and Hinton 2012): `floor((size - 1) / 2)` before and `ceil((size - 1) / 2)` after, as
    /// ONNX's LRN. PyTorch's window for an even size has the longer side before instead.
    LocalResponseNorm {
        /// Channels of a window.
        size: usize,
        /// The squares' weight, together.
        alpha: f32,
        /// The exponent.
        beta: f32,
        /// Added to the sum; above 0.
        bias: f32,
    },
    /// `x / max(norm, epsilon)` with the Euclidean norm over the channels of each place; 0 where both are 0.
    L2Normalize {
        /// The least divisor.
        epsilon: f32,
    },
    /// `e^x / sum e^x` over the channels of each place.
    Softmax,
    /// `x - ln sum e^x` over the channels of each place.
    LogSoftmax,
    /// One number for many; reduced extents become 1.
    Reduce {
        /// Which.
        how: Reduction,
        /// Whether over height, width, channels.
        over: [bool; 3],
    },
    /// `gamma[c] x`; parameter gamma, `[c]` or `[1]`.
    Scale,
    /// `x` where above 0, else `alpha[c] x` (He et al. 2015); parameter alpha, `[c]` or `[1]`. The slope at 0 is alpha.
    Prelu,
}

impl Op {
    /// The operator's name, as errors and layers have it.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Rearrange { how, .. } => how.name(),
            Op::Resize(_) => "resize",
            Op::Binary(f) => f.name(),
            Op::GroupNorm { .. } => "group_norm",
            Op::LayerNorm { .. } => "layer_norm",
            Op::LocalResponseNorm { .. } => "local_response_norm",
            Op::L2Normalize { .. } => "l2_normalize",
            Op::Softmax => "softmax",
            Op::LogSoftmax => "log_softmax",
            Op::Reduce { .. } => "reduce",
            Op::Scale => "scale",
            Op::Prelu => "prelu",
        }
    }

    /// Inputs: 1 or 2.
    pub fn inputs(&self) -> usize {
        if matches!(self, Op::Binary(_)) { 2 } else { 1 }
    }

    /// Parameters: 0, 1 or 2. Each has as many numbers as there are channels, those of [`Op::Scale`] and
    /// [`Op::Prelu`] one number if so wished.
    pub fn params(&self, _channels: usize) -> usize {
        match self {
            Op::GroupNorm { .. } | Op::LayerNorm { .. } => 2,
            Op::Scale | Op::Prelu => 1,
            _ => 0,
        }
    }

    /// Floating point operations for one image, forward; 0 for what only moves numbers. An exponential or a power
    /// counts as one.
    pub fn flops(&self, inputs: &[[usize; 3]]) -> u64 {
        let numbers = |s: [usize; 3]| s.iter().fold(1u64, |n, &e| n.saturating_mul(e as u64));
        let first = inputs.first().copied().unwrap_or([0; 3]);
        let of_each = |n: u64| numbers(first).saturating_mul(n);
        match self {
            Op::Rearrange { .. } => 0,
            Op::Resize(r) => r.flops(first),
            Op::Binary(_) => self.output_shape(inputs).map_or(0, numbers),
            Op::GroupNorm { .. } | Op::LayerNorm { .. } => of_each(8),
            Op::LocalResponseNorm { size, .. } => of_each((*size as u64).saturating_add(5)),
            Op::L2Normalize { .. } => of_each(3),
            Op::Softmax | Op::LogSoftmax => of_each(5),
            Op::Reduce { .. } | Op::Scale | Op::Prelu => of_each(1),
        }
    }

    /// Whether the backward pass reads the output.
    pub fn reads_output(&self) -> bool {
        matches!(self, Op::Softmax | Op::LogSoftmax)
    }

    /// Whether a backward pass, for an input or for a parameter, reads the inputs.
    pub fn reads_input(&self) -> bool {
        match self {
            Op::Rearrange { .. } | Op::Resize(_) | Op::Softmax | Op::LogSoftmax => false,
            Op::Binary(f) => f.reads_input(),
            Op::Reduce { how, .. } => *how == Reduction::Max,
            _ => true,
        }
    }
}
