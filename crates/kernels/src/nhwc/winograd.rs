//! Convolution of one image by Winograd's transforms ([`crate::winograd`]), channels side by side: a *block* of tiles
//! at a time, whose transformed numbers stay in the cache; for each *panel* of filters the sixteen products, then the
//! outputs' transform.

use super::finish::{Finish, larger};
use super::gather::Output;
use super::layout::Layout;
use crate::aligned::Aligned;
use crate::dispatch::Isa;
use crate::geometry::{Axis, Conv2dGeometry};
use crate::lanes::elementwise::Activation;
use crate::simd::{Kernel, Simd};
use crate::winograd::product::Product;
use crate::winograd::{CELLS, transform};
use std::ops::Range;

/// The most numbers of a block's transformed inputs, 1 MiB: each is read once for every panel, the transformed filters
/// once for every block.
const BLOCK: usize = 1 << 18;

/// Channels from which on, summed over and made, the transforms cost less than they save.
const CHANNELS: usize = 64;

/// Tiles from which on the transformed filters, nearly twice as many numbers as the filters, are read often enough.
const TILES: usize = 32;

/// A convolution with 3x3 filters and stride 1, made ready for one image.
#[derive(Clone, Debug)]
pub(super) struct Winograd {
    /// Channels summed over, and as they lie in a block: whole vectors.
    sum: usize,
    padded: usize,
    make: usize,
    /// Rows and columns of tiles.
    tiles: [usize; 2],
    before: [usize; 2],
    /// Tiles of a block.
    block: usize,
    /// Filters of a panel.
    panel: usize,
    /// `[panel][cell][channel][filter of the panel]`.
    filters: Aligned,
    biases: Aligned,
    from: Layout,
    to: Layout,
    finish: Finish,
    /// Applied to the sums last.
    function: Option<Activation>,
}

impl Winograd {
    /// Whether this is the faster way, by what was measured (docs/performance.md).
    pub fn faster(g: &Conv2dGeometry) -> bool {
        let axis = |a: &Axis| a.kernel == 3 && a.stride == 1 && a.dilation == 1 && a.before <= 2;
        let tiled = |a: &Axis| a.output.div_ceil(2);
        let tiles = tiled(&g.h) * tiled(&g.w);
        axis(&g.h)
            && axis(&g.w)
            && g.groups == 1
            && g.in_channels.min(g.out_channels) >= CHANNELS
            && tiles >= TILES
            && 10 * g.h.output * g.w.output >= 6 * 4 * tiles
    }

    /// Makes ready `g`, of one image, which [`Winograd::faster`] is for. Neither layout needs a halo.
    pub fn new(
        isa: Isa,
        g: &Conv2dGeometry,
        (finish, function): (Finish, Option<Activation>),
        [from, to]: [Layout; 2],
    ) -> Self {
        let lanes = isa.lanes();
        let (sum, make) = (g.in_channels, g.out_channels);
        let padded = sum.next_multiple_of(lanes);
        let panel = if make > lanes { 2 * lanes } else { lanes };
        let panels = make.div_ceil(panel);
        let tiles = [g.h.output.div_ceil(2), g.w.output.div_ceil(2)];
        let all = tiles[0] * tiles[1];
        // As even as can be.
        let block = all.div_ceil((all * CELLS * padded).div_ceil(BLOCK));
        Self {
            sum,
            padded,
            make,
            tiles,
            before: [g.h.before, g.w.before],
            block,
            panel,
            filters: Aligned::zeros(panels * CELLS * sum * panel),
            biases: Aligned::zeros(panels * panel),
            from,
            to,
            finish,
            function,
        }
    }

    /// Transforms a filter `[3, 3, c, o]` and takes over a bias `[o]`.
    pub fn load(&mut self, isa: Isa, filter: &[f32], bias: Option<&[f32]>) {
        self.biases.fill(0.0);
        if let Some(bias) = bias {
            self.biases[..bias.len()].copy_from_slice(bias);
        }
        isa.run(Load { all: self, filter });
    }

    /// Numbers of the transformed filters.
    pub fn numbers(&self) -> usize {
        self.filters.len()
    }

    /// Numbers of scratch that each worker needs.
    pub fn scratch(&self) -> usize {
        let (inputs, products, patch) = self.parts();
        inputs + products + patch
    }

    /// Numbers of transformed inputs, of products, and of a tile's inputs.
    fn parts(&self) -> (usize, usize, usize) {
        (CELLS * self.inputs(), CELLS * self.products(), CELLS * self.padded)
    }

    /// Numbers from one cell of the transformed inputs to the next, and of the products: a line more than needed, so
    /// that the sixteen cells do not fight for the same lines of the cache.
    fn inputs(&self) -> usize {
        self.block * self.padded + 16
    }

    fn products(&self) -> usize {
        self.block * self.panel + 16
    }

    /// Does part `part` of `parts` of the image's tiles, or of the filters where tiles are few.
    pub fn run(
        &self,
        isa: Isa,
        [part, parts]: [usize; 2],
        x: &[f32],
        plus: Option<&[f32]>,
        scratch: &mut [f32],
        output: Output,
    ) {
        let (tiles, panels) = (self.tiles[0] * self.tiles[1], self.make.div_ceil(self.panel));
        let share = |all: usize| all * part / parts..all * (part + 1) / parts;
        let (tiles, panels) = match tiles >= 4 * self.block * parts {
            true => (share(tiles), 0..panels),
            false => (0..tiles, share(panels)),
        };
        isa.run(Part { all: self, tiles, panels, x, plus, scratch, output });
    }
}

struct Load<'a> {
    all: &'a mut Winograd,
    filter: &'a [f32],
}

impl Kernel for Load<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Winograd { sum, make, panel, ref mut filters, .. } = *self.all;
        assert_eq!(self.filter.len(), 9 * sum * make);
        // One channel after the other, all its filters transformed, then dealt out to the panels.
        let mut cells = vec![0.0; CELLS * make];
        let mut taps = vec![0.0; 9 * make];
        for c in 0..sum {
            for (tap, taps) in taps.chunks_exact_mut(make).enumerate() {
                taps.copy_from_slice(&self.filter[(tap * sum + c) * make..][..make]);
            }
            // SAFETY: nine taps and sixteen cells of `make` numbers each.
            unsafe { transform::filters(s, taps.as_ptr(), make, cells.as_mut_ptr(), make) };
            for (cell, numbers) in cells.chunks_exact(make).enumerate() {
                for (p, numbers) in numbers.chunks(panel).enumerate() {
                    let at = ((p * CELLS + cell) * sum + c) * panel;
                    filters[at..at + numbers.len()].copy_from_slice(numbers);
                }
            }
        }
    }
}

struct Part<'a> {
    all: &'a Winograd,
    tiles: Range<usize>,
    panels: Range<usize>,
    x: &'a [f32],
    plus: Option<&'a [f32]>,
    scratch: &'a mut [f32],
    output: Output,
}

impl Kernel for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let all = self.all;
        let (inputs, products, patch) = all.parts();
        let (inputs, rest) = std::mem::take(&mut self.scratch).split_at_mut(inputs);
        let (products, rest) = rest.split_at_mut(products);
        let patch = &mut rest[..patch];
        let mut first = self.tiles.start;
        while first < self.tiles.end {
            let tiles = first..(first + all.block).min(self.tiles.end);
            // SAFETY: the scratch has room for a block; a tile's inputs are read where they lie inside the image.
            unsafe {
                for tile in tiles.clone() {
                    let to = inputs.as_mut_ptr().add((tile - first) * all.padded);
                    self.input(s, tile, patch, to);
                }
                for panel in self.panels.clone() {
                    self.multiply(s, panel, tiles.len(), inputs, products);
                    for tile in tiles.clone() {
                        let from = products.as_ptr().add((tile - first) * all.panel);
                        self.finish(s, tile, panel, from);
                    }
                }
            }
            first = tiles.end;
        }
    }
}

impl Part<'_> {
    /// Transforms the inputs of a tile.
    #[inline(always)]
    unsafe fn input<S: Simd>(&self, s: S, tile: usize, patch: &mut [f32], to: *mut f32) {
        let all = self.all;
        let [h, w, c] = all.from.shape;
        let at = [tile / all.tiles[1], tile % all.tiles[1]];
        let [row, col] = [0, 1].map(|axis| (2 * at[axis]) as isize - all.before[axis] as isize);
        let inside = |first: isize, size: usize| first >= 0 && first as usize + 4 <= size;
        let (x, steps) = if inside(row, h) && inside(col, w) && all.padded == c {
            let at = all.from.origin() + row as usize * all.from.row() + col as usize * c;
            (self.x[at..].as_ptr(), [all.from.row(), c])
        } else {
            patch.fill(0.0);
            for i in (0..4).filter(|i| (0..h as isize).contains(&(row + i))) {
                for j in (0..4).filter(|j| (0..w as isize).contains(&(col + j))) {
                    let at = all.from.origin() + (row + i) as usize * all.from.row() + (col + j) as usize * c;
                    patch[(4 * i + j) as usize * all.padded..][..c].copy_from_slice(&self.x[at..at + c]);
                }
            }
            (patch.as_ptr(), [4 * all.padded, all.padded])
        };
        for c in (0..all.padded).step_by(S::LANES) {
            // SAFETY: sixteen pixels of whole vectors, inside the image or in the patch; room for as many cells.
            unsafe { transform::inputs(s, x.add(c), steps, to.add(c), all.inputs()) };
        }
    }

    /// The sixteen products of a block and a panel.
    #[inline(always)]
    unsafe fn multiply<S: Simd>(
        &self,
        s: S,
        panel: usize,
        tiles: usize,
        inputs: &[f32],
        products: &mut [f32],
    ) {
        let all = self.all;
        for cell in 0..CELLS {
            // SAFETY: each cell has a row of inputs for every tile, a row of the panel for every channel.
            unsafe {
                let product = Product {
                    a: inputs.as_ptr().add(cell * all.inputs()),
                    a_depth: 1,
                    a_row: all.padded,
                    b: all.filters.as_ptr().add((panel * CELLS + cell) * all.sum * all.panel),
                    b_depth: all.panel,
                    c: products.as_mut_ptr().add(cell * all.products()),
                    c_row: all.panel,
                    rows: tiles,
                    vectors: all.panel / S::LANES,
                    depth: all.sum,
                    accumulate: false,
                    ahead: true,
                };
                product.run(s);
            }
        }
    }

    /// Makes the outputs of a tile and a panel from their products, and stores those inside the image.
    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, s: S, tile: usize, panel: usize, products: *const f32) {
        let (all, finish) = (self.all, self.all.finish);
        let [th, tw] = [tile / all.tiles[1], tile % all.tiles[1]];
        let (height, width, channels) = (all.to.shape[0], all.to.shape[1], all.to.shape[2]);
        for v in (0..all.panel).step_by(S::LANES) {
            let o = panel * all.panel + v;
            if o >= all.make {
                return;
            }
            let count = (all.make - o).min(S::LANES);
            let place = |h: usize, w: usize| all.to.origin() + h * all.to.row() + w * channels + o;
            // SAFETY: sixteen cells of a panel; `count` channels at places inside the output.
            unsafe {
                let bias = s.load(all.biases.as_ptr().add(o));
                let y = transform::outputs(s, products.add(v), all.products());
                if finish.pool {
                    if th < height && tw < width {
                        let top = larger(s, y[0][0], y[0][1]);
                        let largest = larger(s, top, larger(s, y[1][0], y[1][1]));
                        let sum = finish.clamp(s, s.add(bias, largest));
                        s.store_first(self.output.first().add(place(th, tw)), sum, count);
                    }
                    continue;
                }
                for i in 0..2 {
                    for j in 0..2 {
                        let (h, w) = (2 * th + i, 2 * tw + j);
                        if h < height && w < width {
                            let mut sum = s.add(bias, y[i][j]);
                            if let Some(plus) = self.plus {
                                sum = s.add(sum, s.load_first(plus.as_ptr().add(place(h, w)), count));
                            }
                            sum = finish.clamp(s, sum);
                            if let Some(function) = all.function {
                                sum = function.value(s, sum);
                            }
                            s.store_first(self.output.first().add(place(h, w)), sum, count);
                        }
                    }
                }
            }
        }
    }
}
