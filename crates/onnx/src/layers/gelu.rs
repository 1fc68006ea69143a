//! A Gelu that its exporter wrote in several nodes.

use super::{Given, Row};
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use foveal_nn::layers as kinds;
use foveal_nn::spec::LayerKind;

pub(super) const ROW: Row = Row { operators: &["~Gelu"], import: gelu };

fn gelu<'g>(importer: &mut Importer<'g>, step: &Step<'g>, _: &Attributes<'g>) -> Given {
    let x = importer.take(step.input(0)?)?;
    Ok(vec![importer.keep(LayerKind::Gelu(kinds::Gelu::default()), x)?])
}
