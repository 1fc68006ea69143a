//! Constants of one type as those of another.

use super::constant::{Constant, Data, range};
use super::{Call, Room, of_batch};
use crate::proto::kind;

pub(super) fn cast<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Constant<'g>, String> {
    let to_kind = match call.node.operator.as_str() {
        "CastLike" => call.input(1)?.kind(),
        _ => call.attributes.int("to", 0)?,
    };
    to(call.input(0)?, to_kind, room)
}

/// A constant as one of type `to`; 16-bit floats become 32-bit ones.
pub(super) fn to<'g>(from: &Constant<'g>, to: i64, room: &mut Room) -> Result<Constant<'g>, String> {
    let to = if matches!(to, kind::FLOAT16 | kind::BFLOAT16) { kind::FLOAT } else { to };
    if from.kind() == to {
        return Ok(from.clone());
    }
    room.take(from.dims())?;
    let data = match (&*from.data()?, to) {
        (Data::F32(v), kind::DOUBLE) => Data::F64(v.iter().map(|&v| f64::from(v)).collect()),
        (Data::F64(v), kind::FLOAT) => Data::F32(v.iter().map(|&v| v as f32).collect()),
        (Data::Int(v, _), kind::FLOAT | kind::DOUBLE) => {
            if v.iter().any(|&v| of_batch(v)) {
                return Err("the size of the batch, which is open, becomes a float".into());
            }
            match to {
                kind::FLOAT => Data::F32(v.iter().map(|&v| v as f32).collect()),
                _ => Data::F64(v.iter().map(|&v| v as f64).collect()),
            }
        }
        (Data::Bool(v), kind::FLOAT) => Data::F32(v.iter().map(|&v| f32::from(v)).collect()),
        (Data::Bool(v), kind::DOUBLE) => Data::F64(v.iter().map(|&v| f64::from(v)).collect()),
        (Data::F32(v), kind::BOOL) => Data::Bool(v.iter().map(|&v| v != 0.0).collect()),
        (Data::F64(v), kind::BOOL) => Data::Bool(v.iter().map(|&v| v != 0.0).collect()),
        (Data::Int(v, _), kind::BOOL) => Data::Bool(v.iter().map(|&v| v != 0).collect()),
        (data, to) => whole(data, to)?,
    };
    Ok(Constant::computed(from.dims().to_vec(), data))
}

/// Numbers as whole ones, towards 0.
fn whole(data: &Data, to: i64) -> Result<Data, String> {
    let fail = || format!("a constant of type {} is not cast to type {to}", data.kind());
    let [least, most] = range(to).ok_or_else(fail)?;
    let values: Vec<i64> = match data {
        Data::Int(v, _) => v.clone(),
        Data::Bool(v) => v.iter().map(|&v| i64::from(v)).collect(),
        Data::F32(v) if v.iter().all(|v| v.abs() < 9e18) => v.iter().map(|&v| v as i64).collect(),
        Data::F64(v) if v.iter().all(|v| v.abs() < 9e18) => v.iter().map(|&v| v as i64).collect(),
        _ => return Err(fail()),
    };
    // The size of a batch is larger here than it is; whether it fits is not asked.
    match values.iter().find(|v| !(least..=most).contains(*v) && !of_batch(**v)) {
        Some(v) => Err(format!("{v} is cast to type {to}, which does not hold it")),
        None => Ok(Data::Int(values, to)),
    }
}
