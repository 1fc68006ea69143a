//! Operations of [`foveal_kernels::grid`] on arrays, image by image.

use super::views::{expect, rows, slice};
use crate::Error;
use foveal_kernels::Isa;
use foveal_kernels::geometry::MAX_ARRAY_BYTES;
use foveal_kernels::grid::{Grid, Op, Planned};
use ndarray::{Array4, ArrayView4, CowArray, Ix4, ShapeBuilder};
use rayon::prelude::*;

/// Height, width and channels.
fn image(x: &[usize]) -> [usize; 3] {
    [x[1], x[2], x[3]]
}

/// The batch and an image's shape of the output.
fn shapes(op: &Op, x: &[ArrayView4<f32>], params: &[&[f32]]) -> Result<(usize, [usize; 3]), Error> {
    let fail = |problem: String| Err(Error::operator(op.name(), problem));
    let inputs: Vec<[usize; 3]> = x.iter().map(|x| image(x.shape())).collect();
    let y = match op.output_shape(&inputs) {
        Ok(y) => y,
        Err(problem) => return fail(problem),
    };
    let n = x[0].shape()[0];
    if let Some(other) = x.iter().find(|x| x.shape()[0] != n) {
        let [a, b] = [x[0].shape(), other.shape()];
        return fail(format!("inputs [n, h, w, c] {a:?} and {b:?} must be of one batch"));
    }
    let bytes = y.iter().fold(4 * n as u64, |bytes, &e| bytes.saturating_mul(e as u64));
    if n as u64 > MAX_ARRAY_BYTES || bytes > MAX_ARRAY_BYTES {
        return fail(format!(
            "output of {n} images [h, w, c] {y:?} would hold more than {MAX_ARRAY_BYTES} bytes"
        ));
    }
    if params.len() != op.params(y[2]) {
        return fail(format!("takes {} parameters, got {}", op.params(y[2]), params.len()));
    }
    let one = matches!(op, Op::Scale | Op::Prelu);
    for p in params {
        if p.len() != y[2] && !(one && p.len() == 1) {
            let or = if one { " or 1" } else { "" };
            let x = x[0].shape();
            return fail(format!(
                "a parameter of {} numbers for input {x:?}; it must have {}{or}",
                p.len(),
                y[2]
            ));
        }
    }
    Ok((n, y))
}

/// At most two slices, the others empty.
fn pair<'a>(mut all: impl Iterator<Item = &'a [f32]>) -> [&'a [f32]; 2] {
    [all.next().unwrap_or_default(), all.next().unwrap_or_default()]
}

/// The numbers of image `i`.
fn part<'a>(x: &'a CowArray<'_, f32, Ix4>, i: usize) -> &'a [f32] {
    let size = image(x.shape()).iter().product::<usize>();
    &slice(x)[i * size..(i + 1) * size]
}

fn plan(op: &Op, x: &[ArrayView4<f32>], y: [usize; 3]) -> Planned {
    let grids: Vec<Grid> = x.iter().map(|x| Grid::plain(image(x.shape()))).collect();
    Planned::new(op, &grids, Grid::plain(y))
}

/// Numbers of all images together below which one thread is as fast.
const SMALL: usize = 1 << 14;

/// Calls `f` with each image's part of `y`; each thread has scratch of its own.
fn each_image(y: &mut [f32], size: usize, scratch: usize, f: impl Fn(usize, &mut [f32], &mut [f32]) + Sync) {
    if y.len() < SMALL {
        let mut scratch = vec![0.0; scratch];
        y.chunks_mut(size).enumerate().for_each(|(i, y)| f(i, y, &mut scratch));
    } else {
        let init = || vec![0.0; scratch];
        y.par_chunks_mut(size).enumerate().for_each_init(init, |scratch, (i, y)| f(i, y, scratch));
    }
}

/// `op` of each image of the batch.
///
/// # Errors
/// When shapes, options and parameters do not fit.
pub(crate) fn run(op: &Op, x: &[ArrayView4<f32>], params: &[&[f32]]) -> Result<Array4<f32>, Error> {
    let (n, y) = shapes(op, x, params)?;
    let planned = plan(op, x, y);
    let x: Vec<_> = x.iter().map(|x| rows(*x)).collect();
    let params = pair(params.iter().copied());
    let mut out = Array4::zeros([n, y[0], y[1], y[2]]);
    let numbers = out.as_slice_mut().expect("new");
    each_image(numbers, y.iter().product(), planned.scratch(), |i, y, scratch| {
        planned.forward(Isa::best(), pair(x.iter().map(|x| part(x, i))), params, y, scratch);
    });
    Ok(out)
}

/// An array for a backward pass that asks for its shape only.
///
/// # Errors
/// When it would be larger than any array may be.
pub(crate) fn unread(op: &Op, shape: [usize; 4]) -> Result<ArrayView4<'static, f32>, Error> {
    // One number stands for all.
    ArrayView4::from_shape(shape.strides([0; 4]), &[0.0]).map_err(|_| {
        Error::operator(op.name(), format!("input {shape:?} would hold more than {MAX_ARRAY_BYTES} bytes"))
    })
}

/// Gradients of each input and of each parameter.
pub(crate) type Gradients = (Vec<Array4<f32>>, Vec<Vec<f32>>);

/// The gradients of `op` at `x` from `dy`; `y` is [`run`]'s result. Of what the operation does not read only the
/// shapes matter.
///
/// # Errors
/// When shapes, options and parameters do not fit.
pub(crate) fn gradients(
    op: &Op,
    x: &[ArrayView4<f32>],
    params: &[&[f32]],
    y: ArrayView4<f32>,
    dy: ArrayView4<f32>,
) -> Result<Gradients, Error> {
    let (n, [h, w, c]) = shapes(op, x, params)?;
    expect(op.name(), "d_output", dy.shape(), &[n, h, w, c])?;
    if op.reads_output() {
        expect(op.name(), "the output", y.shape(), &[n, h, w, c])?;
    }
    let grids: Vec<Grid> = x.iter().map(|x| Grid::plain(image(x.shape()))).collect();
    let planned = plan(op, x, [h, w, c]).with_gradients(&grids, Grid::plain([h, w, c]));
    let shapes: Vec<_> = x.iter().map(|x| x.raw_dim()).collect();
    let read = if op.reads_input() { x } else { &[] };
    let x: Vec<_> = read.iter().map(|x| rows(*x)).collect();
    let (y, dy) = (op.reads_output().then(|| rows(y)), rows(dy));
    let inputs = |i: usize| pair(x.iter().map(|x| part(x, i)));
    let values = pair(params.iter().copied());
    let isa = Isa::best();
    let of_input = |(k, shape): (usize, &Ix4)| {
        let mut dx = Array4::zeros(*shape);
        let size = dx.shape()[1..].iter().product();
        each_image(dx.as_slice_mut().expect("new"), size, planned.scratch(), |i, dx, scratch| {
            let y = y.as_ref().map_or(&[][..], |y| part(y, i));
            planned.backward_input(isa, k, inputs(i), values, y, part(&dy, i), dx, scratch);
        });
        dx
    };
    let dx = shapes.iter().enumerate().map(of_input).collect();
    let lengths = values.map(<[f32]>::len);
    let dk = parameters(lengths, n, planned.scratch(), |i, d, scratch| {
        planned.backward_params(isa, inputs(i), values, part(&dy, i), d, scratch);
    });
    Ok((dx, dk.into_iter().take(params.len()).collect()))
}

/// The gradients of two parameters of these lengths: each image's by itself and then added in the images' order.
fn parameters(
    [first, second]: [usize; 2],
    n: usize,
    scratch: usize,
    of_image: impl Fn(usize, [&mut [f32]; 2], &mut [f32]) + Sync,
) -> [Vec<f32>; 2] {
    let both = first + second;
    if both == 0 {
        return [Vec::new(), Vec::new()];
    }
    let mut each = vec![0.0; n * both];
    each_image(&mut each, both, scratch, |i, d, scratch| {
        let (a, b) = d.split_at_mut(first);
        of_image(i, [a, b], scratch);
    });
    let sum = |k: usize| each.iter().skip(k).step_by(both).map(|&v| f64::from(v)).sum::<f64>() as f32;
    [(0..first).map(sum).collect(), (first..both).map(sum).collect()]
}
