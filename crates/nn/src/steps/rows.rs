//! Rows of frames: what moves numbers between activations whose halos differ.

use foveal_kernels::lanes::Frame;
use std::ops::Range;

/// Disjoint parts of the arena.
pub fn split<'a, const N: usize>(arena: &'a mut [f32], parts: [&Range<usize>; N]) -> [&'a mut [f32]; N] {
    arena.get_disjoint_mut(parts.map(Range::clone)).expect("the plan gives each value a place of its own")
}

/// One part of the arena to be written, and the rest to be read.
pub struct Around<'a> {
    before: &'a [f32],
    after: &'a [f32],
    /// Where the rest goes on.
    end: usize,
}

/// Takes one part out of the arena.
pub fn around<'a>(arena: &'a mut [f32], part: &Range<usize>) -> (&'a mut [f32], Around<'a>) {
    let (before, rest) = arena.split_at_mut(part.start);
    let (own, after) = rest.split_at_mut(part.len());
    (own, Around { before, after, end: part.end })
}

impl<'a> Around<'a> {
    /// Another part; parts that are read may be the same.
    pub fn part(&self, part: &Range<usize>) -> &'a [f32] {
        if part.start < self.end {
            &self.before[part.clone()]
        } else {
            &self.after[part.start - self.end..part.end - self.end]
        }
    }
}

/// The rows of several frames of one extent, side by side; whole frames where none has a halo.
pub fn row_sets<const N: usize>(
    frames: [&Frame; N],
    lanes: usize,
) -> impl Iterator<Item = [Range<usize>; N]> {
    let frames = frames.map(|f| *f);
    let first = frames[0];
    let plain = frames.iter().all(|f| f.halo == [0; 4]);
    let count = if plain { 1 } else { first.channels * first.height };
    let width = if plain { first.vectors() } else { first.width } * lanes;
    (0..count).map(move |i| {
        frames.map(|f| {
            let start = (i / f.height * f.plane() + f.origin() + i % f.height * f.row()) * lanes;
            start..start + width
        })
    })
}

/// Calls `f` with each row of `from` and its place in `to`, frames of one extent.
pub fn move_rows(
    from: &Frame,
    x: &[f32],
    to: &Frame,
    y: &mut [f32],
    lanes: usize,
    f: impl Fn(&[f32], &mut [f32]),
) {
    for [i, o] in row_sets([from, to], lanes) {
        f(&x[i], &mut y[o]);
    }
}

/// The frame without its halo.
pub fn plain(frame: &Frame) -> Frame {
    Frame { halo: [0; 4], ..*frame }
}
