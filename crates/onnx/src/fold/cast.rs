//! Constants of one type as those of another.

use super::constant::{Constant, Data, range};
use super::{Call, Room, of_batch};
use crate::proto::kind;

pub(super) fn cast<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Constant<'g>, String> {
    let to_kind = match call.node.operator.as_str() {
        "CastLike" => {
            let like = call.input(1)?;
            like.tensor().map_or(like.kind(), |tensor| tensor.kind)
        }
        _ => call.attributes.int("to", 0)?,
    };
    to(call.input(0)?, to_kind, room)
}

/// The nearest 16-bit float of IEEE 754.
fn half(v: f32) -> f32 {
    let exponent = (v.to_bits() >> 23 & 255) as i32 - 127;
    let step = 2f32.powi(exponent.max(-14) - 10);
    match (v / step).round_ties_even() * step {
        rounded if rounded.abs() >= 65536.0 => f32::INFINITY.copysign(v),
        _ if !v.is_finite() => v,
        rounded => rounded,
    }
}

/// The nearest float of the upper 16 bits.
fn brain(v: f32) -> f32 {
    let bits = v.to_bits();
    if v.is_nan() { v } else { f32::from_bits((bits + (0x7fff + (bits >> 16 & 1))) & 0xffff_0000) }
}

/// A constant as one of type `to`; 16-bit floats are rounded as such and then are 32-bit ones.
pub(super) fn to<'g>(from: &Constant<'g>, to: i64, room: &mut Room) -> Result<Constant<'g>, String> {
    if matches!(to, kind::FLOAT16 | kind::BFLOAT16) {
        let round = if to == kind::FLOAT16 { half } else { brain };
        let floats = self::to(from, kind::FLOAT, room)?;
        room.take(floats.dims())?;
        let values = floats.to_floats()?.into_iter().map(round).collect();
        return Ok(Constant::computed(floats.dims().to_vec(), Data::F32(values)));
    }
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

#[cfg(test)]
mod tests {
    use super::{brain, half};

    #[test]
    fn floats_are_rounded_to_16_bits() {
        for (v, wanted) in [
            (0.478_925_47, 0.479_003_9),
            (65519.0, 65504.0),
            (65520.0, f32::INFINITY),
            (-1e9, f32::NEG_INFINITY),
            (1.0 + 1.0 / 2048.0, 1.0),
            (1.0 + 3.0 / 2048.0, 1.0 + 2.0 / 1024.0),
            (3e-8, 5.960_464_5e-8),
            (2.9e-8, 0.0),
            (0.0, 0.0),
            (f32::INFINITY, f32::INFINITY),
        ] {
            assert_eq!(half(v), wanted, "{v}");
        }
        assert!(half(f32::NAN).is_nan() && brain(f32::NAN).is_nan());
        assert_eq!([brain(1.0), brain(1.003_906_3), brain(-1.011_718_8)], [1.0, 1.0, -1.015_625]);
        assert_eq!(brain(f32::INFINITY), f32::INFINITY);
    }
}
