//! Pooling on lanes. Cells outside the image never take part: for max pooling they are minus infinity,
//! for average pooling they are not counted.

use super::Frame;
use crate::dispatch::Isa;
use crate::geometry::Pool2dGeometry;
use crate::simd::{Kernel, Simd};
use std::ops::Range;

/// A checked walk of a pooling window over planes.
#[derive(Clone, Debug)]
pub struct PoolWalk {
    input: Frame,
    output: Frame,
    /// For each output row, the image's rows under its window; likewise columns.
    rows: Vec<Range<usize>>,
    cols: Vec<Range<usize>>,
}

/// For each output, the input cells under its window.
fn spans(a: &crate::geometry::Axis) -> Vec<Range<usize>> {
    (0..a.output)
        .map(|o| {
            let at = o * a.stride;
            at.saturating_sub(a.before)..(at + a.kernel).saturating_sub(a.before).min(a.input)
        })
        .collect()
}

/// Which of the four passes over a window runs.
enum Pass<'a> {
    Max { x: &'a [f32], y: &'a mut [f32], at: &'a mut [f32] },
    MaxBackward { at: &'a [f32], dy: &'a [f32], dx: &'a mut [f32] },
    Average { x: &'a [f32], y: &'a mut [f32] },
    AverageBackward { dy: &'a [f32], dx: &'a mut [f32] },
}

impl PoolWalk {
    /// A walk of `g` from planes of `input` to planes of `output`.
    ///
    /// # Panics
    /// When a frame does not have the geometry's extents: the planner's mistake.
    pub fn new(g: &Pool2dGeometry, input: &Frame, output: &Frame) -> Self {
        let extents = |f: &Frame| (f.channels, f.height, f.width);
        assert_eq!(extents(input), (g.channels, g.h.input, g.w.input));
        assert_eq!(extents(output), (g.channels, g.h.output, g.w.output));
        Self { input: *input, output: *output, rows: spans(&g.h), cols: spans(&g.w) }
    }

    /// The largest of each window into `y`, and its place in the window's part inside the image, row by row,
    /// into `at` (laid out as `y`, without a halo). The first of equals is taken; not-a-number spreads.
    pub fn max(&self, isa: Isa, x: &[f32], y: &mut [f32], at: &mut [f32]) {
        self.check(isa, x.len(), y.len());
        self.check_places(isa, at.len());
        isa.run(Walk { walk: self, pass: Pass::Max { x, y, at } });
    }

    /// Adds each window's gradient to the cell that was its largest.
    pub fn max_backward(&self, isa: Isa, at: &[f32], dy: &[f32], dx: &mut [f32]) {
        self.check(isa, dx.len(), dy.len());
        self.check_places(isa, at.len());
        isa.run(Walk { walk: self, pass: Pass::MaxBackward { at, dy, dx } });
    }

    /// The mean of each window's cells inside the image.
    pub fn average(&self, isa: Isa, x: &[f32], y: &mut [f32]) {
        self.check(isa, x.len(), y.len());
        isa.run(Walk { walk: self, pass: Pass::Average { x, y } });
    }

    /// Adds each window's gradient in equal parts to its cells inside the image.
    pub fn average_backward(&self, isa: Isa, dy: &[f32], dx: &mut [f32]) {
        self.check(isa, dx.len(), dy.len());
        isa.run(Walk { walk: self, pass: Pass::AverageBackward { dy, dx } });
    }

    fn check_places(&self, isa: Isa, places: usize) {
        assert!(places >= self.output.channels * self.output.height * self.output.width * isa.lanes());
    }

    fn check(&self, isa: Isa, input: usize, output: usize) {
        assert!(input >= self.input.vectors() * isa.lanes());
        assert!(output >= self.output.vectors() * isa.lanes());
    }
}

struct Walk<'a> {
    walk: &'a PoolWalk,
    pass: Pass<'a>,
}

impl Kernel for Walk<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let w = self.walk;
        for c in 0..w.output.channels {
            for (oh, rows) in w.rows.iter().enumerate() {
                let y = c * w.output.plane() + w.output.origin() + oh * w.output.row();
                let p = (c * w.output.height + oh) * w.output.width;
                let x = c * w.input.plane() + w.input.origin() + rows.start * w.input.row();
                for (ow, cols) in w.cols.iter().enumerate() {
                    // SAFETY: `new` and `check` hold every cell of every span inside the slices.
                    unsafe {
                        self.window(s, (y + ow) * S::LANES, (p + ow) * S::LANES, x + cols.start, rows, cols)
                    };
                }
            }
        }
    }
}

impl Walk<'_> {
    #[inline(always)]
    unsafe fn window<S: Simd>(
        &mut self,
        s: S,
        y: usize,
        p: usize,
        x: usize,
        rows: &Range<usize>,
        cols: &Range<usize>,
    ) {
        let row = self.walk.input.row();
        let cell = |i: usize, j: usize| (x + i * row + j) * S::LANES;
        let (height, width) = (rows.len(), cols.len());
        let place = |i: usize, j: usize| (i * width + j) as f32;
        // SAFETY: as the caller.
        unsafe {
            match &mut self.pass {
                Pass::Max { x, y: out, at } => {
                    let mut best = s.load(x.as_ptr().add(cell(0, 0)));
                    let mut which = s.splat(place(0, 0));
                    for i in 0..height {
                        for j in 0..width {
                            let v = s.load(x.as_ptr().add(cell(i, j)));
                            // Larger, or the first that is not a number.
                            let larger = s.gt(v, best);
                            let number = s.eq(v, v);
                            let best_number = s.eq(best, best);
                            let here = s.splat(place(i, j));
                            let w = s.select(larger, here, which);
                            which = s.select(number, w, s.select(best_number, here, which));
                            let b = s.select(larger, v, best);
                            best = s.select(number, b, s.select(best_number, v, best));
                        }
                    }
                    s.store(out.as_mut_ptr().add(y), best);
                    s.store(at.as_mut_ptr().add(p), which);
                }
                Pass::MaxBackward { at, dy, dx } => {
                    let which = s.load(at.as_ptr().add(p));
                    let g = s.load(dy.as_ptr().add(y));
                    for i in 0..height {
                        for j in 0..width {
                            let p = dx.as_mut_ptr().add(cell(i, j));
                            let here = s.eq(which, s.splat(place(i, j)));
                            s.store(p, s.add(s.load(p), s.keep(here, g)));
                        }
                    }
                }
                Pass::Average { x, y: out } => {
                    let mut sum = s.splat(0.0);
                    for i in 0..height {
                        for j in 0..width {
                            sum = s.add(sum, s.load(x.as_ptr().add(cell(i, j))));
                        }
                    }
                    let count = s.splat((height * width) as f32);
                    s.store(out.as_mut_ptr().add(y), s.div(sum, count));
                }
                Pass::AverageBackward { dy, dx } => {
                    let count = s.splat((height * width) as f32);
                    let g = s.div(s.load(dy.as_ptr().add(y)), count);
                    for i in 0..height {
                        for j in 0..width {
                            let p = dx.as_mut_ptr().add(cell(i, j));
                            s.store(p, s.add(s.load(p), g));
                        }
                    }
                }
            }
        }
    }
}
