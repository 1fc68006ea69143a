//! Layers other than convolutions, poolings and batch normalization, over the naive references: forward, and the
//! gradients of inputs and parameters.

use crate::interpreter::{pad, pair};
use foveal_nn::layers::{self, Along, How, LayerKind};
use foveal_testkit::reference::activation::{Activation, softmax, softmax_backward};
use foveal_testkit::reference::binary::{Binary, binary, binary_backward};
use foveal_testkit::reference::image_norm::{
    Response, image_norm, image_norm_backward, l2_normalize, l2_normalize_backward,
};
use foveal_testkit::reference::log_softmax::{log_softmax, log_softmax_backward};
use foveal_testkit::reference::rearrange::{
    Fill, channel_shuffle, depth_to_space, pad as pad_cells, rearrange_backward, slice, space_to_depth,
    transpose,
};
use foveal_testkit::reference::reduce::{Reduction, reduce, reduce_backward};
use foveal_testkit::reference::resize::{Resizing, resize, resize_backward};
use foveal_testkit::reference::scale::{prelu, prelu_backward, scale, scale_backward};
use foveal_testkit::reference::{ConvTranspose, conv2d_backward_bias};
use ndarray::{Array1, Array4};

type Maps = Array4<f64>;

/// Shape and numbers of a parameter.
pub type Param = (Vec<usize>, Vec<f64>);

fn row(p: &Param) -> Array1<f64> {
    Array1::from(p.1.clone())
}

fn filter(p: &Param) -> Maps {
    Array4::from_shape_vec([p.0[0], p.0[1], p.0[2], p.0[3]], p.1.clone()).unwrap()
}

fn four(x: &Maps) -> [usize; 4] {
    let (n, h, w, c) = x.dim();
    [n, h, w, c]
}

fn wide(v: f32) -> f64 {
    f64::from(v)
}

fn activation(kind: &LayerKind) -> Option<Activation> {
    Some(match kind {
        LayerKind::Relu(_) => Activation::Relu,
        LayerKind::LeakyRelu(f) => Activation::LeakyRelu { alpha: wide(f.alpha) },
        LayerKind::Clip(f) => Activation::Clip { min: wide(f.min), max: wide(f.max) },
        LayerKind::Sigmoid(_) => Activation::Sigmoid,
        LayerKind::HardSigmoid(f) => Activation::HardSigmoid { alpha: wide(f.alpha), beta: wide(f.beta) },
        LayerKind::Tanh(_) => Activation::Tanh,
        LayerKind::Gelu(f) if f.approximate => Activation::GeluTanh,
        LayerKind::Gelu(_) => Activation::Gelu,
        LayerKind::Silu(_) => Activation::Silu,
        LayerKind::HardSwish(_) => Activation::HardSwish,
        LayerKind::Elu(f) => Activation::Elu { alpha: wide(f.alpha) },
        LayerKind::Selu(f) => Activation::Selu { alpha: wide(f.alpha), gamma: wide(f.gamma) },
        LayerKind::Celu(f) => Activation::Celu { alpha: wide(f.alpha) },
        LayerKind::Softplus(_) => Activation::Softplus,
        LayerKind::Mish(_) => Activation::Mish,
        _ => return None,
    })
}

fn two(kind: &LayerKind) -> Option<Binary> {
    Some(match kind {
        LayerKind::Add(_) => Binary::Add,
        LayerKind::Subtract(_) => Binary::Subtract,
        LayerKind::Multiply(_) => Binary::Multiply,
        LayerKind::Maximum(_) => Binary::Maximum,
        LayerKind::Minimum(_) => Binary::Minimum,
        _ => return None,
    })
}

/// Groups (none: the channels of each place) and epsilon.
fn norm(kind: &LayerKind, channels: usize) -> Option<(Option<usize>, f64)> {
    Some(match kind {
        LayerKind::LayerNorm(l) => (None, wide(l.epsilon)),
        LayerKind::GroupNorm(l) => (Some(l.groups), wide(l.epsilon)),
        LayerKind::InstanceNorm(l) => (Some(channels), wide(l.epsilon)),
        _ => return None,
    })
}

fn response(l: &layers::LocalResponseNorm) -> Response {
    Response { size: l.size, alpha: wide(l.alpha), beta: wide(l.beta), bias: wide(l.bias) }
}

fn reduction(l: &layers::Reduce) -> (Reduction, [bool; 3]) {
    let how = match l.how {
        How::Mean => Reduction::Mean,
        How::Sum => Reduction::Sum,
        How::Max => Reduction::Max,
    };
    (how, [Along::Height, Along::Width, Along::Channels].map(|axis| l.over.contains(&axis)))
}

fn transposed(l: &layers::Conv2dTranspose) -> ConvTranspose {
    ConvTranspose {
        strides: pair(l.strides),
        dilations: pair(l.dilations),
        padding: pad(l.padding),
        output_padding: pair(l.output_padding),
        groups: l.groups as usize,
    }
}

/// What a layer that only moves numbers makes of `x`; `made_up` stands where nothing goes.
fn moved(kind: &LayerKind, x: &Maps, made_up: Option<f64>) -> Option<Maps> {
    let channel_first = |order| order == layers::DepthToSpaceOrder::ChannelFirst;
    Some(match kind {
        LayerKind::Slice(l) => {
            let extents = [x.dim().1, x.dim().2, x.dim().3];
            let (mut begin, mut size) = ([0; 3], extents);
            for (axis, range) in [l.rows, l.columns, l.channels].into_iter().enumerate() {
                let n = extents[axis] as i64;
                let [a, b] = range.unwrap_or([0, n]).map(|v| if v < 0 { v + n } else { v });
                begin[axis] = a as usize;
                size[axis] = (a..b).step_by(l.steps[axis] as usize).count();
            }
            slice(x, begin, size, l.steps)
        }
        LayerKind::Pad(l) => {
            let [top, bottom, left, right] = l.cells;
            let fill = match l.mode {
                layers::PadMode::Constant => Fill::Constant(made_up.unwrap_or(wide(l.value))),
                layers::PadMode::Reflect => Fill::Reflect,
                layers::PadMode::Edge => Fill::Edge,
                layers::PadMode::Wrap => Fill::Wrap,
            };
            pad_cells(x, [[top, bottom], [left, right], l.channels], fill)
        }
        LayerKind::ChannelShuffle(l) => channel_shuffle(x, l.groups),
        LayerKind::DepthToSpace(l) => depth_to_space(x, l.block, channel_first(l.order)),
        LayerKind::SpaceToDepth(l) => space_to_depth(x, l.block, channel_first(l.order)),
        LayerKind::Transpose(l) => transpose(x, l.order),
        _ => return None,
    })
}

/// Calls `f` with how a resize reads its input.
fn resized<T>(l: &layers::Resize, x: &Maps, f: impl FnOnce(&Resizing<'_>) -> T) -> T {
    use layers::{Coordinates, ResizeMethod, Round};
    let nearest = l.method == ResizeMethod::Nearest;
    let usual = if nearest { Coordinates::Asymmetric } else { Coordinates::HalfPixel };
    let coordinates = match l.coordinates.unwrap_or(usual) {
        Coordinates::HalfPixel => "half_pixel",
        Coordinates::PytorchHalfPixel => "pytorch_half_pixel",
        Coordinates::AlignCorners => "align_corners",
        Coordinates::Asymmetric => "asymmetric",
        Coordinates::TfHalfPixelForNn => "tf_half_pixel_for_nn",
    };
    let mode = match l.round.unwrap_or(Round::Floor) {
        _ if !nearest => "linear",
        Round::RoundPreferFloor => "round_prefer_floor",
        Round::RoundPreferCeil => "round_prefer_ceil",
        Round::Floor => "floor",
        Round::Ceil => "ceil",
    };
    let times = |n: usize, s: f32| (n as f64 * wide(s)).floor() as usize;
    let size = l.size.unwrap_or_else(|| {
        let [a, b] = l.scale.unwrap();
        [times(x.dim().1, a), times(x.dim().2, b)]
    });
    f(&Resizing { size, scales: l.scale, coordinates, mode })
}

/// The output of a layer for its inputs.
pub fn forward(kind: &LayerKind, x: &[&Maps], params: &[Param]) -> Maps {
    output(kind, x, params).as_standard_layout().into_owned()
}

fn output(kind: &LayerKind, x: &[&Maps], params: &[Param]) -> Maps {
    let first = x[0];
    if let Some(f) = activation(kind) {
        return f.forward(first);
    }
    if let (Some(f), [a, b]) = (two(kind), x) {
        return binary(f, a, b);
    }
    if let Some((groups, epsilon)) = norm(kind, first.dim().3) {
        return image_norm(first, &row(&params[0]), &row(&params[1]), groups, epsilon);
    }
    if let Some(y) = moved(kind, first, None) {
        return y;
    }
    match kind {
        LayerKind::Softmax(_) => softmax(first),
        LayerKind::LogSoftmax(_) => log_softmax(first),
        LayerKind::L2Normalize(l) => l2_normalize(first, wide(l.epsilon)),
        LayerKind::LocalResponseNorm(l) => response(l).forward(first),
        LayerKind::Reduce(l) => {
            let (how, over) = reduction(l);
            reduce(how, first, over)
        }
        LayerKind::Resize(l) => resized(l, first, |how| resize(first, how)),
        LayerKind::Scale(_) => scale(first, &row(&params[0])),
        LayerKind::Prelu(_) => prelu(first, &row(&params[0])),
        LayerKind::Conv2dTranspose(l) => {
            transposed(l).forward(first, &filter(&params[0]), params.get(1).map(row).as_ref())
        }
        other => panic!("{other:?} has no reference"),
    }
}

/// The gradients of each input and parameter.
pub fn backward(kind: &LayerKind, d_y: &Maps, x: &[&Maps], params: &[Param]) -> (Vec<Maps>, Vec<Vec<f64>>) {
    let first = x[0];
    let one = |d: Maps| (vec![d], Vec::new());
    let with = |(d, p): (Maps, Array1<f64>)| (vec![d], vec![p.to_vec()]);
    if let Some(f) = activation(kind) {
        return one(f.backward(d_y, first));
    }
    if let (Some(f), [a, b]) = (two(kind), x) {
        return (binary_backward(f, d_y, a, b).into(), Vec::new());
    }
    if let Some((groups, epsilon)) = norm(kind, first.dim().3) {
        let (d, gamma, beta) = image_norm_backward(d_y, first, &row(&params[0]), groups, epsilon);
        return (vec![d], vec![gamma.to_vec(), beta.to_vec()]);
    }
    if moved(kind, first, None).is_some() {
        return one(rearrange_backward(d_y, four(first), |x| moved(kind, x, Some(-1.0)).unwrap()));
    }
    match kind {
        LayerKind::Softmax(_) => one(softmax_backward(d_y, first)),
        LayerKind::LogSoftmax(_) => one(log_softmax_backward(d_y, first)),
        LayerKind::L2Normalize(l) => one(l2_normalize_backward(d_y, first, wide(l.epsilon))),
        LayerKind::LocalResponseNorm(l) => one(response(l).backward(d_y, first)),
        LayerKind::Reduce(l) => {
            let (how, over) = reduction(l);
            one(reduce_backward(how, d_y, first, over))
        }
        LayerKind::Resize(l) => one(resized(l, first, |how| resize_backward(d_y, four(first), how))),
        LayerKind::Scale(_) => with(scale_backward(d_y, first, &row(&params[0]))),
        LayerKind::Prelu(_) => with(prelu_backward(d_y, first, &row(&params[0]))),
        LayerKind::Conv2dTranspose(l) => {
            let (conv, w) = (transposed(l), filter(&params[0]));
            let own = conv.backward_filter(d_y, first, four(&w)).into_raw_vec_and_offset().0;
            let bias = params.get(1).map(|_| conv2d_backward_bias(d_y).to_vec());
            (vec![conv.backward_input(d_y, &w, four(first))], std::iter::once(own).chain(bias).collect())
        }
        other => panic!("{other:?} has no reference"),
    }
}
