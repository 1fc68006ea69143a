//! A slope below zero for each channel.

use super::{Given, Row, affine};
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use foveal_nn::layers as kinds;

pub(super) const ROW: Row = Row { operators: &["PRelu"], import: prelu };

fn prelu<'g>(importer: &mut Importer<'g>, step: &Step<'g>, _: &Attributes<'g>) -> Given {
    let x = importer.take(step.input(0)?)?;
    let slope = importer.constant(step.input(1)?)?;
    let numbers = slope.to_floats()?;
    let (x, alpha) = match numbers[..] {
        [one] => (x.clone(), vec![one; x.shape[2]]),
        _ => {
            let (x, places) = affine::channels(importer, x, slope.dims(), "slopes")?;
            (x, places.into_iter().map(|at| numbers[at]).collect())
        }
    };
    let y = importer.keep(kinds::Prelu::default(), x)?;
    importer.param("alpha", alpha)?;
    Ok(vec![y])
}
