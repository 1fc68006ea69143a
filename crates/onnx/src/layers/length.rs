//! Vectors scaled to length 1.

use super::norms::as_channels;
use super::{Given, Row};
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use crate::view::CHANNELS;
use foveal_nn::layers::L2Normalize;

pub(super) const ROW: Row = Row { operators: &["~L2Normalize"], import: length_one };

fn length_one<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    let x = importer.take(step.input(0)?)?;
    let epsilon = importer.constant(step.input(1)?)?.one_float()?;
    let axes = match step.optional(2) {
        Some(name) => importer.constant(name)?.ints()?,
        None => attributes.ints("axes")?.unwrap_or_default().to_vec(),
    };
    let ([axis], 1) = (&axes[..], attributes.int("keepdims", 1)?) else {
        return Err(format!("a length over the axes {axes:?} is not supported, only over one that is kept"));
    };
    let axis = x.axis(*axis)?;
    let x = as_channels(importer, x, axis)?;
    if !x.view.cover([axis], CHANNELS, x.shape) {
        return Err(format!("a length over an axis of {} is not supported, only over channels", x.told()));
    }
    Ok(vec![importer.keep(L2Normalize { epsilon }, x)?])
}
