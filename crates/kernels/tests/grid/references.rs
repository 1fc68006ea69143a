//! The naive reference of each operation.

use foveal_kernels::grid::{
    Binary, Coordinates, DepthOrder, Method, NearestRound, Op, PadMode, Rearrangement, Reduction, Resize,
};
use foveal_testkit::reference::activation::{softmax, softmax_backward};
use foveal_testkit::reference::image_norm::{self as norm, Response};
use foveal_testkit::reference::log_softmax::{log_softmax, log_softmax_backward};
use foveal_testkit::reference::rearrange::{self, Fill};
use foveal_testkit::reference::resize::{self, Resizing};
use foveal_testkit::reference::{binary, reduce, scale};
use ndarray::{Array1, Array4};

type Image = Array4<f64>;

/// The gradients of inputs and of parameters.
pub type Gradients = (Vec<Image>, Vec<Array1<f64>>);

fn four(a: &Image) -> [usize; 4] {
    let (n, h, w, c) = a.dim();
    [n, h, w, c]
}

fn rearranged(how: &Rearrangement, fill: f64, x: &Image) -> Image {
    let first = |order: &DepthOrder| *order == DepthOrder::ChannelFirst;
    match how {
        Rearrangement::Slice { begin, size, step } => rearrange::slice(x, *begin, *size, *step),
        Rearrangement::Pad { cells, mode } => {
            let fill = match mode {
                PadMode::Constant => Fill::Constant(fill),
                PadMode::Reflect => Fill::Reflect,
                PadMode::Edge => Fill::Edge,
                PadMode::Wrap => Fill::Wrap,
            };
            rearrange::pad(x, *cells, fill)
        }
        Rearrangement::ChannelShuffle { groups } => rearrange::channel_shuffle(x, *groups),
        Rearrangement::DepthToSpace { block, order } => rearrange::depth_to_space(x, *block, first(order)),
        Rearrangement::SpaceToDepth { block, order } => rearrange::space_to_depth(x, *block, first(order)),
        Rearrangement::Nearest { rows, columns } => {
            x.select(ndarray::Axis(1), rows).select(ndarray::Axis(2), columns)
        }
        Rearrangement::Transpose { order } => rearrange::transpose(x, *order),
    }
}

fn resizing(r: &Resize) -> Resizing<'static> {
    Resizing {
        size: r.size,
        scales: r.scales,
        coordinates: match r.coordinates {
            Coordinates::HalfPixel => "half_pixel",
            Coordinates::PytorchHalfPixel => "pytorch_half_pixel",
            Coordinates::AlignCorners => "align_corners",
            Coordinates::Asymmetric => "asymmetric",
            Coordinates::TfHalfPixelForNn => "tf_half_pixel_for_nn",
        },
        mode: match r.method {
            Method::Linear => "linear",
            Method::Nearest(NearestRound::Floor) => "floor",
            Method::Nearest(NearestRound::Ceil) => "ceil",
            Method::Nearest(NearestRound::RoundPreferFloor) => "round_prefer_floor",
            Method::Nearest(NearestRound::RoundPreferCeil) => "round_prefer_ceil",
        },
    }
}

fn function(f: Binary) -> binary::Binary {
    match f {
        Binary::Add => binary::Binary::Add,
        Binary::Subtract => binary::Binary::Subtract,
        Binary::Multiply => binary::Binary::Multiply,
        Binary::Maximum => binary::Binary::Maximum,
        Binary::Minimum => binary::Binary::Minimum,
    }
}

fn reduction(how: Reduction) -> reduce::Reduction {
    match how {
        Reduction::Mean => reduce::Reduction::Mean,
        Reduction::Sum => reduce::Reduction::Sum,
        Reduction::Max => reduce::Reduction::Max,
    }
}

fn response(op: &Op) -> Response {
    let &Op::LocalResponseNorm { size, alpha, beta, bias } = op else { unreachable!("asked for no other") };
    Response { size, alpha: f64::from(alpha), beta: f64::from(beta), bias: f64::from(bias) }
}

pub fn forward(op: &Op, x: &[Image], params: &[Array1<f64>]) -> Image {
    let wide = f64::from;
    match op {
        Op::Rearrange { how, fill } => rearranged(how, wide(*fill), &x[0]),
        Op::Resize(r) => resize::resize(&x[0], &resizing(r)),
        Op::Binary(f) => binary::binary(function(*f), &x[0], &x[1]),
        Op::GroupNorm { groups, epsilon } => {
            norm::image_norm(&x[0], &params[0], &params[1], Some(*groups), wide(*epsilon))
        }
        Op::LayerNorm { epsilon } => norm::image_norm(&x[0], &params[0], &params[1], None, wide(*epsilon)),
        Op::LocalResponseNorm { .. } => response(op).forward(&x[0]),
        Op::L2Normalize { epsilon } => norm::l2_normalize(&x[0], wide(*epsilon)),
        Op::Softmax => softmax(&x[0]),
        Op::LogSoftmax => log_softmax(&x[0]),
        Op::Reduce { how, over } => reduce::reduce(reduction(*how), &x[0], *over),
        Op::Scale => scale::scale(&x[0], &params[0]),
        Op::Prelu => scale::prelu(&x[0], &params[0]),
    }
}

pub fn backward(op: &Op, d: &Image, x: &[Image], params: &[Array1<f64>]) -> Gradients {
    let wide = f64::from;
    let image_norm = |groups, epsilon| {
        let (dx, gamma, beta) = norm::image_norm_backward(d, &x[0], &params[0], groups, wide(epsilon));
        (vec![dx], vec![gamma, beta])
    };
    let only = |d: Image| (vec![d], Vec::new());
    let with = |(d, k): (Image, Array1<f64>)| (vec![d], vec![k]);
    match op {
        Op::Rearrange { how, .. } => {
            only(rearrange::rearrange_backward(d, four(&x[0]), |x| rearranged(how, -1.0, x)))
        }
        Op::Resize(r) => only(resize::resize_backward(d, four(&x[0]), &resizing(r))),
        Op::Binary(f) => (binary::binary_backward(function(*f), d, &x[0], &x[1]).into(), Vec::new()),
        Op::GroupNorm { groups, epsilon } => image_norm(Some(*groups), *epsilon),
        Op::LayerNorm { epsilon } => image_norm(None, *epsilon),
        Op::LocalResponseNorm { .. } => only(response(op).backward(d, &x[0])),
        Op::L2Normalize { epsilon } => only(norm::l2_normalize_backward(d, &x[0], wide(*epsilon))),
        Op::Softmax => only(softmax_backward(d, &x[0])),
        Op::LogSoftmax => only(log_softmax_backward(d, &x[0])),
        Op::Reduce { how, over } => only(reduce::reduce_backward(reduction(*how), d, &x[0], *over)),
        Op::Scale => with(scale::scale_backward(d, &x[0], &params[0])),
        Op::Prelu => with(scale::prelu_backward(d, &x[0], &params[0])),
    }
}
