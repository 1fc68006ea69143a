//! Infinities, what is not a number, numbers that are all equal, and lanes without an image.

use crate::images::{LIES, Lie, pack, unpack};
use foveal_kernels::Isa;
use foveal_kernels::grid::{Binary, Grid, Op, Planned, Reduction};
use foveal_testkit::Random;
use ndarray::Array4;

const NAN: f32 = f32::NAN;
const INF: f32 = f32::INFINITY;

/// `op` of one image in the first lane.
fn forward(isa: Isa, lie: Lie, op: &Op, x: &[Array4<f32>], params: [&[f32]; 2]) -> Array4<f32> {
    let mut r = Random::new(1);
    let shapes: Vec<[usize; 3]> = x.iter().map(|x| [x.dim().1, x.dim().2, x.dim().3]).collect();
    let grids: Vec<Grid> = shapes.iter().map(|&s| lie.grid(&mut r, s)).collect();
    let to = lie.grid(&mut r, op.output_shape(&shapes).unwrap());
    let packed: Vec<Vec<f32>> = x.iter().zip(&grids).map(|(x, g)| pack(g, x, 0.0)).collect();
    let inputs = [0, 1].map(|k| packed.get(k).map_or(&[][..], Vec::as_slice));
    let planned = Planned::new(op, &grids, to);
    let mut y = vec![0.0; to.end()];
    planned.forward(isa, inputs, params, &mut y, &mut vec![NAN; planned.scratch()]);
    unpack(&to, &y, 1)
}

/// An image of one row of these numbers: one after the other, or as channels.
fn row(numbers: &[f32], channels: bool) -> Array4<f32> {
    let n = numbers.len();
    let shape = if channels { (1, 1, 1, n) } else { (1, 1, n, 1) };
    Array4::from_shape_vec(shape, numbers.to_vec()).unwrap()
}

fn same(a: f32, b: f32) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

fn everywhere(mut f: impl FnMut(Isa, Lie)) {
    for isa in Isa::available() {
        LIES.into_iter().for_each(|lie| f(isa, lie));
    }
}

#[test]
fn maxima_keep_what_is_not_a_number_wherever_it_stands() {
    everywhere(|isa, lie| {
        for n in [1, 3, 16, 37, 100] {
            for at in [0, n / 2, n - 1] {
                for (value, expected) in [(NAN, NAN), (INF, INF), (-INF, -1.0)] {
                    let mut numbers = vec![-1.0; n];
                    numbers[at] = value;
                    let expected = if n == 1 { value } else { expected };
                    for channels in [false, true] {
                        let op = Op::Reduce { how: Reduction::Max, over: [false, true, true] };
                        let y = forward(isa, lie, &op, &[row(&numbers, channels)], [&[]; 2]);
                        assert!(same(y[[0, 0, 0, 0]], expected), "{} {lie:?} {n} {at} {value}", isa.name());
                    }
                }
            }
        }
    });
}

#[test]
fn the_larger_of_two_is_not_a_number_where_one_is_not() {
    let numbers = [1.0, NAN, -INF, INF, 0.0];
    everywhere(|isa, lie| {
        for f in [Binary::Maximum, Binary::Minimum] {
            for &a in &numbers {
                for &b in &numbers {
                    let x = [row(&[a; 19], true), row(&[b; 19], true)];
                    let y = forward(isa, lie, &Op::Binary(f), &x, [&[]; 2]);
                    let expected = match f {
                        _ if a.is_nan() || b.is_nan() => NAN,
                        Binary::Maximum => a.max(b),
                        _ => a.min(b),
                    };
                    assert!(y.iter().all(|&y| same(y, expected)), "{} {lie:?} {f:?} {a} {b}", isa.name());
                }
            }
        }
    });
}

#[test]
fn softmax_of_minus_infinity_is_nothing_and_of_large_numbers_is_finite() {
    everywhere(|isa, lie| {
        let x = [row(&[3e38, -INF, 3e38, -3e38], true)];
        let y = forward(isa, lie, &Op::Softmax, &x, [&[]; 2]);
        assert_eq!(y.as_slice().unwrap(), [0.5, 0.0, 0.5, 0.0], "{} {lie:?}", isa.name());
        let y = forward(isa, lie, &Op::LogSoftmax, &[row(&[-INF, 5.0, -95.0], true)], [&[]; 2]);
        assert_eq!(y.as_slice().unwrap(), [-INF, 0.0, -100.0], "{} {lie:?}", isa.name());
        for op in [Op::Softmax, Op::LogSoftmax] {
            let y = forward(isa, lie, &op, &[row(&[1.0, NAN, 2.0], true)], [&[]; 2]);
            assert!(y.iter().all(|v| v.is_nan()), "{} {lie:?} {y}", isa.name());
        }
    });
}

#[test]
fn equal_numbers_are_normalized_to_the_shift_also_without_epsilon() {
    everywhere(|isa, lie| {
        let x = [Array4::from_elem((1, 2, 3, 4), 0.7)];
        let (gamma, beta) = ([2.0; 4], [1.0, 2.0, 3.0, 4.0]);
        for op in [Op::GroupNorm { groups: 2, epsilon: 0.0 }, Op::LayerNorm { epsilon: 0.0 }] {
            let y = forward(isa, lie, &op, &x, [&gamma, &beta]);
            for ((.., c), y) in y.indexed_iter() {
                assert!((y - beta[c]).abs() < 1e-6, "{} {lie:?} {op:?} {y}", isa.name());
            }
        }
        let y = forward(isa, lie, &Op::L2Normalize { epsilon: 0.0 }, &[&x[0] * 0.0], [&[]; 2]);
        assert!(y.iter().all(|&v| v == 0.0), "{} {lie:?} {y}", isa.name());
    });
}

/// Their numbers are 0, and so are their gradients; a lane of zeros has no variance and no norm.
#[test]
fn lanes_without_an_image_leave_no_trace() {
    let [h, w, c] = [3, 4, 6];
    for isa in Isa::available() {
        for op in [
            Op::GroupNorm { groups: 3, epsilon: 0.0 },
            Op::LayerNorm { epsilon: 0.0 },
            Op::L2Normalize { epsilon: 0.0 },
            Op::LocalResponseNorm { size: 3, alpha: 1.0, beta: 0.75, bias: 1.0 },
            Op::Scale,
            Op::Prelu,
            Op::Softmax,
        ] {
            // The same image alone, and beside empty lanes.
            let found = [1, 8].map(|lanes| {
                let mut r = Random::new(2);
                let (x, _) = r.array_f32([1, h, w, c]);
                let (dy, _) = r.array_f32([1, h, w, c]);
                let grid = Lie::Lanes(lanes).grid(&mut r, [h, w, c]);
                let planned = Planned::new(&op, &[grid], grid).with_gradients(&[grid], grid);
                let (x, dy) = (pack(&grid, &x, 0.0), pack(&grid, &dy, 0.0));
                let (k, mut y, mut dx) = ([1.5; 6], vec![0.0; x.len()], vec![0.0; x.len()]);
                let mut scratch = vec![NAN; planned.scratch()];
                let params = [&k[..], &k[..]];
                planned.forward(isa, [&x, &[]], params, &mut y, &mut scratch);
                planned.backward_input(isa, 0, [&x, &[]], params, &y, &dy, &mut dx, &mut scratch);
                let (mut first, mut second) = ([0.0; 6], [0.0; 6]);
                planned.backward_params(isa, [&x, &[]], params, &dy, [&mut first, &mut second], &mut scratch);
                assert!(dx.iter().chain(&y).all(|v| v.is_finite()), "{op:?}");
                (unpack(&grid, &y, 1), unpack(&grid, &dx, 1), first, second)
            });
            let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4);
            let flat = |x: &Array4<f32>| x.iter().copied().collect::<Vec<f32>>();
            let [alone, beside] = &found;
            assert!(near(&flat(&alone.0), &flat(&beside.0)), "{op:?}");
            assert!(near(&flat(&alone.1), &flat(&beside.1)), "{op:?}");
            assert!(near(&alone.2, &beside.2) && near(&alone.3, &beside.3), "{op:?}");
        }
    }
}

#[test]
#[should_panic(expected = "multiply: input 1")]
fn a_slice_that_is_too_short_is_refused() {
    let g = Grid::plain([2, 3, 4]);
    let planned = Planned::new(&Op::Binary(Binary::Multiply), &[g, g], g);
    planned.forward(Isa::best(), [&[0.0; 24], &[0.0; 23]], [&[]; 2], &mut [0.0; 24], &mut []);
}
