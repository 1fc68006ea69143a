//! One operation on random images in random grids, forward and backward, against its reference.

use crate::images::{Lie, UNTOUCHED, assert_rest_untouched, pack, unpack};
use crate::references;
use foveal_kernels::Isa;
use foveal_kernels::grid::{Grid, Op, Planned};
use foveal_testkit::{Random, worst_relative};
use ndarray::{Array1, Array4};
use std::collections::BTreeMap;

/// The largest error of each instruction set and quantity, told at the end.
#[derive(Default)]
pub struct Worst(BTreeMap<(&'static str, String), (f64, usize)>);

impl Worst {
    pub fn check<'a>(
        &mut self,
        isa: Isa,
        what: &str,
        case: &dyn std::fmt::Debug,
        ours: impl IntoIterator<Item = &'a f32>,
        expected: impl IntoIterator<Item = &'a f64>,
    ) {
        let ours: Vec<f32> = ours.into_iter().copied().collect();
        let expected: Vec<f64> = expected.into_iter().copied().collect();
        let error = worst_relative(&ours, &expected);
        assert!(error <= 1e-5, "{} {what}: {error:e} in {case:?}", isa.name());
        let worst = self.0.entry((isa.name(), what.to_owned())).or_default();
        *worst = (worst.0.max(error), worst.1 + 1);
    }
}

impl Drop for Worst {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            for ((isa, what), (error, checks)) in &self.0 {
                println!("{isa:>8} {what}: {checks} arrays, worst {error:.1e}");
            }
        }
    }
}

/// What the numbers are drawn from.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// Normal numbers.
    Normal,
    /// Small multiples of 1/8: many are equal.
    Ties,
    /// Normal numbers of ten, so far from zero that their spread is small.
    Shifted,
}

impl Values {
    pub fn draw(self, r: &mut Random, shape: [usize; 4]) -> (Array4<f32>, Array4<f64>) {
        let narrow = match self {
            Values::Normal => r.array(shape).mapv(|v| v as f32),
            Values::Ties => Array4::from_shape_simple_fn(shape, || r.int(0, 16) as f32 / 8.0 - 1.0),
            Values::Shifted => r.array(shape).mapv(|v| (v + 10.0) as f32),
        };
        let wide = narrow.mapv(f64::from);
        (narrow, wide)
    }
}

/// An operation, its inputs' shapes, and what they hold.
#[derive(Clone, Debug)]
pub struct Case {
    pub op: Op,
    pub shapes: Vec<[usize; 3]>,
    pub values: Values,
    /// The parameter is one number for all channels.
    pub one: bool,
}

impl Case {
    pub fn new(op: Op, shape: [usize; 3]) -> Self {
        Self { op, shapes: vec![shape], values: Values::Normal, one: false }
    }
}

/// The slices of at most two arrays.
fn pair(all: &[Vec<f32>]) -> [&[f32]; 2] {
    [0, 1].map(|i| all.get(i).map_or(&[][..], Vec::as_slice))
}

struct Drawn {
    n: usize,
    x: Vec<Array4<f64>>,
    x_grids: Vec<Grid>,
    packed: Vec<Vec<f32>>,
    params: Vec<Array1<f64>>,
    values: Vec<Vec<f32>>,
    y: Grid,
}

impl Drawn {
    fn new(case: &Case, lie: Lie, r: &mut Random) -> Self {
        let n = r.int(1, lie.lanes());
        let mut it = Drawn {
            n,
            x: Vec::new(),
            x_grids: Vec::new(),
            packed: Vec::new(),
            params: Vec::new(),
            values: Vec::new(),
            y: lie.grid(r, case.op.output_shape(&case.shapes).expect("the case fits")),
        };
        for &[h, w, c] in &case.shapes {
            let (x, wide) = case.values.draw(r, [n, h, w, c]);
            let grid = lie.grid(r, [h, w, c]);
            it.packed.push(pack(&grid, &x, f32::NAN));
            it.x_grids.push(grid);
            it.x.push(wide);
        }
        let channels = case.shapes[0][2];
        for _ in 0..case.op.params(channels) {
            let (narrow, wide) = r.array_f32(if case.one { 1 } else { channels });
            it.values.push(narrow.to_vec());
            it.params.push(wide);
        }
        it
    }
}

/// Checks everything of one case on one instruction set.
pub fn check(isa: Isa, case: &Case, lie: Lie, r: &mut Random, worst: &mut Worst) {
    let it = Drawn::new(case, lie, r);
    let op = &case.op;
    let what = &(case, lie, it.n, &it.x_grids, it.y);
    let named = |part: &str| format!("{} {part}", op.name());
    let ([h, w, c], n) = (it.y.shape(), it.n);
    let (dy, wide_dy) = r.array_f32([n, h, w, c]);
    let dy_grid = lie.grid(r, [h, w, c]);
    let dx_grids: Vec<Grid> = case.shapes.iter().map(|&s| lie.grid(r, s)).collect();
    let planned = Planned::new(op, &it.x_grids, it.y).with_gradients(&dx_grids, dy_grid);
    let mut scratch = vec![f32::NAN; planned.scratch()];
    let (x, params) = (pair(&it.packed), pair(&it.values));

    let mut y = vec![UNTOUCHED; it.y.end() + 5];
    planned.forward(isa, x, params, &mut y, &mut scratch);
    assert_rest_untouched(what, &it.y, &y);
    let expected = references::forward(op, &it.x, &it.params);
    worst.check(isa, &named("y"), what, &unpack(&it.y, &y, n), &expected);

    let dy = pack(&dy_grid, &dy, f32::NAN);
    let (dxs, dks) = references::backward(op, &wide_dy, &it.x, &it.params);
    let read_x = if op.reads_input() { x } else { [&[][..]; 2] };
    let read_y = if op.reads_output() { &y[..] } else { &[] };
    for (k, (grid, expected)) in dx_grids.iter().zip(dxs).enumerate() {
        let (before, wide) = r.array_f32(expected.raw_dim());
        let mut dx = pack(grid, &before, UNTOUCHED);
        scratch.fill(f32::NAN);
        planned.backward_input(isa, k, read_x, params, read_y, &dy, &mut dx, &mut scratch);
        assert_rest_untouched(what, grid, &dx);
        worst.check(isa, &named("dx"), what, &unpack(grid, &dx, n), &(expected + wide));
        let empty = unpack(grid, &dx, grid.lanes);
        assert!(empty.iter().skip(n * grid.shape().iter().product::<usize>()).all(|v| *v == 0.0), "{what:?}");
    }
    let before: Vec<(Array1<f32>, Array1<f64>)> = dks.iter().map(|d| r.array_f32(d.len())).collect();
    let mut d: Vec<Vec<f32>> = before.iter().map(|(b, _)| b.to_vec()).collect();
    scratch.fill(f32::NAN);
    let mut slots = d.iter_mut().map(Vec::as_mut_slice);
    let slots = [slots.next().unwrap_or_default(), slots.next().unwrap_or_default()];
    planned.backward_params(isa, x, params, &dy, slots, &mut scratch);
    // Sums of numbers of either sign: relative to the sum of their sizes.
    let size: f64 = wide_dy.iter().map(|v| v.abs()).sum::<f64>() / case.shapes[0][2] as f64;
    for (d, (expected, (_, before))) in d.iter().zip(dks.iter().zip(&before)) {
        let expected = expected + before;
        worst.check(
            isa,
            &named("dk"),
            what,
            d.iter().chain([&(size as f32)]),
            expected.iter().chain([&size]),
        );
    }
}

/// Checks random cases in every layout on every instruction set.
pub fn check_all(seed: u64, rounds: usize, mut case: impl FnMut(&mut Random) -> Case) {
    let mut worst = Worst::default();
    for isa in Isa::available() {
        let mut r = Random::new(seed);
        for _ in 0..rounds {
            let case = case(&mut r);
            crate::images::LIES.into_iter().for_each(|lie| check(isa, &case, lie, &mut r, &mut worst));
        }
    }
}
