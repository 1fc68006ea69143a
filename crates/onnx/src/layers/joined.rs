//! What exporters write in several nodes: a Gelu, normalizations, numbers scaled to length 1.

use super::norms::{as_channels, length};
use super::{Given, Row};
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use crate::view::CHANNELS;
use foveal_nn::layers as kinds;

pub(super) const ROW: Row =
    Row { operators: &["~Gelu", "~GeluTanh", "~LayerNorm", "~Length", "~Response"], import: joined };

fn joined<'g>(importer: &mut Importer<'g>, step: &Step<'g>, _: &Attributes<'g>) -> Given {
    let x = importer.take(step.input(0)?)?;
    let y = match (step.operator, &step.numbers[..]) {
        ("~Length", &[epsilon, axis]) => {
            let axis = x.axis(axis as i64)?;
            length(importer, x, axis, epsilon)?
        }
        ("~LayerNorm", &[epsilon, axis]) => {
            let axis = x.axis(axis as i64)?;
            let x = as_channels(importer, x, axis)?;
            let channels = x.shape[CHANNELS];
            let y = importer.keep(kinds::LayerNorm { epsilon }, x)?;
            importer.param("gamma", vec![1.0; channels])?;
            importer.param("beta", vec![0.0; channels])?;
            y
        }
        ("~Response", &[size, alpha, beta, bias]) => {
            // The window lies along the first axis after the batch.
            let x = as_channels(importer, x, 0)?;
            let size = size as usize;
            importer.keep(kinds::LocalResponseNorm { size, alpha, beta, bias }, x)?
        }
        (operator, _) => importer.keep(kinds::Gelu { approximate: operator == "~GeluTanh" }, x)?,
    };
    Ok(vec![y])
}
