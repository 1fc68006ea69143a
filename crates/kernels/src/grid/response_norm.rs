//! Local response normalization over neighbouring channels, tile by tile.

use super::Grid;
use super::group_norm::split;
use super::map::{Adding, Times, functions, map};
use super::walk::{Extents, View};
use crate::dispatch::Isa;
use crate::simd::{Kernel, Simd, exp};

functions! {
    Square() = |s, [x]| s.mul(x, x);
    /// `x e^(k log)`.
    Power(k: f32) = |s, [x, log]| s.mul(x, exp(s, s.mul(log, s.splat(k))));
    /// `dy x e^(k log)`.
    Term(k: f32) = |s, [dy, x, log]| s.mul(s.mul(dy, x), exp(s, s.mul(log, s.splat(k))));
    /// `dy e^(-beta log) + k x sum`.
    Slope(beta: f32, k: f32) = |s, [dy, x, log, sum]|
        s.mul_add(s.mul(x, s.splat(k)), sum, s.mul(dy, exp(s, s.mul(log, s.splat(-beta)))));
}

/// The operation's numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Response {
    pub size: usize,
    pub alpha: f32,
    pub beta: f32,
    pub bias: f32,
}

impl Response {
    pub(super) fn scratch(x: &Grid) -> usize {
        3 * x.tile_numbers()
    }

    /// Channels of a window before and after its own.
    fn window(&self) -> [usize; 2] {
        [(self.size - 1) / 2, self.size / 2]
    }

    /// The logarithm of what is under the power, for each number of a part.
    fn logarithms(&self, isa: Isa, x: (&[f32], &Grid), to: (&mut [f32], &Grid)) {
        let (numbers, grid) = to;
        numbers[..grid.numbers()].fill(0.0);
        windows(isa, self.window(), x, (&mut *numbers, grid), Square {});
        let (k, bias) = (self.alpha / self.size as f32, self.bias);
        isa.run(Logarithm { numbers: &mut numbers[..grid.numbers()], k, bias });
    }

    pub(super) fn forward(
        &self,
        isa: Isa,
        (x, gx): (&[f32], &Grid),
        (y, gy): (&mut [f32], &Grid),
        scratch: &mut [f32],
    ) {
        for tile in gx.tiles() {
            let (gx, gy) = (gx.part(&tile), gy.part(&tile));
            let own = gx.compact();
            self.logarithms(isa, (x, &gx), (&mut *scratch, &own));
            let from = [(x, View::of(&gx)), (&*scratch, View::of(&own))];
            map(isa, Extents::of(&gx), (&mut *y, View::of(&gy)), from, Power { k: -self.beta });
        }
    }

    /// `dx_j += dy_j s_j^-beta - 2 alpha beta / size x_j sum(dy_c x_c s_c^(-beta - 1))` over the channels c whose
    /// window holds j.
    pub(super) fn backward(
        &self,
        isa: Isa,
        (x, gx): (&[f32], &Grid),
        (dy, gdy): (&[f32], &Grid),
        (dx, gdx): (&mut [f32], &Grid),
        scratch: &mut [f32],
    ) {
        let [log, term, sum] = split(scratch, gx.tile_numbers());
        let k = -2.0 * self.alpha * self.beta / self.size as f32;
        let [before, after] = self.window();
        for tile in gx.tiles() {
            let [gx, gdy, gdx] = [gx, gdy, gdx].map(|g| g.part(&tile));
            let (own, extents) = (gx.compact(), Extents::of(&gx));
            let view = View::of(&own);
            self.logarithms(isa, (x, &gx), (&mut *log, &own));
            let [dy, value, log] = [(dy, View::of(&gdy)), (x, View::of(&gx)), (&*log, view)];
            map(isa, extents, (&mut *term, view), [dy, value, log], Term { k: -self.beta - 1.0 });
            sum[..own.numbers()].fill(0.0);
            // Whose window holds a channel is as far after it as windows reach before, and the other way round.
            windows(isa, [after, before], (&*term, &own), (&mut *sum, &own), Times { k: 1.0 });
            let from = [dy, value, log, (&*sum, view)];
            map(isa, extents, (&mut *dx, View::of(&gdx)), from, Adding(Slope { beta: self.beta, k }));
        }
    }
}

/// Adds to each channel of `to` what `f` makes of the channels of `x` from so many before to so many after.
fn windows<F: super::map::Function<1>>(
    isa: Isa,
    [before, after]: [usize; 2],
    (x, gx): (&[f32], &Grid),
    (to, own): (&mut [f32], &Grid),
    f: F,
) {
    let n = gx.channels;
    let mut add = |from: usize, into: usize, count: usize| {
        let (gx, own) = (gx.channels(from..from + count), own.channels(into..into + count));
        let to = (&mut *to, View::of(&own));
        map(isa, Extents::of(&gx), to, [(x, View::of(&gx))], Adding(f));
    };
    (1..n.min(before.saturating_add(1))).rev().for_each(|d| add(0, d, n - d));
    (0..n.min(after.saturating_add(1))).for_each(|d| add(d, 0, n - d));
}

/// `ln(k v + bias)` of each number, which must be above 0; as musl's `logf` (Sun's), within 1 unit in the last place,
/// in whole-number steps that compilers make vectors of.
struct Logarithm<'a> {
    numbers: &'a mut [f32],
    k: f32,
    bias: f32,
}

impl Kernel for Logarithm<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        for v in self.numbers.iter_mut() {
            *v = ln(*v * self.k + self.bias);
        }
    }
}

#[inline(always)]
fn ln(v: f32) -> f32 {
    // v = 2^e m with m from sqrt(1/2) to sqrt(2).
    let bits = v.to_bits().wrapping_sub(0x3f35_04f3);
    let e = (bits as i32 >> 23) as f32;
    let m = f32::from_bits((bits & 0x007f_ffff) + 0x3f35_04f3);
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let r = z * (0.666_666_6 + w * 0.284_987_87) + w * (0.400_009_72 + w * 0.242_790_79);
    let half = 0.5 * f * f;
    s * (half + r) + e * 9.058_001e-6 - half + f + e * 0.693_138_1
}

#[cfg(test)]
mod tests {
    use super::ln;

    #[test]
    fn logarithms_are_those_of_the_library() {
        let mut v = 1.3e-37f32;
        while v < 3e38 {
            let (ours, exact) = (f64::from(ln(v)), f64::from(v).ln());
            assert!((ours - exact).abs() <= 1e-7 * exact.abs().max(1e-3), "{v}: {ours} where it is {exact}");
            v *= 1.000_37;
        }
        assert_eq!(ln(1.0), 0.0);
    }
}
