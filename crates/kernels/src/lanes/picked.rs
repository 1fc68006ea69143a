//! The gradients of a convolution of whose outputs a max pooling kept few: where a window has many cells, as the maximum
//! over a whole text has, all but one of them pass on nothing.
//!
//! Each kept output is taken by itself, image by image, and adds a multiple of what it saw to its filter's gradient and a
//! multiple of its filter to the input's. Vectors hold neighbouring channels here: inputs and filters are turned before,
//! gradients after. Sums go by output, image, tap, in this order, whoever computes them.

use super::Frame;
use super::window::{DEAD, window};
use crate::dispatch::Isa;
use crate::geometry::{Conv2dGeometry, Pool2dGeometry};
use crate::simd::{Kernel, Simd};

/// Cells of a window from which on this is the faster way; with half as many both take about the same time.
const CELLS: usize = 16;
/// Channels from which on vectors of them are full enough.
const CHANNELS: usize = 8;

/// The checked frames of such gradients.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picked {
    conv: Conv2dGeometry,
    pool: Pool2dGeometry,
    input: Frame,
    d_input: Frame,
}

/// Lengths of the parts of scratch, in numbers.
struct Parts {
    /// Vectors of channels.
    blocks: usize,
    /// The turned input, and its gradient.
    input: usize,
    /// The turned filters, and their gradient.
    filter: usize,
}

impl Picked {
    /// Whether this is the way for `pool` after `conv`.
    pub fn suits(conv: &Conv2dGeometry, pool: &Pool2dGeometry) -> bool {
        let cells = pool.h.kernel.min(conv.h.output) * pool.w.kernel.min(conv.w.output);
        conv.groups == 1 && conv.in_channels >= CHANNELS && cells >= CELLS
    }

    /// # Panics
    /// When the frames do not have the geometry's extents: the planner's mistake.
    pub fn new(conv: &Conv2dGeometry, pool: &Pool2dGeometry, input: &Frame, d_input: &Frame) -> Self {
        let need = Frame::halo_for(&conv.h, &conv.w);
        assert!(input.halo.iter().zip(need).all(|(have, need)| *have >= need));
        for frame in [input, d_input] {
            let extents = [frame.channels, frame.height, frame.width];
            assert_eq!(extents, [conv.in_channels, conv.h.input, conv.w.input]);
        }
        Self { conv: *conv, pool: *pool, input: *input, d_input: *d_input }
    }

    fn taps(&self) -> usize {
        self.conv.h.kernel * self.conv.w.kernel
    }

    fn parts(&self, lanes: usize) -> Parts {
        let blocks = self.conv.in_channels.div_ceil(lanes);
        let input = self.input.plane() * blocks * lanes * lanes;
        // Filters come in whole vectors, too, when they are turned.
        let filters = self.conv.out_channels.next_multiple_of(lanes);
        Parts { blocks, input, filter: filters * self.taps() * blocks * lanes }
    }

    /// Numbers of scratch that [`Picked::run`] needs.
    pub fn scratch(&self, isa: Isa) -> usize {
        let lanes = isa.lanes();
        let parts = self.parts(lanes);
        2 * (parts.input + parts.filter + lanes * lanes)
    }

    /// The first vector of the input under the filter at output `row`, `column`, in its frame.
    fn under(&self, row: usize, column: usize) -> usize {
        let (h, w, x) = (&self.conv.h, &self.conv.w, &self.input);
        // The halo is at least as wide as the padding.
        (x.halo[0] - h.before + row * h.stride) * x.row() + x.halo[2] - w.before + column * w.stride
    }
}

/// What the backward pass of a pooled convolution is given; the places are checked to be inside their windows, the lengths
/// of gradient, places and scratch are the caller's.
pub(super) struct Backward<'a> {
    pub picked: &'a Picked,
    pub input: &'a [f32],
    pub filter: &'a [f32],
    pub gradient: &'a Frame,
    pub d_output: &'a [f32],
    pub places: &'a [u8],
    pub d_filter: &'a mut [f32],
    pub d_bias: Option<&'a mut [f32]>,
    pub d_input: Option<(&'a mut [f32], bool)>,
    pub scratch: &'a mut [f32],
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let (picked, conv) = (self.picked, &self.picked.conv);
        let parts = picked.parts(S::LANES);
        assert!(self.input.len() >= picked.input.vectors() * S::LANES);
        assert!(self.filter.len() >= conv.filter_shape().iter().product());
        assert!(self.d_filter.len() >= conv.filter_shape().iter().product());
        let wanted = self.d_input.is_some();
        if let Some((d_input, _)) = &self.d_input {
            assert!(d_input.len() >= picked.d_input.vectors() * S::LANES);
        }
        let scratch = std::mem::take(&mut self.scratch);
        let (x, rest) = scratch.split_at_mut(parts.input);
        let (dx, rest) = rest.split_at_mut(parts.input);
        let (w, rest) = rest.split_at_mut(parts.filter);
        let (dw, square) = rest.split_at_mut(parts.filter);
        // SAFETY: the slices and the parts of scratch have the lengths that the frames and the geometry say.
        unsafe {
            self.turn_input(s, x, parts.blocks);
            self.turn_filter(s, w, square, parts.blocks);
            if wanted {
                dx.fill(0.0);
            }
            dw.fill(0.0);
            for o in 0..conv.out_channels {
                self.filter_at(s, o, (x, w), dx, dw, parts.blocks);
            }
            self.turn_filter_back(s, dw, square, parts.blocks);
            self.turn_input_back(s, dx, square, parts.blocks);
        }
    }
}

impl Backward<'_> {
    /// `[channel][place][image]` becomes `[place][block of channels][image][channel]`.
    #[inline(always)]
    unsafe fn turn_input<S: Simd>(&self, s: S, x: &mut [f32], blocks: usize) {
        let (places, channels) = (self.picked.input.plane(), self.picked.conv.in_channels);
        for place in 0..places {
            for block in 0..blocks {
                let rows = S::LANES.min(channels - block * S::LANES);
                // SAFETY: the caller's: `rows` planes are left, and the square lies inside `x`.
                unsafe {
                    let from = self.input.as_ptr().add((block * S::LANES * places + place) * S::LANES);
                    let to = x.as_mut_ptr().add((place * blocks + block) * S::LANES * S::LANES);
                    s.transpose(from, places * S::LANES, rows, to);
                }
            }
        }
    }

    /// Adds the input's gradient, or stores it, inside its frame.
    #[inline(always)]
    unsafe fn turn_input_back<S: Simd>(&mut self, s: S, dx: &[f32], square: &mut [f32], blocks: usize) {
        let (from, to, channels) = (self.picked.input, self.picked.d_input, self.picked.conv.in_channels);
        let Some((d_input, accumulate)) = &mut self.d_input else { return };
        for (row, column) in (0..to.height).flat_map(|row| (0..to.width).map(move |column| (row, column))) {
            let place = from.origin() + row * from.row() + column;
            let at = to.origin() + row * to.row() + column;
            for block in 0..blocks {
                let rows = S::LANES.min(channels - block * S::LANES);
                // SAFETY: the caller's: the square lies inside `dx`, the vectors inside the gradient's frame.
                unsafe {
                    let corner = dx.as_ptr().add((place * blocks + block) * S::LANES * S::LANES);
                    s.transpose(corner, S::LANES, S::LANES, square.as_mut_ptr());
                    for i in 0..rows {
                        let channel = block * S::LANES + i;
                        let p = d_input.as_mut_ptr().add((channel * to.plane() + at) * S::LANES);
                        let v = s.load(square.as_ptr().add(i * S::LANES));
                        s.store(p, if *accumulate { s.add(s.load(p), v) } else { v });
                    }
                }
            }
        }
    }

    /// `[tap][channel][filter]` becomes `[filter][tap][channel]`, with zeros up to whole vectors.
    #[inline(always)]
    unsafe fn turn_filter<S: Simd>(&self, s: S, w: &mut [f32], square: &mut [f32], blocks: usize) {
        let (taps, channels, filters) = self.extents();
        w.fill(0.0);
        for (tap, block, first) in squares::<S>(taps, blocks, filters) {
            let rows = S::LANES.min(channels - block * S::LANES);
            let columns = S::LANES.min(filters - first);
            let from = (tap * channels + block * S::LANES) * filters + first;
            let (turned, copy) = square.split_at_mut(S::LANES * S::LANES);
            // SAFETY: the caller's; where fewer filters than a vector holds are left, they are read one by one.
            unsafe {
                for r in 0..rows {
                    let v = s.load_first(self.filter.as_ptr().add(from + r * filters), columns);
                    s.store(copy.as_mut_ptr().add(r * S::LANES), v);
                }
                s.transpose(copy.as_ptr(), S::LANES, rows, turned.as_mut_ptr());
                for i in 0..columns {
                    let to = (((first + i) * taps + tap) * blocks + block) * S::LANES;
                    s.store(w.as_mut_ptr().add(to), s.load(turned.as_ptr().add(i * S::LANES)));
                }
            }
        }
    }

    /// Adds the filters' gradient.
    #[inline(always)]
    unsafe fn turn_filter_back<S: Simd>(&mut self, s: S, dw: &[f32], square: &mut [f32], blocks: usize) {
        let (taps, channels, filters) = self.extents();
        for (tap, block, first) in squares::<S>(taps, blocks, filters) {
            let rows = S::LANES.min(channels - block * S::LANES);
            let columns = S::LANES.min(filters - first);
            // SAFETY: the caller's; rows past the last filter stand in `dw`, too, as zeros.
            unsafe {
                let from = dw.as_ptr().add(((first * taps + tap) * blocks + block) * S::LANES);
                s.transpose(from, taps * blocks * S::LANES, S::LANES, square.as_mut_ptr());
                for i in 0..rows {
                    let to = (tap * channels + block * S::LANES + i) * filters + first;
                    let p = self.d_filter.as_mut_ptr().add(to);
                    let sum = s.add(s.load_first(p, columns), s.load(square.as_ptr().add(i * S::LANES)));
                    s.store_first(p, sum, columns);
                }
            }
        }
    }

    fn extents(&self) -> (usize, usize, usize) {
        (self.picked.taps(), self.picked.conv.in_channels, self.picked.conv.out_channels)
    }

    /// All that the kept outputs of filter `o` pass on.
    #[inline(always)]
    unsafe fn filter_at<S: Simd>(
        &mut self,
        s: S,
        o: usize,
        (x, w): (&[f32], &[f32]),
        dx: &mut [f32],
        dw: &mut [f32],
        blocks: usize,
    ) {
        let (pool, gradient) = (self.picked.pool, self.gradient);
        let own = o * self.picked.taps() * blocks * S::LANES;
        let mut sum = s.splat(0.0);
        for (oh, ow) in (0..pool.h.output).flat_map(|oh| (0..pool.w.output).map(move |ow| (oh, ow))) {
            let (rows, columns) = window(&pool, oh, ow);
            let at = (o * gradient.plane() + gradient.origin() + oh * gradient.row() + ow) * S::LANES;
            let places = ((o * pool.h.output + oh) * pool.w.output + ow) * S::LANES;
            // SAFETY: the caller's: the frame of the gradient and the places have been checked.
            unsafe {
                let d = s.load(self.d_output.as_ptr().add(at));
                let place = s.load_u8(self.places.as_ptr().add(places));
                sum = s.add(sum, s.keep(s.gt(s.splat(f32::from(DEAD)), place), d));
            }
            for image in 0..S::LANES {
                let (place, d) = (self.places[places + image], self.d_output[at + image]);
                if place == DEAD || d == 0.0 {
                    continue;
                }
                let (a, b) = (usize::from(place) / pool.w.kernel, usize::from(place) % pool.w.kernel);
                assert!(a < rows && b < columns, "places are those of the forward pass");
                let under = self.picked.under(oh * pool.h.stride + a, ow * pool.w.stride + b);
                // SAFETY: what lies under a filter is inside the input's frame.
                unsafe { self.pass_on(s, s.splat(d), (under * blocks, image), (x, w), dx, dw, own, blocks) };
            }
        }
        if let Some(d_bias) = &mut self.d_bias {
            d_bias[o] += s.sum(sum);
        }
    }

    /// One kept output of one image.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "the two operands, their gradients, and where in them")]
    unsafe fn pass_on<S: Simd>(
        &self,
        s: S,
        d: S::V,
        (first, image): (usize, usize),
        (x, w): (&[f32], &[f32]),
        dx: &mut [f32],
        dw: &mut [f32],
        own: usize,
        blocks: usize,
    ) {
        let (h, v, row) = (&self.picked.conv.h, &self.picked.conv.w, self.picked.input.row());
        let wanted = self.d_input.is_some();
        let mut at = own;
        for i in 0..h.kernel {
            for j in 0..v.kernel {
                let place = first + (i * h.dilation * row + j * v.dilation) * blocks;
                for block in 0..blocks {
                    let seen = ((place + block) * S::LANES + image) * S::LANES;
                    // SAFETY: the caller's: taps lie inside the input's frame, filters inside theirs.
                    unsafe {
                        let to = dw.as_mut_ptr().add(at);
                        s.store(to, s.mul_add(d, s.load(x.as_ptr().add(seen)), s.load(to)));
                        if wanted {
                            let to = dx.as_mut_ptr().add(seen);
                            s.store(to, s.mul_add(d, s.load(w.as_ptr().add(at)), s.load(to)));
                        }
                    }
                    at += S::LANES;
                }
            }
        }
    }
}

/// The squares that filters are turned in: tap, block of channels, first filter.
fn squares<S: Simd>(
    taps: usize,
    blocks: usize,
    filters: usize,
) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..taps).flat_map(move |tap| {
        (0..blocks)
            .flat_map(move |block| (0..filters).step_by(S::LANES).map(move |first| (tap, block, first)))
    })
}
