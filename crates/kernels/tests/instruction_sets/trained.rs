//! Convolutions made ready for training with channels side by side, against the public operators.

use crate::each;
use foveal_kernels::nhwc::{Layout, Trained, conv2d, conv2d_backward_filter, conv2d_backward_input};
use foveal_kernels::{Conv2dGeometry, Conv2dOptions, Isa, Padding};

fn product(shape: [usize; 4]) -> usize {
    shape.iter().product()
}

fn numbers(n: usize, salt: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 2_654_435_761 + salt * 40_503) % 1009) as f32 / 500.0 - 1.0).collect()
}

fn near(found: &[f32], wanted: &[f32], what: &str) {
    let largest = wanted.iter().fold(1e-6f32, |m, v| m.max(v.abs()));
    for (a, b) in found.iter().zip(wanted) {
        assert!((a - b).abs() <= 1e-5 * largest, "{what}: {a} for {b}, of {largest}");
    }
}

/// Images laid out with the zeros around them that `from` says.
fn laid_out(from: &Layout, x: &[f32], images: usize) -> Vec<f32> {
    let mut out = vec![0.0; images * from.numbers()];
    let [h, w, c] = from.shape;
    for (x, out) in x.chunks_exact(h * w * c).zip(out.chunks_exact_mut(from.numbers())) {
        for (x, out) in x.chunks_exact(w * c).zip(out[from.origin()..].chunks_mut(from.row())) {
            out[..w * c].copy_from_slice(x);
        }
    }
    out
}

/// Compares with the public operators, which have references of their own.
fn check(isa: Isa, shape: [usize; 3], filter: [usize; 4], options: &Conv2dOptions, images: usize) {
    let [h, w, c] = shape;
    let all = Conv2dGeometry::new("conv2d", &[images, h, w, c], &filter, options).unwrap();
    let one = Conv2dGeometry::new("conv2d", &[1, h, w, c], &filter, options).unwrap();
    let (x, f) = (numbers(images * h * w * c, 1), numbers(product(filter), 2));
    let (bias, dy) = (numbers(filter[3], 3), numbers(product(all.output_shape()), 4));
    let what = format!("{isa:?} {shape:?} {filter:?} {options:?}");
    let (mut y, mut dx, mut df) = (vec![0.0; dy.len()], vec![0.0; x.len()], vec![0.0; f.len()]);
    conv2d(isa, &all, &x, &f, Some(&bias), &mut y);
    conv2d_backward_input(isa, &all, &dy, &f, &mut dx);
    conv2d_backward_filter(isa, &all, &x, &dy, &mut df);
    for halo in [[0; 4], Trained::halo(&one)] {
        let from = Layout { shape, halo };
        let mut conv = Trained::new(isa, &one, from, true);
        conv.load(&f, Some(&bias));
        let mut scratch = vec![0.0; conv.scratch()];
        let x = laid_out(&from, &x, images);
        let (mut found, mut gradient) = (vec![9.0; dy.len()], vec![0.0; f.len()]);
        conv.forward(&x, &mut scratch, &mut found);
        near(&found, &y, &what);
        conv.backward_filter(&x, &dy, &mut gradient);
        near(&gradient, &df, &what);
        let mut found = vec![0.25; dx.len()];
        conv.backward_input(&dy, true, &mut scratch, &mut found);
        found.iter_mut().for_each(|v| *v -= 0.25);
        near(&found, &dx, &what);
        conv.backward_input(&dy, false, &mut scratch, &mut found);
        near(&found, &dx, &what);
    }
}

#[test]
fn it_gives_what_the_public_operators_give() {
    let explicit = |p: [i64; 4]| Conv2dOptions { padding: Padding::Explicit(p), ..Default::default() };
    let same =
        |stride: i64| Conv2dOptions { padding: Padding::Same, strides: [stride; 2], ..Default::default() };
    let grouped = |groups| Conv2dOptions { groups, ..same(1) };
    each(|isa| {
        check(isa, [9, 7, 3], [3, 3, 3, 8], &same(1), 3);
        check(isa, [13, 15, 3], [7, 7, 3, 20], &explicit([3, 2, 3, 2]), 2);
        check(isa, [8, 11, 5], [3, 2, 5, 33], &same(2), 3);
        check(isa, [6, 6, 40], [1, 1, 40, 24], &same(1), 4);
        check(isa, [7, 5, 20], [1, 1, 20, 12], &same(3), 2);
        check(isa, [16, 17, 64], [3, 3, 64, 72], &same(1), 2);
        check(isa, [5, 6, 4], [3, 3, 4, 6], &explicit([4, 3, 0, 2]), 2);
        check(isa, [9, 9, 6], [3, 3, 6, 5], &Conv2dOptions { dilations: [2, 3], ..same(1) }, 2);
        check(isa, [7, 9, 12], [3, 3, 4, 18], &grouped(3), 2);
        check(isa, [9, 7, 21], [3, 3, 1, 21], &grouped(21), 3);
        check(isa, [10, 9, 32], [5, 5, 1, 32], &Conv2dOptions { groups: 32, ..same(2) }, 2);
        check(isa, [1, 1, 50], [1, 1, 50, 10], &same(1), 5);
    });
}
