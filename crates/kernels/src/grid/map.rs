//! Number by number: one array from several, in both layouts.

use super::walk::{Extents, Nest, Pointers, View};
use crate::dispatch::Isa;
use crate::simd::{Kernel, Simd};

/// A function of K numbers, and of the one that it replaces.
pub(super) trait Function<const K: usize>: Copy {
    /// Whether it looks at the number that it replaces.
    const READS: bool;
    /// The number.
    fn at<S: Simd>(self, s: S, old: S::V, v: [S::V; K]) -> S::V;
}

/// Defines functions of vectors: `Name(fields) = |s, [a, b]| value` replaces, `+= value` adds.
macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident($($field:ident: $kind:ty),*) = |$s:ident, [$($v:ident),*]| $value:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(super) struct $name { $(pub $field: $kind),* }
        impl $crate::grid::map::Function<{ [$(stringify!($v)),*].len() }> for $name {
            const READS: bool = false;
            #[inline(always)]
            fn at<S: $crate::simd::Simd>(
                self, $s: S, _: S::V, [$($v),*]: [S::V; [$(stringify!($v)),*].len()],
            ) -> S::V {
                let Self { $($field),* } = self;
                $value
            }
        }
    )*};
}
pub(super) use functions;

functions! {
    /// Times a number.
    Times(k: f32) = |s, [x]| s.mul(x, s.splat(k));
    /// Both, multiplied.
    Product() = |s, [x, y]| s.mul(x, y);
}

/// Adds what a function gives.
#[derive(Clone, Copy)]
pub(super) struct Adding<F>(pub F);

impl<const K: usize, F: Function<K>> Function<K> for Adding<F> {
    const READS: bool = true;
    #[inline(always)]
    fn at<S: Simd>(self, s: S, old: S::V, v: [S::V; K]) -> S::V {
        s.add(old, self.0.at(s, old, v))
    }
}

/// `to = f(from)`, cell by cell. Arrays with one number for several cells are read again for each.
pub(super) fn map<const K: usize, F: Function<K>>(
    isa: Isa,
    extents: Extents,
    (to, to_view): (&mut [f32], View),
    from: [(&[f32], View); K],
    f: F,
) {
    let nest = Nest::new(extents, [false; 4], to_view, from.map(|(_, view)| view));
    nest.check(to.len(), from.map(|(numbers, _)| numbers.len()));
    assert!(nest.extents[3] == 1 || nest.to[3] == 1, "each cell has a number of its own: {nest:?}");
    isa.run(Map { nest, to: to.as_mut_ptr(), from: Pointers(from.map(|(numbers, _)| numbers.as_ptr())), f });
}

struct Map<const K: usize, F> {
    nest: Nest<K>,
    to: *mut f32,
    from: Pointers<K>,
    f: F,
}

impl<const K: usize, F: Function<K>> Kernel for Map<K, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Nest { extents, to, from, to_base, bases, .. } = &self.nest;
        let first = self.from.on(1, bases);
        for a in 0..extents[0] {
            for b in 0..extents[1] {
                let t = self.to.wrapping_add(to_base + a * to[0] + b * to[1]);
                // SAFETY: `map` has checked that the nest stays in its slices.
                unsafe { self.plane(s, t, first.on(a, &from[0]).on(b, &from[1])) };
            }
        }
    }
}

impl<const K: usize, F: Function<K>> Map<K, F> {
    /// The two inner loops, from these places.
    #[inline(always)]
    unsafe fn plane<S: Simd>(&self, s: S, mut t: *mut f32, mut p: Pointers<K>) {
        let Nest { extents, to, from, .. } = &self.nest;
        // SAFETY: as the caller.
        unsafe {
            if extents[3] == S::LANES {
                for _ in 0..extents[2] {
                    self.vector(s, S::LANES, t, p);
                    t = t.wrapping_add(to[2]);
                    p = p.on(1, &from[2]);
                }
                return;
            }
            let whole = extents[3] - extents[3] % S::LANES;
            for _ in 0..extents[2] {
                for i in (0..whole).step_by(S::LANES) {
                    self.vector(s, S::LANES, t.add(i), p.on(i, &from[3]));
                }
                if whole < extents[3] {
                    self.vector(s, extents[3] - whole, t.add(whole), p.on(whole, &from[3]));
                }
                t = t.wrapping_add(to[2]);
                p = p.on(1, &from[2]);
            }
        }
    }

    /// The next `n` numbers, at most a vector.
    #[inline(always)]
    unsafe fn vector<S: Simd>(&self, s: S, n: usize, to: *mut f32, p: Pointers<K>) {
        // SAFETY: as the caller.
        unsafe {
            let v = p.load(s, n, &self.nest.from[3]);
            if n == S::LANES {
                let old = if F::READS { s.load(to) } else { s.splat(0.0) };
                s.store(to, self.f.at(s, old, v));
            } else {
                let old = if F::READS { s.load_first(to, n) } else { s.splat(0.0) };
                s.store_first(to, self.f.at(s, old, v), n);
            }
        }
    }
}
