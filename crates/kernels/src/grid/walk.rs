//! Loops over the cells of several arrays at once, whatever their layout.
//!
//! An array is seen through a [`View`]: where its first number lies and how far it is from one row, column, channel
//! and lane to the next, 0 where it has one number for all. A [`Nest`] orders the four loops so that the innermost
//! runs over neighbouring numbers and joins loops that are one in every array, so that a layout without halos is
//! walked in one stretch.

use super::Grid;
use crate::simd::Simd;

/// How one array is walked: steps for height, width, channels, lanes.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    base: usize,
    steps: [usize; 4],
}

impl View {
    /// A grid's cells; an extent of 1 meets any.
    pub(super) fn of(g: &Grid) -> Self {
        let step = |extent: usize, step: usize| if extent == 1 { 0 } else { step };
        let steps =
            [step(g.height, g.row), step(g.width, g.column), step(g.channels, g.channel), step(g.lanes, 1)];
        Self { base: g.origin, steps }
    }

    /// A parameter: a number for each channel, or one for all.
    pub(super) fn param(numbers: usize) -> Self {
        Self { base: 0, steps: [0, 0, usize::from(numbers > 1), 0] }
    }
}

/// How far the loops go: height, width, channels, lanes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extents(pub [usize; 4]);

impl Extents {
    pub(super) fn of(g: &Grid) -> Self {
        Self([g.height, g.width, g.channels, g.lanes])
    }
}

/// Four loops, the innermost last, over one array that is written and K that are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nest<const K: usize> {
    pub extents: [usize; 4],
    /// Whether a loop is summed over: the written array's step is 0.
    pub over: [bool; 4],
    pub to: [usize; 4],
    pub from: [[usize; K]; 4],
    pub to_base: usize,
    pub bases: [usize; K],
}

impl<const K: usize> Nest<K> {
    pub(super) fn new(extents: Extents, over: [bool; 4], to: View, from: [View; K]) -> Self {
        let mut nest = Self {
            extents: [1; 4],
            over: [false; 4],
            to: [0; 4],
            from: [[0; K]; 4],
            to_base: to.base,
            bases: from.map(|v| v.base),
        };
        // The places left to fill, from the innermost outward.
        let mut free = 4;
        for axis in order(extents, &to, &from) {
            let n = extents.0[axis];
            let (t, f) = (to.steps[axis], from.map(|v| v.steps[axis]));
            if n == 1 {
                continue;
            }
            if free == 4 && (t > 1 || f.iter().any(|&s| s > 1)) {
                // Neighbours are apart: the innermost loop stays empty.
                free = 3;
            } else if free < 4 && nest.joins(free, over[axis], t, f) {
                nest.extents[free] *= n;
                continue;
            }
            free -= 1;
            (nest.extents[free], nest.over[free], nest.to[free], nest.from[free]) = (n, over[axis], t, f);
        }
        nest
    }

    /// Whether a loop with these steps goes on where loop `i` ends, in every array.
    fn joins(&self, i: usize, over: bool, to: usize, from: [usize; K]) -> bool {
        let n = self.extents[i];
        n > 1
            && over == self.over[i]
            && to == n * self.to[i]
            && (0..K).all(|k| from[k] == n * self.from[i][k])
    }

    /// Asserts that every number lies in its slice.
    pub(super) fn check(&self, to: usize, from: [usize; K]) {
        let last = |base: usize, step: &dyn Fn(usize) -> usize| {
            (0..4).fold(base, |at, i| at.saturating_add((self.extents[i] - 1).saturating_mul(step(i))))
        };
        assert!(last(self.to_base, &|i| self.to[i]) < to, "{self:?} leaves {to} numbers");
        for k in 0..K {
            assert!(last(self.bases[k], &|i| self.from[i][k]) < from[k], "{self:?} leaves {from:?} numbers");
        }
    }
}

/// The axes from the one whose neighbours are next to each other outward.
#[inline]
fn order<const K: usize>(extents: Extents, to: &View, from: &[View; K]) -> [usize; 4] {
    let planes = |v: &View| {
        let [h, w, c, _] = v.steps;
        c > 0 && ((w > 0 && c > w) || (h > 0 && c > h))
    };
    if extents.0[3] > 1 || planes(to) || from.iter().any(planes) { [3, 1, 0, 2] } else { [3, 2, 1, 0] }
}

/// Where K arrays are read. Plain loops throughout: a closure that is not inlined would lose the instruction set.
#[derive(Clone, Copy)]
pub(super) struct Pointers<const K: usize>(pub [*const f32; K]);

impl<const K: usize> Pointers<K> {
    /// `n` steps on.
    #[inline(always)]
    pub(super) fn on(mut self, n: usize, steps: &[usize; K]) -> Self {
        for k in 0..K {
            self.0[k] = self.0[k].wrapping_add(n * steps[k]);
        }
        self
    }

    /// `n` neighbouring numbers of each, or the one that is there for all where the step is 0.
    ///
    /// # Safety
    /// Each pointer must be valid for reading one number, and `n` if its step is not 0.
    #[inline(always)]
    pub(super) unsafe fn load<S: Simd>(self, s: S, n: usize, steps: &[usize; K]) -> [S::V; K] {
        let mut v = [s.splat(0.0); K];
        for k in 0..K {
            // SAFETY: the caller promises so many numbers.
            v[k] = unsafe {
                if steps[k] == 0 {
                    s.splat(*self.0[k])
                } else if n == S::LANES {
                    s.load(self.0[k])
                } else {
                    s.load_first(self.0[k], n)
                }
            };
        }
        v
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::Frame;
    use crate::nhwc::Layout;

    fn frame(halo: [usize; 4]) -> Grid {
        Grid::of_frame(&Frame { channels: 6, height: 3, width: 5, halo }, 8)
    }

    #[test]
    fn a_layout_without_halos_is_one_stretch() {
        for g in [frame([0; 4]), Grid::plain([3, 5, 6])] {
            let nest = Nest::new(Extents::of(&g), [false; 4], View::of(&g), [View::of(&g)]);
            assert_eq!(nest.extents, [1, 1, 1, 3 * 5 * 6 * g.lanes]);
        }
    }

    #[test]
    fn rows_between_halos_are_stretches() {
        let g = frame([1, 1, 1, 0]);
        let nest = Nest::new(Extents::of(&g), [false; 4], View::of(&g), [View::of(&frame([0; 4]))]);
        assert_eq!(nest.extents, [1, 6, 3, 5 * 8]);
        let halo = Grid::of_layout(&Layout { shape: [3, 5, 6], halo: [1, 1, 1, 0] });
        let nest = Nest::new(Extents::of(&halo), [false; 4], View::of(&halo), []);
        assert_eq!(nest.extents, [1, 1, 3, 5 * 6]);
    }

    #[test]
    fn a_number_for_each_channel_cuts_the_stretch() {
        let gate = Grid { height: 1, width: 1, row: 0, column: 8, channel: 8, origin: 0, ..frame([0; 4]) };
        let g = frame([0; 4]);
        let nest = Nest::new(Extents::of(&g), [false; 4], View::of(&g), [View::of(&gate)]);
        assert_eq!((nest.extents, nest.from), ([1, 6, 15, 8], [[0], [8], [0], [1]]));
        let nest = Nest::new(Extents::of(&g), [false; 4], View::of(&g), [View::param(6)]);
        assert_eq!((nest.extents, nest.from), ([1, 1, 6, 120], [[0], [0], [1], [0]]));
        let g = Grid::plain([3, 5, 6]);
        let nest = Nest::new(Extents::of(&g), [false; 4], View::of(&g), [View::param(6)]);
        assert_eq!((nest.extents, nest.from), ([1, 1, 15, 6], [[0], [0], [0], [1]]));
    }

    #[test]
    fn what_lies_apart_leaves_the_innermost_loop_empty() {
        // One channel of three.
        let g = Grid { channels: 1, ..Grid::plain([4, 5, 3]) };
        let nest = Nest::new(Extents::of(&g), [false; 4], View::of(&g), []);
        assert_eq!((nest.extents, nest.to), ([1, 1, 20, 1], [0, 0, 3, 0]));
    }

    #[test]
    #[should_panic(expected = "leaves 89 numbers")]
    fn a_slice_that_is_too_short_is_refused() {
        let g = Grid::plain([3, 5, 6]);
        Nest::new(Extents::of(&g), [false; 4], View::of(&g), []).check(89, []);
    }
}
