//! Sums, products and the like, of values and of constants.

use super::affine;
use super::{Given, Row};
use crate::activation::Activation;
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use foveal_nn::layers as kinds;
use foveal_nn::spec::LayerKind;

pub(super) const ROW: Row = Row { operators: &["Add", "Sub", "Mul", "Div", "Sum"], import: arithmetic };

fn arithmetic<'g>(importer: &mut Importer<'g>, step: &Step<'g>, _: &Attributes<'g>) -> Given {
    let names: Vec<&str> = (0..step.inputs.len()).map(|i| step.input(i)).collect::<Result<_, _>>()?;
    let constants: Vec<bool> = names.iter().map(|name| importer.is_constant(name)).collect();
    let y = match (step.operator, &constants[..]) {
        ("Sum", [false]) => importer.take(names[0]),
        ("Add" | "Sum", [false, rest @ ..]) if !rest.is_empty() && !rest.contains(&true) => {
            add(importer, &names)
        }
        ("Sum", _) => Err("constants in a Sum are not supported, only in an Add".into()),
        (operator, [false, true]) => constant_operand(importer, operator, [names[0], names[1]], false),
        (operator, [true, false]) => constant_operand(importer, operator, [names[1], names[0]], true),
        (operator, [false, false]) => {
            Err(format!("{operator} of two computed values is not supported, only of one and a constant"))
        }
        _ => Err("it must have two inputs, and one of them must be computed".into()),
    };
    Ok(vec![y?])
}

fn add(importer: &mut Importer, names: &[&str]) -> Result<Activation, String> {
    let values: Vec<Activation> = names.iter().map(|n| importer.take(n)).collect::<Result<_, _>>()?;
    let first = values[0].clone();
    if let Some(other) = values.iter().find(|v| (v.shape, &v.view) != (first.shape, &first.view)) {
        return Err(format!("adding {} and {} is not supported, only one shape", first.told(), other.told()));
    }
    let from: Vec<Option<usize>> = values.iter().map(|v| v.layer).collect();
    importer.push(LayerKind::Add(kinds::Add {}), &from, first.shape, first.view)
}

fn constant_operand(
    importer: &mut Importer,
    operator: &str,
    [x, constant]: [&str; 2],
    turned: bool,
) -> Result<Activation, String> {
    let x = importer.take(x)?;
    let constant = importer.constant(constant)?;
    let numbers = constant.to_floats()?;
    let (x, values) = match numbers[..] {
        [one] if constant.dims().len() <= x.rank() => (x.clone(), vec![one; x.shape[2]]),
        _ => {
            let (x, places) = affine::channels(importer, x, constant.dims(), "a constant")?;
            (x, places.into_iter().map(|at| numbers[at]).collect())
        }
    };
    let n = values.len();
    let (times, plus): (Vec<f32>, Vec<f32>) = match (operator, turned) {
        ("Add", _) => (vec![1.0; n], values),
        ("Sub", false) => (vec![1.0; n], values.iter().map(|v| -v).collect()),
        ("Sub", true) => (vec![-1.0; n], values),
        ("Mul", _) => (values, vec![0.0; n]),
        ("Div", false) => (values.iter().map(|v| 1.0 / v).collect(), vec![0.0; n]),
        _ => return Err("a constant divided by a computed value is not supported".into()),
    };
    affine::affine(importer, x, times, plus)
}
