//! Dropout, and what does nothing.

use super::{Given, Row};
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use crate::proto::kind;
use foveal_nn::layers as kinds;
use foveal_nn::spec::LayerKind;

pub(super) const ROW: Row = Row { operators: &["Dropout", "Identity", "Cast"], import: keep };

fn keep<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    let x = importer.take_padded(step.input(0)?)?;
    match step.operator {
        "Identity" => return Ok(vec![x]),
        "Cast" => {
            return match attributes.int("to", 0)? {
                kind::FLOAT | kind::DOUBLE | kind::FLOAT16 | kind::BFLOAT16 => Ok(vec![x]),
                to => Err(format!("a cast to type {to} is not supported, only to floats")),
            };
        }
        _ => {}
    }
    if let Some(name) = step.optional(2)
        && importer.constant(name)?.ints()?.iter().any(|&v| v != 0)
    {
        return Err("training_mode is not supported: export the model for inference".into());
    }
    let rate = match step.optional(1) {
        Some(name) => importer.constant(name)?.one_float()?,
        None => attributes.float("ratio", 0.5)?,
    };
    // Dropout does nothing while predicting; it becomes a layer for the sake of training.
    if rate == 0.0 || x.pad.is_some() {
        return Ok(vec![x]);
    }
    Ok(vec![importer.keep(LayerKind::Dropout(kinds::Dropout { rate }), x)?])
}
