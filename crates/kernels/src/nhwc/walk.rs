//! Which cells of one array each position of another sums over.

use rayon::prelude::*;
use std::borrow::Cow;

/// No place: the tap lies in the padding.
pub(super) const PADDING: u32 = u32::MAX;

/// Taps side by side in a row are read as one if that makes it at most this many channels long.
const LONGEST_RUN: usize = 256;

/// Where a filter cell reads, relative to a position, and which cell it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tap {
    pub dh: isize,
    pub dw: isize,
    pub filter: usize,
}

/// The extents of one image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plane {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
}

impl Plane {
    fn numbers(&self) -> usize {
        self.height * self.width * self.channels
    }
}

/// A grid of positions to make, `rows * cols` in each image, and the taps each sums over.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    pub taps: Vec<Tap>,
    pub from: Plane,
    pub to: Plane,
    pub rows: usize,
    pub cols: usize,
    pub from_step: [usize; 2],
    pub to_first: [usize; 2],
    pub to_step: [usize; 2],
    pub batch: usize,
    pub groups: usize,
    /// Channels summed and made, in each group.
    pub sum: usize,
    pub make: usize,
    /// Taps read as one: `taps` then holds the first of each run, and a run sums `run * sum` numbers.
    pub run: usize,
}

impl Walk {
    pub fn positions(&self) -> usize {
        self.batch * self.rows * self.cols
    }

    /// Numbers that lie side by side under one tap (one run of taps) and are summed.
    pub fn stretch(&self) -> usize {
        self.run * self.sum
    }

    /// How many taps stand side by side in every row of taps; 1 if there is no such number above 1.
    fn side_by_side(&self) -> usize {
        let follows = |a: &Tap, b: &Tap| a.dh == b.dh && a.dw + 1 == b.dw;
        let n = 1 + self.taps.windows(2).take_while(|p| follows(&p[0], &p[1])).count();
        let whole = |run: &[Tap]| run.len() == n && run.windows(2).all(|p| follows(&p[0], &p[1]));
        if self.taps.chunks(n).all(whole) { n } else { 1 }
    }

    /// Reads taps that stand side by side as one, where channels are so few that it pays: from an array with
    /// the padding in place, which is `x` itself if there is none.
    pub fn merge<'a>(&mut self, x: &'a [f32]) -> Cow<'a, [f32]> {
        let run = self.side_by_side();
        if self.groups > 1 || run == 1 || run * self.sum > LONGEST_RUN || x.is_empty() {
            return Cow::Borrowed(x);
        }
        let halo = |count: usize, step: usize, size: usize, d: fn(&Tap) -> isize| {
            let low = self.taps.iter().map(d).min().unwrap_or(0);
            let high = self.taps.iter().map(d).max().unwrap_or(0) + ((count - 1) * step) as isize;
            ((-low).max(0) as usize, (high - size as isize + 1).max(0) as usize)
        };
        let (top, bottom) = halo(self.rows, self.from_step[0], self.from.height, |t| t.dh);
        let (left, right) = halo(self.cols, self.from_step[1], self.from.width, |t| t.dw);
        let old = self.from;
        let new = Plane { height: old.height + top + bottom, width: old.width + left + right, ..old };
        // Enormous padding is served by the table of places instead.
        if new.numbers() / 4 > old.numbers() + 1024 {
            return Cow::Borrowed(x);
        }
        self.taps = self.taps.iter().step_by(run).copied().collect();
        for tap in &mut self.taps {
            tap.dh += top as isize;
            tap.dw += left as isize;
        }
        self.run = run;
        self.from = new;
        if new.numbers() == old.numbers() {
            return Cow::Borrowed(x);
        }
        let mut padded = vec![0f32; self.batch * new.numbers()];
        let copy = |(image, out): (&[f32], &mut [f32])| {
            let row = old.width * old.channels;
            let rows = out.chunks_exact_mut(new.width * new.channels).skip(top);
            for (from, out) in image.chunks_exact(row).zip(rows) {
                out[left * old.channels..][..row].copy_from_slice(from);
            }
        };
        let images = x.par_chunks_exact(old.numbers()).zip(padded.par_chunks_exact_mut(new.numbers()));
        images.with_min_len((1 << 16) / new.numbers() + 1).for_each(copy);
        Cow::Owned(padded)
    }

    /// Fills the places that positions `first..first + n` read (`from`: for each tap, `n` of them) and write.
    pub fn places(&self, first: usize, n: usize, from: &mut [u32], to: &mut [usize]) {
        let mut p = 0;
        while p < n {
            let at = first + p;
            let (image, cell) = (at / (self.rows * self.cols), at % (self.rows * self.cols));
            let (row, col) = (cell / self.cols, cell % self.cols);
            let len = (self.cols - col).min(n - p);
            let h = self.to_first[0] + row * self.to_step[0];
            for (i, to) in to[p..p + len].iter_mut().enumerate() {
                let w = self.to_first[1] + (col + i) * self.to_step[1];
                *to = ((image * self.to.height + h) * self.to.width + w) * self.to.channels;
            }
            for (t, tap) in self.taps.iter().enumerate() {
                self.row_places(image, row, col, tap, &mut from[t * n + p..][..len]);
            }
            p += len;
        }
    }

    /// The places that one tap reads for positions side by side.
    fn row_places(&self, image: usize, row: usize, col: usize, tap: &Tap, out: &mut [u32]) {
        let h = (row * self.from_step[0]) as isize + tap.dh;
        if !(0..self.from.height as isize).contains(&h) {
            return out.fill(PADDING);
        }
        let step = self.from_step[1] as isize;
        let w = col as isize * step + tap.dw;
        // Positions whose column lies inside the image.
        let reach = |limit: isize| {
            (limit - w + step - 1).div_euclid(step).clamp(0, out.len() as isize) as usize
        };
        let (low, high) = (reach(0), reach(self.from.width as isize));
        let base = (image * self.from.height + h as usize) * self.from.width;
        let channels = self.from.channels as isize;
        out[..low].fill(PADDING);
        let mut at = (base as isize + w + low as isize * step) * channels;
        for place in &mut out[low..high] {
            *place = at as u32;
            at += step * channels;
        }
        out[high..].fill(PADDING);
    }
}
