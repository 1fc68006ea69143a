//! The gathering product: a tile of positions by a tile of made channels stays in registers while taps and
//! channels go by.

use super::finish::{Finish, larger};
use super::walk::{PADDING, Strip, Tap, Walk};
use crate::aligned::Aligned;
use crate::dispatch::Isa;
use crate::simd::{Kernel, Simd};
use rayon::prelude::*;
use std::ops::Range;

/// A filter packed for blocks of made channels: `[group][block][tap][channel][lane of the block]`.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    values: Aligned,
    biases: Aligned,
    /// Made channels in a block: one vector or two.
    block: usize,
    /// Blocks in a group.
    blocks: usize,
    /// Numbers of one block.
    size: usize,
}

/// Where a filter's numbers lie: `first(tap, group, made channel)` is the place for the first summed channel
/// (`None`: it is zero), and the others follow at `step`.
pub(super) struct Places<F> {
    pub first: F,
    pub step: usize,
}

impl Packed {
    /// Packs `filter` for `walk`, which must not be merged yet.
    pub fn new<F>(isa: Isa, walk: &Walk, filter: &[f32], places: &Places<F>, bias: Option<&[f32]>) -> Self
    where
        F: Fn(&Tap, usize, usize) -> Option<usize> + Sync,
    {
        let mut packed = Self::blank(isa, walk);
        packed.fill(walk, filter, places, bias);
        packed
    }

    /// Room for a filter of `walk`, which must not be merged yet.
    pub fn blank(isa: Isa, walk: &Walk) -> Self {
        let lanes = isa.lanes();
        let block = if walk.make > lanes { 2 * lanes } else { lanes };
        let blocks = walk.make.div_ceil(block);
        let size = walk.taps.len() * walk.sum * block;
        let values = Aligned::zeros(walk.groups * blocks * size);
        let biases = Aligned::zeros(walk.groups * blocks * block);
        Self { values, biases, block, blocks, size }
    }

    /// Blocks in all groups.
    pub fn count(&self) -> usize {
        self.biases.len() / self.block
    }

    /// Numbers of all blocks.
    pub fn numbers(&self) -> usize {
        self.values.len()
    }

    /// Packs `filter` for the `walk` that this was made for.
    pub fn fill<F>(&mut self, walk: &Walk, filter: &[f32], places: &Places<F>, bias: Option<&[f32]>)
    where
        F: Fn(&Tap, usize, usize) -> Option<usize> + Sync,
    {
        let Self { values, biases, block, blocks, size } = self;
        let (block, blocks, size) = (*block, *blocks, *size);
        let pack = |(i, out): (usize, &mut [f32])| {
            let (group, first) = (i / blocks, i % blocks * block);
            let n = block.min(walk.make - first);
            for (tap, out) in walk.taps.iter().zip(out.chunks_exact_mut(walk.sum * block)) {
                pack_tap(filter, places, tap, group, first, n, block, out);
            }
        };
        if values.len() < 1 << 15 {
            values.chunks_exact_mut(size.max(1)).enumerate().for_each(pack);
        } else {
            values.par_chunks_exact_mut(size.max(1)).enumerate().for_each(pack);
        }
        biases.fill(0.0);
        if let Some(bias) = bias {
            for (i, b) in biases.chunks_exact_mut(block).enumerate() {
                let (group, first) = (i / blocks, i % blocks * block);
                let n = block.min(walk.make - first);
                b[..n].copy_from_slice(&bias[group * walk.make + first..][..n]);
            }
        }
    }
}

#[allow(clippy::too_many_arguments)]
fn pack_tap<F>(
    filter: &[f32],
    places: &Places<F>,
    tap: &Tap,
    group: usize,
    first: usize,
    n: usize,
    block: usize,
    out: &mut [f32],
) where
    F: Fn(&Tap, usize, usize) -> Option<usize>,
{
    let at = |o: usize| (places.first)(tap, group, first + o);
    let side_by_side = at(0).is_some_and(|a| (1..n).all(|o| at(o) == Some(a + o)));
    if let (true, Some(a)) = (side_by_side, at(0)) {
        for (c, out) in out.chunks_exact_mut(block).enumerate() {
            out[..n].copy_from_slice(&filter[a + c * places.step..][..n]);
        }
        return;
    }
    // A few channels at a time, so that what is written stays near.
    for (k, out) in out.chunks_mut(16 * block).enumerate() {
        for o in 0..n {
            if let Some(a) = at(o) {
                let from = filter[a + k * 16 * places.step..].iter().step_by(places.step);
                for (out, &f) in out[o..].iter_mut().step_by(block).zip(from) {
                    *out = f;
                }
            }
        }
    }
}

/// A pointer to the output, shared by tasks that write different elements.
#[derive(Clone, Copy)]
pub(super) struct Output(pub *mut f32);

impl Output {
    pub fn first(self) -> *mut f32 {
        self.0
    }
}

// SAFETY: each task writes elements of its own.
unsafe impl Sync for Output {}
// SAFETY: as above.
unsafe impl Send for Output {}

/// Numbers of a filter that are asked for before they are needed: 4 KiB, since what the CPU fetches ahead by itself
/// ends with a page.
const AHEAD: usize = 1024;

/// How many positions, and which blocks, a task takes.
struct Split {
    chunk: usize,
    /// Tasks for each chunk: each block alone, or 1 for all together.
    parts: usize,
}

impl Split {
    fn new(walk: &Walk, packed: &Packed) -> Self {
        let positions = walk.positions();
        let bytes = packed.values.len() * 4;
        let blocks = walk.groups * packed.blocks;
        let fair = positions.div_ceil(4 * rayon::current_num_threads());
        if bytes <= 384 << 10 {
            // The whole filter stays in the cache: all blocks over a few positions; more where each is little work.
            let each = walk.taps.len() * walk.stretch() * walk.make * walk.groups;
            let most = ((1 << 21) / each.max(1)).clamp(96, 1536);
            return Self { chunk: fair.clamp(1, most).next_multiple_of(12), parts: 1 };
        }
        // One block's filter stays in the cache, and many positions go by.
        let most = ((384 << 10) / (4 * walk.from.channels)).max(96);
        let fair = positions.div_ceil((4 * rayon::current_num_threads()).div_ceil(blocks));
        Self { chunk: fair.clamp(1, most).next_multiple_of(12), parts: blocks }
    }
}

/// Runs the walk over all positions.
pub(super) fn gather(isa: Isa, mut walk: Walk, x: &[f32], packed: &Packed, y: &mut [f32]) {
    let padded = walk.merge();
    let positions = walk.positions();
    let zeros = vec![0f32; walk.from.channels.max(walk.stretch())];
    let split = Split::new(&walk, packed);
    let output = Output(y.as_mut_ptr());
    let all = packed.count();
    let small = positions * walk.taps.len() * walk.stretch() * walk.make * walk.groups < 1 << 15;
    let run = |walk: &Walk, x: &[f32], output, first: usize, n: usize, blocks| {
        let table = Table::new(walk, first, n);
        let (plus, finish) = (None, Finish::NONE);
        isa.run(Chunk {
            walk,
            x,
            packed,
            zeros: &zeros,
            table: &table,
            at: 0..n,
            output,
            blocks,
            plus,
            finish,
        });
    };
    let each = |tasks: usize, task: &(dyn Fn(usize) + Sync)| match small {
        true => (0..tasks).for_each(task),
        false => (0..tasks).into_par_iter().for_each(task),
    };
    if let Some(padded) = padded {
        let strips = Strip::cut(&walk, split.chunk);
        return each(strips.len(), &|i| {
            let strip = &strips[i];
            let mut copy = Vec::new();
            let local = padded.lay_out(&walk, strip, x, &mut copy);
            // SAFETY: the strip's first element lies inside the output.
            let output = Output(unsafe { output.first().add(strip.target(&walk)) });
            run(&local, &copy, output, 0, strip.positions(&walk), 0..all);
        });
    }
    let chunks = positions.div_ceil(split.chunk);
    each(chunks * split.parts, &|i| {
        let (part, first) = (i / chunks, i % chunks * split.chunk);
        let blocks = if split.parts == 1 { 0..all } else { part..part + 1 };
        run(&walk, x, output, first, split.chunk.min(positions - first), blocks);
    });
}

/// Where positions read and write.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// Where each position reads; if not `inside`, for each tap.
    pub from: Vec<u32>,
    pub to: Vec<usize>,
    /// No tap ever lies in the padding: tap `t` reads `offsets[t]` after the position's place.
    pub inside: bool,
    pub offsets: Vec<usize>,
}

impl Table {
    pub fn new(walk: &Walk, first: usize, n: usize) -> Self {
        let inside = walk.inside();
        let mut from = vec![0; if inside { n } else { walk.taps.len() * n }];
        let mut to = vec![0; n];
        if inside {
            walk.bases(first, &mut from);
        } else {
            walk.places(first, n, &mut from);
        }
        walk.targets(first, &mut to);
        Self { from, to, inside, offsets: if inside { walk.offsets() } else { Vec::new() } }
    }
}

/// Some positions by some blocks.
pub(super) struct Chunk<'a> {
    pub walk: &'a Walk,
    pub x: &'a [f32],
    pub packed: &'a Packed,
    pub zeros: &'a [f32],
    pub table: &'a Table,
    /// The table's positions to do; with pooling, whole windows.
    pub at: Range<usize>,
    pub output: Output,
    pub blocks: Range<usize>,
    /// What is added to the sums, where they are stored.
    pub plus: Option<&'a [f32]>,
    pub finish: Finish,
}

impl Kernel for Chunk<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for b in self.blocks.clone() {
            // SAFETY: the table and the packing hold every place inside the slices.
            unsafe {
                match (self.packed.block > S::LANES, S::REGISTERS >= 32, self.table.inside) {
                    (true, true, true) => self.positions::<S, 12, 2, true>(s, b),
                    (true, true, false) => self.positions::<S, 12, 2, false>(s, b),
                    (true, false, true) if self.finish.pool => self.positions::<S, 4, 2, true>(s, b),
                    (true, false, false) if self.finish.pool => self.positions::<S, 4, 2, false>(s, b),
                    (true, false, true) => self.positions::<S, 6, 2, true>(s, b),
                    (true, false, false) => self.positions::<S, 6, 2, false>(s, b),
                    (false, _, true) => self.positions::<S, 12, 1, true>(s, b),
                    (false, _, false) => self.positions::<S, 12, 1, false>(s, b),
                }
            }
        }
    }
}

/// Numbers that are asked for before they are needed, and how many for each number summed over.
struct Ahead {
    next: *const f32,
    end: *const f32,
    step: usize,
}

impl Chunk<'_> {
    /// What is asked for ahead of its use while block `b` is applied: at the first block what the next positions will
    /// read that these do not, as much as they step on, after the last place read; at others the next block's filter.
    #[inline(always)]
    fn ahead(&self, b: usize) -> Ahead {
        let (table, n) = (self.table, self.table.to.len());
        if b != self.blocks.start {
            let values = self.packed.values.as_ptr();
            let next =
                if b + 1 < self.blocks.end { (b + 1) * self.packed.size } else { self.packed.values.len() };
            let end = (next + self.packed.size).min(self.packed.values.len());
            // Tiles have twelve positions, most of them, and read a row of the block for each of its channels.
            let step = self.packed.block.div_ceil((self.at.len() / 12).max(1));
            return Ahead { next: values.wrapping_add(next), end: values.wrapping_add(end), step };
        }
        let x = self.x.as_ptr();
        let last = table.from.iter().rev().take(n).find(|&&p| p != PADDING);
        let Some(&last) = last.filter(|_| self.walk.run == 1) else {
            return Ahead { next: x, end: x, step: 0 };
        };
        let (step, from) = (self.walk.from_step, &self.walk.from);
        let rows = n.div_ceil(self.walk.cols) * step[0];
        let next = x.wrapping_add(last as usize + table.offsets.last().unwrap_or(&0));
        Ahead { next, end: next.wrapping_add(rows * from.width * from.channels), step: 16 }
    }

    #[inline(always)]
    unsafe fn positions<S: Simd, const P: usize, const NV: usize, const INSIDE: bool>(&self, s: S, b: usize) {
        let mut p = self.at.start;
        let mut ahead = self.ahead(b);
        while p < self.at.end {
            // SAFETY: as the caller; the positions stay inside the table.
            unsafe {
                match self.at.end - p {
                    left if left >= P => {
                        self.tile::<S, P, NV, INSIDE>(s, b, p, &mut ahead);
                        p += P;
                    }
                    4.. => {
                        self.tile::<S, 4, NV, INSIDE>(s, b, p, &mut ahead);
                        p += 4;
                    }
                    _ => {
                        self.tile::<S, 1, NV, INSIDE>(s, b, p, &mut ahead);
                        p += 1;
                    }
                }
            }
        }
    }

    /// `P` positions by `NV` vectors of made channels.
    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const NV: usize, const INSIDE: bool>(
        &self,
        s: S,
        b: usize,
        p: usize,
        ahead: &mut Ahead,
    ) {
        let (walk, packed, n) = (self.walk, self.packed, self.table.to.len());
        let width = NV * S::LANES;
        let group = b / packed.blocks;
        let (stretch, taps) = (walk.stretch(), walk.taps.len());
        // SAFETY: the table bounds every place by the input's shape, which the callers hold to the slice; a tap in
        // the padding reads zeros; the packed filter and bias have a block for each index.
        unsafe {
            let mut bias = [s.splat(0.0); NV];
            for v in 0..NV {
                bias[v] = s.load(packed.biases.as_ptr().add(b * width + v * S::LANES));
            }
            let mut acc = [bias; P];
            let mut f = packed.values.as_ptr().add(b * packed.size);
            // The first blocks' filters were not asked for by one before them, so their first tile does it.
            let own = p == self.at.start && b <= self.blocks.start + 1;
            let (mut next, step) = match own {
                true => (f.wrapping_add(AHEAD), width),
                false => (ahead.next, if ahead.next < ahead.end { ahead.step } else { 0 }),
            };
            let mut rows = [self.zeros.as_ptr(); P];
            if INSIDE {
                for i in 0..P {
                    let from = *self.table.from.get_unchecked(p + i) as usize;
                    rows[i] = self.x.as_ptr().add(from + group * walk.sum);
                }
            }
            for t in 0..taps {
                let mut offset = 0;
                if INSIDE {
                    offset = *self.table.offsets.get_unchecked(t);
                } else {
                    rows = [self.zeros.as_ptr(); P];
                    for i in 0..P {
                        let from = *self.table.from.get_unchecked(t * n + p + i);
                        if from != PADDING {
                            rows[i] = self.x.as_ptr().add(from as usize + group * walk.sum);
                        }
                    }
                }
                for c in 0..stretch {
                    if NV == 2 {
                        s.prefetch(next);
                        next = next.wrapping_add(step);
                    }
                    let mut w = [s.splat(0.0); NV];
                    for v in 0..NV {
                        w[v] = s.load(f.add(v * S::LANES));
                    }
                    for i in 0..P {
                        let x = s.splat(*rows[i].add(offset + c));
                        for v in 0..NV {
                            acc[i][v] = s.mul_add(x, w[v], acc[i][v]);
                        }
                    }
                    f = f.add(width);
                }
            }
            if !own {
                ahead.next = next;
            }
            self.store::<S, P, NV>(s, b, p, &mut acc);
        }
    }

    /// Loops with small bodies: the compiler unrolls them, and so keeps the sums in registers.
    #[inline(always)]
    unsafe fn store<S: Simd, const P: usize, const NV: usize>(
        &self,
        s: S,
        b: usize,
        p: usize,
        acc: &mut [[S::V; NV]; P],
    ) {
        let (group, first) = (b / self.packed.blocks, b % self.packed.blocks * self.packed.block);
        let left = self.walk.make - first;
        let mut count = [0; NV];
        for v in 0..NV {
            count[v] = left.saturating_sub(v * S::LANES).min(S::LANES);
        }
        // SAFETY: as the caller; channels past the last are not touched.
        unsafe {
            if let Some(plus) = self.plus {
                let plus = plus.as_ptr().add(group * self.walk.make + first);
                for i in 0..P {
                    let plus = plus.add(*self.table.to.get_unchecked(p + i));
                    for v in 0..NV {
                        acc[i][v] = s.add(acc[i][v], s.load_first(plus.add(v * S::LANES), count[v]));
                    }
                }
            }
            for i in 0..P {
                for v in 0..NV {
                    acc[i][v] = self.finish.clamp(s, acc[i][v]);
                }
            }
            let y = self.output.first().add(group * self.walk.make + first);
            if self.finish.pool {
                for i in 0..P / 4 {
                    let y = y.add(*self.table.to.get_unchecked(p + 4 * i));
                    for v in 0..NV {
                        let a = larger(s, acc[4 * i][v], acc[4 * i + 1][v]);
                        let b = larger(s, acc[4 * i + 2][v], acc[4 * i + 3][v]);
                        s.store_first(y.add(v * S::LANES), larger(s, a, b), count[v]);
                    }
                }
            } else if left >= NV * S::LANES {
                for i in 0..P {
                    let y = y.add(*self.table.to.get_unchecked(p + i));
                    for v in 0..NV {
                        s.store(y.add(v * S::LANES), acc[i][v]);
                    }
                }
            } else {
                for i in 0..P {
                    let y = y.add(*self.table.to.get_unchecked(p + i));
                    for v in 0..NV {
                        s.store_first(y.add(v * S::LANES), acc[i][v], count[v]);
                    }
                }
            }
        }
    }
}
