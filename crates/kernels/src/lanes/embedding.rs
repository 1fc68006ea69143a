//! Embeddings on lanes: rows of a table, looked up by number.
//!
//! The gradient of the table is not summed group by group, which would take a copy of the table for each: every
//! group keeps the numbers and the gradients of what was looked up, and a range of rows at a time goes through
//! them all in one order.

use super::Frame;

/// The row of a table of `rows` that `id` looks up: whole numbers count from 0; what is less, or not a number, is
/// row 0, what is more the last one.
pub fn row(id: f32, rows: usize) -> usize {
    (id as usize).min(rows.saturating_sub(1))
}

/// Where the rows, columns and channels of one group lie.
#[derive(Clone, Copy, Debug)]
pub struct Lookup {
    /// The numbers: one channel.
    pub input: Frame,
    /// What they look up: `size` channels of the same extent.
    pub output: Frame,
    /// Rows of the table.
    pub rows: usize,
    /// Lanes of a vector.
    pub lanes: usize,
}

impl Lookup {
    fn check(&self, ids: &[f32], wide: &[f32]) {
        let extent = |f: &Frame| (f.height, f.width);
        assert_eq!(extent(&self.input), extent(&self.output), "one row for each number");
        assert!(self.rows > 0 && self.input.channels == 1);
        assert!(ids.len() >= self.input.vectors() * self.lanes);
        assert!(wide.len() >= self.output.vectors() * self.lanes);
    }

    /// Numbers that are looked up in one group.
    pub fn ids(&self) -> usize {
        self.input.height * self.input.width * self.lanes
    }

    /// The places of each position's vector in the input, and of its first channel's in the output.
    fn positions(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let Self { input, output, lanes, .. } = *self;
        (0..input.height).flat_map(move |h| (0..input.width).map(move |w| (h, w))).map(move |(h, w)| {
            let place = |f: &Frame| (f.origin() + h * f.row() + w) * lanes;
            (place(&input), place(&output))
        })
    }

    /// `y[c][p] = table[ids[p]][c]` for one group; `table` is `[rows][size]`.
    ///
    /// # Panics
    /// When a slice is too short.
    pub fn forward(&self, ids: &[f32], table: &[f32], y: &mut [f32]) {
        self.check(ids, y);
        let (size, plane) = (self.output.channels, self.output.plane() * self.lanes);
        assert!(table.len() >= self.rows * size);
        for (from, to) in self.positions() {
            for (lane, &id) in ids[from..from + self.lanes].iter().enumerate() {
                let found = &table[row(id, self.rows) * size..][..size];
                let y = y[to + lane..].iter_mut().step_by(plane);
                y.zip(found).for_each(|(y, v)| *y = *v);
            }
        }
    }

    /// Keeps the numbers of one group, and of each its gradient `[size]`, for [`backward`].
    ///
    /// # Panics
    /// When a slice is too short.
    pub fn keep(&self, ids: &[f32], dy: &[f32], gradient: &Frame, kept: &mut [f32], kept_dy: &mut [f32]) {
        let own = Self { output: *gradient, ..*self };
        own.check(ids, dy);
        let (size, plane) = (gradient.channels, gradient.plane() * self.lanes);
        assert!(kept.len() >= self.ids() && kept_dy.len() >= self.ids() * size);
        let rows = kept_dy.chunks_exact_mut(size);
        let vectors = kept.chunks_exact_mut(self.lanes);
        let mut rows = rows.into_iter();
        for ((from, to), kept) in own.positions().zip(vectors) {
            kept.copy_from_slice(&ids[from..from + self.lanes]);
            for (lane, row) in rows.by_ref().take(self.lanes).enumerate() {
                let dy = dy[to + lane..].iter().step_by(plane);
                row.iter_mut().zip(dy).for_each(|(row, d)| *row = *d);
            }
        }
    }
}

/// The gradient of `gradient.len() / size` rows of the table from row `first` on: `group(g)` gives what
/// [`Lookup::keep`] kept of group `g`. Every row is summed over the groups, and within each over the positions,
/// in their order.
///
/// # Panics
/// When `size` is 0 or a group kept fewer gradients than numbers.
pub fn backward<'a>(
    groups: usize,
    group: impl Fn(usize) -> (&'a [f32], &'a [f32]),
    [rows, size]: [usize; 2],
    first: usize,
    gradient: &mut [f32],
) {
    gradient.fill(0.0);
    let count = gradient.len() / size;
    for g in 0..groups {
        let (ids, dy) = group(g);
        for (k, &id) in ids.iter().enumerate() {
            let at = row(id, rows).wrapping_sub(first);
            if at < count {
                let (sum, d) = (&mut gradient[at * size..][..size], &dy[k * size..][..size]);
                sum.iter_mut().zip(d).for_each(|(sum, d)| *sum += d);
            }
        }
    }
}
