//! Matrix products.

use super::arrange::flat;
use super::norms::as_channels;
use super::{Given, Row};
use crate::activation::Activation;
use crate::attributes::Attributes;
use crate::fold::Constant;
use crate::graph::Step;
use crate::importer::Importer;
use crate::view::{CHANNELS, View};
use foveal_nn::Padding;
use foveal_nn::init::Init;
use foveal_nn::layers as kinds;
use foveal_nn::spec::LayerKind;

pub(super) const ROW: Row = Row { operators: &["Gemm", "MatMul"], import: product };

fn product<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    let x = importer.take(step.input(0)?)?;
    let weights = importer.constant(step.input(1)?)?;
    let &[rows, columns] = weights.dims() else {
        return Err(format!("its matrix {:?} has not two axes", weights.dims()));
    };
    if step.operator == "MatMul" {
        return Ok(vec![dense(importer, x, [rows, columns], (&weights, false), None)?]);
    }
    if attributes.int("transA", 0)? != 0 {
        return Err("transA is not supported: the first axis is the batch".into());
    }
    let turned = attributes.int("transB", 0)? != 0;
    let (inputs, units) = if turned { (columns, rows) } else { (rows, columns) };
    let mut bias = None;
    if let Some(name) = step.optional(2) {
        let constant = importer.constant(name)?;
        let numbers = constant.to_floats()?;
        let numbers = match *constant.dims() {
            [] | [1] | [1, 1] => vec![numbers[0]; units.min(weights.size())],
            [n] | [1, n] if n == units => numbers,
            _ => {
                return Err(format!(
                    "its third input {:?} is not one number for each of {units} units",
                    constant.dims()
                ));
            }
        };
        let beta = attributes.float("beta", 1.0)?;
        bias = Some(numbers.into_iter().map(|v| v * beta).collect());
    }
    let y = dense(importer, x, [inputs, units], (&weights, turned), bias)?;
    let alpha = attributes.float("alpha", 1.0)?;
    if alpha != 1.0 {
        let name = importer.layers.last().map(|l| format!("{}.weights", l.name)).unwrap_or_default();
        let weights = importer.params.get_mut(&name);
        weights.into_iter().flatten().for_each(|v| *v *= alpha);
    }
    Ok(vec![y])
}

/// A dense layer with a matrix `[inputs, units]`, or `[units, inputs]` where it is turned.
fn dense(
    importer: &mut Importer,
    x: Activation,
    [inputs, units]: [usize; 2],
    (weights, turned): (&Constant, bool),
    bias: Option<Vec<f32>>,
) -> Result<Activation, String> {
    let last = x.rank() - 1;
    if last > 1 && x.dims().last() == Some(&inputs) && units > 0 {
        return everywhere(importer, x, [inputs, units], (weights, turned), bias);
    }
    if x.rank() != 2 || x.size() != inputs || units == 0 {
        return Err(format!("its matrix [{inputs}, {units}] does not fit a value of {}", x.told()));
    }
    let x = flat(importer, x)?;
    let places = (!x.view.in_order(x.shape)).then(|| x.view.places(x.shape));
    let place = |i: usize| places.as_ref().map_or(i, |places| places[i]);
    let floats = weights.floats()?;
    let values = if turned { floats.turned(inputs, place) } else { floats.rows(units, place) };
    let kind = LayerKind::Dense(kinds::Dense { units, bias: bias.is_some(), init: Init::default() });
    let shape = [1, 1, units];
    let y = importer.push(kind, &[x.layer], shape, View::of(&[CHANNELS], shape))?;
    importer.param("weights", values)?;
    bias.map_or(Ok(()), |bias| importer.param("bias", bias))?;
    Ok(y)
}

/// A matrix product at every place: a convolution of one cell.
fn everywhere(
    importer: &mut Importer,
    x: Activation,
    [inputs, units]: [usize; 2],
    (weights, turned): (&Constant, bool),
    bias: Option<Vec<f32>>,
) -> Result<Activation, String> {
    let last = x.rank() - 2;
    let x = as_channels(importer, x, last)?;
    let places = {
        let row = View { dims: vec![x.view.dims[last].clone()] };
        row.places([1, 1, inputs])
    };
    let place = |i: usize| places[i];
    let floats = weights.floats()?;
    let values = if turned { floats.turned(inputs, place) } else { floats.rows(units, place) };
    let kind = kinds::Conv2d {
        filters: units,
        kernel: [1, 1],
        strides: [1, 1],
        dilations: [1, 1],
        padding: Padding::Valid,
        groups: 1,
        bias: bias.is_some(),
        init: Init::default(),
    };
    let shape = [x.shape[0], x.shape[1], units];
    let mut view = x.view.clone();
    view.dims[last] = View::of(&[CHANNELS], shape).dims.concat();
    let y = importer.push(kind, &[x.layer], shape, view)?;
    importer.param("filter", values)?;
    bias.map_or(Ok(()), |bias| importer.param("bias", bias))?;
    Ok(y)
}
