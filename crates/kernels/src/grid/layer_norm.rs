//! Layer normalization: the statistics over the channels of each place. It goes tile by tile, so that a tile is
//! still in the cache when it is read again.

use super::Grid;
use super::fold::{ADD_SUM, Deviation, Itself, NormalSlope, Sum, fold};
use super::group_norm::{inverse_root, split};
use super::map::{Adding, functions, map};
use super::walk::{Extents, View};
use crate::dispatch::Isa;

functions! {
    /// `((x - mean) r + rest) gamma + beta`.
    Normal() = |s, [x, mean, r, rest, gamma, beta]|
        s.mul_add(s.mul_add(s.sub(x, mean), r, rest), gamma, beta);
    /// `r gamma dy + b (x - mean) + d`.
    Combination() = |s, [dy, gamma, x, mean, r, b, d]|
        s.mul_add(s.mul(dy, gamma), r, s.mul_add(s.sub(x, mean), b, d));
}

const OVER_CHANNELS: [bool; 4] = [false, false, true, false];

/// The operation's number.
#[derive(Clone, Copy, Debug)]
pub(super) struct LayerNorm {
    pub epsilon: f32,
}

impl LayerNorm {
    /// For a pass that leaves the parameters alone, and for theirs.
    pub(super) fn scratch(x: &Grid) -> usize {
        5 * x.tile_places() + 2 * x.channels * x.lanes
    }

    /// For each place and lane: `x`'s normal value is `(x - mean) r + rest`.
    fn statistics(&self, isa: Isa, (x, gx): (&[f32], &Grid), [mean, r, rest]: [&mut [f32]; 3]) {
        let (extents, view, own) = (Extents::of(gx), View::of(gx), View::of(&gx.places()));
        let mean_of = Sum { factor: 1.0 / gx.channels as f32, add: false };
        fold(isa, extents, OVER_CHANNELS, ([&mut *mean], own), [(x, view)], Itself {}, mean_of);
        let of = [(x, view), (&*mean, own)];
        fold(isa, extents, OVER_CHANNELS, ([&mut *r, &mut *rest], own), of, Deviation {}, mean_of);
        for (r, rest) in r.iter_mut().zip(rest).take(gx.places().numbers()) {
            // What the rounded mean left over is put right.
            let [left, squares] = [*r, *rest].map(f64::from);
            let inverse = inverse_root((squares - left * left).max(0.0) + f64::from(self.epsilon));
            (*r, *rest) = (inverse as f32, (-left * inverse) as f32);
        }
    }

    pub(super) fn forward(
        &self,
        isa: Isa,
        (x, gx): (&[f32], &Grid),
        [gamma, beta]: [&[f32]; 2],
        (y, gy): (&mut [f32], &Grid),
        scratch: &mut [f32],
    ) {
        let [mean, r, rest] = split(scratch, gx.tile_places());
        for tile in gx.tiles() {
            let (gx, gy) = (gx.part(&tile), gy.part(&tile));
            self.statistics(isa, (x, &gx), [&mut *mean, &mut *r, &mut *rest]);
            let [mean, r, rest] = [&*mean, &*r, &*rest].map(|v| (v, View::of(&gx.places())));
            let [gamma, beta] = [gamma, beta].map(|v| (v, View::param(v.len())));
            let from = [(x, View::of(&gx)), mean, r, rest, gamma, beta];
            map(isa, Extents::of(&gx), (&mut *y, View::of(&gy)), from, Normal {});
        }
    }

    /// As group normalization's, with the means over channels.
    pub(super) fn backward_input(
        &self,
        isa: Isa,
        (x, gx): (&[f32], &Grid),
        gamma: &[f32],
        (dy, gdy): (&[f32], &Grid),
        (dx, gdx): (&mut [f32], &Grid),
        scratch: &mut [f32],
    ) {
        let [mean, r, rest, b, d] = split(scratch, gx.tile_places());
        let gamma = (gamma, View::param(gamma.len()));
        let mean_of = Sum { factor: 1.0 / gx.channels as f32, add: false };
        for tile in gx.tiles() {
            let [gx, gdy, gdx] = [gx, gdy, gdx].map(|g| g.part(&tile));
            self.statistics(isa, (x, &gx), [&mut *mean, &mut *r, &mut *rest]);
            let (extents, own) = (Extents::of(&gx), View::of(&gx.places()));
            let [dy, x] = [(dy, View::of(&gdy)), (x, View::of(&gx))];
            let of = [dy, gamma, x, (&*mean, own), (&*r, own), (&*rest, own)];
            fold(isa, extents, OVER_CHANNELS, ([&mut *b, &mut *d], own), of, NormalSlope {}, mean_of);
            for i in 0..gx.places().numbers() {
                let ([sum, product], r) = ([b[i], d[i]], r[i]);
                (b[i], d[i]) = (-r * r * product, -r * (sum + rest[i] * product));
            }
            let [mean, r, b, d] = [&*mean, &*r, &*b, &*d].map(|v| (v, own));
            let from = [dy, gamma, x, mean, r, b, d];
            map(isa, extents, (&mut *dx, View::of(&gdx)), from, Adding(Combination {}));
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
        let (sums, scratch) = scratch.split_at_mut(2 * gx.channels * gx.lanes);
        sums.fill(0.0);
        let [by_gamma, by_beta] = split(sums, gx.channels * gx.lanes);
        let [mean, r, rest] = split(scratch, gx.tile_places());
        let to = View::of(&gx.by_channel());
        for tile in gx.tiles() {
            let [gx, gdy] = [gx, gdy].map(|g| g.part(&tile));
            self.statistics(isa, (x, &gx), [&mut *mean, &mut *r, &mut *rest]);
            let [mean, r, rest] = [&*mean, &*r, &*rest].map(|v| (v, View::of(&gx.places())));
            let from =
                [(dy, View::of(&gdy)), (&[1.0][..], View::param(1)), (x, View::of(&gx)), mean, r, rest];
            let to = ([&mut *by_beta, &mut *by_gamma], to);
            fold(isa, Extents::of(&gx), [true, true, false, false], to, from, NormalSlope {}, ADD_SUM);
        }
        for (i, (a, b)) in by_gamma.iter().zip(by_beta).enumerate() {
            dgamma[i / gx.lanes] += a;
            dbeta[i / gx.lanes] += *b;
        }
    }
}
