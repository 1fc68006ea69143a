use super::grid;
use crate::Error;
use foveal_kernels::grid::{DepthOrder, Op, PadMode, Rearrangement};
use ndarray::{Array4, ArrayView4};

fn forward(x: ArrayView4<f32>, how: Rearrangement, fill: f32) -> Result<Array4<f32>, Error> {
    grid::run(&Op::Rearrange { how, fill }, &[x], &[])
}

fn backward(input: [usize; 4], how: Rearrangement, d_output: ArrayView4<f32>) -> Result<Array4<f32>, Error> {
    let op = Op::Rearrange { how, fill: 0.0 };
    let (mut d, _) = grid::gradients(&op, &[grid::unread(&op, input)?], &[], d_output, d_output)?;
    Ok(d.remove(0))
}

/// `size` cells of height, width and channels from `begin` on, `step` apart; a negative step walks back.
/// `x` `[n, h, w, c]`, result `[n, size..]`. TensorFlow's `tf.strided_slice`, ONNX's Slice, NumPy's `x[:, a:b:s]`.
///
/// # Errors
/// When a cell is not in `x` or the result is empty.
pub fn strided_slice(
    x: ArrayView4<f32>,
    begin: [usize; 3],
    size: [usize; 3],
    step: [i64; 3],
) -> Result<Array4<f32>, Error> {
    forward(x, Rearrangement::Slice { begin, size, step }, 0.0)
}

/// The gradient of [`strided_slice`] with respect to an input of shape `input`: `d_output` at the cells that were
/// taken, 0 elsewhere.
///
/// # Errors
/// When the shapes do not fit the options or each other.
pub fn strided_slice_backward(
    input: [usize; 4],
    begin: [usize; 3],
    size: [usize; 3],
    step: [i64; 3],
    d_output: ArrayView4<f32>,
) -> Result<Array4<f32>, Error> {
    backward(input, Rearrangement::Slice { begin, size, step }, d_output)
}

/// `cells[axis]` cells before and after height, width and channels: `fill`, the image mirrored without its edge,
/// its edge, or the image again. NumPy's and ONNX's modes `constant`, `reflect`, `edge`, `wrap`; TensorFlow's
/// `tf.pad` has the first two, PyTorch's `torch.nn.functional.pad` calls the others `replicate` and `circular`. Where
/// more is mirrored than the image has (which both of them refuse) it is mirrored again, as NumPy does.
///
/// # Errors
/// When `fill` is not finite or the result too large.
pub fn pad(
    x: ArrayView4<f32>,
    cells: [[usize; 2]; 3],
    mode: PadMode,
    fill: f32,
) -> Result<Array4<f32>, Error> {
    forward(x, Rearrangement::Pad { cells, mode }, fill)
}

/// The gradient of [`pad`] with respect to an input of shape `input`: each cell's own and that of its copies.
///
/// # Errors
/// When the shapes do not fit the options or each other.
pub fn pad_backward(
    input: [usize; 4],
    cells: [[usize; 2]; 3],
    mode: PadMode,
    d_output: ArrayView4<f32>,
) -> Result<Array4<f32>, Error> {
    backward(input, Rearrangement::Pad { cells, mode }, d_output)
}

/// Channels, seen as `[groups, c / groups]`, transposed (Zhang et al. 2018): `torch.nn.ChannelShuffle`.
///
/// # Errors
/// When `groups` does not divide the channels.
pub fn channel_shuffle(x: ArrayView4<f32>, groups: usize) -> Result<Array4<f32>, Error> {
    forward(x, Rearrangement::ChannelShuffle { groups }, 0.0)
}

/// The gradient of [`channel_shuffle`], from `d_output` of the input's shape.
///
/// # Errors
/// When `groups` does not divide the channels.
pub fn channel_shuffle_backward(d_output: ArrayView4<f32>, groups: usize) -> Result<Array4<f32>, Error> {
    let (n, h, w, c) = d_output.dim();
    backward([n, h, w, c], Rearrangement::ChannelShuffle { groups }, d_output)
}

/// Channels to blocks of `block` x `block` cells: `[n, h, w, block * block * c]` to `[n, h * block, w * block, c]`.
/// TensorFlow's `tf.nn.depth_to_space` and ONNX's DepthToSpace in mode DCR with [`DepthOrder::BlockFirst`],
/// `torch.nn.PixelShuffle` and mode CRD with [`DepthOrder::ChannelFirst`] (Shi et al. 2016).
///
/// # Errors
/// When `block` times itself does not divide the channels.
pub fn depth_to_space(x: ArrayView4<f32>, block: usize, order: DepthOrder) -> Result<Array4<f32>, Error> {
    forward(x, Rearrangement::DepthToSpace { block, order }, 0.0)
}

/// The gradient of [`depth_to_space`] from `d_output` `[n, h * block, w * block, c]`: [`space_to_depth`] of it.
///
/// # Errors
/// When `block` does not divide height and width.
pub fn depth_to_space_backward(
    d_output: ArrayView4<f32>,
    block: usize,
    order: DepthOrder,
) -> Result<Array4<f32>, Error> {
    space_to_depth(d_output, block, order)
}

/// Blocks of `block` x `block` cells to channels: `[n, h, w, c]` to `[n, h / block, w / block, block * block * c]`.
/// TensorFlow's `tf.nn.space_to_depth` and ONNX's SpaceToDepth with [`DepthOrder::BlockFirst`],
/// `torch.nn.PixelUnshuffle` with [`DepthOrder::ChannelFirst`].
///
/// # Errors
/// When `block` does not divide height and width.
pub fn space_to_depth(x: ArrayView4<f32>, block: usize, order: DepthOrder) -> Result<Array4<f32>, Error> {
    forward(x, Rearrangement::SpaceToDepth { block, order }, 0.0)
}

/// The gradient of [`space_to_depth`] from `d_output` `[n, h / block, w / block, block * block * c]`:
/// [`depth_to_space`] of it.
///
/// # Errors
/// When `block` times itself does not divide the channels.
pub fn space_to_depth_backward(
    d_output: ArrayView4<f32>,
    block: usize,
    order: DepthOrder,
) -> Result<Array4<f32>, Error> {
    depth_to_space(d_output, block, order)
}
