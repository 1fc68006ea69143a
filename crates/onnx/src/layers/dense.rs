//! Matrix products.

use super::arrange::flat;
use super::norms::as_channels;
use super::{Given, Row, binary, reduce};
use crate::activation::Activation;
use crate::attributes::Attributes;
use crate::fold::Constant;
use crate::graph::Step;
use crate::importer::Importer;
use crate::view::{CHANNELS, View};
use foveal_nn::Padding;
use foveal_nn::init::Init;
use foveal_nn::layers as kinds;
use foveal_nn::layers::How;
use foveal_nn::spec::LayerKind;

pub(super) const ROW: Row = Row { operators: &["Gemm", "MatMul"], import: product };

fn product<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    if step.operator == "MatMul" {
        match [0, 1].map(|i| step.input(i).map(|name| importer.is_constant(name))) {
            [Ok(false), Ok(false)] => return Ok(vec![of_values(importer, step)?]),
            [Ok(true), Ok(false)] => return Ok(vec![from_the_left(importer, step)?]),
            _ => {}
        }
    }
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

/// The product of two computed values, of which one is a row or a column of numbers: a sum of products.
fn of_values(importer: &mut Importer, step: &Step) -> Result<Activation, String> {
    let (a, b) = (importer.take(step.input(0)?)?, importer.take(step.input(1)?)?);
    let fail = || {
        let (a, b) = (a.told(), b.told());
        format!("of two computed values {a} and {b} is not supported, only of one and a constant or a vector")
    };
    let last = a.rank() - 1;
    if a.rank() != b.rank() || last < 2 {
        return Err(fail());
    }
    let (rows, columns) = (a.dims()[last - 2], b.dims()[last - 1]);
    let mut turn: Vec<usize> = (0..last).collect();
    turn.swap(last - 2, last - 1);
    let turned = |x: &Activation| Activation { view: x.view.transposed(&turn), ..x.clone() };
    // The axis that both have comes to lie at the same place.
    let (a, b, along) = match (rows, columns) {
        (_, 1) => (a.clone(), turned(&b), last - 1),
        (1, _) => (turned(&a), b.clone(), last - 2),
        _ => return Err(fail()),
    };
    let products = binary::of_two(importer, kinds::Multiply {}.into(), a, b)?;
    reduce::of_axes(importer, products, How::Sum, &[along])
}

/// A constant matrix times a value: the same weights for every column.
fn from_the_left<'g>(importer: &mut Importer<'g>, step: &Step<'g>) -> Result<Activation, String> {
    let (weights, x) = (importer.constant(step.input(0)?)?, importer.take(step.input(1)?)?);
    let along = x.rank().checked_sub(3);
    match (weights.dims(), along) {
        (&[units, inputs], Some(along)) if units > 0 && x.dims()[along] == inputs => {
            everywhere(importer, x, [inputs, units], (&weights, true), (along, None))
        }
        (dims, _) => Err(format!("its matrix {dims:?} does not fit a value of {}", x.told())),
    }
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
        return everywhere(importer, x, [inputs, units], (weights, turned), (last - 1, bias));
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

/// A matrix product along one axis of the graph, the same at every place: a convolution of one cell.
fn everywhere(
    importer: &mut Importer,
    x: Activation,
    [inputs, units]: [usize; 2],
    (weights, turned): (&Constant, bool),
    (along, bias): (usize, Option<Vec<f32>>),
) -> Result<Activation, String> {
    let x = as_channels(importer, x, along)?;
    let places = {
        let row = View { dims: vec![x.view.dims[along].clone()] };
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
    view.dims[along] = View::of(&[CHANNELS], shape).dims.concat();
    let y = importer.push(kind, &[x.layer], shape, view)?;
    importer.param("filter", values)?;
    bias.map_or(Ok(()), |bias| importer.param("bias", bias))?;
    Ok(y)
}
