//! Sums, products and the like, of values and of constants.

use super::{Given, Row};
use super::{affine, binary};
use crate::activation::Activation;
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use foveal_nn::layers as kinds;
use foveal_nn::spec::LayerKind;

pub(super) const ROW: Row = Row {
    operators: &["Add", "Div", "Max", "Mean", "Min", "Mul", "Neg", "Pow", "Sub", "Sum"],
    import: arithmetic,
};

fn arithmetic<'g>(importer: &mut Importer<'g>, step: &Step<'g>, _: &Attributes<'g>) -> Given {
    let names: Vec<&str> = (0..step.inputs.len()).map(|i| step.input(i)).collect::<Result<_, _>>()?;
    let constants: Vec<bool> = names.iter().map(|name| importer.is_constant(name)).collect();
    let y = match (step.operator, &constants[..]) {
        ("Neg", [false]) => {
            let x = importer.take(names[0])?;
            affine::all(importer, x, -1.0, 0.0)?
        }
        ("Max" | "Min", [false, true]) => bounded(importer, step.operator, names[0], names[1])?,
        ("Max" | "Min", [true, false]) => bounded(importer, step.operator, names[1], names[0])?,
        ("Mean" | "Sum" | "Max" | "Min", [false]) => importer.take(names[0])?,
        ("Pow", [false, true]) => power(importer, names[0], names[1])?,
        ("Add" | "Sub" | "Mul" | "Div", [false, true]) => {
            constant_operand(importer, step.operator, [names[0], names[1]], false)?
        }
        ("Add" | "Sub" | "Mul" | "Div", [true, false]) => {
            constant_operand(importer, step.operator, [names[1], names[0]], true)?
        }
        (_, all) if all.len() > 1 && !all.contains(&true) => {
            let mut sum = importer.take(names[0])?;
            for name in &names[1..] {
                let other = importer.take(name)?;
                sum = binary::of_two(importer, of_values(step.operator)?, sum, other)?;
            }
            match step.operator {
                "Mean" => affine::all(importer, sum, 1.0 / names.len() as f32, 0.0)?,
                _ => sum,
            }
        }
        _ => return Err("of these constants and values is not supported".into()),
    };
    Ok(vec![y])
}

/// The layer of two values.
fn of_values(operator: &str) -> Result<LayerKind, String> {
    Ok(match operator {
        "Add" | "Mean" | "Sum" => kinds::Add {}.into(),
        "Sub" => kinds::Subtract {}.into(),
        "Mul" => kinds::Multiply {}.into(),
        "Max" => kinds::Maximum {}.into(),
        "Min" => kinds::Minimum {}.into(),
        _ => return Err("of two computed values is not supported, only of one and a constant".into()),
    })
}

/// A value that is at least, or at most, one number.
fn bounded(importer: &mut Importer, operator: &str, x: &str, bound: &str) -> Result<Activation, String> {
    let x = importer.take(x)?;
    let bound = importer.constant(bound)?.one_float()?;
    let clip = match operator {
        "Max" if bound == 0.0 => return importer.keep(kinds::Relu {}, x),
        "Max" => kinds::Clip { min: bound, max: f32::MAX },
        _ => kinds::Clip { min: f32::MIN, max: bound },
    };
    importer.keep(clip, x)
}

/// The highest power that is written as products.
const MOST_FACTORS: f32 = 8.0;

/// A whole power, as products.
fn power(importer: &mut Importer, x: &str, exponent: &str) -> Result<Activation, String> {
    let exponent = importer.constant(exponent)?;
    let wanted = match exponent.has_floats() {
        true => exponent.one_float()?,
        false => match exponent.ints()?[..] {
            [one] => one as f32,
            _ => return Err("with an exponent for each number is not supported, only one for all".into()),
        },
    };
    if wanted.fract() != 0.0 || !(1.0..=MOST_FACTORS).contains(&wanted) {
        return Err(format!("to {wanted} is not supported, only to whole numbers from 1 to {MOST_FACTORS}"));
    }
    let x = importer.take(x)?;
    let factor = Activation { shared: true, ..x.clone() };
    (1..wanted as usize).try_fold(x, |product, _| {
        binary::of_two(importer, kinds::Multiply {}.into(), product, factor.clone())
    })
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
