//! Softmax, and its logarithm, over the channels.

use super::arrange::{flat, restored};
use super::norms::as_channels;
use super::{Given, Row};
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use crate::view::CHANNELS;
use foveal_nn::layers as kinds;
use foveal_nn::spec::LayerKind;

pub(super) const ROW: Row = Row { operators: &["LogSoftmax", "Softmax"], import: softmax };

fn softmax<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    let x = importer.take(step.input(0)?)?;
    let since_13 = importer.opset >= 13;
    let given = attributes.int("axis", if since_13 { -1 } else { 1 })?;
    let axis = x.axis(given)?;
    // A row of numbers may come from a picture.
    let x = if x.rank() == 2 { flat(importer, x)? } else { x };
    // Before operator set 13 it went over all axes from that one on.
    let rest = axis..if since_13 { axis + 1 } else { x.rank() - 1 };
    let first = x.channels_first();
    let single = rest.clone().all(|i| i == axis || x.dims()[i] == 1);
    let x = if single { as_channels(importer, x, axis)? } else { x };
    if !x.view.cover(rest, CHANNELS, x.shape) {
        return Err(format!("over axis {given} of {} is not supported, only over one axis", x.told()));
    }
    let kind = match step.operator {
        "Softmax" => LayerKind::from(kinds::Softmax {}),
        _ => kinds::LogSoftmax {}.into(),
    };
    let y = importer.keep(kind, x)?;
    Ok(vec![restored(importer, y, first)?])
}
