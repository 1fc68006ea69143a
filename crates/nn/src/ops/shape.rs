use super::views::{expect, rows, slice};
use crate::Error;
use foveal_kernels::Isa;
use foveal_kernels::lanes::elementwise::{Activation, dropout_mask};
use ndarray::{Array, Array4, ArrayView, ArrayView4, Axis, Dimension, Slice};

/// `f(x)`, number by number, for any shape.
pub fn activation<D: Dimension>(f: Activation, x: ArrayView<f32, D>) -> Array<f32, D> {
    let x = rows(x);
    let mut y = Array::zeros(x.raw_dim());
    f.forward(Isa::best(), slice(&x), y.as_slice_mut().expect("new"));
    y
}

/// `d_output f'(x)`, number by number.
///
/// # Errors
/// When the shapes differ.
pub fn activation_backward<D: Dimension>(
    f: Activation,
    x: ArrayView<f32, D>,
    d_output: ArrayView<f32, D>,
) -> Result<Array<f32, D>, Error> {
    expect("activation_backward", "d_output", d_output.shape(), x.shape())?;
    let y = activation(f, x.view());
    let (x, dy) = (rows(x), rows(d_output));
    let mut dx = Array::zeros(x.raw_dim());
    f.backward(
        Isa::best(),
        slice(&x),
        y.as_slice().expect("new"),
        slice(&dy),
        dx.as_slice_mut().expect("new"),
    );
    Ok(dx)
}

/// Softmax over the last axis.
pub fn softmax<D: Dimension>(x: ArrayView<f32, D>) -> Array<f32, D> {
    let mut y = rows(x).into_owned();
    for mut row in y.rows_mut() {
        let top = row.fold(f32::NEG_INFINITY, |a, &b| a.max(b));
        row.mapv_inplace(|v| (v - top).exp());
        let total: f64 = row.iter().map(|&v| f64::from(v)).sum();
        row.mapv_inplace(|v| (f64::from(v) / total) as f32);
    }
    y
}

/// The gradient of [`softmax`] from its result `y`: `y (d_output - sum of y d_output)`.
///
/// # Errors
/// When the shapes differ.
pub fn softmax_backward<D: Dimension>(
    y: ArrayView<f32, D>,
    d_output: ArrayView<f32, D>,
) -> Result<Array<f32, D>, Error> {
    expect("softmax_backward", "d_output", d_output.shape(), y.shape())?;
    let mut dx = rows(d_output).into_owned();
    for (mut d, y) in dx.rows_mut().into_iter().zip(y.rows()) {
        let dot: f64 = d.iter().zip(y).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        d.zip_mut_with(&y, |d, &y| *d = y * (*d - dot as f32));
    }
    Ok(dx)
}

/// Sets numbers to 0 with probability `rate` and multiplies the others by `1 / (1 - rate)`; gives the result and
/// the mask, by which a gradient is multiplied as well. Number `i` depends on `seed` and `i` alone.
///
/// # Errors
/// When `rate` is not from 0 to below 1.
pub fn dropout<D: Dimension>(
    x: ArrayView<f32, D>,
    rate: f32,
    seed: u64,
) -> Result<[Array<f32, D>; 2], Error> {
    if !(0.0..1.0).contains(&rate) {
        return Err(Error::operator("dropout", format!("rate must be from 0 to below 1, got {rate}")));
    }
    let mut mask = Array::zeros(x.raw_dim());
    dropout_mask(Isa::best(), seed, rate, mask.as_slice_mut().expect("new"));
    Ok([&x * &mask, mask])
}

/// `[n, h, w, c]` to `[n, h * w * c]`, in the order height, width, channel.
pub fn flatten(x: ArrayView4<f32>) -> ndarray::Array2<f32> {
    let n = x.shape()[0];
    let size = x.shape()[1..].iter().product::<usize>();
    rows(x).into_owned().into_shape_with_order((n, size)).expect("row-major")
}

/// The sum of arrays of one shape. Its gradient is `d_output` for each of them.
///
/// # Errors
/// When there is none or the shapes differ.
pub fn add(inputs: &[ArrayView4<f32>]) -> Result<Array4<f32>, Error> {
    let [first, rest @ ..] = inputs else { return Err(Error::operator("add", "there is no input")) };
    let mut y = rows(first.view()).into_owned();
    for x in rest {
        expect("add", "every input", x.shape(), first.shape())?;
        y += x;
    }
    Ok(y)
}

/// The channels of arrays of one batch, height and width, one after the other.
///
/// # Errors
/// When there is none or the extents differ.
pub fn concat(inputs: &[ArrayView4<f32>]) -> Result<Array4<f32>, Error> {
    let [first, rest @ ..] = inputs else { return Err(Error::operator("concat", "there is no input")) };
    for x in rest {
        expect("concat", "every input's [n, h, w]", &x.shape()[..3], &first.shape()[..3])?;
    }
    let y = ndarray::concatenate(Axis(3), inputs).expect("extents were compared");
    // Joined along the last axis, the numbers come in another order.
    Ok(rows(y.view()).into_owned())
}

/// The gradient of [`concat`](concat()): `d_output` split into the inputs' `channels`.
///
/// # Errors
/// When the channels do not add up.
pub fn concat_backward(channels: &[usize], d_output: ArrayView4<f32>) -> Result<Vec<Array4<f32>>, Error> {
    let total = channels.iter().try_fold(0usize, |a, &c| a.checked_add(c));
    if total != Some(d_output.shape()[3]) {
        return Err(Error::operator(
            "concat_backward",
            format!("channels {channels:?} do not add up to d_output {:?}", d_output.shape()),
        ));
    }
    let mut at = 0;
    Ok(channels
        .iter()
        .map(|&c| {
            let part = d_output.slice_axis(Axis(3), Slice::from(at..at + c)).to_owned();
            at += c;
            part
        })
        .collect())
}
