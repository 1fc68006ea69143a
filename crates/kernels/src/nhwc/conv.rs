//! The forward pass and the input gradient: the same gathering product over different walks.

use crate::dispatch::Isa;
use crate::geometry::{Axis, Conv2dGeometry};
use crate::simd::{Kernel, Simd};
use rayon::prelude::*;

/// Positions that share one table of places: what a task takes at a time.
const CHUNK: usize = 96;

/// `y = conv2d(x, filter) + bias`: `x` `[n, h, w, c]`, `filter` `[kh, kw, c / groups, o]`, `y` `[n, oh, ow, o]`.
///
/// # Panics
/// When a slice's length is not its shape's product.
pub fn conv2d(isa: Isa, g: &Conv2dGeometry, x: &[f32], filter: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    assert_eq!(x.len(), product(g.input_shape()));
    assert_eq!(filter.len(), product(g.filter_shape()));
    assert_eq!(y.len(), product(g.output_shape()));
    assert!(bias.is_none_or(|b| b.len() == g.out_channels));
    if y.is_empty() {
        return;
    }
    let (ci, co) = (g.in_channels / g.groups, g.out_channels / g.groups);
    let taps = (0..g.h.kernel * g.w.kernel).map(|t| {
        let (i, j) = (t / g.w.kernel, t % g.w.kernel);
        Tap {
            dh: (i * g.h.dilation) as isize - g.h.before as isize,
            dw: (j * g.w.dilation) as isize - g.w.before as isize,
            filter: t,
        }
    });
    let walk = Walk {
        taps: taps.collect(),
        from: Plane { height: g.h.input, width: g.w.input, channels: g.in_channels },
        to: Plane { height: g.h.output, width: g.w.output, channels: g.out_channels },
        rows: g.h.output,
        cols: g.w.output,
        from_step: [g.h.stride, g.w.stride],
        to_first: [0, 0],
        to_step: [1, 1],
        batch: g.batch,
        groups: g.groups,
        sum: ci,
        make: co,
    };
    let at = |t: &Tap, c: usize, group: usize, o: usize| {
        Some((t.filter * ci + c) * g.out_channels + group * co + o)
    };
    gather(isa, &walk, x, filter, at, bias, y);
}

/// The gradient of the input: `dx` is overwritten.
///
/// # Panics
/// When a slice's length is not its shape's product.
pub fn conv2d_backward_input(isa: Isa, g: &Conv2dGeometry, dy: &[f32], filter: &[f32], dx: &mut [f32]) {
    assert_eq!(dx.len(), product(g.input_shape()));
    assert_eq!(filter.len(), product(g.filter_shape()));
    assert_eq!(dy.len(), product(g.output_shape()));
    if dx.is_empty() {
        return;
    }
    let (ci, co) = (g.in_channels / g.groups, g.out_channels / g.groups);
    let residues = g.h.stride.saturating_mul(g.w.stride);
    let dense = g.h.dilation == 1 && g.w.dilation == 1;
    if g.groups == 1 && dense && residues > 1 && 2 * ci < isa.lanes() && residues <= 2 * isa.lanes() / ci {
        return together(isa, g, dy, filter, dx);
    }
    for ph in 0..g.h.stride.min(g.h.input) {
        for pw in 0..g.w.stride.min(g.w.input) {
            let mut taps = Vec::new();
            for (i, dh) in g.h.residue(ph) {
                for &(j, dw) in &g.w.residue(pw) {
                    taps.push(Tap { dh, dw, filter: i * g.w.kernel + j });
                }
            }
            let walk = Walk {
                taps,
                from: Plane { height: g.h.output, width: g.w.output, channels: g.out_channels },
                to: Plane { height: g.h.input, width: g.w.input, channels: g.in_channels },
                rows: (g.h.input - ph).div_ceil(g.h.stride),
                cols: (g.w.input - pw).div_ceil(g.w.stride),
                from_step: [1, 1],
                to_first: [ph, pw],
                to_step: [g.h.stride, g.w.stride],
                batch: g.batch,
                groups: g.groups,
                sum: co,
                make: ci,
            };
            let at = |t: &Tap, c: usize, group: usize, o: usize| {
                Some((t.filter * ci + o) * g.out_channels + group * co + c)
            };
            gather(isa, &walk, dy, filter, at, None, dx);
        }
    }
}

/// The gradient of an input of few channels under a stride above 1: one residue alone would leave most of a
/// vector empty, so all residues stand side by side as channels, and are dealt out to their places after.
fn together(isa: Isa, g: &Conv2dGeometry, dy: &[f32], filter: &[f32], dx: &mut [f32]) {
    let (ci, [sh, sw]) = (g.in_channels, [g.h.stride, g.w.stride]);
    // Output rows (columns) that any residue reads, relative to its own index.
    let span = |a: &Axis| {
        let reached: Vec<isize> = (0..a.stride).flat_map(|p| a.residue(p)).map(|(_, at)| at).collect();
        reached.iter().copied().min().unwrap_or(0)..=reached.iter().copied().max().unwrap_or(0)
    };
    let mut taps = Vec::new();
    for dh in span(&g.h) {
        taps.extend(span(&g.w).map(|dw| Tap { dh, dw, filter: 0 }));
    }
    let (rows, cols) = (g.h.input.div_ceil(sh), g.w.input.div_ceil(sw));
    let make = sh * sw * ci;
    let walk = Walk {
        taps,
        from: Plane { height: g.h.output, width: g.w.output, channels: g.out_channels },
        to: Plane { height: rows, width: cols, channels: make },
        rows,
        cols,
        from_step: [1, 1],
        to_first: [0, 0],
        to_step: [1, 1],
        batch: g.batch,
        groups: 1,
        sum: g.out_channels,
        make,
    };
    // The kernel cell through which residue `p` reads output `d`, if there is one.
    let cell = |a: &Axis, p: usize, d: isize| {
        let far = (p + a.before) as isize - d * a.stride as isize;
        let k = usize::try_from(far).ok().filter(|k| k.is_multiple_of(a.dilation))? / a.dilation;
        (k < a.kernel).then_some(k)
    };
    let at = |t: &Tap, c: usize, _: usize, o: usize| {
        let (ph, pw, channel) = (o / (sw * ci), o / ci % sw, o % ci);
        let (kh, kw) = (cell(&g.h, ph, t.dh)?, cell(&g.w, pw, t.dw)?);
        Some(((kh * g.w.kernel + kw) * ci + channel) * g.out_channels + c)
    };
    let mut side = vec![0f32; g.batch * rows * cols * make];
    gather(isa, &walk, dy, filter, at, None, &mut side);
    dx.par_chunks_mut(g.w.input * ci).enumerate().for_each(|(row, dx)| {
        let (n, h) = (row / g.h.input, row % g.h.input);
        let from = &side[((n * rows + h / sh) * cols) * make..][..cols * make];
        for (from, dx) in from.chunks_exact(make).zip(dx.chunks_mut(sw * ci)) {
            dx.copy_from_slice(&from[h % sh * sw * ci..][..dx.len()]);
        }
    });
}

pub(super) fn product(shape: [usize; 4]) -> usize {
    shape.iter().product()
}

/// Where a filter cell reads, relative to a position, and which cell it is.
struct Tap {
    dh: isize,
    dw: isize,
    filter: usize,
}

#[derive(Clone, Copy)]
struct Plane {
    height: usize,
    width: usize,
    channels: usize,
}

/// A grid of positions to make, `rows * cols` in each image, and the taps each sums over.
struct Walk {
    taps: Vec<Tap>,
    from: Plane,
    to: Plane,
    rows: usize,
    cols: usize,
    from_step: [usize; 2],
    to_first: [usize; 2],
    to_step: [usize; 2],
    batch: usize,
    groups: usize,
    /// Channels summed and made, in each group.
    sum: usize,
    make: usize,
}

/// No place: the tap lies in the padding.
const PADDING: usize = usize::MAX;

impl Walk {
    /// Fills the places that the taps of positions `first..` read (tap-major) and write.
    fn places(&self, first: usize, from: &mut [usize], to: &mut [usize]) {
        let n = to.len();
        for (p, to) in to.iter_mut().enumerate() {
            let at = first + p;
            let (image, cell) = (at / (self.rows * self.cols), at % (self.rows * self.cols));
            let (row, col) = (cell / self.cols, cell % self.cols);
            let h = self.to_first[0] + row * self.to_step[0];
            let w = self.to_first[1] + col * self.to_step[1];
            *to = ((image * self.to.height + h) * self.to.width + w) * self.to.channels;
            for (t, tap) in self.taps.iter().enumerate() {
                let h = (row * self.from_step[0]) as isize + tap.dh;
                let w = (col * self.from_step[1]) as isize + tap.dw;
                let inside =
                    (0..self.from.height as isize).contains(&h) && (0..self.from.width as isize).contains(&w);
                from[t * n + p] = if inside {
                    let row = image * self.from.height + h as usize;
                    (row * self.from.width + w as usize) * self.from.channels
                } else {
                    PADDING
                };
            }
        }
    }
}

/// A pointer to the output, shared by tasks that write different positions.
#[derive(Clone, Copy)]
struct Output(*mut f32);
// SAFETY: `gather` gives each task positions of its own, and different positions are different elements.
unsafe impl Sync for Output {}
// SAFETY: as above.
unsafe impl Send for Output {}

/// Packs the filter for blocks of made channels and runs the walk over all positions.
fn gather(
    isa: Isa,
    walk: &Walk,
    x: &[f32],
    filter: &[f32],
    at: impl Fn(&Tap, usize, usize, usize) -> Option<usize>,
    bias: Option<&[f32]>,
    y: &mut [f32],
) {
    let lanes = isa.lanes();
    let block = if walk.make > lanes { 2 * lanes } else { lanes };
    let blocks = walk.make.div_ceil(block);
    let size = walk.taps.len() * walk.sum * block;
    let mut packed = vec![0f32; walk.groups * blocks * size];
    for (i, packed) in packed.chunks_exact_mut(size.max(1)).enumerate() {
        let (group, first) = (i / blocks, i % blocks * block);
        let n = block.min(walk.make - first);
        for (row, out) in packed.chunks_exact_mut(block).enumerate() {
            let (tap, c) = (&walk.taps[row / walk.sum], row % walk.sum);
            for (o, out) in out.iter_mut().take(n).enumerate() {
                *out = at(tap, c, group, first + o).map_or(0.0, |i| filter[i]);
            }
        }
    }
    let mut biases = vec![0f32; walk.groups * blocks * block];
    if let Some(bias) = bias {
        for (i, b) in biases.chunks_exact_mut(block).enumerate() {
            let (group, first) = (i / blocks, i % blocks * block);
            let n = block.min(walk.make - first);
            b[..n].copy_from_slice(&bias[group * walk.make + first..][..n]);
        }
    }
    let zeros = vec![0f32; walk.sum.max(1)];
    let positions = walk.batch * walk.rows * walk.cols;
    let chunk = CHUNK.min(positions.div_ceil(rayon::current_num_threads()).next_multiple_of(12));
    let output = Output(y.as_mut_ptr());
    let task = |first: usize| {
        let n = chunk.min(positions - first);
        let mut from = vec![0; walk.taps.len() * n];
        let mut to = vec![0; n];
        walk.places(first, &mut from, &mut to);
        let job = Chunk { walk, x, packed: &packed, biases: &biases, zeros: &zeros, from, to, output, block };
        isa.run(job);
    };
    let work = positions * walk.taps.len() * walk.sum * walk.make * walk.groups;
    if work < 1 << 15 {
        (0..positions).step_by(chunk).for_each(task);
    } else {
        (0..positions.div_ceil(chunk)).into_par_iter().for_each(|i| task(i * chunk));
    }
}

struct Chunk<'a> {
    walk: &'a Walk,
    x: &'a [f32],
    packed: &'a [f32],
    biases: &'a [f32],
    zeros: &'a [f32],
    from: Vec<usize>,
    to: Vec<usize>,
    output: Output,
    block: usize,
}

impl Kernel for Chunk<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let blocks = self.walk.make.div_ceil(self.block);
        for group in 0..self.walk.groups {
            for b in 0..blocks {
                // SAFETY: `places` and the packing hold every place inside the slices.
                unsafe {
                    match (self.block > S::LANES, S::REGISTERS >= 32) {
                        (true, true) => self.positions::<S, 12, 2>(s, group, b, blocks),
                        (true, false) => self.positions::<S, 6, 2>(s, group, b, blocks),
                        (false, _) => self.positions::<S, 12, 1>(s, group, b, blocks),
                    }
                }
            }
        }
    }
}

impl Chunk<'_> {
    #[inline(always)]
    unsafe fn positions<S: Simd, const P: usize, const NV: usize>(
        &self,
        s: S,
        group: usize,
        b: usize,
        blocks: usize,
    ) {
        let n = self.to.len();
        let mut p = 0;
        while p < n {
            // SAFETY: as the caller; the positions stay below `n`.
            unsafe {
                match n - p {
                    left if left >= P => {
                        self.tile::<S, P, NV>(s, group, b, blocks, p);
                        p += P;
                    }
                    4.. => {
                        self.tile::<S, 4, NV>(s, group, b, blocks, p);
                        p += 4;
                    }
                    _ => {
                        self.tile::<S, 1, NV>(s, group, b, blocks, p);
                        p += 1;
                    }
                }
            }
        }
    }

    /// `P` positions by `NV` vectors of made channels.
    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const NV: usize>(
        &self,
        s: S,
        group: usize,
        b: usize,
        blocks: usize,
        p: usize,
    ) {
        let (walk, n) = (self.walk, self.to.len());
        let width = NV * S::LANES;
        let index = group * blocks + b;
        // SAFETY: `places` bounds every place by the input's shape, which `conv2d` holds to the slice; a tap in
        // the padding reads `sum` zeros; the packed filter and bias have a block for each index.
        unsafe {
            let mut bias = [s.splat(0.0); NV];
            for v in 0..NV {
                bias[v] = s.load(self.biases.as_ptr().add(index * width + v * S::LANES));
            }
            let mut acc = [bias; P];
            let mut f = self.packed.as_ptr().add(index * walk.taps.len() * walk.sum * width);
            for t in 0..walk.taps.len() {
                let mut rows = [self.zeros.as_ptr(); P];
                for i in 0..P {
                    let from = *self.from.get_unchecked(t * n + p + i);
                    if from != PADDING {
                        rows[i] = self.x.as_ptr().add(from + group * walk.sum);
                    }
                }
                for c in 0..walk.sum {
                    let mut w = [s.splat(0.0); NV];
                    for v in 0..NV {
                        w[v] = s.load(f.add(v * S::LANES));
                    }
                    for i in 0..P {
                        let x = s.splat(*rows[i].add(c));
                        for v in 0..NV {
                            acc[i][v] = s.mul_add(x, w[v], acc[i][v]);
                        }
                    }
                    f = f.add(width);
                }
            }
            // Two loops with small bodies: the compiler unrolls them, and so keeps the sums in registers.
            let first = b * self.block;
            let y = self.output.0.add(group * walk.make + first);
            let left = walk.make - first;
            if left >= width {
                for i in 0..P {
                    let y = y.add(*self.to.get_unchecked(p + i));
                    for v in 0..NV {
                        s.store(y.add(v * S::LANES), acc[i][v]);
                    }
                }
            } else {
                let mut count = [0; NV];
                for v in 0..NV {
                    count[v] = left.saturating_sub(v * S::LANES).min(S::LANES);
                }
                for i in 0..P {
                    let y = y.add(*self.to.get_unchecked(p + i));
                    for v in 0..NV {
                        s.store_first(y.add(v * S::LANES), acc[i][v], count[v]);
                    }
                }
            }
        }
    }
}
