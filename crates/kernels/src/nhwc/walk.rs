//! Which cells of one array each position of another sums over.

use std::ops::Range;

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

    /// The zeros that have to stand around `from` (above, below, left, right) for taps side by side to be read
    /// as one, where channels are so few that this pays.
    pub fn halo(&self) -> Option<[usize; 4]> {
        let run = self.side_by_side();
        if self.groups > 1 || run == 1 || run * self.sum > LONGEST_RUN {
            return None;
        }
        self.reach()
    }

    /// The zeros that have to stand around `from` (above, below, left, right) for every tap to find a number, if they
    /// are not out of proportion.
    pub fn reach(&self) -> Option<[usize; 4]> {
        if self.positions() == 0 {
            return None;
        }
        let halo = |count: usize, step: usize, size: usize, d: fn(&Tap) -> isize| {
            let low = self.taps.iter().map(d).min().unwrap_or(0);
            let high = self.taps.iter().map(d).max().unwrap_or(0) + ((count - 1) * step) as isize;
            [(-low).max(0) as usize, (high - size as isize + 1).max(0) as usize]
        };
        let [top, bottom] = halo(self.rows, self.from_step[0], self.from.height, |t| t.dh);
        let [left, right] = halo(self.cols, self.from_step[1], self.from.width, |t| t.dw);
        // Enormous padding is served by the table of places instead.
        let Plane { height, width, .. } = self.from;
        let area = (height + top + bottom) * (width + left + right);
        (area / 4 <= height * width + 1024).then_some([top, bottom, left, right])
    }

    /// Reads taps that stand side by side as one, if [`Walk::halo`] says so. `from` then has the padding in place:
    /// [`Padded`] lays it out, a strip at a time.
    pub fn merge(&mut self) -> Option<Padded> {
        let [top, bottom, left, right] = self.halo()?;
        let run = self.side_by_side();
        self.taps = self.taps.iter().step_by(run).copied().collect();
        for tap in &mut self.taps {
            tap.dh += top as isize;
            tap.dw += left as isize;
        }
        self.run = run;
        let old = self.from;
        self.from = Plane {
            height: old.height + top + bottom,
            width: old.width + left + right,
            channels: old.channels,
        };
        Some(Padded { plain: old, top, left })
    }

    /// The same walk between images that lie in larger planes, each with its first pixel at a row and a column.
    pub fn within(mut self, from: (Plane, [usize; 2]), to: (Plane, [usize; 2])) -> Self {
        let ((from, [row, column]), (to, first)) = (from, to);
        for tap in &mut self.taps {
            tap.dh += row as isize;
            tap.dw += column as isize;
        }
        let to_first = [self.to_first[0] + first[0], self.to_first[1] + first[1]];
        Self { from, to, to_first, ..self }
    }

    /// Whether no tap of any position lies outside `from`.
    pub fn inside(&self) -> bool {
        let fits = |d: isize, count: usize, step: usize, size: usize| {
            (0..size as isize).contains(&d) && d as usize + count.saturating_sub(1) * step < size
        };
        let last = (self.run - 1) as isize;
        !self.taps.is_empty()
            && self.taps.iter().all(|t| {
                fits(t.dh, self.rows, self.from_step[0], self.from.height)
                    && fits(t.dw, self.cols, self.from_step[1], self.from.width)
                    && fits(t.dw + last, self.cols, self.from_step[1], self.from.width)
            })
    }

    /// Fills the places that positions from `first` on write.
    pub fn targets(&self, first: usize, to: &mut [usize]) {
        let step = self.to_step[1] * self.to.channels;
        self.segments(first, to.len(), |image, row, col, at| {
            let h = image * self.to.height + self.to_first[0] + row * self.to_step[0];
            let w = self.to_first[1] + col * self.to_step[1];
            let mut place = (h * self.to.width + w) * self.to.channels;
            for to in &mut to[at] {
                *to = place;
                place += step;
            }
        });
    }

    /// Fills the places of positions from `first` on in `from`, as if a tap lay right on them.
    pub fn bases(&self, first: usize, from: &mut [u32]) {
        let step = self.from_step[1] * self.from.channels;
        self.segments(first, from.len(), |image, row, col, at| {
            let h = image * self.from.height + row * self.from_step[0];
            let mut place = (h * self.from.width + col * self.from_step[1]) * self.from.channels;
            for from in &mut from[at] {
                *from = place as u32;
                place += step;
            }
        });
    }

    /// Where each tap reads, relative to a position's place.
    pub fn offsets(&self) -> Vec<usize> {
        let offset = |t: &Tap| (t.dh as usize * self.from.width + t.dw as usize) * self.from.channels;
        self.taps.iter().map(offset).collect()
    }

    /// Fills the places that positions `first..first + n` read: for each tap, `n` of them.
    pub fn places(&self, first: usize, n: usize, from: &mut [u32]) {
        if self.inside() {
            let (base, rest) = from.split_at_mut(n);
            self.bases(first, base);
            let offsets = self.offsets();
            for (offset, from) in offsets[1..].iter().zip(rest.chunks_exact_mut(n)) {
                for (from, base) in from.iter_mut().zip(&*base) {
                    *from = base + *offset as u32;
                }
            }
            return base.iter_mut().for_each(|b| *b += offsets[0] as u32);
        }
        self.segments(first, n, |image, row, col, at| {
            for (t, tap) in self.taps.iter().enumerate() {
                self.row_places(image, row, col, tap, &mut from[t * n..][at.clone()]);
            }
        });
    }

    /// Calls `f(image, row, column, which)` for positions that stand side by side.
    fn segments(&self, first: usize, n: usize, mut f: impl FnMut(usize, usize, usize, Range<usize>)) {
        let (mut image, cell) = (first / (self.rows * self.cols), first % (self.rows * self.cols));
        let (mut row, mut col) = (cell / self.cols, cell % self.cols);
        let mut p = 0;
        while p < n {
            let len = (self.cols - col).min(n - p);
            f(image, row, col, p..p + len);
            (p, col, row) = (p + len, 0, row + 1);
            if row == self.rows {
                (row, image) = (0, image + 1);
            }
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
        let reach =
            |limit: isize| (limit - w + step - 1).div_euclid(step).clamp(0, out.len() as isize) as usize;
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

/// Padding that is laid out in memory, for a strip of rows or a few images at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Padded {
    plain: Plane,
    top: usize,
    left: usize,
}

/// Some rows of one image, or all rows of some images.
#[derive(Clone, Debug)]
pub(super) struct Strip {
    pub images: Range<usize>,
    pub rows: Range<usize>,
}

impl Strip {
    /// How a walk is cut into strips of about `positions`.
    pub fn cut(walk: &Walk, positions: usize) -> Vec<Strip> {
        let rows = (positions / walk.cols).max(1);
        if rows >= walk.rows {
            let images = (rows / walk.rows).max(1);
            let first = (0..walk.batch).step_by(images);
            return first
                .map(|i| Strip { images: i..(i + images).min(walk.batch), rows: 0..walk.rows })
                .collect();
        }
        // As even as can be.
        let pieces = walk.rows.div_ceil(rows);
        let all = (0..walk.batch).flat_map(|i| (0..pieces).map(move |p| (i, p)));
        all.map(|(i, p)| Strip {
            images: i..i + 1,
            rows: walk.rows * p / pieces..walk.rows * (p + 1) / pieces,
        })
        .collect()
    }

    pub fn positions(&self, walk: &Walk) -> usize {
        self.images.len() * self.rows.len() * walk.cols
    }

    /// The first number that the strip's first position writes.
    pub fn target(&self, walk: &Walk) -> usize {
        let row = self.images.start * walk.to.height + self.rows.start * walk.to_step[0];
        row * walk.to.width * walk.to.channels
    }
}

impl Padded {
    /// Copies what `strip` reads of `x`, with its padding, to `out`; gives the walk over that copy.
    pub fn lay_out(&self, walk: &Walk, strip: &Strip, x: &[f32], out: &mut Vec<f32>) -> Walk {
        let reach = walk.taps.iter().map(|t| t.dh as usize).max().unwrap_or(0);
        let height = (strip.rows.len() - 1) * walk.from_step[0] + reach + 1;
        let (wide, row) = (walk.from.width * walk.from.channels, self.plain.width * self.plain.channels);
        let left = self.left * self.plain.channels;
        out.resize(strip.images.len() * height * wide, 0.0);
        for (i, out) in out.chunks_exact_mut(height * wide).enumerate() {
            let image = &x[(strip.images.start + i) * self.plain.numbers()..][..self.plain.numbers()];
            for (h, out) in out.chunks_exact_mut(wide).enumerate() {
                let h = (strip.rows.start * walk.from_step[0] + h).wrapping_sub(self.top);
                if h >= self.plain.height {
                    out.fill(0.0);
                    continue;
                }
                out[..left].fill(0.0);
                out[left..left + row].copy_from_slice(&image[h * row..][..row]);
                out[left + row..].fill(0.0);
            }
        }
        Walk {
            batch: strip.images.len(),
            rows: strip.rows.len(),
            from: Plane { height, ..walk.from },
            ..walk.clone()
        }
    }
}
