//! The public convolution against im2col and a matrix product of the `gemm` crate, by turns, on all threads:
//! `cargo run --release` in this folder. Prints GFLOP/s and the ratio (above 1: foveal is faster), medians.

use foveal_kernels::{Conv2dGeometry, Conv2dOptions, Isa, Padding, nhwc};
use gemm::{Parallelism, gemm};
use rayon::prelude::*;
use std::time::Instant;

const RUNS: usize = 7;

/// Name, batch, side, input channels, filter side, stride, output channels.
const SHAPES: [(&str, usize, usize, usize, usize, i64, usize); 10] = [
    ("1->8 28x28 3x3", 128, 28, 1, 3, 1, 8),
    ("8->16 14x14 3x3", 128, 14, 8, 3, 1, 16),
    ("16->32 14x14 3x3", 128, 14, 16, 3, 1, 32),
    ("32->64 14x14 3x3", 128, 14, 32, 3, 1, 64),
    ("64->64 56x56 3x3", 8, 56, 64, 3, 1, 64),
    ("128->128 28x28 3x3", 8, 28, 128, 3, 1, 128),
    ("256->256 14x14 3x3", 8, 14, 256, 3, 1, 256),
    ("512->512 7x7 3x3", 8, 7, 512, 3, 1, 512),
    ("64->256 56x56 1x1", 8, 56, 64, 1, 1, 256),
    ("3->64 224x224 7x7/2", 8, 224, 3, 7, 2, 64),
];

/// `c = a b` (`m x k`, `k x n`), any strides.
#[allow(clippy::too_many_arguments)]
fn product(m: usize, n: usize, k: usize, a: &[f32], a_step: [isize; 2], b: &[f32], b_step: [isize; 2], c: &mut [f32]) {
    // SAFETY: the callers' slices hold the matrices that sizes and steps describe.
    unsafe {
        gemm(
            m, n, k, c.as_mut_ptr(), 1, n as isize, false, a.as_ptr(), a_step[1], a_step[0], b.as_ptr(), b_step[1],
            b_step[0], 0.0, 1.0, false, false, false, Parallelism::Rayon(0),
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

fn time(mut f: impl FnMut()) -> f64 {
    let start = Instant::now();
    f();
    start.elapsed().as_secs_f64()
}

/// Medians of both, run by turns.
fn duel(mut ours: impl FnMut(), mut theirs: impl FnMut()) -> (f64, f64) {
    ours();
    theirs();
    let mut pairs: Vec<(f64, f64)> = (0..RUNS).map(|_| (time(&mut ours), time(&mut theirs))).collect();
    let mut median = |pick: fn(&(f64, f64)) -> f64| {
        pairs.sort_by(|a, b| pick(a).total_cmp(&pick(b)));
        pick(&pairs[RUNS / 2])
    };
    (median(|p| p.0), median(|p| p.1))
}

fn numbers(n: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 2_654_435_761 % 1000) as f32) / 500.0 - 1.0).collect()
}

fn check(a: &[f32], b: &[f32]) {
    let top = b.iter().fold(0f32, |m, v| m.max(v.abs()));
    let worst = a.iter().zip(b).fold(0f32, |m, (x, y)| m.max((x - y).abs()));
    assert!(worst <= 1e-4 * top, "{worst} of {top}");
}

fn main() {
    let isa = Isa::best();
    println!("{}, {} threads; GFLOP/s foveal / gemm = ratio", isa.name(), rayon::current_num_threads());
    let mut logs = Vec::new();
    for (name, n, side, c, k, stride, o) in SHAPES {
        let options = Conv2dOptions { strides: [stride; 2], padding: Padding::Same, ..Default::default() };
        let g = Conv2dGeometry::new("conv2d", &[n, side, side, c], &[k, k, c, o], &options).expect("fits");
        let size = |s: [usize; 4]| s.iter().product::<usize>();
        let (x, f, dy) = (numbers(size(g.input_shape())), numbers(size(g.filter_shape())), numbers(size(g.output_shape())));
        let (m, kk) = (dy.len() / o, k * k * c);
        let mut patches = vec![0.0; m * kk];
        let (mut a, mut b) = (vec![0.0; dy.len()], vec![0.0; dy.len()]);
        let forward = duel(
            || nhwc::conv2d(isa, &g, &x, &f, None, &mut a),
            || {
                im2col(&g, &x, &mut patches);
                product(m, o, kk, &patches, [kk as isize, 1], &f, [o as isize, 1], &mut b);
            },
        );
        check(&a, &b);
        let (mut a, mut b) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        let input = duel(
            || nhwc::conv2d_backward_input(isa, &g, &dy, &f, &mut a),
            || {
                product(m, kk, o, &dy, [o as isize, 1], &f, [1, o as isize], &mut patches);
                col2im(&g, &patches, &mut b);
            },
        );
        check(&a, &b);
        let (mut a, mut b) = (vec![0.0; f.len()], vec![0.0; f.len()]);
        let filter = duel(
            || nhwc::conv2d_backward_filter(isa, &g, &x, &dy, &mut a),
            || {
                im2col(&g, &x, &mut patches);
                product(kk, o, m, &patches, [1, kk as isize], &dy, [o as isize, 1], &mut b);
            },
        );
        check(&a, &b);
        let flops = g.flops() as f64 / 1e9;
        print!("{name:22}");
        for (ours, theirs) in [forward, input, filter] {
            logs.push((theirs / ours).ln());
            print!("  {:5.0} /{:5.0} ={:5.2}", flops / ours, flops / theirs, theirs / ours);
        }
        println!();
    }
    println!("geometric mean {:.2}", (logs.iter().sum::<f64>() / logs.len() as f64).exp());
}
