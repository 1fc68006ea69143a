//! Dense layers on lanes.
//!
//! The forward pass and the input gradient work on one group; the weight gradient works on the whole batch,
//! a range of rows at a time, so that a large layer's gradient is written once a step whatever the number
//! of groups, and every element is summed over the images in their order.

use crate::dispatch::Isa;
use crate::simd::{Kernel, Simd};

/// `y[u] = bias[u] + sum over i of weights[i][u] * x[i]` for one group: `x` holds `inputs` vectors, `y` `units`.
///
/// # Panics
/// When a slice is too short.
pub fn forward(isa: Isa, x: &[f32], weights: &[f32], bias: Option<&[f32]>, y: &mut [f32], units: usize) {
    let inputs = x.len() / isa.lanes();
    assert!(weights.len() >= inputs * units && y.len() >= units * isa.lanes());
    assert!(bias.is_none_or(|b| b.len() >= units));
    isa.run(Product { x, weights, bias, y, inputs, units, step_in: units, step_out: 1 });
}

/// `dx[i] = sum over u of weights[i][u] * dy[u]` for one group.
///
/// # Panics
/// When a slice is too short.
pub fn backward_input(isa: Isa, dy: &[f32], weights: &[f32], dx: &mut [f32], units: usize) {
    let inputs = dx.len() / isa.lanes();
    assert!(weights.len() >= inputs * units && dy.len() >= units * isa.lanes());
    isa.run(Product {
        x: dy,
        weights,
        bias: None,
        y: dx,
        inputs: units,
        units: inputs,
        step_in: 1,
        step_out: units,
    });
}

/// `y[o] = bias[o] + sum over i of weights[i * step_in + o * step_out] * x[i]`.
struct Product<'a> {
    x: &'a [f32],
    weights: &'a [f32],
    bias: Option<&'a [f32]>,
    y: &'a mut [f32],
    inputs: usize,
    units: usize,
    step_in: usize,
    step_out: usize,
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let mut o = 0;
        while o < self.units {
            // SAFETY: `o + CO <= units`; the callers check the slices.
            unsafe {
                o += match self.units - o {
                    n if n >= 16 && S::REGISTERS >= 32 => self.tile::<S, 16>(s, o),
                    n if n >= 12 => self.tile::<S, 12>(s, o),
                    n if n >= 8 => self.tile::<S, 8>(s, o),
                    n if n >= 4 => self.tile::<S, 4>(s, o),
                    n if n >= 2 => self.tile::<S, 2>(s, o),
                    _ => self.tile::<S, 1>(s, o),
                }
            }
        }
    }
}

impl Product<'_> {
    #[inline(always)]
    unsafe fn tile<S: Simd, const CO: usize>(&mut self, s: S, o: usize) -> usize {
        let mut acc = [s.splat(0.0); CO];
        if let Some(bias) = self.bias {
            for (j, acc) in acc.iter_mut().enumerate() {
                *acc = s.splat(bias[o + j]);
            }
        }
        // SAFETY: `i < inputs` and `o + j < units` lie inside the slices that the callers checked.
        unsafe {
            let w = self.weights.as_ptr().add(o * self.step_out);
            for i in 0..self.inputs {
                let v = s.load(self.x.as_ptr().add(i * S::LANES));
                let w = w.add(i * self.step_in);
                for j in 0..CO {
                    acc[j] = s.mul_add(s.splat(*w.add(j * self.step_out)), v, acc[j]);
                }
            }
            for j in 0..CO {
                s.store(self.y.as_mut_ptr().add((o + j) * S::LANES), acc[j]);
            }
        }
        CO
    }
}

/// Numbers from one image's row to the next in the transposed output gradient: `units` rounded up to vectors.
pub fn padded_units(isa: Isa, units: usize) -> usize {
    units.next_multiple_of(isa.lanes())
}

/// Turns one group's `dy`, `units` vectors, into a row of [`padded_units`] numbers for each image.
pub fn transpose(isa: Isa, dy: &[f32], units: usize, rows: &mut [f32]) {
    let lanes = isa.lanes();
    let padded = padded_units(isa, units);
    for (u, v) in dy.chunks_exact(lanes).take(units).enumerate() {
        for (l, &g) in v.iter().enumerate() {
            rows[l * padded + u] = g;
        }
    }
}

/// The gradient of the weights' rows `first..first + gradient.len() / units`, over the whole batch.
///
/// `group(i)` gives group `i`'s input, `inputs` vectors, and for each of its lanes a row of [`padded_units`]
/// numbers, as [`transpose`] makes them. Lanes without an image have zero rows.
///
/// # Panics
/// When a slice is too short.
pub fn backward_weights<'a>(
    isa: Isa,
    groups: usize,
    group: impl Fn(usize) -> (&'a [f32], &'a [f32]),
    inputs: usize,
    units: usize,
    first: usize,
    gradient: &mut [f32],
) {
    let lanes = isa.lanes();
    let rows = gradient.len() / units;
    assert!(first + rows <= inputs);
    for i in 0..groups {
        let (x, dy) = group(i);
        assert!(x.len() >= inputs * lanes && dy.len() >= lanes * padded_units(isa, units));
    }
    isa.train(BackwardWeights { group, units, first, rows, groups, gradient });
}

struct BackwardWeights<'g, F> {
    group: F,
    units: usize,
    first: usize,
    rows: usize,
    groups: usize,
    gradient: &'g mut [f32],
}

impl<'a, F: Fn(usize) -> (&'a [f32], &'a [f32])> Kernel for BackwardWeights<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let vectors = self.units.div_ceil(S::LANES);
        let mut u = 0;
        while u < vectors {
            // SAFETY: `u + NV <= vectors`, and `backward_weights` checks the slices.
            unsafe {
                u += match vectors - u {
                    1 => self.columns::<S, 1, 8>(s, u),
                    2 | 3 => self.columns::<S, 2, 6>(s, u),
                    _ if S::REGISTERS >= 32 => self.columns::<S, 4, 6>(s, u),
                    _ => self.columns::<S, 2, 6>(s, u),
                }
            }
        }
    }
}

impl<'a, F: Fn(usize) -> (&'a [f32], &'a [f32])> BackwardWeights<'_, F> {
    #[inline(always)]
    unsafe fn columns<S: Simd, const NV: usize, const R: usize>(&mut self, s: S, u: usize) -> usize {
        let mut r = 0;
        while r < self.rows {
            // SAFETY: as the caller.
            unsafe {
                if r + R <= self.rows {
                    self.tile::<S, NV, R>(s, u, r);
                    r += R;
                } else {
                    self.tile::<S, NV, 1>(s, u, r);
                    r += 1;
                }
            }
        }
        NV
    }

    #[inline(always)]
    unsafe fn tile<S: Simd, const NV: usize, const R: usize>(&mut self, s: S, u: usize, r: usize) {
        let padded = self.units.next_multiple_of(S::LANES);
        let mut acc = [[s.splat(0.0); NV]; R];
        // SAFETY: rows, vectors, groups and lanes stay inside the slices that `backward_weights` checked.
        unsafe {
            for g in 0..self.groups {
                let (x, dy) = (self.group)(g);
                let x = x.as_ptr().add((self.first + r) * S::LANES);
                let dy = dy.as_ptr().add(u * S::LANES);
                for l in 0..S::LANES {
                    let dy = dy.add(l * padded);
                    let mut v = [s.splat(0.0); NV];
                    for j in 0..NV {
                        v[j] = s.load(dy.add(j * S::LANES));
                    }
                    for i in 0..R {
                        let k = s.splat(*x.add(i * S::LANES + l));
                        for j in 0..NV {
                            acc[i][j] = s.mul_add(k, v[j], acc[i][j]);
                        }
                    }
                }
            }
            for i in 0..R {
                for j in 0..NV {
                    let at = (u + j) * S::LANES;
                    let n = (self.units - at).min(S::LANES);
                    let p = self.gradient.as_mut_ptr().add((r + i) * self.units + at);
                    s.store_first(p, acc[i][j], n);
                }
            }
        }
    }
}
