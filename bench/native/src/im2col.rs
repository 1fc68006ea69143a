//! Convolution as im2col and a product of the `gemm` crate, on all threads.

use crate::case::Case;
use foveal_nn::Conv2dGeometry;
use gemm::{Parallelism, gemm};
use rayon::prelude::*;

/// Memory for the patches and the result, used again by every call.
pub struct Product {
    patches: Vec<f32>,
    result: Vec<f32>,
}

impl Product {
    pub fn new(case: &Case) -> Self {
        let g = &case.geometry;
        let most = case.x.len().max(case.filter.len()).max(case.dy.len());
        let taps = g.h.kernel * g.w.kernel * g.in_channels;
        Self { patches: vec![0.0; case.dy.len() / g.out_channels * taps], result: vec![0.0; most] }
    }

    /// One pass: `forward`, `input` or `filter`.
    pub fn run(&mut self, case: &Case, pass: &str) -> &[f32] {
        let g = &case.geometry;
        let (k, o) = (g.h.kernel * g.w.kernel * g.in_channels, g.out_channels);
        let [x, f, dy] = [&case.x, &case.filter, &case.dy].map(|a| a.as_slice().expect("row-major"));
        let m = dy.len() / o;
        let Self { patches, result } = self;
        match pass {
            "forward" => {
                im2col(g, x, patches);
                product([m, o, k], patches, [k, 1], f, [o, 1], &mut result[..m * o]);
                &result[..m * o]
            }
            "input" => {
                product([m, k, o], dy, [o, 1], f, [1, o], patches);
                col2im(g, patches, &mut result[..x.len()]);
                &result[..x.len()]
            }
            _ => {
                im2col(g, x, patches);
                product([k, o, m], patches, [1, k], dy, [o, 1], &mut result[..k * o]);
                &result[..k * o]
            }
        }
    }
}

/// `c = a b`, `m x k` by `k x n`, with the steps from row to row and from column to column of `a` and `b`.
fn product(
    [m, n, k]: [usize; 3],
    a: &[f32],
    a_step: [usize; 2],
    b: &[f32],
    b_step: [usize; 2],
    c: &mut [f32],
) {
    let last = |rows: usize, columns: usize, step: [usize; 2]| (rows - 1) * step[0] + (columns - 1) * step[1];
    assert!(last(m, k, a_step) < a.len() && last(k, n, b_step) < b.len() && m * n <= c.len());
    let [[ar, ac], [br, bc]] = [a_step, b_step].map(|s| s.map(|v| v as isize));
    // SAFETY: the slices hold the matrices, as asserted; `c` is borrowed alone.
    unsafe {
        gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            n as isize,
            false,
            a.as_ptr(),
            ac,
            ar,
            b.as_ptr(),
            bc,
            br,
            0.0,
            1.0,
            false,
            false,
            false,
            Parallelism::Rayon(0),
        );
    }
}

/// Rows of patches: positions by taps and channels.
fn im2col(g: &Conv2dGeometry, x: &[f32], patches: &mut [f32]) {
    let c = g.in_channels;
    let k = g.h.kernel * g.w.kernel * c;
    let cells = g.h.output * g.w.output;
    patches.par_chunks_mut(k).enumerate().for_each(|(p, row)| {
        let (n, oh, ow) = (p / cells, p % cells / g.w.output, p % g.w.output);
        for (t, out) in row.chunks_exact_mut(c).enumerate() {
            match (g.h.source(oh, t / g.w.kernel), g.w.source(ow, t % g.w.kernel)) {
                (Some(h), Some(w)) => {
                    let at = ((n * g.h.input + h) * g.w.input + w) * c;
                    out.copy_from_slice(&x[at..at + c]);
                }
                _ => out.fill(0.0),
            }
        }
    });
}

/// Adds rows of patches back to the image.
fn col2im(g: &Conv2dGeometry, patches: &[f32], x: &mut [f32]) {
    let c = g.in_channels;
    let k = g.h.kernel * g.w.kernel * c;
    let cells = g.h.output * g.w.output;
    x.par_chunks_mut(g.h.input * g.w.input * c).enumerate().for_each(|(n, image)| {
        image.fill(0.0);
        for (p, row) in patches[n * cells * k..(n + 1) * cells * k].chunks_exact(k).enumerate() {
            for (t, patch) in row.chunks_exact(c).enumerate() {
                let (oh, ow) = (p / g.w.output, p % g.w.output);
                if let (Some(h), Some(w)) = (g.h.source(oh, t / g.w.kernel), g.w.source(ow, t % g.w.kernel)) {
                    let at = (h * g.w.input + w) * c;
                    image[at..at + c].iter_mut().zip(patch).for_each(|(a, b)| *a += b);
                }
            }
        }
    });
}
