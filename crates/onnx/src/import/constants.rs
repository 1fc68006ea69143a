//! Constants, and what nodes make of constants alone, as exporters leave it for padding and shapes.

use super::Importer;
use super::attributes::Attributes;
use crate::proto::{Attribute, Node, Numbers, Tensor, kind};
use std::rc::Rc;

/// The most numbers of a constant that is computed.
const MOST: usize = 4096;
/// What stands for an extent of the batch that is not fixed; no shape is this, and no arithmetic leads here.
pub(super) const OPEN: i64 = i64::MIN / 2;

/// Whole numbers in rows.
#[derive(Clone, Debug, PartialEq)]
struct Whole {
    dims: Vec<usize>,
    values: Vec<i64>,
}

impl Whole {
    fn new(dims: Vec<usize>, values: Vec<i64>) -> Result<Self, String> {
        let size = dims.iter().try_fold(1usize, |a, &d| a.checked_mul(d));
        match size.filter(|&n| n == values.len() && n <= MOST) {
            Some(_) => Ok(Self { dims, values }),
            None => {
                Err(format!("a computed constant of {dims:?} is not supported, only up to {MOST} numbers"))
            }
        }
    }

    fn of(tensor: &Tensor) -> Result<Self, String> {
        Self::new(tensor.shape()?, tensor.to_ints()?)
    }

    fn tensor<'g>(self) -> Rc<Tensor<'g>> {
        let dims = self.dims.iter().map(|&d| d as i64).collect();
        let numbers = Numbers::Ints(self.values);
        Rc::new(Tensor { name: "computed".into(), dims, kind: kind::INT64, numbers, external: false })
    }

    /// Rows `start..end` by `step`, as ONNX's Slice counts them, of the first axis.
    fn slice(self, [start, end, step]: [i64; 3]) -> Result<Self, String> {
        let Some((&rows, rest)) = self.dims.split_first() else { return Err("it slices one number".into()) };
        if step == 0 {
            return Err("a slice by steps of 0".into());
        }
        let n = rows as i64;
        let from_end = |at: i64| if at < 0 { at.saturating_add(n) } else { at };
        let (least, most) = if step > 0 { (0, n) } else { (-1, n - 1) };
        let [mut at, end] = [start, end].map(|at| from_end(at).clamp(least, most));
        let row: usize = rest.iter().product();
        let (mut count, mut values) = (0, Vec::new());
        while (step > 0 && at < end) || (step < 0 && at > end) {
            let from = at as usize * row;
            values.extend_from_slice(&self.values[from..from + row]);
            count += 1;
            at = at.saturating_add(step);
        }
        Self::new([&[count], rest].concat(), values)
    }

    fn transposed(self) -> Result<Self, String> {
        let [rows, columns] = self.dims[..] else {
            return Err("a constant is transposed that has not two axes".into());
        };
        let at = |i: usize| self.values[i % rows.max(1) * columns + i / rows.max(1)];
        Self::new(vec![columns, rows], (0..self.values.len()).map(at).collect())
    }
}

impl<'g> Importer<'g> {
    /// The value of a node that gives a constant.
    pub(super) fn constant_node(&self, node: &'g Node<'g>) -> Result<Option<Rc<Tensor<'g>>>, String> {
        let attributes = || Attributes::new(node);
        match node.operator.as_str() {
            "Constant" => return attributes()?.constant().map(Some),
            "Shape" => return self.shape_of(node).map(|shape| Some(shape.tensor())),
            _ => {}
        }
        let named = node.inputs.iter().filter(|name| !name.is_empty());
        let inputs: Option<Vec<&Rc<Tensor>>> = named.map(|name| self.constants.get(name.as_str())).collect();
        let Some(inputs) = inputs else { return Ok(None) };
        let Some(&first) = inputs.first() else { return Ok(None) };
        let whole = |i: usize| Whole::of(inputs.get(i).ok_or_else(|| format!("its input {i} is missing"))?);
        let found = match node.operator.as_str() {
            "Identity" => return Ok(Some(first.clone())),
            "Cast" => return cast(first, attributes()?.int("to", 0)?).map(Some),
            "Reshape" => return reshaped(first, &whole(1)?.values).map(Some),
            "ConstantOfShape" => filled(node, &whole(0)?.values)?,
            "Concat" => {
                let all = (0..inputs.len()).map(whole).collect::<Result<Vec<_>, _>>()?;
                if all.iter().any(|list| list.dims.len() != 1) {
                    return Err("constants are joined that are no lists".into());
                }
                let values: Vec<i64> = all.into_iter().flat_map(|list| list.values).collect();
                Whole::new(vec![values.len()], values)?
            }
            "Add" | "Sub" | "Mul" if inputs.len() == 2 => {
                let whole = (whole(0)?, whole(1)?);
                arithmetic(&node.operator, &whole.0, &whole.1)?
            }
            "Gather" => picked(&whole(0)?, &whole(1)?)?,
            "Unsqueeze" | "Squeeze" if whole(0)?.values.len() == 1 => {
                let dims = if node.operator == "Squeeze" { vec![] } else { vec![1] };
                Whole::new(dims, whole(0)?.values)?
            }
            "Transpose" => whole(0)?.transposed()?,
            "Slice" => {
                let given: Vec<Whole> = (1..inputs.len()).map(whole).collect::<Result<_, _>>()?;
                let given: Vec<&[i64]> = given.iter().map(|list| &list.values[..]).collect();
                match given[..] {
                    [&[start], &[end]] | [&[start], &[end], &[0]] => whole(0)?.slice([start, end, 1])?,
                    [&[start], &[end], &[0], &[step]] => whole(0)?.slice([start, end, step])?,
                    _ => return Err("a constant is sliced along other axes than the first".into()),
                }
            }
            _ => return Ok(None),
        };
        Ok(Some(found.tensor()))
    }

    /// The extents of a value in the graph.
    fn shape_of(&self, node: &Node) -> Result<Whole, String> {
        let name = super::input(node, 0)?;
        if !node.attributes.is_empty() {
            return Err("its attributes `start` and `end` are not supported".into());
        }
        let dims: Vec<i64> = match self.constants.get(name) {
            Some(constant) => constant.shape()?.iter().map(|&d| d as i64).collect(),
            None => {
                let value = self.take(name)?;
                let batch = self.batch.unwrap_or(OPEN);
                std::iter::once(batch).chain(value.dims().iter().map(|&d| d as i64)).collect()
            }
        };
        Whole::new(vec![dims.len()], dims)
    }
}

fn cast<'g>(constant: &Rc<Tensor<'g>>, to: i64) -> Result<Rc<Tensor<'g>>, String> {
    match to {
        kind::FLOAT => {
            let whole = |v: Vec<i64>| v.into_iter().map(|v| v as f32).collect();
            let values = constant.to_floats().or_else(|_| constant.to_ints().map(whole))?;
            Ok(Rc::new(Tensor::floats(&constant.name, &constant.shape()?, values)))
        }
        kind::INT64 | kind::INT32 if constant.to_ints().is_ok() => Ok(Whole::of(constant)?.tensor()),
        to => Err(format!("a constant's cast to type {to} is not supported, only to 32-bit floats")),
    }
}

/// The same numbers with other extents.
fn reshaped<'g>(constant: &Rc<Tensor<'g>>, shape: &[i64]) -> Result<Rc<Tensor<'g>>, String> {
    let old = constant.shape()?;
    let size: usize = old.iter().product();
    let fail = || format!("a constant of {old:?} is not reshaped to {shape:?}");
    if size > MOST {
        return Err(format!("a constant of {size} numbers is reshaped; at most {MOST} are"));
    }
    let mut dims = Vec::new();
    for (i, &extent) in shape.iter().enumerate() {
        dims.push(match extent {
            0 => *old.get(i).ok_or_else(fail)? as i64,
            extent if extent >= -1 => extent,
            _ => return Err(fail()),
        });
    }
    let known =
        dims.iter().filter(|&&d| d != -1).try_fold(1i64, |a, &d| a.checked_mul(d)).ok_or_else(fail)?;
    match dims.iter().filter(|&&d| d == -1).count() {
        0 if known == size as i64 => {}
        1 if known > 0 && size as i64 % known == 0 => {
            dims.iter_mut().filter(|d| **d == -1).for_each(|d| *d = size as i64 / known);
        }
        _ => return Err(fail()),
    }
    Ok(Rc::new(Tensor { dims, ..(**constant).clone() }))
}

/// The whole number of a ConstantOfShape, as often as it says.
fn filled(node: &Node, shape: &[i64]) -> Result<Whole, String> {
    let value = node.attributes.iter().find(|(name, _)| name == "value").map(|(_, value)| value);
    let value = match value {
        Some(Attribute::Tensor(tensor)) => tensor.to_ints()?.first().copied(),
        _ => None,
    };
    let value = value.ok_or("only whole numbers are filled in")?;
    let dims: Option<Vec<usize>> = shape.iter().map(|&d| usize::try_from(d).ok()).collect();
    let dims = dims.ok_or_else(|| format!("it fills a shape of {shape:?}"))?;
    let size = dims.iter().try_fold(1usize, |a, &d| a.checked_mul(d)).filter(|&n| n <= MOST);
    let size = size.ok_or_else(|| format!("it fills a shape of {shape:?}; at most {MOST} numbers are"))?;
    Whole::new(dims, vec![value; size])
}

/// Whole numbers of one shape, or one number with any.
fn arithmetic(operator: &str, a: &Whole, b: &Whole) -> Result<Whole, String> {
    let dims = match (a.values.len(), b.values.len()) {
        _ if a.dims == b.dims => &a.dims,
        (_, 1) if a.dims.len() >= b.dims.len() => &a.dims,
        (1, _) if b.dims.len() >= a.dims.len() => &b.dims,
        _ => return Err(format!("constants of {:?} and {:?} do not go together", a.dims, b.dims)),
    };
    let does = match operator {
        "Add" => i64::checked_add,
        "Sub" => i64::checked_sub,
        _ => i64::checked_mul,
    };
    let number = |i: usize| {
        let [x, y] = [a, b].map(|list| list.values[i.min(list.values.len() - 1)]);
        // The extent of an open batch stays what it is, alone.
        if x == OPEN || y == OPEN { None } else { does(x, y) }
    };
    let [m, n] = [a, b].map(|list| list.values.len());
    let values: Option<Vec<i64>> = (0..if m.min(n) == 0 { 0 } else { m.max(n) }).map(number).collect();
    Whole::new(dims.clone(), values.ok_or("constants are computed with the batch, or beyond 64 bits")?)
}

/// Numbers of a list by their places.
fn picked(list: &Whole, places: &Whole) -> Result<Whole, String> {
    let n = list.values.len() as i64;
    let at = |&place: &i64| {
        let place = if place < 0 { place.saturating_add(n) } else { place };
        usize::try_from(place).ok().and_then(|i| list.values.get(i).copied())
    };
    let values: Option<Vec<i64>> = places.values.iter().map(at).collect();
    match values {
        Some(values) if list.dims.len() == 1 => Whole::new(places.dims.clone(), values),
        _ => Err("it gathers what a list of constants does not have".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{OPEN, Whole, arithmetic};

    #[test]
    fn rows_are_sliced_as_onnx_counts() {
        let rows = || Whole::new(vec![4, 1], vec![0, 1, 2, 3]).unwrap();
        let of = |range| rows().slice(range).unwrap().values;
        assert_eq!(of([1, 3, 1]), [1, 2]);
        assert_eq!(of([-1, i64::MIN + 1, -1]), [3, 2, 1, 0]);
        assert_eq!(of([0, i64::MAX, 3]), [0, 3]);
        assert_eq!(of([3, 0, -2]), [3, 1]);
        assert_eq!(of([9, 12, 1]), [0; 0]);
        assert!(rows().slice([0, 1, 0]).is_err());
        let (two, none) = (Whole::new(vec![], vec![2]).unwrap(), Whole::new(vec![0], vec![]).unwrap());
        assert_eq!(arithmetic("Mul", &rows(), &two).unwrap().values, [0, 2, 4, 6]);
        assert_eq!(
            arithmetic("Sub", &two, &rows()).unwrap(),
            Whole::new(vec![4, 1], vec![2, 1, 0, -1]).unwrap()
        );
        assert_eq!(arithmetic("Add", &none, &two).unwrap(), none);
        assert!(arithmetic("Add", &Whole::new(vec![], vec![OPEN]).unwrap(), &two).is_err());
        let turned = Whole::new(vec![2, 3], (0..6).collect()).unwrap().transposed().unwrap();
        assert_eq!((turned.dims, turned.values), (vec![3, 2], vec![0, 3, 1, 4, 2, 5]));
    }
}
