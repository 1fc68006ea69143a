//! The windows of a max pooling that is done as values are made: their cells, the largest of them and its place.

use crate::geometry::{Axis, Pool2dGeometry};
use crate::simd::Simd;

/// The place written where ReLU let nothing through.
pub(super) const DEAD: u8 = 255;

/// The cells of a window: how many rows and columns of it lie inside what is pooled.
pub(super) fn window(pool: &Pool2dGeometry, oh: usize, ow: usize) -> (usize, usize) {
    let part = |a: &Axis, o: usize| a.kernel.min(a.input - o * a.stride);
    (part(&pool.h, oh), part(&pool.w, ow))
}

/// The largest of a window's values, and its place in the window.
pub(super) struct Largest<S: Simd> {
    value: S::V,
    place: S::V,
}

impl<S: Simd> Largest<S> {
    /// The value at place 0.
    #[inline(always)]
    pub fn new(s: S, value: S::V) -> Self {
        Self { value, place: s.splat(0.0) }
    }

    #[inline(always)]
    pub fn see(&mut self, s: S, v: S::V, place: usize) {
        // Larger, or not a number: the loss will be none either, and the run stops.
        let larger = s.gt(v, self.value);
        self.place = s.select(larger, s.splat(place as f32), self.place);
        self.value = s.select(s.eq(v, v), s.select(larger, v, self.value), v);
    }

    /// # Safety
    /// A vector may be written at `y`, as many bytes at `places`.
    #[inline(always)]
    pub unsafe fn store(self, s: S, relu: bool, y: *mut f32, places: *mut u8) {
        let zero = s.splat(0.0);
        let dead = s.splat(f32::from(DEAD));
        let place = if relu { s.select(s.gt(self.value, zero), self.place, dead) } else { self.place };
        let floor = s.splat(if relu { 0.0 } else { f32::NEG_INFINITY });
        // SAFETY: the caller's.
        unsafe {
            s.store(y, s.max(floor, self.value));
            s.store_u8(places, place);
        }
    }
}
