//! One number to one number.

use super::{Given, Row, affine};
use crate::activation::Activation;
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use foveal_nn::layers as kinds;
use foveal_nn::spec::LayerKind;

pub(super) const ROW: Row = Row {
    operators: &[
        "Abs",
        "Celu",
        "Clip",
        "Elu",
        "Gelu",
        "HardSigmoid",
        "HardSwish",
        "LeakyRelu",
        "Mish",
        "Relu",
        "Selu",
        "Sigmoid",
        "Softplus",
        "Swish",
        "Tanh",
        "~LogSigmoid",
    ],
    import: activate,
};

fn activate<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    let x = importer.take(step.input(0)?)?;
    let kind = match step.operator {
        "Abs" => return Ok(vec![magnitude(importer, x)?]),
        // -softplus(-x).
        "~LogSigmoid" => {
            let turned = affine::all(importer, x, -1.0, 0.0)?;
            let y = importer.keep(kinds::Softplus {}, turned)?;
            return Ok(vec![affine::all(importer, y, -1.0, 0.0)?]);
        }
        "Relu" => LayerKind::Relu(kinds::Relu {}),
        "LeakyRelu" => LayerKind::LeakyRelu(kinds::LeakyRelu { alpha: attributes.float("alpha", 0.01)? }),
        "Sigmoid" => LayerKind::Sigmoid(kinds::Sigmoid {}),
        "Tanh" => LayerKind::Tanh(kinds::Tanh {}),
        "Gelu" => match attributes.text("approximate", "none")? {
            "none" => LayerKind::Gelu(kinds::Gelu { approximate: false }),
            "tanh" => LayerKind::Gelu(kinds::Gelu { approximate: true }),
            other => return Err(format!("approximate = {other} is not supported, only none and tanh")),
        },
        "HardSigmoid" => {
            let (alpha, beta) = (attributes.float("alpha", 0.2)?, attributes.float("beta", 0.5)?);
            LayerKind::HardSigmoid(kinds::HardSigmoid { alpha, beta })
        }
        "HardSwish" => LayerKind::HardSwish(kinds::HardSwish {}),
        "Elu" => LayerKind::Elu(kinds::Elu { alpha: attributes.float("alpha", 1.0)? }),
        "Celu" => LayerKind::Celu(kinds::Celu { alpha: attributes.float("alpha", 1.0)? }),
        "Selu" => {
            let usual = kinds::Selu::default();
            let (alpha, gamma) =
                (attributes.float("alpha", usual.alpha)?, attributes.float("gamma", usual.gamma)?);
            LayerKind::Selu(kinds::Selu { alpha, gamma })
        }
        "Softplus" => LayerKind::Softplus(kinds::Softplus {}),
        "Mish" => LayerKind::Mish(kinds::Mish {}),
        "Swish" => match attributes.float("alpha", 1.0)? {
            1.0 => LayerKind::Silu(kinds::Silu {}),
            alpha => return Err(format!("alpha = {alpha} is not supported, only 1")),
        },
        _ => match bounds(importer, step, attributes)? {
            (f32::NEG_INFINITY, f32::INFINITY) => return Ok(vec![x]),
            (0.0, f32::INFINITY) => LayerKind::Relu(kinds::Relu {}),
            (low, high) if low < high => {
                LayerKind::Clip(kinds::Clip { min: low.max(f32::MIN), max: high.min(f32::MAX) })
            }
            (low, high) => {
                return Err(format!("clipping to {low}..{high} is not supported: one number is left"));
            }
        },
    };
    Ok(vec![importer.keep(kind, x)?])
}

/// Numbers without their signs: what is negative is turned.
pub(super) fn magnitude(importer: &mut Importer, x: Activation) -> Result<Activation, String> {
    importer.keep(kinds::LeakyRelu { alpha: -1.0 }, x)
}

/// What a Clip node clips to; infinite where it does not.
fn bounds<'g>(
    importer: &mut Importer<'g>,
    step: &Step<'g>,
    attributes: &Attributes<'g>,
) -> Result<(f32, f32), String> {
    let mut bound = |i: usize, name: &str, without: f32| match step.optional(i) {
        Some(constant) => importer.constant(constant)?.one_float(),
        None => attributes.float(name, without),
    };
    let low = bound(1, "min", f32::NEG_INFINITY)?;
    let high = bound(2, "max", f32::INFINITY)?;
    let low = if low <= f32::MIN { f32::NEG_INFINITY } else { low };
    Ok((low, if high >= f32::MAX { f32::INFINITY } else { high }))
}
