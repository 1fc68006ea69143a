//! Convolution, bias, ReLU and max pooling in one step: only the pooled values are stored, with a byte for
//! each that says which cell of the window it was. The backward pass expands a block of channels at a time.
//!
//! ReLU may stand before or after the pooling: the largest of cut-off values is the cut-off largest value.

use super::conv::{Correlation, Finish, Run, at_once};
use super::picked::{Backward, Picked};
use super::window::{DEAD, Largest, window};
use super::winograd::{Sink, Winograd, WinogradFilter};
use super::{Convolution, Frame};
use crate::dispatch::Isa;
use crate::geometry::{Conv2dGeometry, Pool2dGeometry};
use crate::simd::{Kernel, Simd};
use std::ops::Range;

/// A block of expanded gradients should not take more bytes than this: it shares the L2 cache with the rest.
const BLOCK_BYTES: usize = 256 << 10;

/// The fused step's plan.
#[derive(Clone, Debug)]
pub struct ConvPool {
    conv: Conv2dGeometry,
    pool: Pool2dGeometry,
    input: Frame,
    output: Frame,
    relu: bool,
    /// Channels expanded at a time in the backward pass, and their frame.
    block: usize,
    expanded: Frame,
    way: Way,
}

// Plans are few, and boxed where they are kept.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
enum Way {
    /// The rows under one row of windows are computed into a strip; the gradients go block by block.
    Direct { strip: Correlation, weights: Correlation, inputs: Vec<Correlation> },
    /// Windows of so many cells that gradients are sparse.
    Picked { strip: Correlation, picked: Picked },
    /// Windows that are tiles: each is pooled as it is made.
    Winograd { tiles: Winograd, filter: WinogradFilter, inputs: Winograd },
}

impl ConvPool {
    /// Whether `pool` after `conv` can be fused: windows that do not overlap and have no padding before them.
    pub fn fits(pool: &Pool2dGeometry) -> bool {
        [pool.h, pool.w].iter().all(|a| a.before == 0 && a.stride >= a.kernel)
            && pool.h.kernel * pool.w.kernel < DEAD as usize
    }

    /// The plan from planes of `input` to pooled planes of `output`; the input's gradient has a frame of its own.
    ///
    /// # Panics
    /// When the frames do not have the geometry's extents: the planner's mistake.
    pub fn new(
        isa: Isa,
        conv: &Conv2dGeometry,
        pool: &Pool2dGeometry,
        input: &Frame,
        d_input: &Frame,
        output: &Frame,
        relu: bool,
    ) -> Self {
        assert!(Self::fits(pool));
        let mut expanded = Frame::plain(conv.out_channels, conv.h.output, conv.w.output);
        expanded.halo = Convolution::halos(conv)[1];
        let way = if Self::in_tiles(conv, pool) {
            let made = Frame::plain(conv.out_channels, conv.h.output, conv.w.output);
            Way::Winograd {
                tiles: Winograd::forward(conv, input, &made).over([pool.h.output, pool.w.output]),
                filter: WinogradFilter::new(conv, input, &expanded),
                inputs: Winograd::backward_input(conv, &expanded, d_input),
            }
        } else if Picked::suits(conv, pool) {
            expanded.channels = 0;
            let picked = Picked::new(conv, pool, input, d_input);
            Way::Picked { strip: Self::strip(conv, pool, input), picked }
        } else {
            expanded.channels = block(isa, conv, &expanded);
            Self::direct(conv, pool, input, d_input, &expanded)
        };
        let block = expanded.channels;
        Self { conv: *conv, pool: *pool, input: *input, output: *output, relu, block, expanded, way }
    }

    /// Whether each window is a tile of Winograd's, and that is the faster way.
    fn in_tiles(conv: &Conv2dGeometry, pool: &Pool2dGeometry) -> bool {
        Winograd::faster(conv) && [pool.h, pool.w].iter().all(|a| a.kernel == 2 && a.stride == 2)
    }

    fn direct(
        conv: &Conv2dGeometry,
        pool: &Pool2dGeometry,
        input: &Frame,
        d_input: &Frame,
        expanded: &Frame,
    ) -> Way {
        let strip = Self::strip(conv, pool, input);
        let (weights, inputs) = Correlation::block(conv, input, expanded, d_input, expanded.channels);
        Way::Direct { strip, weights, inputs }
    }

    /// The walk over the rows under one row of windows.
    fn strip(conv: &Conv2dGeometry, pool: &Pool2dGeometry, input: &Frame) -> Correlation {
        let height = pool.h.kernel.min(conv.h.output);
        let mut rows = *conv;
        rows.h.output = height;
        let strip_frame = Frame::plain(conv.out_channels, height, conv.w.output);
        // The strip's frame stands for four channels only; the walk's own checks see all of them.
        Correlation::forward(&rows, input, &strip_frame)
    }

    /// The name of the way that was chosen, as plans are told.
    pub fn name(&self) -> &'static str {
        match &self.way {
            Way::Direct { .. } | Way::Picked { .. } => "lanes::conv_pool",
            Way::Winograd { .. } => "lanes::winograd",
        }
    }

    /// Numbers of scratch that a pass needs.
    pub fn scratch(&self, isa: Isa) -> usize {
        match &self.way {
            Way::Direct { .. } => self.strip_numbers(isa),
            Way::Picked { picked, .. } => self.strip_numbers(isa).max(picked.scratch(isa)),
            Way::Winograd { tiles, filter, inputs } => {
                tiles.scratch(isa).max(filter.scratch(isa)).max(inputs.scratch(isa))
            }
        }
    }

    fn strip_numbers(&self, isa: Isa) -> usize {
        4 * self.pool.h.kernel * self.conv.w.output * isa.lanes()
    }

    /// Vectors of zeroed memory, the step's own, that [`ConvPool::backward`] needs.
    pub fn expanded_vectors(&self) -> usize {
        self.expanded.vectors()
    }

    /// Bytes of places: one for each pooled value, in vectors of lanes.
    pub fn places(&self) -> usize {
        self.output.channels * self.output.height * self.output.width
    }

    /// Pooled values into `output`, their places in the windows into `places`.
    ///
    /// # Panics
    /// When a slice is too short.
    pub fn forward(
        &self,
        isa: Isa,
        input: &[f32],
        filter: &[f32],
        bias: Option<&[f32]>,
        output: &mut [f32],
        places: &mut [u8],
        scratch: &mut [f32],
    ) {
        let lanes = isa.lanes();
        assert!(input.len() >= self.input.vectors() * lanes);
        assert!(filter.len() >= self.conv.filter_shape().iter().product());
        assert!(bias.is_none_or(|b| b.len() >= self.conv.out_channels));
        assert!(output.len() >= self.output.vectors() * lanes && places.len() >= self.places() * lanes);
        assert!(scratch.len() >= self.scratch(isa));
        match &self.way {
            Way::Direct { strip: walk, .. } | Way::Picked { strip: walk, .. } => {
                isa.run(Forward { plan: self, walk, input, filter, bias, output, places, strip: scratch });
            }
            Way::Winograd { tiles, .. } => {
                let sink = Windows { plan: self, walk: tiles, output, places };
                tiles.run_into(isa, input, filter, bias, sink, scratch);
            }
        }
    }

    /// From the pooled gradient, adds the gradients of the filter and the bias, and gives the input's if it is
    /// asked for: added to what stands there when the flag says so.
    ///
    /// `expanded` is the step's own memory of [`ConvPool::expanded_vectors`], all zeros at first.
    ///
    /// # Panics
    /// When a slice is too short.
    pub fn backward(
        &self,
        isa: Isa,
        input: &[f32],
        filter: &[f32],
        gradient: &Frame,
        d_output: &[f32],
        places: &[u8],
        expanded: &mut [f32],
        d_filter: &mut [f32],
        mut d_bias: Option<&mut [f32]>,
        mut d_input: Option<(&mut [f32], bool)>,
        scratch: &mut [f32],
    ) {
        let lanes = isa.lanes();
        assert!(d_output.len() >= gradient.vectors() * lanes && places.len() >= self.places() * lanes);
        assert!(expanded.len() >= self.expanded_vectors() * lanes);
        assert_eq!((gradient.channels, gradient.height), (self.output.channels, self.output.height));
        assert_eq!(gradient.width, self.output.width);
        if let Way::Picked { picked, .. } = &self.way {
            assert!(scratch.len() >= picked.scratch(isa));
            assert!(d_bias.as_ref().is_none_or(|d| d.len() >= self.conv.out_channels));
            isa.train(Backward {
                picked,
                input,
                filter,
                gradient,
                d_output,
                places,
                d_filter,
                d_bias,
                d_input,
                scratch,
            });
            return;
        }
        for first in (0..self.conv.out_channels).step_by(self.block) {
            let d_bias = d_bias.as_mut().map(|d| &mut d[first..first + self.block]);
            isa.train(Expand { plan: self, first, gradient, d_output, places, expanded, d_bias });
            let finish =
                |accumulate| if first > 0 || accumulate { Finish::Accumulate } else { Finish::Store };
            match &self.way {
                Way::Direct { weights, inputs, .. } => {
                    weights.backward_weights(isa, input, expanded, &self.expanded, &mut d_filter[first..]);
                    if let Some((d_input, accumulate)) = &mut d_input {
                        for walk in inputs {
                            walk.run(isa, expanded, &filter[first..], None, d_input, finish(*accumulate));
                        }
                    }
                }
                // Nothing is expanded: it has returned.
                Way::Picked { .. } => {}
                // All channels are one block.
                Way::Winograd { filter: gradient, inputs, .. } => {
                    gradient.run(isa, input, expanded, d_filter, scratch);
                    if let Some((d_input, accumulate)) = &mut d_input {
                        inputs.run(isa, expanded, filter, None, d_input, finish(*accumulate), scratch);
                    }
                }
            }
        }
    }

    /// How many windows of row `oh` lie inside the convolution's output, from the left.
    fn full(&self, oh: usize) -> usize {
        let (h, w) = (&self.pool.h, &self.pool.w);
        if h.input < oh * h.stride + h.kernel || w.input < w.kernel {
            return 0;
        }
        ((w.input - w.kernel) / w.stride + 1).min(w.output)
    }
}

/// Channels to expand at a time: as many as leave the cache to the rest, all of them where there are groups.
fn block(isa: Isa, conv: &Conv2dGeometry, expanded: &Frame) -> usize {
    if conv.groups > 1 {
        return conv.out_channels;
    }
    let bytes = expanded.plane() * isa.lanes() * 4;
    let fits = |b: &usize| conv.out_channels.is_multiple_of(*b) && (b * bytes <= BLOCK_BYTES || *b <= 4);
    (1..=conv.out_channels).rev().find(fits).unwrap_or(1)
}

/// Pools tiles as they are made.
struct Windows<'a> {
    plan: &'a ConvPool,
    walk: &'a Winograd,
    output: &'a mut [f32],
    places: &'a mut [u8],
}

impl Sink for Windows<'_> {
    #[inline(always)]
    unsafe fn take<S: Simd>(&mut self, s: S, o: usize, t: usize, y: [[S::V; 2]; 2]) {
        let plan = self.plan;
        let [oh, ow] = self.walk.place(t);
        let (rows, cols) = window(&plan.pool, oh, ow);
        let mut largest = Largest::new(s, y[0][0]);
        for (a, b) in [(0, 1), (1, 0), (1, 1)] {
            if a < rows && b < cols {
                largest.see(s, y[a][b], 2 * a + b);
            }
        }
        let out = &plan.output;
        let at = o * out.plane() + out.origin() + oh * out.row() + ow;
        let place = (o * plan.pool.h.output + oh) * plan.pool.w.output + ow;
        // SAFETY: the walk's tiles are the pooled values, whose slices `forward` has checked.
        unsafe {
            let (y, places) = (self.output.as_mut_ptr(), self.places.as_mut_ptr());
            largest.store(s, plan.relu, y.add(at * S::LANES), places.add(place * S::LANES));
        }
    }
}

struct Forward<'a> {
    plan: &'a ConvPool,
    walk: &'a Correlation,
    input: &'a [f32],
    filter: &'a [f32],
    bias: Option<&'a [f32]>,
    output: &'a mut [f32],
    places: &'a mut [u8],
    strip: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let per_group = self.plan.conv.out_channels / self.plan.conv.groups;
        for group in 0..self.plan.conv.groups {
            let mut o = 0;
            while o < per_group {
                // SAFETY: channels stay below the group's; `forward` has checked the slices.
                unsafe {
                    o += match at_once::<S>(per_group - o) {
                        1 => self.channels::<S, 1>(s, group, o),
                        2 => self.channels::<S, 2>(s, group, o),
                        _ => self.channels::<S, 4>(s, group, o),
                    }
                }
            }
        }
    }
}

impl Forward<'_> {
    #[inline(always)]
    unsafe fn channels<S: Simd, const CO: usize>(&mut self, s: S, group: usize, o: usize) -> usize {
        let plan = self.plan;
        let cols = plan.conv.w.output;
        let first = group * (plan.conv.out_channels / plan.conv.groups) + o;
        for oh in 0..plan.pool.h.output {
            let start = oh * plan.pool.h.stride;
            let rows = window(&plan.pool, oh, 0).0;
            let mut run = Run {
                walk: self.walk,
                input: self.input,
                weights: self.filter,
                bias: self.bias,
                output: self.strip,
                finish: Finish::Store,
                shift: start * plan.conv.h.stride * plan.input.row(),
                scratch: true,
            };
            // SAFETY: rows `start..start + rows` exist, and the strip has room for CO planes of them.
            unsafe { run.positions::<S, CO>(s, group, o, rows * cols) };
            for j in 0..CO {
                // SAFETY: as above.
                unsafe { self.pool_row(s, first + j, j, oh) };
            }
        }
        CO
    }

    /// One channel's row of windows from the strip.
    #[inline(always)]
    unsafe fn pool_row<S: Simd>(&mut self, s: S, channel: usize, j: usize, oh: usize) {
        let full = self.plan.full(oh);
        // SAFETY: as the caller.
        unsafe {
            match [self.plan.pool.h.kernel, self.plan.pool.w.kernel] {
                [2, 2] => self.windows(s, channel, j, oh, 0..full, (2, 2)),
                size => self.windows(s, channel, j, oh, 0..full, size.into()),
            }
            for ow in full..self.plan.pool.w.output {
                self.windows(s, channel, j, oh, ow..ow + 1, window(&self.plan.pool, oh, ow));
            }
        }
    }

    /// Windows with `kh` by `kw` cells inside the strip.
    #[inline(always)]
    unsafe fn windows<S: Simd>(
        &mut self,
        s: S,
        channel: usize,
        j: usize,
        oh: usize,
        range: Range<usize>,
        (kh, kw): (usize, usize),
    ) {
        let plan = self.plan;
        let (cols, kernel) = (plan.conv.w.output, plan.pool.w.kernel);
        let plane = plan.pool.h.kernel.min(plan.conv.h.output) * cols;
        let (out, width) = (&plan.output, plan.pool.w.output);
        let y = (channel * out.plane() + out.origin() + oh * out.row()) * S::LANES;
        let at = (channel * plan.pool.h.output + oh) * width * S::LANES;
        let stride = plan.pool.w.stride;
        for ow in range {
            let x = j * plane + ow * stride;
            // SAFETY: the window's cells lie inside the strip, the pooled value inside the output's frame.
            unsafe {
                let strip = self.strip.as_ptr();
                let mut largest = Largest::new(s, s.load(strip.add(x * S::LANES)));
                for a in 0..kh {
                    for b in usize::from(a == 0)..kw {
                        let v = s.load(strip.add((x + a * cols + b) * S::LANES));
                        largest.see(s, v, a * kernel + b);
                    }
                }
                let to = self.output.as_mut_ptr().add(y + ow * S::LANES);
                largest.store(s, plan.relu, to, self.places.as_mut_ptr().add(at + ow * S::LANES));
            }
        }
    }
}

struct Expand<'a> {
    plan: &'a ConvPool,
    first: usize,
    gradient: &'a Frame,
    d_output: &'a [f32],
    places: &'a [u8],
    expanded: &'a mut [f32],
    d_bias: Option<&'a mut [f32]>,
}

impl Kernel for Expand<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let plan = self.plan;
        let (height, width) = (plan.pool.h.output, plan.pool.w.output);
        for j in 0..plan.block {
            let mut sum = s.splat(0.0);
            for oh in 0..height {
                let full = plan.full(oh);
                // SAFETY: `backward` has checked the gradient's frame, the places and the expanded block.
                unsafe {
                    let parts = match [plan.pool.h.kernel, plan.pool.w.kernel] {
                        [2, 2] => self.windows(s, j, oh, 0..full, (2, 2)),
                        size => self.windows(s, j, oh, 0..full, size.into()),
                    };
                    sum = s.add(sum, parts);
                    for ow in full..width {
                        let part = self.windows(s, j, oh, ow..ow + 1, window(&plan.pool, oh, ow));
                        sum = s.add(sum, part);
                    }
                }
            }
            if let Some(d_bias) = &mut self.d_bias {
                d_bias[j] += s.sum(sum);
            }
        }
    }
}

impl Expand<'_> {
    /// Windows with `kh` by `kw` cells inside the convolution's output; gives the sum of what was passed on.
    #[inline(always)]
    unsafe fn windows<S: Simd>(
        &mut self,
        s: S,
        j: usize,
        oh: usize,
        range: Range<usize>,
        (kh, kw): (usize, usize),
    ) -> S::V {
        let plan = self.plan;
        let channel = self.first + j;
        let g = channel * self.gradient.plane() + self.gradient.origin() + oh * self.gradient.row();
        let places = (channel * plan.pool.h.output + oh) * plan.pool.w.output;
        let f = &plan.expanded;
        let at = j * f.plane() + f.origin() + oh * plan.pool.h.stride * f.row();
        let (row, stride, kernel) = (f.row(), plan.pool.w.stride, plan.pool.w.kernel);
        let dead = s.splat(f32::from(DEAD));
        let mut sum = s.splat(0.0);
        for ow in range {
            // SAFETY: the window's cells inside the convolution's output lie inside the block's frame.
            unsafe {
                let d = s.load(self.d_output.as_ptr().add((g + ow) * S::LANES));
                let place = s.load_u8(self.places.as_ptr().add((places + ow) * S::LANES));
                sum = s.add(sum, s.keep(s.gt(dead, place), d));
                for a in 0..kh {
                    for b in 0..kw {
                        let here = s.eq(place, s.splat((a * kernel + b) as f32));
                        let p = self.expanded.as_mut_ptr().add((at + ow * stride + a * row + b) * S::LANES);
                        s.store(p, s.keep(here, d));
                    }
                }
            }
        }
        sum
    }
}
