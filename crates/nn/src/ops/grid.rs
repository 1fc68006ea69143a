//! Operations of [`foveal_kernels::grid`] on arrays, image by image.

use super::{expect, rows, slice};
use crate::Error;
use foveal_kernels::Isa;
use foveal_kernels::geometry::MAX_ARRAY_BYTES;
use foveal_kernels::grid::{Grid, Op, Planned};
use ndarray::{Array4, ArrayView4, CowArray, Ix4};
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
    numbers.par_chunks_mut(y.iter().product()).enumerate().for_each_init(
        || vec![0.0; planned.scratch()],
        |scratch, (i, y)| {
            planned.forward(Isa::best(), pair(x.iter().map(|x| part(x, i))), params, y, scratch);
        },
    );
    Ok(out)
}

/// Gradients of each input and of each parameter.
pub(crate) type Gradients = (Vec<Array4<f32>>, Vec<Vec<f32>>);

/// The gradients of `op` at `x` from `dy`; `y` is [`run`]'s result.
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
    let x: Vec<_> = x.iter().map(|x| rows(*x)).collect();
    let (y, dy) = (rows(y), rows(dy));
    let inputs = |i: usize| pair(x.iter().map(|x| part(x, i)));
    let values = pair(params.iter().copied());
    let isa = Isa::best();
    let of_input = |k: usize| {
        let mut dx = Array4::zeros(x[k].raw_dim());
        let size = image(x[k].shape()).iter().product();
        let numbers = dx.as_slice_mut().expect("new");
        numbers.par_chunks_mut(size).enumerate().for_each_init(
            || vec![0.0; planned.scratch()],
            |scratch, (i, dx)| {
                let y = if op.reads_output() { part(&y, i) } else { &[] };
                planned.backward_input(isa, k, inputs(i), values, y, part(&dy, i), dx, scratch);
            },
        );
        dx
    };
    let dx = (0..x.len()).map(of_input).collect();
    Ok((
        dx,
        parameters(params, n, |i, d, scratch| {
            scratch.resize(planned.scratch(), 0.0);
            planned.backward_params(isa, inputs(i), values, part(&dy, i), d, scratch);
        }),
    ))
}

/// The parameters' gradients, each image's by itself and then added in their order.
fn parameters(
    params: &[&[f32]],
    n: usize,
    of_image: impl Fn(usize, [&mut [f32]; 2], &mut Vec<f32>) + Sync,
) -> Vec<Vec<f32>> {
    if params.is_empty() {
        return Vec::new();
    }
    let lengths = pair(params.iter().copied()).map(<[f32]>::len);
    let mut each = vec![0.0; n * (lengths[0] + lengths[1])];
    let image = |scratch: &mut Vec<f32>, (i, d): (usize, &mut [f32])| {
        let (first, second) = d.split_at_mut(lengths[0]);
        of_image(i, [first, second], scratch);
    };
    each.par_chunks_mut(lengths[0] + lengths[1]).enumerate().for_each_init(Vec::new, image);
    let sum =
        |k: usize| each.iter().skip(k).step_by(lengths[0] + lengths[1]).map(|&v| f64::from(v)).sum::<f64>();
    let all: Vec<f32> = (0..lengths[0] + lengths[1]).map(|k| sum(k) as f32).collect();
    let (first, second) = all.split_at(lengths[0]);
    [first, second].into_iter().take(params.len()).map(<[f32]>::to_vec).collect()
}
