//! Convolution on lanes by Winograd's transforms ([`crate::winograd`]): a *block* of tiles at a time, whose transformed
//! numbers stay in the cache between the input's transform, the sixteen products and the output's.

use super::Frame;
use super::conv::{Finish, tiles};
use crate::dispatch::Isa;
use crate::geometry::{Axis, Conv2dGeometry};
use crate::simd::{Kernel, Simd};
use crate::winograd::product::Product;
use crate::winograd::{CELLS, transform, turned};

/// Tiles transformed at once.
const BLOCK: usize = 6;

/// Channels from which on, summed over and made, the transforms cost less than they save.
const CHANNELS: usize = 16;

/// Channels made at once: their products, before the output's transform, stay in the cache.
const MADE: usize = 16;

/// A checked walk over the tiles of planes: a forward pass or the gradient of an input.
#[derive(Clone, Debug)]
pub struct Winograd {
    /// Channels summed over and channels made.
    sum: usize,
    make: usize,
    /// Extents of what is made, and of its tiles.
    rows: usize,
    cols: usize,
    tiles: [usize; 2],
    /// Where the first tile's inputs begin, in vectors.
    start: usize,
    input: Frame,
    output: Frame,
    /// Filters turned by half a turn, for the input's gradient; `weights` steps from one summed and one made channel
    /// to the next.
    turned: bool,
    weights: [usize; 2],
}

impl Winograd {
    /// Whether a convolution has this form: 3x3 filters, stride and dilation 1, no groups, and no more padding than
    /// the filter reaches.
    pub fn fits(g: &Conv2dGeometry) -> bool {
        let axis = |a: &Axis| a.kernel == 3 && a.stride == 1 && a.dilation == 1 && a.before <= 2;
        axis(&g.h) && axis(&g.w) && g.groups == 1
    }

    /// Whether this is the faster way, by what was measured (docs/performance.md): enough channels on both sides, and
    /// tiles that are not mostly outside the maps.
    pub fn faster(g: &Conv2dGeometry) -> bool {
        let tiled = |a: &Axis| 2 * a.output.div_ceil(2);
        let filled = 10 * g.h.output * g.w.output >= 6 * tiled(&g.h) * tiled(&g.w);
        Self::fits(g) && filled && g.in_channels.min(g.out_channels) >= CHANNELS
    }

    /// The halo of zeros that the forward pass needs around its input, and the input's gradient around the output's.
    pub fn halos(g: &Conv2dGeometry) -> [[usize; 4]; 2] {
        let need = |before: usize, from: usize, to: usize| {
            let reach = 2 * to.div_ceil(2) + 2;
            [before, reach.saturating_sub(before + from)]
        };
        let forward = [g.h, g.w].map(|a| need(a.before, a.input, a.output));
        let backward = [g.h, g.w].map(|a| need(2_usize.saturating_sub(a.before), a.output, a.input));
        [forward, backward].map(|[[t, b], [l, r]]| [t, b, l, r])
    }

    /// The forward pass of `g` from planes of `input` to planes of `output`.
    ///
    /// # Panics
    /// When the geometry does not fit, a frame does not have its extents, or the halo is too small.
    pub fn forward(g: &Conv2dGeometry, input: &Frame, output: &Frame) -> Self {
        assert_eq!([g.h.input, g.w.input, g.in_channels], [input.height, input.width, input.channels]);
        assert_eq!([g.h.output, g.w.output, g.out_channels], [output.height, output.width, output.channels]);
        let before = [g.h.before, g.w.before];
        Self::new(g, input, output, before, Self::halos(g)[0], false)
    }

    /// The input's gradient of `g` from planes of `d_output` to planes of `d_input`.
    ///
    /// # Panics
    /// As [`Winograd::forward`].
    pub fn backward_input(g: &Conv2dGeometry, d_output: &Frame, d_input: &Frame) -> Self {
        assert_eq!([g.h.input, g.w.input, g.in_channels], [d_input.height, d_input.width, d_input.channels]);
        assert_eq!([g.h.output, g.w.output], [d_output.height, d_output.width]);
        assert!(Self::fits(g) && g.out_channels == d_output.channels);
        let before = [2 - g.h.before, 2 - g.w.before];
        Self::new(g, d_output, d_input, before, Self::halos(g)[1], true)
    }

    fn new(
        g: &Conv2dGeometry,
        input: &Frame,
        output: &Frame,
        before: [usize; 2],
        halo: [usize; 4],
        turned: bool,
    ) -> Self {
        assert!(Self::fits(g), "3x3, stride 1");
        assert!(input.halo.iter().zip(halo).all(|(&have, need)| have >= need), "halo too small");
        let (c, o) = (g.in_channels, g.out_channels);
        Self {
            sum: if turned { o } else { c },
            make: if turned { c } else { o },
            rows: output.height,
            cols: output.width,
            tiles: [output.height.div_ceil(2), output.width.div_ceil(2)],
            start: input.origin() - before[0] * input.row() - before[1],
            input: *input,
            output: *output,
            turned,
            weights: if turned { [1, o] } else { [o, 1] },
        }
    }

    /// Numbers of scratch that a pass needs.
    pub fn scratch(&self, isa: Isa) -> usize {
        let s = self.spaces(isa.lanes());
        CELLS * (s.filter + s.inputs + s.made)
    }

    /// Numbers from one cell to the next of the transformed filter, inputs and products. A vector more than needed:
    /// cells a power of two apart would share a few lines of the cache.
    fn spaces(&self, lanes: usize) -> Spaces {
        Spaces {
            filter: (self.sum * self.make).next_multiple_of(lanes) + lanes,
            inputs: (self.sum * BLOCK + 1) * lanes,
            made: (self.make.min(MADE) * BLOCK + 1) * lanes,
        }
    }

    /// Sums `filter` over `input` into `output`; `bias` (one number for each made channel) is added.
    ///
    /// # Panics
    /// When a slice is too short.
    pub fn run(
        &self,
        isa: Isa,
        input: &[f32],
        filter: &[f32],
        bias: Option<&[f32]>,
        output: &mut [f32],
        finish: Finish,
        scratch: &mut [f32],
    ) {
        let lanes = isa.lanes();
        assert!(output.len() >= self.output.vectors() * lanes);
        let sink = Planes { walk: self, output, finish };
        self.run_into(isa, input, filter, bias, sink, scratch);
    }

    /// The same, tile by tile into `sink`.
    pub(super) fn run_into<K: Sink>(
        &self,
        isa: Isa,
        input: &[f32],
        filter: &[f32],
        bias: Option<&[f32]>,
        sink: K,
        scratch: &mut [f32],
    ) {
        assert!(input.len() >= self.input.vectors() * isa.lanes());
        assert!(filter.len() >= 9 * self.sum * self.make && scratch.len() >= self.scratch(isa));
        assert!(bias.is_none_or(|b| b.len() >= self.make));
        isa.run(Run { walk: self, input, filter, bias, sink, scratch });
    }

    /// The same walk over the first `rows` x `cols` tiles only.
    pub(super) fn over(mut self, [rows, cols]: [usize; 2]) -> Self {
        assert!(rows <= self.tiles[0] && cols <= self.tiles[1]);
        self.tiles = [rows, cols];
        self
    }

    /// Row and column of tile `t`.
    pub(super) fn place(&self, t: usize) -> [usize; 2] {
        [t / self.tiles[1], t % self.tiles[1]]
    }

    /// The first vector of tile `t`'s inputs, in a plane.
    fn tile(&self, t: usize) -> usize {
        let [row, col] = self.place(t);
        self.start + 2 * row * self.input.row() + 2 * col
    }
}

/// See [`Winograd::spaces`].
struct Spaces {
    filter: usize,
    inputs: usize,
    made: usize,
}

/// Takes what was made.
pub(super) trait Sink {
    /// The outputs of channel `o` in tile `t`: two rows of two.
    ///
    /// # Safety
    /// Channel and tile are the walk's.
    unsafe fn take<S: Simd>(&mut self, s: S, o: usize, t: usize, y: [[S::V; 2]; 2]);
}

struct Run<'a, K> {
    walk: &'a Winograd,
    input: &'a [f32],
    filter: &'a [f32],
    bias: Option<&'a [f32]>,
    sink: K,
    scratch: &'a mut [f32],
}

impl<K: Sink> Kernel for Run<'_, K> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let w = self.walk;
        let spaces = w.spaces(S::LANES);
        let (u, rest) = self.scratch.split_at_mut(CELLS * spaces.filter);
        let (v, m) = rest.split_at_mut(CELLS * spaces.inputs);
        let (u, v, m) = (u.as_mut_ptr(), v.as_mut_ptr(), m.as_mut_ptr());
        // SAFETY: `run_into` has checked the slices; the halo holds what the last tiles read beyond the input.
        unsafe {
            transform::filters(s, self.filter.as_ptr(), w.sum * w.make, u, spaces.filter);
            for (first, n) in tiles(w.tiles[0] * w.tiles[1], BLOCK) {
                transform_inputs(s, w, self.input.as_ptr(), first, n, v, spaces.inputs);
                for (o, made) in tiles(w.make, MADE) {
                    for cell in 0..CELLS {
                        let cell_of_filter = if w.turned { turned(cell) } else { cell };
                        let product = Product {
                            a: u.add(cell_of_filter * spaces.filter + o * w.weights[1]),
                            a_depth: w.weights[0],
                            a_row: w.weights[1],
                            b: v.add(cell * spaces.inputs),
                            b_depth: n * S::LANES,
                            c: m.add(cell * spaces.made),
                            c_row: n * S::LANES,
                            rows: made,
                            vectors: n,
                            depth: w.sum,
                            accumulate: false,
                            ahead: false,
                        };
                        product.run(s);
                    }
                    for i in 0..made {
                        let bias = s.splat(self.bias.map_or(0.0, |b| b[o + i]));
                        for t in 0..n {
                            let y = transform::outputs(s, m.add((i * n + t) * S::LANES), spaces.made);
                            let y = y.map(|row| row.map(|v| s.add(v, bias)));
                            self.sink.take(s, o + i, first + t, y);
                        }
                    }
                }
            }
        }
    }
}

/// The inputs of `n` tiles from `first` on, transformed: `[cell][channel][tile]`.
#[inline(always)]
unsafe fn transform_inputs<S: Simd>(
    s: S,
    w: &Winograd,
    x: *const f32,
    first: usize,
    n: usize,
    to: *mut f32,
    step: usize,
) {
    let steps = [w.input.row() * S::LANES, S::LANES];
    for t in 0..n {
        let at = w.tile(first + t);
        for c in 0..w.input.channels {
            // SAFETY: the caller's.
            unsafe {
                let x = x.add((at + c * w.input.plane()) * S::LANES);
                transform::inputs(s, x, steps, to.add((c * n + t) * S::LANES), step);
            }
        }
    }
}

/// Whole planes, stored.
struct Planes<'a> {
    walk: &'a Winograd,
    output: &'a mut [f32],
    finish: Finish,
}

impl Sink for Planes<'_> {
    #[inline(always)]
    unsafe fn take<S: Simd>(&mut self, s: S, o: usize, t: usize, y: [[S::V; 2]; 2]) {
        let w = self.walk;
        let [row, col] = w.place(t).map(|i| 2 * i);
        let f = &w.output;
        let at = o * f.plane() + f.origin() + row * f.row() + col;
        let zero = s.splat(0.0);
        for i in 0..2.min(w.rows - row) {
            for j in 0..2.min(w.cols - col) {
                // SAFETY: row and column lie inside the frame, whose length `run` has checked.
                unsafe {
                    let p = self.output.as_mut_ptr().add((at + i * f.row() + j) * S::LANES);
                    let v = match self.finish {
                        Finish::Store => y[i][j],
                        Finish::Relu => s.max(y[i][j], zero),
                        Finish::Accumulate => s.add(y[i][j], s.load(p)),
                    };
                    s.store(p, v);
                }
            }
        }
    }
}

/// The filter's gradient over the tiles of the output.
#[derive(Clone, Debug)]
pub struct WinogradFilter {
    walk: Winograd,
    gradient: Frame,
}

impl WinogradFilter {
    /// The gradient of `g`'s filter from planes of `input` and of `d_output`.
    ///
    /// # Panics
    /// As [`Winograd::forward`].
    pub fn new(g: &Conv2dGeometry, input: &Frame, d_output: &Frame) -> Self {
        Self { walk: Winograd::forward(g, input, d_output), gradient: *d_output }
    }

    /// Tiles taken at once: what a block of them becomes should stay in the cache.
    fn block(&self, lanes: usize) -> usize {
        let bytes = CELLS * (self.walk.sum + self.walk.make.next_multiple_of(lanes)) * lanes * 4;
        (BLOCK_BYTES / bytes).clamp(1, 8)
    }

    /// Numbers from one cell to the next of transformed inputs, of gradients and of sums.
    fn spaces(&self, lanes: usize) -> [usize; 3] {
        let (block, make) = (self.block(lanes), self.walk.make.next_multiple_of(lanes));
        [(self.walk.sum * block + 1) * lanes, (block * make + 1) * lanes, self.walk.sum * make + lanes]
    }

    /// Numbers of scratch that [`WinogradFilter::run`] needs.
    pub fn scratch(&self, isa: Isa) -> usize {
        CELLS * self.spaces(isa.lanes()).iter().sum::<usize>() + 4 * isa.lanes() * isa.lanes()
    }

    /// Adds the gradient: `d_filter[w] += sum over positions and lanes of input * d_output`.
    ///
    /// # Panics
    /// When a slice is too short.
    pub fn run(&self, isa: Isa, input: &[f32], d_output: &[f32], d_filter: &mut [f32], scratch: &mut [f32]) {
        let lanes = isa.lanes();
        assert!(input.len() >= self.walk.input.vectors() * lanes);
        assert!(d_output.len() >= self.gradient.vectors() * lanes);
        assert!(d_filter.len() >= 9 * self.walk.sum * self.walk.make && scratch.len() >= self.scratch(isa));
        isa.train(FilterRun { plan: self, input, d_output, d_filter, scratch });
    }
}

/// Bytes that the transformed numbers of a block of tiles should not exceed.
const BLOCK_BYTES: usize = 448 << 10;

struct FilterRun<'a> {
    plan: &'a WinogradFilter,
    input: &'a [f32],
    d_output: &'a [f32],
    d_filter: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl Kernel for FilterRun<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let w = &self.plan.walk;
        let spaces = self.plan.spaces(S::LANES);
        let vectors = w.make.div_ceil(S::LANES);
        let (v, rest) = self.scratch.split_at_mut(CELLS * spaces[0]);
        let (d, rest) = rest.split_at_mut(CELLS * spaces[1]);
        let (u, turn) = rest.split_at_mut(CELLS * spaces[2]);
        let [v, d, u, turn] = [v, d, u, turn].map(|part| part.as_mut_ptr());
        let mut accumulate = false;
        // SAFETY: `run` has checked the slices; the halo holds what the last tiles read beyond the input.
        unsafe {
            for (first, n) in tiles(w.tiles[0] * w.tiles[1], self.plan.block(S::LANES)) {
                transform_inputs(s, w, self.input.as_ptr(), first, n, v, spaces[0]);
                for t in 0..n {
                    for ov in 0..vectors {
                        self.turn(s, first + t, ov * S::LANES, turn);
                        for lane in 0..S::LANES {
                            let at = |cell: usize| s.load(turn.add((cell * S::LANES + lane) * S::LANES));
                            let dy = [[at(0), at(1)], [at(2), at(3)]];
                            let to = d.add(((t * S::LANES + lane) * vectors + ov) * S::LANES);
                            transform::gradients(s, dy, to, spaces[1]);
                        }
                    }
                }
                for cell in 0..CELLS {
                    let product = Product {
                        a: v.add(cell * spaces[0]),
                        a_depth: 1,
                        a_row: n * S::LANES,
                        b: d.add(cell * spaces[1]),
                        b_depth: vectors * S::LANES,
                        c: u.add(cell * spaces[2]),
                        c_row: vectors * S::LANES,
                        rows: w.sum,
                        vectors,
                        depth: n * S::LANES,
                        accumulate,
                        ahead: false,
                    };
                    product.run(s);
                }
                accumulate = true;
            }
            for c in 0..w.sum {
                let from = u.add(c * vectors * S::LANES);
                let to = self.d_filter.as_mut_ptr().add(c * w.make);
                transform::add_filters(s, from, spaces[2], w.make, to, w.sum * w.make);
            }
        }
    }
}

impl FilterRun<'_> {
    /// A tile's gradient, four cells of up to a vector of filters from `o` on, turned so that filters lie side by side
    /// and images one after the other: `[cell][image][filter]`. What lies outside the maps is 0.
    #[inline(always)]
    unsafe fn turn<S: Simd>(&mut self, s: S, t: usize, o: usize, to: *mut f32) {
        let (w, f) = (&self.plan.walk, &self.plan.gradient);
        let filters = (w.make - o).min(S::LANES);
        let [row, col] = w.place(t).map(|i| 2 * i);
        for cell in 0..4 {
            let (i, j) = (row + cell / 2, col + cell % 2);
            let there = i < w.rows && j < w.cols;
            // SAFETY: the cell's place lies inside the frame, whose length `run` has checked.
            unsafe {
                let to = to.add(cell * S::LANES * S::LANES);
                let from = if there {
                    let at = o * f.plane() + f.origin() + i * f.row() + j;
                    self.d_output.as_ptr().add(at * S::LANES)
                } else {
                    self.d_output.as_ptr()
                };
                let rows = if there { filters } else { 0 };
                s.transpose(from, f.plane() * S::LANES, rows, to);
            }
        }
    }
}
