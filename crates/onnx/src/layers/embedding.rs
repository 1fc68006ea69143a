//! Rows of a table by the input's numbers.

use super::Given;
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use crate::view::{CHANNELS, HEIGHT, View, WIDTH};
use foveal_nn::init::Init;
use foveal_nn::layers as kinds;
use foveal_nn::spec::LayerKind;

/// A constant's rows, chosen by the numbers of the input.
pub(super) fn embedding<'g>(
    importer: &mut Importer<'g>,
    step: &Step<'g>,
    attributes: &Attributes<'g>,
) -> Given {
    if attributes.int("axis", 0)? != 0 {
        return Err("only rows of a table (axis 0) are supported".into());
    }
    let table = importer.constant(step.input(0)?)?;
    let &[vocabulary, size] = table.dims() else {
        return Err(format!("its table {:?} has not two axes", table.dims()));
    };
    let x = importer.take(step.input(1)?)?;
    let [h, w, c] = x.shape;
    let places: &[usize] = if x.rank() == 3 { &[HEIGHT, WIDTH] } else { &[WIDTH] };
    if x.layer.is_some() || c != 1 || !x.view.is(places, x.shape) || !importer.layers.is_empty() {
        return Err("only the numbers of the input [n, h, w] or [n, l] are looked up, in one table".into());
    }
    let kind = LayerKind::Embedding(kinds::Embedding { vocabulary, size, init: Init::default() });
    let shape = [h, w, size];
    let view = View::of(&[places, &[CHANNELS]].concat(), shape);
    let y = importer.push(kind, &[None], shape, view)?;
    importer.param("table", table.to_floats()?)?;
    Ok(vec![y])
}
