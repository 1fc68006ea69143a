//! Weights standardized by a batch normalization, as exporters write it.

use super::constant::{Constant, Data};
use super::{Call, Room};

/// `gamma (x - mean) / sqrt(variance + epsilon) + beta` along axis 1.
pub(super) fn batch_norm<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Constant<'g>, String> {
    let x = call.input(0)?;
    let &[_, channels, ..] = x.dims() else {
        return Err(format!("a constant {:?} has no channels to normalize", x.dims()));
    };
    let inner: usize = x.dims()[2..].iter().product();
    let epsilon = f64::from(call.attributes.float("epsilon", 1e-5)?);
    let training = call.attributes.int("training_mode", 0)? != 0;
    if call.attributes.int("spatial", 1)? != 1 {
        return Err("spatial = 0 is not supported".into());
    }
    room.take(x.dims())?;
    let Data::F32(values) = &*x.data()? else { return Err("only 32-bit floats are normalized".into()) };
    let mut numbers = Vec::new();
    for i in 1..5 {
        let list = call.input(i)?.floats()?.to_doubles();
        if list.len() != channels {
            return Err(format!("its input {i} has {} numbers, not {channels}", list.len()));
        }
        numbers.push(list);
    }
    if training {
        let [mean, variance] = statistics(values, channels, inner);
        (numbers[2], numbers[3]) = (mean, variance);
    }
    let each = |(i, &v): (usize, &f32)| {
        let c = i / inner.max(1) % channels;
        let [gamma, beta, mean, variance] = [0, 1, 2, 3].map(|k| numbers[k][c]);
        (gamma * (f64::from(v) - mean) / (variance + epsilon).sqrt() + beta) as f32
    };
    let data = values.iter().enumerate().map(each).collect();
    Ok(Constant::computed(x.dims().to_vec(), Data::F32(data)))
}

/// Mean and variance of each channel.
fn statistics(values: &[f32], channels: usize, inner: usize) -> [Vec<f64>; 2] {
    let (mut mean, mut variance) = (vec![0.0; channels], vec![0.0; channels]);
    let n = (values.len() / channels.max(1)) as f64;
    let channel = |i: usize| i / inner.max(1) % channels;
    values.iter().enumerate().for_each(|(i, &v)| mean[channel(i)] += f64::from(v) / n);
    values.iter().enumerate().for_each(|(i, &v)| {
        let off = f64::from(v) - mean[channel(i)];
        variance[channel(i)] += off * off / n;
    });
    [mean, variance]
}
