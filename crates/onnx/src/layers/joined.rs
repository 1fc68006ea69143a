//! What exporters write in several nodes: a Gelu, and numbers scaled to length 1.

use super::norms::length;
use super::{Given, Row};
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use foveal_nn::layers as kinds;

pub(super) const ROW: Row = Row { operators: &["~Gelu", "~GeluTanh", "~Length"], import: joined };

fn joined<'g>(importer: &mut Importer<'g>, step: &Step<'g>, _: &Attributes<'g>) -> Given {
    let x = importer.take(step.input(0)?)?;
    if let (&[epsilon, axis], "~Length") = (&step.numbers[..], step.operator) {
        let axis = x.axis(axis as i64)?;
        return Ok(vec![length(importer, x, axis, epsilon)?]);
    }
    let approximate = step.operator == "~GeluTanh";
    Ok(vec![importer.keep(kinds::Gelu { approximate }, x)?])
}
