//! Channels of several values, one after the other.

use super::{Given, Row};
use crate::activation::Activation;
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use crate::view::{CHANNELS, View};
use foveal_nn::layers as kinds;
use foveal_nn::spec::LayerKind;

pub(super) const ROW: Row = Row { operators: &["Concat"], import: concat };

fn concat<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    let values: Vec<Activation> =
        (0..step.inputs.len()).map(|i| importer.take(step.input(i)?)).collect::<Result<_, _>>()?;
    let first = values.first().cloned().ok_or("it has no inputs")?;
    let given = attributes.int("axis", 1)?;
    let along = first.axis(given)?;
    if values.len() == 1 {
        return Ok(vec![first]);
    }
    let others = |x: &Activation| {
        let mut dims = x.view.dims.clone();
        dims.remove(along);
        (dims, x.rank(), [x.shape[0], x.shape[1]])
    };
    for x in &values {
        if x.rank() != first.rank() || !x.view.cover([along], CHANNELS, x.shape) {
            return Err(format!("joining axis {given} of {} is not supported, only channels", x.told()));
        }
        // Channels in an order of their own, as a flattened picture has them, are not those of the other values.
        if !matches!(x.view.dims[along][..], [] | [_]) {
            return Err("joining flattened pictures is not supported; join them before the Flatten".into());
        }
        if others(x) != others(&first) {
            return Err(format!("values of {} and {} do not join", first.told(), x.told()));
        }
    }
    let channels = values.iter().fold(0, |a: usize, v| a.saturating_add(v.shape[CHANNELS]));
    let from: Vec<Option<usize>> = values.iter().map(|v| v.layer).collect();
    let shape = [first.shape[0], first.shape[1], channels];
    let mut view = first.view;
    view.dims[along] = View::of(&[CHANNELS], shape).dims.swap_remove(0);
    Ok(vec![importer.push(LayerKind::Concat(kinds::Concat {}), &from, shape, view)?])
}
