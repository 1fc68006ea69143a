//! Convolution.

use super::arrange::picture;
use super::window::Window;
use super::{Given, Row};
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use crate::view::{CHANNELS, HEIGHT, View, WIDTH};
use foveal_nn::init::Init;
use foveal_nn::layers as kinds;
use foveal_nn::spec::LayerKind;
use foveal_nn::{Conv2dGeometry, Conv2dOptions};

pub(super) const ROW: Row = Row { operators: &["Conv"], import: convolution };

/// The axes of channels first, of a picture or of a row of places.
pub(super) fn channels_first(line: bool, shape: [usize; 3]) -> View {
    View::of(if line { &[CHANNELS, WIDTH] } else { &[CHANNELS, HEIGHT, WIDTH] }, shape)
}

fn convolution<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    let x = importer.take_padded(step.input(0)?)?;
    let x = picture(importer, x)?;
    let weights = importer.constant(step.input(1)?)?;
    let [o, i, h, w] = match (weights.dims(), x.line()) {
        (&[o, i, h, w], false) => [o, i, h, w],
        (&[o, i, w], true) => [o, i, 1, w],
        (dims, _) => {
            return Err(format!("its filters {dims:?} do not fit a value of {} axes", x.rank()));
        }
    };
    let kernel = [h as i64, w as i64];
    if attributes.ints("kernel_shape")?.is_some() && attributes.pair("kernel_shape", x.line())? != kernel {
        return Err(format!("its filters {:?} are not of its kernel_shape", weights.dims()));
    }
    let dilations = attributes.pair("dilations", x.line())?;
    let given = Window::new(attributes, x.line())?;
    let (x, cells) = match x.pad {
        Some(pad) if pad.value == 0.0 => (x, pad.cells),
        Some(pad) => (importer.padded(x, pad)?, [0; 4]),
        None => (x, [0; 4]),
    };
    let padding = given.padding(x.shape, kernel, dilations, cells)?;
    let (strides, groups) = (given.strides, attributes.int("group", 1)?);
    let options = Conv2dOptions { strides, dilations, padding, groups };
    let [ih, iw, c] = x.shape;
    let geometry = Conv2dGeometry::new("Conv", &[1, ih, iw, c], &[h, w, i, o], &options);
    let [_, oh, ow, _] = geometry.map_err(|e| e.problem)?.output_shape();
    let mut bias = None;
    if let Some(name) = step.optional(2) {
        let values = importer.constant(name)?.to_floats()?;
        if values.len() != o {
            return Err(format!("`{name}` has {} numbers, not {o}", values.len()));
        }
        bias = Some(values);
    }
    let kind = LayerKind::Conv2d(kinds::Conv2d {
        filters: o,
        kernel: [h, w],
        strides,
        dilations,
        padding,
        groups,
        bias: bias.is_some(),
        init: Init::default(),
    });
    // Each filter's numbers stand by input channel and tap; they go by tap, input channel and filter.
    let filter = weights.floats()?.turned(i * h * w, |at| at % (h * w) * i + at / (h * w));
    let shape = [oh, ow, o];
    let y = importer.push(kind, &[x.layer], shape, channels_first(x.line(), shape))?;
    importer.param("filter", filter)?;
    bias.map_or(Ok(()), |bias| importer.param("bias", bias))?;
    Ok(vec![y])
}
