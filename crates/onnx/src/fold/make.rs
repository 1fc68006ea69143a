//! Constants out of attributes, extents and ranges.

use super::constant::{Constant, Data};
use super::{Call, Room, of_batch};
use crate::attributes::Attributes;
use crate::proto::{Attribute, Tensor};
use std::rc::Rc;

/// The value of a Constant node, in any form.
pub(super) fn constant<'g>(call: &Call<'_, 'g>) -> Result<Constant<'g>, String> {
    let computed = |dims: Vec<usize>, data| Ok(Constant::computed(dims, data));
    match call.node.attributes.first().map(|(_, a)| a) {
        Some(Attribute::Tensor(tensor)) => Constant::stored(tensor.clone()),
        Some(Attribute::Float(v)) => computed(vec![], Data::F32(vec![*v])),
        Some(Attribute::Floats(v)) => computed(vec![v.len()], Data::F32(v.clone())),
        Some(Attribute::Int(v)) => Ok(Constant::int(*v)),
        Some(Attribute::Ints(v)) => Ok(Constant::list(v.clone())),
        _ => Err("a constant of this kind is not supported, only numbers".into()),
    }
}

pub(super) fn filled<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Constant<'g>, String> {
    let shape = call.input(0)?.ints()?;
    let dims: Option<Vec<usize>> = shape.iter().map(|&d| usize::try_from(d).ok()).collect();
    let dims = dims.ok_or_else(|| format!("it fills a shape of {shape:?}"))?;
    let value = match call.attributes.tensor("value")? {
        Some(tensor) => Constant::stored(tensor.clone())?,
        None => Constant::stored(Rc::new(Tensor::floats("zero", &[1], vec![0.0])))?,
    };
    if value.size() != 1 {
        return Err(format!("it fills with {:?} numbers, not with one", value.dims()));
    }
    let size = room.take(&dims)?;
    let data = match &*value.data()? {
        Data::F32(v) => Data::F32(vec![v[0]; size]),
        Data::F64(v) => Data::F64(vec![v[0]; size]),
        Data::Int(v, kind) => Data::Int(vec![v[0]; size], *kind),
        Data::Bool(v) => Data::Bool(vec![v[0]; size]),
    };
    Ok(Constant::computed(dims, data))
}

pub(super) fn range<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Constant<'g>, String> {
    let ends = [call.input(0)?, call.input(1)?, call.input(2)?];
    if ends.iter().any(|c| c.size() != 1 || c.kind() != ends[0].kind()) {
        return Err("its ends and step must be one number each, of one type".into());
    }
    let numbers = ends.map(Constant::data);
    let [start, limit, step] = numbers;
    let count = |n: f64| match n {
        n if n.is_finite() && n < 1e15 => Ok(n.max(0.0).ceil() as usize),
        _ => Err("it counts without end".to_owned()),
    };
    let data = match (&*start?, &*limit?, &*step?) {
        (Data::Int(a, kind), Data::Int(b, _), Data::Int(by, _)) => {
            if [a[0], b[0], by[0]].into_iter().any(of_batch) {
                return Err("it counts the batch, whose size is open".into());
            }
            let n = room.take(&[count((b[0] as f64 - a[0] as f64) / by[0] as f64)?])?;
            let all: Option<Vec<i64>> =
                (0..n as i64).map(|i| by[0].checked_mul(i)?.checked_add(a[0])).collect();
            Data::Int(all.ok_or("it counts beyond its type")?, *kind)
        }
        (Data::F32(a), Data::F32(b), Data::F32(by)) => {
            let n = room.take(&[count(((b[0] - a[0]) / by[0]).into())?])?;
            Data::F32((0..n).map(|i| a[0] + i as f32 * by[0]).collect())
        }
        (Data::F64(a), Data::F64(b), Data::F64(by)) => {
            let n = room.take(&[count((b[0] - a[0]) / by[0])?])?;
            Data::F64((0..n).map(|i| a[0] + i as f64 * by[0]).collect())
        }
        _ => return Err("it counts by numbers of a type that is not supported".into()),
    };
    Ok(Constant::computed(vec![data.len()], data))
}

pub(super) fn shape<'g>(call: &Call<'_, 'g>) -> Result<Constant<'g>, String> {
    let dims: Vec<i64> = call.input(0)?.dims().iter().map(|&d| d as i64).collect();
    of_shape(&call.node.operator, call.attributes, &dims)
}

/// What a Shape or Size node gives of these extents.
pub(crate) fn of_shape<'g>(
    operator: &str,
    attributes: &Attributes,
    dims: &[i64],
) -> Result<Constant<'g>, String> {
    if operator == "Size" {
        let size = dims.iter().try_fold(1i64, |a, &d| a.checked_mul(d));
        return size.map(Constant::int).ok_or_else(|| format!("{dims:?} are too many numbers to count"));
    }
    let n = dims.len() as i64;
    let end = |v: i64| if v < 0 { v.saturating_add(n) } else { v }.clamp(0, n) as usize;
    let from = end(attributes.int("start", 0)?);
    let to = end(attributes.int("end", n)?);
    let values = dims.get(from..to).unwrap_or_default().to_vec();
    Ok(Constant::list(values))
}
