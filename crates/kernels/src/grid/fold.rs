//! Many numbers to one: sums and maxima over some of the loops of a nest, in one fixed order.
//!
//! A sum has two levels: stretches of at most [`STRETCH`] terms are summed by themselves, so that the rounding of a
//! long sum stays near that of a short one.

use super::walk::{Extents, Nest, Pointers, View};
use crate::dispatch::Isa;
use crate::simd::{Kernel, Simd};

/// Terms of K numbers whose J sums are wanted.
pub(super) trait Terms<const K: usize, const J: usize>: Copy {
    /// The terms.
    fn at<S: Simd>(self, s: S, v: [S::V; K]) -> [S::V; J];
}

/// Defines terms: `Name(fields) = |s, [a, b]| [term, term]`.
macro_rules! terms {
    ($($(#[$doc:meta])* $name:ident($($field:ident: $kind:ty),*) = |$s:ident, [$($v:ident),*]| [$($value:expr),*];)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(super) struct $name { $(pub $field: $kind),* }
        impl $crate::grid::fold::Terms<{ [$(stringify!($v)),*].len() }, { [$(stringify!($value)),*].len() }> for $name {
            #[inline(always)]
            fn at<S: $crate::simd::Simd>(
                self, $s: S, [$($v),*]: [S::V; [$(stringify!($v)),*].len()],
            ) -> [S::V; [$(stringify!($value)),*].len()] {
                let Self { $($field),* } = self;
                [$($value),*]
            }
        }
    )*};
}
pub(super) use terms;

terms! {
    /// The number itself.
    Itself() = |_s, [x]| [x];
    /// Both, multiplied.
    Product() = |s, [x, y]| [s.mul(x, y)];
    /// How far a number is from the mean, and its square.
    Deviation() = |s, [x, mean]| [s.sub(x, mean), s.mul(s.sub(x, mean), s.sub(x, mean))];
    /// A gradient times gamma, by itself and times the normal value `(x - mean) r + rest`.
    NormalSlope() = |s, [dy, gamma, x, mean, r, rest]|
        [s.mul(dy, gamma), s.mul(s.mul(dy, gamma), s.mul_add(s.sub(x, mean), r, rest))];
}

/// How numbers become one, and what becomes of it.
pub(super) trait Join: Copy {
    /// What joins without a trace.
    const NOTHING: f32;
    /// Both together.
    fn join<S: Simd>(s: S, a: S::V, b: S::V) -> S::V;
    /// All lanes together.
    fn across<S: Simd>(s: S, v: S::V) -> f32;
    /// What is stored, from what stood there.
    fn store<S: Simd>(self, s: S, old: S::V, v: S::V) -> S::V;
    /// The same for one number.
    fn store_one(self, old: f32, v: f32) -> f32;
}

/// The sum times a factor, or that added to what is there.
#[derive(Clone, Copy)]
pub(super) struct Sum {
    pub factor: f32,
    pub add: bool,
}

/// The plain sum.
pub(super) const SUM: Sum = Sum { factor: 1.0, add: false };

/// Adds the sum to what is there.
pub(super) const ADD_SUM: Sum = Sum { factor: 1.0, add: true };

/// The largest; not-a-number spreads.
#[derive(Clone, Copy)]
pub(super) struct Largest;

impl Join for Sum {
    const NOTHING: f32 = 0.0;
    #[inline(always)]
    fn join<S: Simd>(s: S, a: S::V, b: S::V) -> S::V {
        s.add(a, b)
    }
    #[inline(always)]
    fn across<S: Simd>(s: S, v: S::V) -> f32 {
        s.sum(v)
    }
    #[inline(always)]
    fn store<S: Simd>(self, s: S, old: S::V, v: S::V) -> S::V {
        let v = s.mul(v, s.splat(self.factor));
        if self.add { s.add(old, v) } else { v }
    }
    #[inline(always)]
    fn store_one(self, old: f32, v: f32) -> f32 {
        if self.add { old + v * self.factor } else { v * self.factor }
    }
}

impl Join for Largest {
    const NOTHING: f32 = f32::NEG_INFINITY;
    #[inline(always)]
    fn join<S: Simd>(s: S, a: S::V, b: S::V) -> S::V {
        // Nothing is above what is not a number, so that it stays.
        s.select(s.gt(b, a), b, s.select(s.eq(b, b), a, b))
    }
    #[inline(always)]
    fn across<S: Simd>(s: S, v: S::V) -> f32 {
        let mut numbers = [f32::NEG_INFINITY; 16];
        assert!(S::LANES <= numbers.len());
        // SAFETY: there is room for LANES numbers.
        unsafe { s.store(numbers.as_mut_ptr(), v) };
        let mut half = S::LANES / 2;
        while half > 0 {
            for i in 0..half {
                let (a, b) = (numbers[i], numbers[i + half]);
                numbers[i] = if b > a || b.is_nan() { b } else { a };
            }
            half /= 2;
        }
        numbers[0]
    }
    #[inline(always)]
    fn store<S: Simd>(self, _: S, _: S::V, v: S::V) -> S::V {
        v
    }
    #[inline(always)]
    fn store_one(self, _: f32, v: f32) -> f32 {
        v
    }
}

/// Folds the terms of `from` over the axes (height, width, channels, lanes) where `over` says so; `to` has J arrays
/// with one number for each cell of the others.
pub(super) fn fold<const K: usize, const J: usize, F: Terms<K, J>, W: Join>(
    isa: Isa,
    extents: Extents,
    over: [bool; 4],
    (to, to_view): ([&mut [f32]; J], View),
    from: [(&[f32], View); K],
    f: F,
    how: W,
) {
    let nest = Nest::new(extents, over, to_view, from.map(|(_, view)| view));
    let shortest = to.iter().map(|t| t.len()).min().unwrap_or(0);
    nest.check(shortest, from.map(|(numbers, _)| numbers.len()));
    for i in 0..4 {
        assert!(!nest.over[i] || nest.to[i] == 0, "what is folded has one number: {nest:?}");
    }
    assert!(nest.over[3] || nest.extents[3] == 1 || nest.to[3] == 1, "no number of its own: {nest:?}");
    let loops = Loops::new(nest);
    let from = Pointers(from.map(|(numbers, _)| numbers.as_ptr()));
    isa.run(Fold { loops, to: to.map(<[f32]>::as_mut_ptr), from, f, how });
}

/// A nest with its outer loops sorted: those that are kept, and inside them those that are folded.
struct Loops<const K: usize> {
    inner: usize,
    inner_over: bool,
    inner_steps: [usize; K],
    kept: [Loop<K>; 3],
    folded: [Loop<K>; 3],
    to_base: usize,
    bases: [usize; K],
}

#[derive(Clone, Copy)]
struct Loop<const K: usize> {
    n: usize,
    to: usize,
    from: [usize; K],
}

impl<const K: usize> Loops<K> {
    fn new(nest: Nest<K>) -> Self {
        let of = |over: bool| {
            let mut loops = [Loop { n: 1, to: 0, from: [0; K] }; 3];
            let mut free = 3;
            for i in (0..3).rev().filter(|&i| nest.over[i] == over && nest.extents[i] > 1) {
                free -= 1;
                loops[free] = Loop { n: nest.extents[i], to: nest.to[i], from: nest.from[i] };
            }
            loops
        };
        Self {
            inner: nest.extents[3],
            inner_over: nest.over[3],
            inner_steps: nest.from[3],
            kept: of(false),
            folded: of(true),
            to_base: nest.to_base,
            bases: nest.bases,
        }
    }
}

struct Fold<const K: usize, const J: usize, F, W> {
    loops: Loops<K>,
    to: [*mut f32; J],
    from: Pointers<K>,
    f: F,
    how: W,
}

/// Terms of a sum that are added before anything else is.
const STRETCH: usize = 512;

impl<const K: usize, const J: usize, F: Terms<K, J>, W: Join> Kernel for Fold<K, J, F, W> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let [a, b, c] = &self.loops.kept;
        let first = self.from.on(1, &self.loops.bases);
        for i in 0..a.n {
            for j in 0..b.n {
                for k in 0..c.n {
                    let t = self.loops.to_base + i * a.to + j * b.to + k * c.to;
                    let p = first.on(i, &a.from).on(j, &b.from).on(k, &c.from);
                    // SAFETY: `fold` has checked that the nest stays in its slices.
                    unsafe {
                        if self.loops.inner_over {
                            self.across(s, t, p);
                        } else {
                            self.along(s, t, p);
                        }
                    }
                }
            }
        }
    }
}

impl<const K: usize, const J: usize, F: Terms<K, J>, W: Join> Fold<K, J, F, W> {
    /// A number for each place of the inner loop.
    #[inline(always)]
    unsafe fn along<S: Simd>(&self, s: S, t: usize, p: Pointers<K>) {
        let (n, steps) = (self.loops.inner, &self.loops.inner_steps);
        let mut i = 0;
        // SAFETY: as the caller.
        unsafe {
            while i + 4 * S::LANES <= n {
                let v = self.block::<S, 4, 1>(s, S::LANES, p.on(i, steps));
                for q in 0..4 {
                    self.store(s, t + i + q * S::LANES, S::LANES, v[q]);
                }
                i += 4 * S::LANES;
            }
            while i + S::LANES <= n {
                let v = self.block::<S, 1, 4>(s, S::LANES, p.on(i, steps));
                self.store(s, t + i, S::LANES, v[0]);
                i += S::LANES;
            }
            if i < n {
                let v = self.block::<S, 1, 1>(s, n - i, p.on(i, steps));
                self.store(s, t + i, n - i, v[0]);
            }
        }
    }

    /// The folded loops for Q vectors side by side, with U accumulators in the innermost.
    #[inline(always)]
    unsafe fn block<S: Simd, const Q: usize, const U: usize>(
        &self,
        s: S,
        n: usize,
        p: Pointers<K>,
    ) -> [[S::V; J]; Q] {
        let nothing = s.splat(W::NOTHING);
        let [a, b, c] = &self.loops.folded;
        let mut total = [[nothing; J]; Q];
        for i in 0..a.n {
            for j in 0..b.n {
                let mut p = p.on(i, &a.from).on(j, &b.from);
                let mut left = c.n;
                while left > 0 {
                    let stretch = left.min(STRETCH);
                    left -= stretch;
                    let mut part = [[[nothing; J]; Q]; U];
                    for _ in 0..stretch / U {
                        for u in 0..U {
                            // SAFETY: as the caller.
                            unsafe { self.join(s, n, p, &mut part[u]) };
                            p = p.on(1, &c.from);
                        }
                    }
                    for _ in 0..stretch % U {
                        // SAFETY: as the caller.
                        unsafe { self.join(s, n, p, &mut part[0]) };
                        p = p.on(1, &c.from);
                    }
                    for u in 0..U {
                        for q in 0..Q {
                            join_all::<S, W, J>(s, &mut total[q], part[u][q]);
                        }
                    }
                }
            }
        }
        total
    }

    /// Joins the terms of Q vectors, of `n` numbers each.
    #[inline(always)]
    unsafe fn join<S: Simd, const Q: usize>(&self, s: S, n: usize, p: Pointers<K>, to: &mut [[S::V; J]; Q]) {
        let steps = &self.loops.inner_steps;
        for q in 0..Q {
            // SAFETY: as the caller.
            let v = unsafe { p.on(q * S::LANES, steps).load(s, n, steps) };
            join_all::<S, W, J>(s, &mut to[q], self.f.at(s, v));
        }
    }

    #[inline(always)]
    unsafe fn store<S: Simd>(&self, s: S, t: usize, n: usize, v: [S::V; J]) {
        for j in 0..J {
            // SAFETY: as the caller.
            unsafe {
                let to = self.to[j].add(t);
                if n == S::LANES {
                    s.store(to, self.how.store(s, s.load(to), v[j]));
                } else {
                    s.store_first(to, self.how.store(s, s.load_first(to, n), v[j]), n);
                }
            }
        }
    }

    /// One number for the whole inner loop.
    #[inline(always)]
    unsafe fn across<S: Simd>(&self, s: S, t: usize, p: Pointers<K>) {
        let [a, b, c] = &self.loops.folded;
        let mut total = [s.splat(W::NOTHING); J];
        for i in 0..a.n {
            for j in 0..b.n {
                for k in 0..c.n {
                    let p = p.on(i, &a.from).on(j, &b.from).on(k, &c.from);
                    let mut at = 0;
                    while at < self.loops.inner {
                        let n = (self.loops.inner - at).min(STRETCH * 4 * S::LANES);
                        // SAFETY: as the caller.
                        let part = unsafe { self.stretch(s, n, p.on(at, &self.loops.inner_steps)) };
                        join_all::<S, W, J>(s, &mut total, part);
                        at += n;
                    }
                }
            }
        }
        for j in 0..J {
            // SAFETY: as the caller.
            unsafe {
                let to = self.to[j].add(t);
                *to = self.how.store_one(*to, W::across(s, total[j]));
            }
        }
    }

    /// `n` neighbouring numbers.
    #[inline(always)]
    unsafe fn stretch<S: Simd>(&self, s: S, n: usize, p: Pointers<K>) -> [S::V; J] {
        let (nothing, steps) = (s.splat(W::NOTHING), &self.loops.inner_steps);
        let mut part = [[nothing; J]; 4];
        let mut i = 0;
        // SAFETY: as the caller; the table of the last vector's lanes has at least LANES numbers.
        unsafe {
            while i + 4 * S::LANES <= n {
                for q in 0..4 {
                    let v = p.on(i + q * S::LANES, steps).load(s, S::LANES, steps);
                    join_all::<S, W, J>(s, &mut part[q], self.f.at(s, v));
                }
                i += 4 * S::LANES;
            }
            while i + S::LANES <= n {
                let v = p.on(i, steps).load(s, S::LANES, steps);
                join_all::<S, W, J>(s, &mut part[0], self.f.at(s, v));
                i += S::LANES;
            }
            if i < n {
                let first = s.gt(s.splat((n - i) as f32), s.load(COUNT.as_ptr()));
                let mut terms = self.f.at(s, p.on(i, steps).load(s, n - i, steps));
                for j in 0..J {
                    terms[j] = s.select(first, terms[j], nothing);
                }
                join_all::<S, W, J>(s, &mut part[1], terms);
            }
        }
        let [mut a, b, mut c, d] = part;
        join_all::<S, W, J>(s, &mut a, b);
        join_all::<S, W, J>(s, &mut c, d);
        join_all::<S, W, J>(s, &mut a, c);
        a
    }
}

#[inline(always)]
fn join_all<S: Simd, W: Join, const J: usize>(s: S, to: &mut [S::V; J], v: [S::V; J]) {
    for j in 0..J {
        to[j] = W::join(s, to[j], v[j]);
    }
}

/// The number of each lane.
static COUNT: [f32; 16] =
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0];
