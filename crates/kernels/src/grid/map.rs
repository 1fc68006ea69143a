//! Number by number: one array from several, in both layouts.

use super::walk::{Extents, Nest, View};
use crate::dispatch::Isa;
use crate::simd::{Kernel, Simd};
use std::array::from_fn;

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
    isa.run(Map { nest, to: to.as_mut_ptr(), from: from.map(|(numbers, _)| numbers.as_ptr()), f });
}

struct Map<const K: usize, F> {
    nest: Nest<K>,
    to: *mut f32,
    from: [*const f32; K],
    f: F,
}

impl<const K: usize, F: Function<K>> Kernel for Map<K, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Nest { extents, to, from, to_base, bases, .. } = self.nest;
        for a in 0..extents[0] {
            for b in 0..extents[1] {
                let t = to_base + a * to[0] + b * to[1];
                let at = from_fn(|k| bases[k] + a * from[0][k] + b * from[1][k]);
                // SAFETY: `map` has checked that the nest stays in its slices.
                unsafe { self.plane(s, t, at) };
            }
        }
    }
}

impl<const K: usize, F: Function<K>> Map<K, F> {
    /// The two inner loops, from these places.
    #[inline(always)]
    unsafe fn plane<S: Simd>(&self, s: S, t: usize, at: [usize; K]) {
        let Nest { extents, to, from, .. } = self.nest;
        // SAFETY: as the caller.
        unsafe {
            let mut t = self.to.add(t);
            let mut p: [*const f32; K] = from_fn(|k| self.from[k].add(at[k]));
            if extents[3] == S::LANES {
                for _ in 0..extents[2] {
                    self.vector(s, S::LANES, t, p);
                    t = t.wrapping_add(to[2]);
                    p = from_fn(|k| p[k].wrapping_add(from[2][k]));
                }
                return;
            }
            for _ in 0..extents[2] {
                let whole = extents[3] - extents[3] % S::LANES;
                for i in (0..whole).step_by(S::LANES) {
                    self.vector(s, S::LANES, t.add(i), from_fn(|k| p[k].add(i * from[3][k])));
                }
                if whole < extents[3] {
                    let rest = from_fn(|k| p[k].add(whole * from[3][k]));
                    self.vector(s, extents[3] - whole, t.add(whole), rest);
                }
                t = t.wrapping_add(to[2]);
                p = from_fn(|k| p[k].wrapping_add(from[2][k]));
            }
        }
    }

    /// The next `n` numbers, at most a vector.
    #[inline(always)]
    unsafe fn vector<S: Simd>(&self, s: S, n: usize, to: *mut f32, p: [*const f32; K]) {
        // SAFETY: as the caller.
        unsafe {
            let v = from_fn(|k| load(s, p[k], self.nest.from[3][k], n));
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

/// `n` numbers from `p` on, or the one at `p` for all where the step is 0.
///
/// # Safety
/// `p` must be valid for reading one number, and `n` if the step is not 0.
#[inline(always)]
pub(super) unsafe fn load<S: Simd>(s: S, p: *const f32, step: usize, n: usize) -> S::V {
    // SAFETY: the caller promises so many numbers.
    unsafe {
        if step == 0 {
            s.splat(*p)
        } else if n == S::LANES {
            s.load(p)
        } else {
            s.load_first(p, n)
        }
    }
}
