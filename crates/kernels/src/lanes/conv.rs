//! Convolution on lanes: one walk serves the forward pass and the gradient of the input.
//!
//! Both are sums of weight times vector: `out[o][p] = sum over c and taps of w * in[c][at(p) + tap]`.
//! The forward pass walks the output with the input's stride; the input gradient walks, for each residue
//! of the stride, the input positions of that residue, over the taps that reach them.

use super::Frame;
use crate::dispatch::Isa;
use crate::geometry::Conv2dGeometry;
use crate::simd::{Kernel, Simd};

/// One cell of the filter: where it reads in the input plane (in vectors) and where its weight lies.
#[derive(Clone, Copy, Debug)]
struct Tap {
    input: usize,
    weight: usize,
}

/// A checked walk of a filter over planes.
#[derive(Clone, Debug)]
pub struct Correlation {
    groups: usize,
    /// Channels summed over and channels made, in each group.
    sum_channels: usize,
    out_channels: usize,
    rows: usize,
    cols: usize,
    in_start: usize,
    in_row: usize,
    in_col: usize,
    in_plane: usize,
    out_start: usize,
    out_row: usize,
    out_col: usize,
    out_plane: usize,
    /// Steps between weights: from one summed channel, made channel and group to the next.
    weight_sum: usize,
    weight_out: usize,
    weight_group: usize,
    taps: Vec<Tap>,
    in_len: usize,
    out_len: usize,
    weight_len: usize,
}

/// What happens to a sum before it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It is stored.
    Store,
    /// Its negative part is cut off.
    Relu,
    /// It is added to what stands there.
    Accumulate,
}

impl Correlation {
    /// The forward pass of `g` from planes of `input` to planes of `output`.
    ///
    /// # Panics
    /// When a frame does not have the geometry's extents or too small a halo: the planner's mistake.
    pub fn forward(g: &Conv2dGeometry, input: &Frame, output: &Frame) -> Self {
        let need = Frame::halo_for(&g.h, &g.w);
        assert!(input.halo.iter().zip(need).all(|(&have, need)| have >= need), "halo too small");
        let (ci, o) = (g.in_channels / g.groups, g.out_channels);
        let taps = (0..g.h.kernel * g.w.kernel)
            .map(|t| Tap {
                input: t / g.w.kernel * g.h.dilation * input.row() + t % g.w.kernel * g.w.dilation,
                weight: t * ci * o,
            })
            .collect();
        Self {
            groups: g.groups,
            sum_channels: ci,
            out_channels: o / g.groups,
            rows: g.h.output,
            cols: g.w.output,
            in_start: input.origin() - g.h.before * input.row() - g.w.before,
            in_row: g.h.stride * input.row(),
            in_col: g.w.stride,
            in_plane: input.plane(),
            out_start: output.origin(),
            out_row: output.row(),
            out_col: 1,
            out_plane: output.plane(),
            weight_sum: o,
            weight_out: 1,
            weight_group: o / g.groups,
            taps,
            in_len: input.vectors(),
            out_len: output.vectors(),
            weight_len: g.filter_shape().iter().product(),
        }
        .checked()
    }

    /// The input gradient of `g` from planes of `d_output` to planes of `d_input`: one walk for each residue
    /// of the strides. Positions that no window reaches get a walk without taps, which stores zeros.
    ///
    /// # Panics
    /// As [`Correlation::forward`].
    pub fn backward_input(g: &Conv2dGeometry, d_output: &Frame, d_input: &Frame) -> Vec<Self> {
        let mut walks = Vec::new();
        for ph in 0..g.h.stride.min(g.h.input) {
            for pw in 0..g.w.stride.min(g.w.input) {
                walks.push(Self::residue(g, d_output, d_input, ph, pw));
            }
        }
        walks
    }

    fn residue(g: &Conv2dGeometry, dy: &Frame, dx: &Frame, ph: usize, pw: usize) -> Self {
        let (ci, o) = (g.in_channels / g.groups, g.out_channels);
        let origin = dy.origin() as isize;
        let mut taps = Vec::new();
        for (kh, oh) in g.h.residue(ph) {
            for &(kw, ow) in &g.w.residue(pw) {
                let at = origin + oh * dy.row() as isize + ow;
                taps.push(Tap {
                    input: usize::try_from(at).expect("the halo covers what the taps reach"),
                    weight: (kh * g.w.kernel + kw) * ci * o,
                });
            }
        }
        Self {
            groups: g.groups,
            sum_channels: o / g.groups,
            out_channels: ci,
            rows: (g.h.input - ph).div_ceil(g.h.stride),
            cols: (g.w.input - pw).div_ceil(g.w.stride),
            in_start: 0,
            in_row: dy.row(),
            in_col: 1,
            in_plane: dy.plane(),
            out_start: dx.origin() + ph * dx.row() + pw,
            out_row: g.h.stride * dx.row(),
            out_col: g.w.stride,
            out_plane: dx.plane(),
            weight_sum: 1,
            weight_out: o,
            weight_group: o / g.groups,
            taps,
            in_len: dy.vectors(),
            out_len: dx.vectors(),
            weight_len: g.filter_shape().iter().product(),
        }
        .checked()
    }

    /// The halo of zeros that `d_output` needs for [`Correlation::backward_input`].
    pub fn backward_halo(g: &Conv2dGeometry) -> [usize; 4] {
        let need = |a: &crate::geometry::Axis| {
            let s = a.stride as isize;
            let low = (a.before as isize - (a.reach() - 1) as isize).div_euclid(s);
            let high = (a.input - 1 + a.before) as isize / s + 1;
            [(-low).max(0) as usize, (high - a.output as isize).max(0) as usize]
        };
        let ([t, b], [l, r]) = (need(&g.h), need(&g.w));
        [t, b, l, r]
    }

    /// The largest place that the walk reads and writes lies inside its frames, once and for all.
    fn checked(mut self) -> Self {
        assert!(self.rows > 0 && self.cols > 0 && self.groups > 0);
        let far = |start, plane, channels, row, col| {
            start + plane * (channels - 1) + row * (self.rows - 1) + col * (self.cols - 1)
        };
        let tap = self.taps.iter().map(|t| t.input).max();
        let input = self.groups * self.sum_channels;
        if let Some(tap) = tap {
            let last = far(self.in_start + tap, self.in_plane, input, self.in_row, self.in_col);
            assert!(last < self.in_len, "walk leaves the input");
            let weight = self.taps.iter().map(|t| t.weight).max().unwrap_or(0)
                + (self.groups - 1) * self.weight_group
                + (self.sum_channels - 1) * self.weight_sum
                + (self.out_channels - 1) * self.weight_out;
            assert!(weight < self.weight_len, "walk leaves the weights");
        }
        let output = self.groups * self.out_channels;
        let last = far(self.out_start, self.out_plane, output, self.out_row, self.out_col);
        assert!(last < self.out_len, "walk leaves the output");
        // Rows that follow each other without a gap are one long row.
        if self.in_row == self.cols * self.in_col && self.out_row == self.cols * self.out_col {
            self.cols *= self.rows;
            self.rows = 1;
        }
        self
    }

    /// Multiply-adds of the walk for one image.
    pub fn multiply_adds(&self) -> u64 {
        let per = self.groups * self.sum_channels * self.out_channels * self.taps.len();
        per as u64 * (self.rows * self.cols) as u64
    }

    /// Sums `weights` over `input` into `output`; `bias` (one number for each made channel) is added.
    ///
    /// # Panics
    /// When a slice is shorter than its frame.
    pub fn run(
        &self,
        isa: Isa,
        input: &[f32],
        weights: &[f32],
        bias: Option<&[f32]>,
        output: &mut [f32],
        finish: Finish,
    ) {
        let lanes = isa.lanes();
        assert!(input.len() >= self.in_len * lanes && output.len() >= self.out_len * lanes);
        assert!(weights.len() >= self.weight_len);
        assert!(bias.is_none_or(|b| b.len() >= self.groups * self.out_channels));
        isa.run(Run { walk: self, input, weights, bias, output, finish, shift: 0, scratch: false });
    }

    /// The same walk over a block of `channels` of the convolution's output channels, whose planes stand in
    /// frames of their own. Weights are then given from the block's first channel on.
    ///
    /// `output` is the block's frame: the walk's output for a forward walk, its input for a gradient's.
    pub(super) fn block(
        g: &Conv2dGeometry,
        input: &Frame,
        output: &Frame,
        d_input: &Frame,
        channels: usize,
    ) -> (Self, Vec<Self>) {
        let small = Conv2dGeometry { out_channels: channels, ..*g };
        let mut forward = Self::forward(&small, input, output);
        let whole: usize = g.filter_shape().iter().product();
        let stretch = |walk: &mut Self| {
            let rows = g.filter_shape()[2];
            for tap in &mut walk.taps {
                tap.weight = tap.weight / (rows * channels) * (rows * g.out_channels);
            }
            walk.weight_len = whole - (g.out_channels - channels);
        };
        forward.weight_sum = g.out_channels;
        stretch(&mut forward);
        let mut backward = Self::backward_input(&small, output, d_input);
        for walk in &mut backward {
            walk.weight_out = g.out_channels;
            stretch(walk);
        }
        (forward, backward)
    }

    /// Adds the gradient of the weights: `d_weights[w] += sum over positions and lanes of input * d_output`,
    /// for a walk made by [`Correlation::forward`].
    ///
    /// # Panics
    /// When a slice is shorter than its frame.
    ///
    /// `gradient` is the frame of `d_output`, which may have another halo than the output.
    pub fn backward_weights(
        &self,
        isa: Isa,
        input: &[f32],
        d_output: &[f32],
        gradient: &Frame,
        d_weights: &mut [f32],
    ) {
        let lanes = isa.lanes();
        assert!(input.len() >= self.in_len * lanes && d_output.len() >= gradient.vectors() * lanes);
        assert!(d_weights.len() >= self.weight_len);
        assert_eq!(gradient.channels, self.groups * self.out_channels);
        assert_eq!(gradient.height * gradient.width, self.rows * self.cols);
        isa.train(BackwardWeights { walk: self, gradient, input, d_output, d_weights });
    }
}

pub(super) struct Run<'a> {
    pub walk: &'a Correlation,
    pub input: &'a [f32],
    pub weights: &'a [f32],
    pub bias: Option<&'a [f32]>,
    pub output: &'a mut [f32],
    pub finish: Finish,
    /// Vectors added to every place of the input.
    pub shift: usize,
    /// The output holds only the channels at work, not all.
    pub scratch: bool,
}

/// Channels taken at once of `left`: with six positions (rows) each, as many sums as registers hold.
#[inline(always)]
pub(super) fn at_once<S: Simd>(left: usize) -> usize {
    match left {
        1 => 1,
        2 | 3 => 2,
        _ if S::REGISTERS < 32 => 2,
        _ => 4,
    }
}

/// Splits `total` into tiles of at most `most`, as equal as can be.
#[inline(always)]
pub(super) fn tiles(total: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = total.div_ceil(most);
    let (each, longer) = (total / count.max(1), total % count.max(1));
    (0..count).map(move |i| (i * each + i.min(longer), each + usize::from(i < longer)))
}

/// Calls `$body` with `$n` as a constant from 1 to 6.
macro_rules! constant {
    ($n:expr, $name:ident, $body:expr) => {
        match $n {
            1 => {
                const $name: usize = 1;
                $body
            }
            2 => {
                const $name: usize = 2;
                $body
            }
            3 => {
                const $name: usize = 3;
                $body
            }
            4 => {
                const $name: usize = 4;
                $body
            }
            5 => {
                const $name: usize = 5;
                $body
            }
            _ => {
                const $name: usize = 6;
                $body
            }
        }
    };
}

impl Kernel for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let w = self.walk;
        for group in 0..w.groups {
            let mut o = 0;
            while o < w.out_channels {
                // SAFETY: `o + CO <= out_channels`, and `checked` and `run` hold all offsets inside the slices.
                unsafe {
                    o += match at_once::<S>(w.out_channels - o) {
                        1 => self.channels::<S, 1>(s, group, o),
                        2 => self.channels::<S, 2>(s, group, o),
                        _ => self.channels::<S, 4>(s, group, o),
                    }
                }
            }
        }
    }
}

impl Run<'_> {
    /// All positions of `CO` channels; gives `CO`.
    #[inline(always)]
    unsafe fn channels<S: Simd, const CO: usize>(&mut self, s: S, group: usize, o: usize) -> usize {
        // SAFETY: as the caller.
        unsafe { self.positions::<S, CO>(s, group, o, self.walk.rows * self.walk.cols) }
        CO
    }

    /// The first `count` positions of `CO` channels.
    #[inline(always)]
    pub(super) unsafe fn positions<S: Simd, const CO: usize>(
        &mut self,
        s: S,
        group: usize,
        o: usize,
        count: usize,
    ) {
        let mut at = (0, 0);
        for (_, q) in tiles(count, 6) {
            // SAFETY: as the caller; positions stay below rows * cols.
            constant!(q, Q, unsafe { self.tile::<S, CO, Q>(s, group, o, &mut at) });
        }
    }

    /// `CO` channels at `Q` positions from row and column `at` on, which step on; held in registers.
    #[inline(always)]
    unsafe fn tile<S: Simd, const CO: usize, const Q: usize>(
        &mut self,
        s: S,
        group: usize,
        o: usize,
        at: &mut (usize, usize),
    ) {
        let w = self.walk;
        let channel = group * w.out_channels + o;
        let mut from = [0usize; Q];
        let mut to = [0usize; Q];
        let (mut row, mut col) = *at;
        for q in 0..Q {
            from[q] = (w.in_start + self.shift + row * w.in_row + col * w.in_col) * S::LANES;
            to[q] = (w.out_start + row * w.out_row + col * w.out_col) * S::LANES;
            col += 1;
            if col == w.cols {
                (row, col) = (row + 1, 0);
            }
        }
        *at = (row, col);
        let mut acc = [[s.splat(0.0); Q]; CO];
        if let Some(bias) = self.bias {
            for (j, acc) in acc.iter_mut().enumerate() {
                *acc = [s.splat(bias[channel + j]); Q];
            }
        }
        // SAFETY: `checked` bounds every offset by the frames, `run` the frames by the slices.
        unsafe {
            let x = self.input.as_ptr().add(group * w.sum_channels * w.in_plane * S::LANES);
            let f = self.weights.as_ptr().add(group * w.weight_group + o * w.weight_out);
            for c in 0..w.sum_channels {
                let x = x.add(c * w.in_plane * S::LANES);
                let f = f.add(c * w.weight_sum);
                for tap in &w.taps {
                    let x = x.add(tap.input * S::LANES);
                    let f = f.add(tap.weight);
                    let mut weight = [s.splat(0.0); CO];
                    for j in 0..CO {
                        weight[j] = s.splat(*f.add(j * w.weight_out));
                    }
                    for q in 0..Q {
                        let v = s.load(x.add(from[q]));
                        for j in 0..CO {
                            acc[j][q] = s.mul_add(weight[j], v, acc[j][q]);
                        }
                    }
                }
            }
            let first = if self.scratch { 0 } else { channel };
            let y = self.output.as_mut_ptr().add(first * w.out_plane * S::LANES);
            let plane = w.out_plane * S::LANES;
            // A loop for each finish, its body small: the compiler unrolls it and keeps the sums in registers.
            match self.finish {
                Finish::Store => {
                    for j in 0..CO {
                        for q in 0..Q {
                            s.store(y.add(j * plane + to[q]), acc[j][q]);
                        }
                    }
                }
                Finish::Relu => {
                    for j in 0..CO {
                        for q in 0..Q {
                            s.store(y.add(j * plane + to[q]), s.max(acc[j][q], s.splat(0.0)));
                        }
                    }
                }
                Finish::Accumulate => {
                    for j in 0..CO {
                        for q in 0..Q {
                            let y = y.add(j * plane + to[q]);
                            s.store(y, s.add(acc[j][q], s.load(y)));
                        }
                    }
                }
            }
        }
    }
}

struct BackwardWeights<'a> {
    walk: &'a Correlation,
    gradient: &'a Frame,
    input: &'a [f32],
    d_output: &'a [f32],
    d_weights: &'a mut [f32],
}

impl Kernel for BackwardWeights<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let w = self.walk;
        for group in 0..w.groups {
            let mut o = 0;
            while o < w.out_channels {
                let channels = at_once::<S>(w.out_channels - o);
                for (r, n) in tiles(w.sum_channels * w.taps.len(), 6) {
                    // SAFETY: rows and channels stay inside the walk, whose offsets `checked` bounds.
                    constant!(n, R, unsafe {
                        match channels {
                            1 => self.tile::<S, 1, R>(s, group, o, r),
                            2 => self.tile::<S, 2, R>(s, group, o, r),
                            _ => self.tile::<S, 4, R>(s, group, o, r),
                        }
                    });
                }
                o += channels;
            }
        }
    }
}

impl BackwardWeights<'_> {
    /// The gradients of `R` rows (a row is a tap of a channel) for `CO` filters, held in registers over all
    /// positions; the lanes are summed at the end.
    #[inline(always)]
    unsafe fn tile<S: Simd, const CO: usize, const R: usize>(
        &mut self,
        s: S,
        group: usize,
        o: usize,
        r: usize,
    ) {
        let w = self.walk;
        let mut from = [0usize; R];
        let mut to = [0usize; R];
        for i in 0..R {
            let (c, tap) = ((r + i) / w.taps.len(), &w.taps[(r + i) % w.taps.len()]);
            let plane = (group * w.sum_channels + c) * w.in_plane;
            from[i] = (w.in_start + plane + tap.input) * S::LANES;
            to[i] = group * w.weight_group + c * w.weight_sum + tap.weight + o * w.weight_out;
        }
        let mut acc = [[s.splat(0.0); R]; CO];
        let channel = group * w.out_channels + o;
        // SAFETY: `checked` bounds every offset by the frames, `backward_weights` the frames by the slices.
        unsafe {
            let x = self.input.as_ptr();
            let f = self.gradient;
            let dy = self.d_output.as_ptr().add((f.origin() + channel * f.plane()) * S::LANES);
            for row in 0..f.height {
                let mut x = x.add(row * w.in_row * S::LANES);
                let mut dy = dy.add(row * f.row() * S::LANES);
                for _ in 0..f.width {
                    let mut g = [s.splat(0.0); CO];
                    for j in 0..CO {
                        g[j] = s.load(dy.add(j * f.plane() * S::LANES));
                    }
                    for i in 0..R {
                        let v = s.load(x.add(from[i]));
                        for j in 0..CO {
                            acc[j][i] = s.mul_add(g[j], v, acc[j][i]);
                        }
                    }
                    x = x.add(w.in_col * S::LANES);
                    dy = dy.add(S::LANES);
                }
            }
        }
        for (j, acc) in acc.iter().enumerate() {
            for (i, &v) in acc.iter().enumerate() {
                self.d_weights[to[i] + j * w.weight_out] += s.sum(v);
            }
        }
    }
}
