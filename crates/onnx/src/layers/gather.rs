//! Gather: rows of a table by the input's numbers, or cells of a value by constant places (`x[:, 0]`, colours in
//! another order).

use super::arrange::MOST_PARTS;
use super::concat::join;
use super::embedding::embedding;
use super::slice::part;
use super::{Given, Row};
use crate::activation::Activation;
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;

pub(super) const ROW: Row = Row { operators: &["Gather"], import: gather };

fn gather<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    if importer.is_constant(step.input(0)?) {
        return embedding(importer, step, attributes);
    }
    let x = importer.take(step.input(0)?)?;
    let given = attributes.int("axis", 0)?;
    let axis = x.axis(given)?;
    let constant = importer.constant(step.input(1)?)?;
    let single = match constant.dims() {
        [] => true,
        [_] => false,
        dims => return Err(format!("places {dims:?} of {} are not supported, only a row of them", x.told())),
    };
    let extent = x.dims()[axis] as i64;
    let place = |at: i64| match if at < 0 { at.saturating_add(extent) } else { at } {
        from_start if (0..extent).contains(&from_start) => Ok(from_start as usize),
        _ => Err(format!("axis {given} of {} has no place {at}", x.told())),
    };
    let places = constant.ints()?.into_iter().map(place).collect::<Result<Vec<_>, _>>()?;
    let mut y = chosen(importer, x, axis, &places)?;
    if single {
        y.view.dims.remove(axis);
    }
    Ok(vec![y])
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
