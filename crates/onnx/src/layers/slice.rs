//! Parts of a value.

use super::arrange::settled;
use super::concat::join;
use super::cut::MOST_PARTS;
use super::{Given, Row};
use crate::activation::Activation;
use crate::attributes::Attributes;
use crate::fold::{Slices, cuts, sliced};
use crate::graph::Step;
use crate::importer::Importer;
use crate::view::View;
use foveal_nn::layers as kinds;

pub(super) const ROW: Row = Row { operators: &["Slice", "Split"], import: parts };

fn parts<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    let x = importer.take(step.input(0)?)?;
    if step.operator == "Slice" {
        slice(importer, x, step, attributes)
    } else {
        split(importer, x, step, attributes)
    }
}

/// Whole numbers of an input, or of the attribute in its place.
fn ints<'g>(
    importer: &mut Importer<'g>,
    step: &Step<'g>,
    attributes: &Attributes<'g>,
    (i, name): (usize, &str),
) -> Result<Option<Vec<i64>>, String> {
    match step.optional(i) {
        Some(input) => importer.constant(input)?.ints().map(Some),
        None => Ok(attributes.ints(name)?.map(<[i64]>::to_vec)),
    }
}

fn slice<'g>(
    importer: &mut Importer<'g>,
    mut x: Activation,
    step: &Step<'g>,
    attributes: &Attributes<'g>,
) -> Given {
    let starts = ints(importer, step, attributes, (1, "starts"))?.ok_or("its starts are missing")?;
    let ends = ints(importer, step, attributes, (2, "ends"))?.ok_or("its ends are missing")?;
    let axes = ints(importer, step, attributes, (3, "axes"))?;
    let by = step.optional(4).map(|name| importer.constant(name)?.ints()).transpose()?;
    let mut dims = vec![None; x.rank() - 1];
    for (axis, range) in (Slices { starts, ends, axes, steps: by }).of(x.rank())? {
        let Some(axis) = axis.checked_sub(1) else {
            // All of the batch stays; the largest number of 32 bits is as good as any end.
            let end = importer.batch.min(i32::MAX.into());
            if range[0] == 0 && range[1] >= end && range[2] == 1 {
                continue;
            }
            return Err("a part of the batch is not supported".into());
        };
        let (start, count) = sliced(x.dims()[axis], range)?;
        if count == 0 {
            return Err(format!("axis {} of {} from {start} on leaves nothing", axis + 1, x.told()));
        }
        if range[2] < 0 {
            let by = usize::try_from(range[2].unsigned_abs()).unwrap_or(usize::MAX);
            let places: Vec<usize> = (0..count).map(|i| start - i * by).collect();
            x = chosen(importer, x, axis, &places)?;
            continue;
        }
        dims[axis] = Some((start, count, range[2]));
    }
    Ok(vec![part(importer, x, &dims)?])
}

/// A part of some axes of the graph: where it begins, how many it takes and by which step.
pub(super) fn part(
    importer: &mut Importer,
    x: Activation,
    parts: &[Option<(usize, usize, i64)>],
) -> Result<Activation, String> {
    let dims = x.dims();
    let whole = |i: usize| parts[i].is_none_or(|(start, count, _)| start == 0 && count == dims[i]);
    if (0..dims.len()).all(whole) {
        return Ok(x);
    }
    let x = settled(importer, x)?;
    let axes = x.view.axes(x.shape).ok_or("a part of axes that are joined is not supported")?;
    let (mut kind, mut shape) = (kinds::Slice::default(), x.shape);
    for (i, axis) in axes.iter().enumerate() {
        let (Some(axis), Some((start, count, by))) = (*axis, parts[i]) else { continue };
        let last = start + (count - 1) * usize::try_from(by).unwrap_or(usize::MAX).min(dims[i]);
        let range = Some([start as i64, last as i64 + 1]);
        [&mut kind.rows, &mut kind.columns, &mut kind.channels][axis].clone_from(&range);
        kind.steps[axis] = if count == 1 { 1 } else { by };
        shape[axis] = count;
    }
    let view = axes.iter().map(|axis| axis.map_or(vec![], |axis| View::of(&[axis], shape).dims.concat()));
    let view = View { dims: view.collect() };
    importer.push(kind, &[x.layer], shape, view)
}

/// The cells along an axis of the graph that is a part of an axis of the output, its outer or its inner one; each a
/// value whose extent there is 1.
pub(super) fn cells(importer: &mut Importer, x: &Activation, axis: usize) -> Result<Vec<Activation>, String> {
    let fail = || format!("axis {} of {} would be cut in parts that no layer takes", axis + 1, x.told());
    let [leaf] = x.view.dims[axis][..] else { return Err(fail()) };
    let (whole, n) = (x.shape[leaf.axis], leaf.extent);
    let outer = n * leaf.step == whole;
    if !(outer || leaf.step == 1) || n > MOST_PARTS {
        return Err(fail());
    }
    let mut shape = x.shape;
    shape[leaf.axis] = whole / n;
    let mut view = x.view.clone();
    view.dims[axis].clear();
    if !outer {
        // What lay around the cells moves together.
        let around = view.dims.iter_mut().flatten().filter(|l| l.axis == leaf.axis);
        around.for_each(|l| l.step /= n);
    }
    let mut all = Vec::new();
    for i in 0..n {
        let (range, by) = match outer {
            true => ([i * leaf.step, (i + 1) * leaf.step], 1),
            false => ([i, whole - n + i + 1], n),
        };
        let mut kind = kinds::Slice::default();
        let range = Some(range.map(|at| at as i64));
        [&mut kind.rows, &mut kind.columns, &mut kind.channels][leaf.axis].clone_from(&range);
        kind.steps[leaf.axis] = by as i64;
        all.push(importer.push(kind, &[x.layer], shape, view.clone())?);
    }
    Ok(all)
}

fn split<'g>(
    importer: &mut Importer<'g>,
    x: Activation,
    step: &Step<'g>,
    attributes: &Attributes<'g>,
) -> Given {
    let axis = x.axis(attributes.int("axis", 0)?)?;
    let given = ints(importer, step, attributes, (1, "split"))?;
    let sizes = cuts(x.dims()[axis], given, step.outputs.len())?;
    // Every part reads the value.
    let x = Activation { shared: true, ..settled(importer, x)? };
    let (mut at, mut all) = (0, Vec::new());
    for (size, output) in sizes.into_iter().zip(&step.outputs) {
        let mut parts = vec![None; x.rank() - 1];
        parts[axis] = Some((at, size, 1));
        at += size;
        // A layer whose output goes nowhere is no part of a model.
        let used = !output.is_empty() && importer.uses.contains_key(output);
        all.push(if used { part(importer, x.clone(), &parts)? } else { x.clone() });
    }
    Ok(all)
}

/// The cells of a value at these places of one axis of the graph, in their order.
pub(super) fn chosen(
    importer: &mut Importer,
    x: Activation,
    axis: usize,
    places: &[usize],
) -> Result<Activation, String> {
    let runs = runs(places);
    let told = || format!("{} places of axis {} of {}", places.len(), axis + 1, x.told());
    if runs.is_empty() || runs.len() > MOST_PARTS {
        return Err(format!("{} are not supported: at most {MOST_PARTS} parts are joined", told()));
    }
    // All parts read the value.
    let x = Activation { shared: x.shared || runs.len() > 1, ..x };
    let mut parts = Vec::new();
    for run in runs {
        let mut dims = vec![None; x.rank() - 1];
        dims[axis] = Some(run);
        parts.push(part(importer, x.clone(), &dims)?);
    }
    join(importer, parts, axis)
}

/// Places as stretches that a slice can take: where each begins, how many it has and from each to the next.
fn runs(places: &[usize]) -> Vec<(usize, usize, i64)> {
    let mut runs: Vec<(usize, usize, i64)> = Vec::new();
    for &at in places {
        match runs.last_mut() {
            Some((start, count @ 1, step)) if at > *start => (*count, *step) = (2, (at - *start) as i64),
            Some((start, count, step)) if *count > 1 && at == *start + *count * *step as usize => *count += 1,
            _ => runs.push((at, 1, 1)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::runs;

    #[test]
    fn places_are_cut_in_as_few_stretches_as_they_have() {
        assert_eq!(runs(&[3]), [(3, 1, 1)]);
        assert_eq!(runs(&[1, 2, 3]), [(1, 3, 1)]);
        assert_eq!(runs(&[0, 2, 4, 5]), [(0, 3, 2), (5, 1, 1)]);
        assert_eq!(runs(&[2, 1, 0]), [(2, 1, 1), (1, 1, 1), (0, 1, 1)]);
        assert_eq!(runs(&[1, 1]), [(1, 1, 1), (1, 1, 1)]);
        assert_eq!(runs(&[]), []);
    }
}
