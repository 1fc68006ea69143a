//! Channels of several values, one after the other.

use super::arrange::{arrange, restored, with_channels};
use super::{Given, Row};
use crate::activation::Activation;
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use crate::view::{CHANNELS, Leaf, View};
use foveal_nn::layers as kinds;
use foveal_nn::spec::LayerKind;

pub(super) const ROW: Row = Row { operators: &["Concat"], import: concat };

fn concat<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    let values: Vec<Activation> =
        (0..step.inputs.len()).map(|i| importer.take(step.input(i)?)).collect::<Result<_, _>>()?;
    let first = values.first().ok_or("it has no inputs")?;
    let along = first.axis(attributes.int("axis", 1)?)?;
    Ok(vec![join(importer, values, along)?])
}

/// Values one after the other along an axis of the graph.
pub(super) fn join(
    importer: &mut Importer,
    mut values: Vec<Activation>,
    along: usize,
) -> Result<Activation, String> {
    let first = values.first().cloned().ok_or("it has no inputs")?;
    if values.len() == 1 {
        return Ok(first);
    }
    let others = |x: &Activation| {
        let mut dims = x.view.dims.clone();
        dims.remove(along);
        (dims, [x.shape[0], x.shape[1]])
    };
    for x in &values {
        let rest = |x: &Activation| {
            let mut dims = x.dims();
            dims.remove(along);
            dims
        };
        if x.rank() != first.rank() || rest(x) != rest(&first) {
            return Err(format!("values of {} and {} do not join", first.told(), x.told()));
        }
    }
    // The channels in one stretch, the other axes alike: as one of them has it, or as a picture has it.
    let plain = |x: &Activation| {
        x.view.cover([along], CHANNELS, x.shape) && matches!(x.view.dims[along][..], [] | [_])
    };
    let before = values[0].channels_first();
    let one = others(&values[0]);
    if !values.iter().all(|x| plain(x) && others(x) == one) {
        if let Some(y) = stacked(importer, &values, along)? {
            return Ok(y);
        }
        let target = with_channels(&first, along).ok_or("values of so many axes are not supported")?;
        for x in &mut values {
            *x = arrange(importer, x.clone(), &target)?;
        }
    }
    let first = values[0].clone();
    let channels = values.iter().fold(0, |a: usize, v| a.saturating_add(v.shape[CHANNELS]));
    let from: Vec<Option<usize>> = values.iter().map(|v| v.layer).collect();
    let shape = [first.shape[0], first.shape[1], channels];
    let mut view = first.view;
    view.dims[along] = View::of(&[CHANNELS], shape).dims.swap_remove(0);
    let y = importer.push(LayerKind::Concat(kinds::Concat {}), &from, shape, view)?;
    restored(importer, y, before)
}

/// Values of more axes than a picture stacked along a new one: it becomes the outer part of the channels.
fn stacked(
    importer: &mut Importer,
    values: &[Activation],
    along: usize,
) -> Result<Option<Activation>, String> {
    let first = &values[0];
    let alike = |x: &Activation| x.shape == first.shape && x.view == first.view;
    if first.rank() < 5 || first.dims()[along] != 1 || !values.iter().all(alike) {
        return Ok(None);
    }
    let [h, w, c] = first.shape;
    let mut view = first.view.clone();
    view.dims[along] = vec![Leaf { axis: CHANNELS, extent: values.len(), step: c }];
    let from: Vec<Option<usize>> = values.iter().map(|v| v.layer).collect();
    let shape = [h, w, c.saturating_mul(values.len())];
    importer.push(LayerKind::Concat(kinds::Concat {}), &from, shape, view).map(Some)
}
