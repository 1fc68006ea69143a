//! Two values, number by number, one of them spread where its extents are 1.

use super::arrange::{arrange, conform};
use crate::activation::Activation;
use crate::importer::Importer;
use crate::view::{CHANNELS, HEIGHT, View, WIDTH};
use foveal_nn::layers as kinds;
use foveal_nn::spec::LayerKind;

/// A layer of two values.
pub(super) fn of_two(
    importer: &mut Importer,
    kind: LayerKind,
    a: Activation,
    b: Activation,
) -> Result<Activation, String> {
    if a.rank() != b.rank() {
        return Err(format!(
            "values of {} and {} are not supported: their axes are not as many",
            a.told(),
            b.told()
        ));
    }
    for (m, n) in a.dims().into_iter().zip(b.dims()) {
        if m != n && m != 1 && n != 1 {
            return Err(format!("values of {} and {} do not go together", a.told(), b.told()));
        }
    }
    if let Some(y) = gate(importer, &kind, &a, &b)? {
        return Ok(y);
    }
    let (a, b) = alike(importer, a, b)?;
    let mut shape = a.shape;
    shape.iter_mut().zip(b.shape).for_each(|(m, n)| *m = (*m).max(n));
    let dims = a.view.dims.iter().zip(&b.view.dims);
    let view = View { dims: dims.map(|(m, n)| if m.is_empty() { n.clone() } else { m.clone() }).collect() };
    importer.push(kind, &[a.layer, b.layer], shape, view)
}

/// Whether two values lie over each other as they are.
fn fits(a: &Activation, b: &Activation) -> bool {
    let axes = a.view.dims.iter().zip(&b.view.dims).all(|(m, n)| m == n || m.is_empty() || n.is_empty());
    // The axis of the graph that an axis of the output is; it must be the same for both.
    let graph = |x: &Activation, axis: usize| -> Vec<usize> {
        let has = |i: &usize| x.view.dims[*i].iter().any(|leaf| leaf.axis == axis);
        (0..x.view.dims.len()).filter(has).collect()
    };
    axes && (0..3).all(|axis| {
        let [m, n] = [a, b].map(|x| x.shape[axis]);
        m == 1 || n == 1 || (m == n && graph(a, axis) == graph(b, axis))
    })
}

/// Two values whose axes in the graph are the same axes of their layers' outputs.
fn alike(importer: &mut Importer, a: Activation, b: Activation) -> Result<(Activation, Activation), String> {
    if fits(&a, &b) {
        return Ok((a, b));
    }
    // The smaller as the larger lies, or both as a picture lies.
    let turned = a.size() < b.size();
    let (larger, smaller) = if turned { (&b, &a) } else { (&a, &b) };
    if let Some(near) =
        conform(importer, smaller.clone(), &larger.view).ok().filter(|near| fits(near, larger))
    {
        return Ok(if turned { (near, b) } else { (a, near) });
    }
    let usual: &[usize] = match a.rank() {
        2 => &[CHANNELS],
        3 => &[CHANNELS, WIDTH],
        4 => &[CHANNELS, HEIGHT, WIDTH],
        rank => return Err(format!("values of {rank} axes are not supported")),
    };
    // The axes of the larger, if it has them; those of extent 1 are the ones that are left.
    let target = match larger.view.axes(larger.shape) {
        Some(axes) => {
            let mut rest = usual.iter().chain(&[HEIGHT]).copied().filter(|a| !axes.contains(&Some(*a)));
            let mut all: Vec<usize> = Vec::new();
            for axis in &axes {
                all.push(axis.or_else(|| rest.next()).ok_or("axes of 1 are too many")?);
            }
            all
        }
        None => usual.to_vec(),
    };
    let a = arrange(importer, a, &target)?;
    let b = arrange(importer, b, &target)?;
    match fits(&a, &b) {
        true => Ok((a, b)),
        false => Err(format!("values of {} and {} are not supported", a.told(), b.told())),
    }
}

/// What gates its own input, as exporters write activations: `x sigmoid(x)` and its like.
fn gate(
    importer: &mut Importer,
    kind: &LayerKind,
    a: &Activation,
    b: &Activation,
) -> Result<Option<Activation>, String> {
    if !matches!(kind, LayerKind::Multiply(_)) {
        return Ok(None);
    }
    for (x, gate) in [(a, b), (b, a)] {
        let Some(at) = gate.layer.filter(|_| !gate.shared && x.view == gate.view) else { continue };
        let above = |importer: &Importer, at: usize| importer.layers[at].from.first().copied();
        let last = at + 1 == importer.layers.len();
        if !last || Some(gate.layer) == Some(x.layer) {
            continue;
        }
        let found: LayerKind = match &importer.layers[at].spec.kind {
            LayerKind::Sigmoid(_) if above(importer, at) == Some(x.layer) => kinds::Silu {}.into(),
            LayerKind::HardSigmoid(k)
                if above(importer, at) == Some(x.layer)
                    && (k.alpha - 1.0 / 6.0).abs() < 1e-7
                    && k.beta == 0.5 =>
            {
                kinds::HardSwish {}.into()
            }
            _ => continue,
        };
        importer.pop();
        return importer.push(found, &[x.layer], x.shape, x.view.clone()).map(Some);
    }
    Ok(None)
}
