//! Group normalization: the statistics of one image over height, width and the channels of a group.

use super::Grid;
use super::fold::{Deviation, Itself, NormalSlope, SUM, fold};
use super::map::{Adding, functions, map};
use super::walk::{Extents, View};
use crate::dispatch::Isa;

functions! {
    /// `(x - mean) a + b`.
    Affine() = |s, [x, mean, a, b]| s.mul_add(s.sub(x, mean), a, b);
    /// `a dy + b (x - mean) + d`.
    Combination() = |s, [dy, x, mean, a, b, d]| s.mul_add(dy, a, s.mul_add(s.sub(x, mean), b, d));
}

/// `1 / sqrt(v)`; 0 for 0, so that an image of equal numbers is normalized to zeros also where epsilon is 0.
pub(super) fn inverse_root(v: f64) -> f64 {
    if v <= 0.0 { 0.0 } else { 1.0 / v.sqrt() }
}

/// The operation's numbers, and how its passes go: in planes group by group, so that a group is still in the cache
/// when it is read again; with channels side by side all groups at once, so that vectors are full.
#[derive(Clone, Copy, Debug)]
pub(super) struct GroupNorm {
    pub groups: usize,
    pub epsilon: f32,
}

/// Numbers for each channel and lane of a part: `x`'s normal value is `(x - mean) r + rest`.
struct Statistics<'a> {
    mean: &'a mut [f32],
    r: &'a mut [f32],
    rest: &'a mut [f32],
}

const OVER_PLACES: [bool; 4] = [true, true, false, false];

impl GroupNorm {
    pub(super) fn scratch(&self, x: &Grid) -> usize {
        5 * x.channels * x.lanes
    }

    /// The channels of each part, and its groups.
    fn parts(&self, x: &Grid) -> impl Iterator<Item = (std::ops::Range<usize>, usize)> + use<> {
        let (parts, groups) = if x.in_planes() { (self.groups, 1) } else { (1, self.groups) };
        let size = x.channels / parts;
        (0..parts).map(move |i| (i * size..(i + 1) * size, groups))
    }

    /// Sums over each group's channels what `of` gives at the place of a channel and lane, and hands each group
    /// and lane its sums and its places.
    fn each_group<const J: usize>(
        x: &Grid,
        groups: usize,
        arrays: &mut [&mut [f32]],
        of: impl Fn(&[&mut [f32]], usize, usize) -> [f64; J],
        set: impl Fn(&mut [&mut [f32]], usize, usize, [f64; J]),
    ) {
        let size = x.channels / groups;
        for first in (0..x.channels).step_by(size) {
            for l in 0..x.lanes {
                let mut sums = [0.0; J];
                for c in first..first + size {
                    let terms = of(arrays, c, c * x.lanes + l);
                    (0..J).for_each(|j| sums[j] += terms[j]);
                }
                (first..first + size).for_each(|c| set(arrays, c, c * x.lanes + l, sums));
            }
        }
    }

    fn statistics(&self, isa: Isa, x: &[f32], gx: &Grid, groups: usize, to: &mut Statistics) {
        let (extents, view, own) = (Extents::of(gx), View::of(gx), View::of(&gx.by_channel()));
        let count = (gx.height * gx.width * (gx.channels / groups)) as f64;
        let Statistics { mean, r, rest } = to;
        fold(isa, extents, OVER_PLACES, ([&mut **mean], own), [(x, view)], Itself {}, SUM);
        Self::each_group(
            gx,
            groups,
            &mut [&mut **mean],
            |a, _, i| [f64::from(a[0][i])],
            |a, _, i, [sum]| a[0][i] = (sum / count) as f32,
        );
        let of = [(x, view), (&**mean, own)];
        fold(isa, extents, OVER_PLACES, ([&mut **r, &mut **rest], own), of, Deviation {}, SUM);
        let epsilon = f64::from(self.epsilon);
        Self::each_group(
            gx,
            groups,
            &mut [&mut **r, &mut **rest],
            |a, _, i| [f64::from(a[0][i]), f64::from(a[1][i])],
            |a, _, i, [left, squares]| {
                // What the rounded mean left over is put right.
                let left = left / count;
                let inverse = inverse_root((squares / count - left * left).max(0.0) + epsilon);
                (a[0][i], a[1][i]) = (inverse as f32, (-left * inverse) as f32);
            },
        );
    }

    pub(super) fn forward(
        &self,
        isa: Isa,
        (x, gx): (&[f32], &Grid),
        [gamma, beta]: [&[f32]; 2],
        (y, gy): (&mut [f32], &Grid),
        scratch: &mut [f32],
    ) {
        for (channels, groups) in self.parts(gx) {
            let (gx, gy) = (gx.channels(channels.clone()), gy.channels(channels.clone()));
            let [mean, a, b] = split(scratch, gx.channels * gx.lanes);
            self.statistics(isa, x, &gx, groups, &mut Statistics { mean, r: a, rest: b });
            for (i, (a, b)) in a.iter_mut().zip(&mut *b).enumerate() {
                let c = channels.start + i / gx.lanes;
                (*a, *b) = (*a * gamma[c], *b * gamma[c] + beta[c]);
            }
            let own = View::of(&gx.by_channel());
            let from = [(x, View::of(&gx)), (mean, own), (a, own), (b, own)];
            map(isa, Extents::of(&gx), (&mut *y, View::of(&gy)), from, Affine {});
        }
    }

    /// `dx += r (gamma dy - mean(gamma dy) - n mean(gamma dy n))`, where n is the normal value of x and the means
    /// are the group's.
    pub(super) fn backward_input(
        &self,
        isa: Isa,
        (x, gx): (&[f32], &Grid),
        gamma: &[f32],
        (dy, gdy): (&[f32], &Grid),
        (dx, gdx): (&mut [f32], &Grid),
        scratch: &mut [f32],
    ) {
        let count = (gx.height * gx.width * (gx.channels / self.groups)) as f64;
        for (channels, groups) in self.parts(gx) {
            let [gx, gdy, gdx] = [gx, gdy, gdx].map(|g| g.channels(channels.clone()));
            let gamma = &gamma[channels];
            let [mean, a, rest, b, d] = split(scratch, gx.channels * gx.lanes);
            self.statistics(isa, x, &gx, groups, &mut Statistics { mean, r: a, rest });
            slopes(isa, (x, &gx), [mean, a, rest], gamma, (dy, &gdy), [&mut *b, &mut *d]);
            Self::each_group(
                &gx,
                groups,
                &mut [&mut *a, &mut *rest, &mut *b, &mut *d],
                |v, _, i| [f64::from(v[2][i]), f64::from(v[3][i])],
                |v, c, i, sums| {
                    let [sum, product] = sums.map(|s| s / count);
                    let [r, rest] = [0, 1].map(|k| f64::from(v[k][i]));
                    v[0][i] = (r * f64::from(gamma[c])) as f32;
                    v[2][i] = (-r * r * product) as f32;
                    v[3][i] = (-r * (sum + rest * product)) as f32;
                },
            );
            let own = View::of(&gx.by_channel());
            let [mean, a, b, d] = [&*mean, &*a, &*b, &*d].map(|v| (v, own));
            let from = [(dy, View::of(&gdy)), (x, View::of(&gx)), mean, a, b, d];
            map(isa, Extents::of(&gx), (&mut *dx, View::of(&gdx)), from, Adding(Combination {}));
        }
    }

    pub(super) fn backward_params(
        &self,
        isa: Isa,
        (x, gx): (&[f32], &Grid),
        (dy, gdy): (&[f32], &Grid),
        [dgamma, dbeta]: [&mut [f32]; 2],
        scratch: &mut [f32],
    ) {
        for (channels, groups) in self.parts(gx) {
            let [gx, gdy] = [gx, gdy].map(|g| g.channels(channels.clone()));
            let [mean, r, rest, sum, product] = split(scratch, gx.channels * gx.lanes);
            self.statistics(isa, x, &gx, groups, &mut Statistics { mean, r, rest });
            slopes(isa, (x, &gx), [mean, r, rest], &[1.0], (dy, &gdy), [&mut *sum, &mut *product]);
            for i in 0..gx.channels * gx.lanes {
                let c = channels.start + i / gx.lanes;
                dgamma[c] += product[i];
                dbeta[c] += sum[i];
            }
        }
    }
}

/// For each channel and lane the sum of `gamma dy`, and of that times x's normal value.
fn slopes(
    isa: Isa,
    (x, gx): (&[f32], &Grid),
    statistics: [&[f32]; 3],
    gamma: &[f32],
    (dy, gdy): (&[f32], &Grid),
    to: [&mut [f32]; 2],
) {
    let own = View::of(&gx.by_channel());
    let [mean, r, rest] = statistics.map(|v| (v, own));
    let gamma = (gamma, View::param(gamma.len()));
    let from = [(dy, View::of(gdy)), gamma, (x, View::of(gx)), mean, r, rest];
    fold(isa, Extents::of(gx), OVER_PLACES, (to, own), from, NormalSlope {}, SUM);
}

/// The first `N` parts of `n` numbers.
pub(super) fn split<const N: usize>(numbers: &mut [f32], n: usize) -> [&mut [f32]; N] {
    let mut parts = numbers.chunks_exact_mut(n);
    std::array::from_fn(|_| parts.next().expect("as much scratch as the plan says"))
}
