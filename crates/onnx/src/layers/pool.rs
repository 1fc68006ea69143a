//! Pooling.

use super::arrange::picture;
use super::conv::channels_first;
use super::window::{Auto, Window};
use super::{Given, Row};
use crate::activation::{Activation, Pad};
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use foveal_nn::init::Init;
use foveal_nn::layers as kinds;
use foveal_nn::spec::LayerKind;
use foveal_nn::{Conv2dGeometry, Conv2dOptions, Padding, Pool2dGeometry, Pool2dOptions};

pub(super) const ROW: Row = Row { operators: &["MaxPool", "AveragePool"], import: pool };
pub(super) const GLOBAL: Row = Row { operators: &["GlobalAveragePool", "GlobalMaxPool"], import: global };

fn some_cells(padding: &Padding, shape: [usize; 3], options: &Pool2dOptions) -> bool {
    match padding {
        Padding::Valid => false,
        Padding::Explicit(cells) => *cells != [0; 4],
        Padding::Same => {
            let g = Pool2dGeometry::new("pool", &[1, shape[0], shape[1], shape[2]], options);
            g.is_ok_and(|g| [g.h, g.w].iter().any(|a| a.before + a.after > 0))
        }
    }
}

fn pool<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    let max = step.operator == "MaxPool";
    let x = importer.take_padded(step.input(0)?)?;
    let x = picture(importer, x)?;
    let dilations = attributes.pair("dilations", x.line())?;
    if attributes.ints("kernel_shape")?.is_none() {
        return Err("its kernel_shape is missing".into());
    }
    let ksize = attributes.pair("kernel_shape", x.line())?;
    let given = Window::new(attributes, x.line())?;
    let (x, cells) = match x.pad {
        None => (x, [0; 4]),
        Some(pad) => match pooled_pad(importer, &x, pad, ksize, max) {
            Some(cells) => (x, cells),
            None => (importer.padded(x, pad)?, [0; 4]),
        },
    };
    let padding = given.padding(x.shape, ksize, dilations, cells)?;
    let options = Pool2dOptions { ksize, strides: given.strides, padding };
    let counted = attributes.int("count_include_pad", 0)? != 0;
    let cells_count = (counted || cells != [0; 4]) && some_cells(&padding, x.shape, &options);
    if dilations != [1, 1] && max {
        return Err("dilations are not supported in MaxPool".into());
    }
    if !max && (cells_count || dilations != [1, 1]) {
        if !counted && (given.pads != [0; 4] || matches!(given.auto, Auto::Upper | Auto::Lower)) {
            return Err("padding of which only some cells count is not supported in a mean".into());
        }
        return Ok(vec![mean_of_all(importer, x, &given, [ksize, dilations], cells)?]);
    }
    let [h, w, c] = x.shape;
    let geometry = Pool2dGeometry::new("pool", &[1, h, w, c], &options).map_err(|e| e.problem)?;
    let [_, oh, ow, _] = geometry.output_shape();
    let strides = Some(given.strides);
    let kind = match max {
        true => LayerKind::MaxPool(kinds::MaxPool { ksize, strides, padding }),
        false => LayerKind::AvgPool(kinds::AvgPool { ksize, strides, padding }),
    };
    let shape = [oh, ow, c];
    Ok(vec![importer.push(kind, &[x.layer], shape, channels_first(x.line(), shape))?])
}

/// The cells of a Pad node, if a pooling can take them in.
fn pooled_pad(importer: &Importer, x: &Activation, pad: Pad, ksize: [i64; 2], max: bool) -> Option<[i64; 4]> {
    // Zeros are like nothing at all where no value is less, and no window has nothing else.
    let inside = (0..4).all(|side| pad.cells[side] < ksize[side / 2]);
    let nothing =
        pad.value == f32::NEG_INFINITY || (pad.value == 0.0 && inside && none_negative(importer, x));
    (if max { nothing } else { pad.value == 0.0 }).then_some(pad.cells)
}

/// Whether the layer that gives `x` can give nothing below 0.
fn none_negative(importer: &Importer, x: &Activation) -> bool {
    let mut at = x.layer;
    while let Some(layer) = at {
        let made = &importer.layers[layer];
        match &made.spec.kind {
            LayerKind::Relu(kinds::Relu {})
            | LayerKind::Sigmoid(kinds::Sigmoid {})
            | LayerKind::Softmax(kinds::Softmax {}) => return true,
            LayerKind::Clip(kinds::Clip { min, .. }) => return *min >= 0.0,
            LayerKind::MaxPool(_) | LayerKind::AvgPool(_) | LayerKind::Dropout(_) => {
                at = made.from[0];
            }
            _ => return false,
        }
    }
    false
}

/// A mean in which padding counts: a convolution of each channel by itself with equal weights.
fn mean_of_all(
    importer: &mut Importer,
    x: Activation,
    given: &Window,
    [ksize, dilations]: [[i64; 2]; 2],
    cells: [i64; 4],
) -> Result<Activation, String> {
    let [h, w, c] = x.shape;
    let padding = given.padding(x.shape, ksize, dilations, cells)?;
    let floor = Window { ceil: false, ..*given };
    let (strides, groups) = (given.strides, c as i64);
    let shape = |padding| {
        let options = Conv2dOptions { strides, dilations, padding, groups };
        let filter = [ksize[0] as usize, ksize[1] as usize, 1, c];
        let geometry = Conv2dGeometry::new("AveragePool", &[1, h, w, c], &filter, &options);
        geometry.map(|g| g.output_shape()).map_err(|e| e.problem)
    };
    let [_, oh, ow, _] = shape(padding)?;
    let padding = floor.padding(x.shape, ksize, dilations, cells)?;
    if shape(padding)? != [1, oh, ow, c] {
        return mean_beyond(importer, x, given, [ksize, dilations], cells);
    }
    let taps = ksize[0].saturating_mul(ksize[1]) as usize;
    let numbers = taps.saturating_mul(c);
    if numbers > importer.room() {
        return Err(format!("windows of {ksize:?} over {c} channels are too large for a mean with padding"));
    }
    let kernel = ksize.map(|k| k as usize);
    let init = Init::default();
    let kind = LayerKind::Conv2d(kinds::Conv2d {
        filters: c,
        kernel,
        strides,
        dilations,
        padding,
        groups,
        bias: false,
        init,
    });
    let shape = [oh, ow, c];
    let y = importer.push(kind, &[x.layer], shape, channels_first(x.line(), shape))?;
    importer.param("filter", vec![1.0 / taps as f32; numbers])?;
    Ok(y)
}

/// A mean whose windows reach beyond the padding: what is padded counts, what is beyond does not.
fn mean_beyond(
    importer: &mut Importer,
    x: Activation,
    given: &Window,
    [ksize, dilations]: [[i64; 2]; 2],
    cells: [i64; 4],
) -> Result<Activation, String> {
    let Padding::Explicit(all) = given.padding(x.shape, ksize, dilations, cells)? else {
        return Err("windows that reach beyond such padding are not supported".into());
    };
    if dilations != [1, 1] {
        return Err("dilations and ceil_mode are not supported in a mean".into());
    }
    let [top, left, bottom, right] = given.pads;
    let counted = [top + cells[0], bottom + cells[1], left + cells[2], right + cells[3]];
    let beyond = [0, all[1] - counted[1], 0, all[3] - counted[3]];
    let line = x.line();
    let x = importer.padded(x, Pad { cells: counted, value: 0.0 })?;
    let [h, w, c] = x.shape;
    let padding = Padding::Explicit(beyond);
    let options = Pool2dOptions { ksize, strides: given.strides, padding };
    let geometry = Pool2dGeometry::new("pool", &[1, h, w, c], &options).map_err(|e| e.problem)?;
    let [_, oh, ow, _] = geometry.output_shape();
    let shape = [oh, ow, c];
    let kind = kinds::AvgPool { ksize, strides: Some(given.strides), padding };
    importer.push(kind, &[x.layer], shape, channels_first(line, shape))
}

fn global<'g>(importer: &mut Importer<'g>, step: &Step<'g>, _: &Attributes<'g>) -> Given {
    let x = importer.take(step.input(0)?)?;
    let x = picture(importer, x)?;
    let mean = step.operator == "GlobalAveragePool";
    let kind = if mean {
        LayerKind::GlobalAvgPool(kinds::GlobalAvgPool {})
    } else {
        LayerKind::GlobalMaxPool(kinds::GlobalMaxPool {})
    };
    let shape = [1, 1, x.shape[2]];
    Ok(vec![importer.push(kind, &[x.layer], shape, channels_first(x.line(), shape))?])
}
