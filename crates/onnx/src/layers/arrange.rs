//! Numbers put in the order that a layer needs.

use crate::activation::Activation;
use crate::importer::Importer;
use crate::view::{CHANNELS, HEIGHT, WIDTH};
use foveal_nn::layers as kinds;
use foveal_nn::spec::LayerKind;

/// A row of numbers `[1, 1, c]`, with a flatten layer if it needs one; its order in the graph stays to be minded.
pub(super) fn flat(importer: &mut Importer, x: Activation) -> Result<Activation, String> {
    if x.shape[..2] == [1, 1] {
        return Ok(x);
    }
    let view = x.view.flattened(x.shape);
    importer.push(LayerKind::Flatten(kinds::Flatten {}), &[x.layer], [1, 1, x.size()], view)
}

/// A value whose axes in the graph are channels, height and width, or channels and width.
pub(super) fn picture(_: &mut Importer, x: Activation) -> Result<Activation, String> {
    if x.channels_first() {
        return Ok(x);
    }
    let rank = x.rank();
    Err(match rank {
        3 | 4 if x.view.axes(x.shape).is_some() => {
            "its input has channels last; ONNX's windows need channels first".into()
        }
        3 | 4 => format!("its input {} has its numbers in an order that is not supported", x.told()),
        _ => format!("its input has {rank} axes; only [n, c, h, w] and [n, c, l] are supported"),
    })
}

/// The last value as foveal's models give it: a row, or height, width and channels.
pub(crate) fn row(importer: &mut Importer, last: Activation) -> Result<Activation, String> {
    if last.layer.is_none() || last.layer != importer.layers.len().checked_sub(1) {
        return Err("there is no layer between input and output".into());
    }
    let picture = [&[CHANNELS, HEIGHT, WIDTH][..], &[CHANNELS, WIDTH]]
        .iter()
        .any(|axes| last.view.is(axes, last.shape));
    if !picture && !last.view.in_order(last.shape) {
        return Err(format!(
            "{} has its numbers in another order than height, width, channel, in which foveal flattens; a Flatten \
             at the end is not supported without a Gemm or MatMul after it",
            last.told()
        ));
    }
    flat(importer, last)
}
