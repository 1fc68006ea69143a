//! Layers made ready for one image at a time: filters packed and places looked up once, bias, ReLU and max
//! pooling part of the step, nothing allocated when it runs.

use super::conv::{forward, forward_places, product};
use super::depthwise;
use super::finish::{After, Finish};
use super::gather::{Chunk, Output, Packed, Table};
use super::layout::Layout;
use super::walk::Walk;
use super::winograd::Winograd;
use crate::dispatch::Isa;
use crate::geometry::{Conv2dGeometry, Pool2dGeometry};
use crate::lanes::elementwise::Activation;
use crate::simd::{Kernel, Simd};
use crate::team::Team;
use std::ops::Range;

/// A convolution of one image, with bias and what follows it.
#[derive(Clone, Debug)]
pub struct Prepared {
    isa: Isa,
    geometry: Conv2dGeometry,
    finish: Finish,
    /// Applied to what has been stored.
    function: Option<Activation>,
    add: bool,
    from: Layout,
    to: Layout,
    way: Way,
}

/// How a convolution of one image is computed.
#[derive(Clone, Debug)]
enum Way {
    Gather {
        walk: Walk,
        packed: Packed,
        table: Table,
        zeros: Vec<f32>,
    },
    /// The filter and the bias as they are.
    Depthwise {
        walk: Walk,
        filter: Vec<f32>,
        bias: Vec<f32>,
        table: Table,
        zeros: Vec<f32>,
    },
    Winograd(Winograd),
}

impl Prepared {
    /// The zeros that `geometry` needs around its input, if a table of places would not serve better.
    pub fn halo(geometry: &Conv2dGeometry) -> [usize; 4] {
        let walk = forward(geometry);
        let halo = if depthwise::fits(geometry) { walk.reach() } else { walk.halo() };
        halo.filter(|_| !Winograd::faster(geometry)).unwrap_or_default()
    }

    /// Whether `pool` can be part of `geometry`, which it follows: 2x2 windows side by side, all full.
    pub fn pools(geometry: &Conv2dGeometry, pool: &Pool2dGeometry) -> bool {
        !depthwise::fits(geometry)
            && [pool.h, pool.w]
                .iter()
                .all(|a| a.kernel == 2 && a.stride == 2 && a.before == 0 && 2 * a.output <= a.input)
    }

    /// Makes ready `geometry`, of one image, for the filter and bias that [`Prepared::load`] gives it.
    ///
    /// # Panics
    /// When the batch is not 1, a layout's shape is not the geometry's (the pool's), `from` has a halo other
    /// than none or [`Prepared::halo`], or what comes after does not fit (see [`After`], [`Prepared::pools`]).
    pub fn new(isa: Isa, geometry: &Conv2dGeometry, after: &After, from: Layout, to: Layout) -> Self {
        let (g, pool) = (geometry, after.pool.as_ref());
        assert!(g.batch == 1 && from.shape == [g.h.input, g.w.input, g.in_channels]);
        let shape = pool.map_or([g.h.output, g.w.output], |p| [p.h.output, p.w.output]);
        assert_eq!(to.shape, [shape[0], shape[1], g.out_channels]);
        assert!(pool.is_none_or(|p| Self::pools(g, p) && [p.h.input, p.w.input] == [g.h.output, g.w.output]));
        assert!(from.halo == Self::halo(g) || from.halo == [0; 4], "a halo that the convolution asks for");
        let (finish, function) = Finish::of(after);
        let way = match Winograd::faster(g) {
            true => Way::Winograd(Winograd::new(isa, g, (finish, function), [from, to])),
            false => Self::direct(isa, g, finish, [from, to]),
        };
        Self { isa, geometry: *g, finish, function, add: after.add, from, to, way }
    }

    /// [`Prepared::new`] without Winograd's transforms, to measure what they bring. Layouts must be plain.
    ///
    /// # Panics
    /// As [`Prepared::new`].
    pub fn without_transforms(isa: Isa, g: &Conv2dGeometry, after: &After, from: Layout, to: Layout) -> Self {
        let prepared = Self::new(isa, g, after, from, to);
        Self { way: Self::direct(isa, g, prepared.finish, [from, to]), ..prepared }
    }

    fn direct(isa: Isa, g: &Conv2dGeometry, finish: Finish, [from, to]: [Layout; 2]) -> Way {
        let mut walk = forward(g);
        if depthwise::fits(g) {
            let first = [from.halo[0], from.halo[2]];
            let plain = (walk.to, [0, 0]);
            let walk = walk.within((from.plane(), first), plain);
            let (table, zeros) = (table(&walk, false, &to), vec![0.0; walk.from.channels]);
            let (filter, bias) = (vec![0.0; product(g.filter_shape())], vec![0.0; g.out_channels]);
            return Way::Depthwise { walk, filter, bias, table, zeros };
        }
        let packed = Packed::blank(isa, &walk);
        let laid_out = walk.halo().is_some_and(|halo| from.halo == halo) && walk.merge().is_some();
        assert!(laid_out || from.halo == [0; 4], "a halo that the convolution asks for");
        let table = table(&walk, finish.pool, &to);
        let zeros = vec![0.0; walk.from.channels.max(walk.stretch())];
        Way::Gather { walk, packed, table, zeros }
    }

    /// Takes over a filter `[kh, kw, c / groups, o]` and a bias `[o]`.
    ///
    /// # Panics
    /// When a slice's length is not its shape's product.
    pub fn load(&mut self, filter: &[f32], bias: Option<&[f32]>) {
        let g = &self.geometry;
        assert!(filter.len() == product(g.filter_shape()) && bias.is_none_or(|b| b.len() == g.out_channels));
        match &mut self.way {
            Way::Winograd(winograd) => winograd.load(self.isa, filter, bias),
            Way::Gather { packed, .. } => packed.fill(&forward(g), filter, &forward_places(g), bias),
            Way::Depthwise { filter: f, bias: b, .. } => {
                f.copy_from_slice(filter);
                match bias {
                    Some(bias) => b.copy_from_slice(bias),
                    None => b.fill(0.0),
                }
            }
        }
    }

    /// Numbers of scratch that each worker needs.
    pub fn scratch(&self) -> usize {
        match &self.way {
            Way::Winograd(winograd) => winograd.scratch(),
            Way::Gather { .. } | Way::Depthwise { .. } => 0,
        }
    }

    /// Numbers of the packed filter.
    pub fn numbers(&self) -> usize {
        match &self.way {
            Way::Winograd(winograd) => winograd.numbers(),
            Way::Gather { packed, .. } => packed.numbers(),
            Way::Depthwise { filter, .. } => filter.len(),
        }
    }

    /// The module that does the work.
    pub fn kernel(&self) -> &'static str {
        match &self.way {
            Way::Winograd(_) => "nhwc::winograd",
            Way::Gather { .. } => "nhwc::prepared",
            Way::Depthwise { .. } => "nhwc::depthwise",
        }
    }

    /// Runs it on `x`, laid out as was said; only the image's own numbers of `y` are written. `plus` is what is added,
    /// if something is; it lies as `y` does. The workers of `team` share a large one; each of them takes
    /// [`Prepared::scratch`] numbers of `scratch`.
    ///
    /// # Panics
    /// When a slice is shorter than its layout, or too short for the team.
    pub fn run(
        &self,
        team: Option<&mut Team>,
        x: &[f32],
        plus: Option<&[f32]>,
        scratch: &mut [f32],
        y: &mut [f32],
    ) {
        assert!(x.len() >= self.from.numbers() && y.len() >= self.to.numbers());
        assert!(plus.is_some() == self.add && plus.is_none_or(|plus| plus.len() >= self.to.numbers()));
        let (output, each) = (Output(y.as_mut_ptr()), self.scratch());
        let team = team.filter(|t| t.threads() > 1 && self.geometry.flops() >= LARGE);
        let parts = team.as_ref().map_or(1, |team| team.threads());
        assert!(scratch.len() >= parts * each, "scratch for each worker");
        let scratch = Output(scratch.as_mut_ptr());
        let part = |i: usize| {
            // SAFETY: a stretch of the scratch for each part.
            let scratch = unsafe { std::slice::from_raw_parts_mut(scratch.first().add(i * each), each) };
            self.part([i, parts], x, plus, scratch, output);
        };
        match team {
            Some(team) => team.run(&part),
            None => part(0),
        }
    }

    fn part(
        &self,
        [part, parts]: [usize; 2],
        x: &[f32],
        plus: Option<&[f32]>,
        scratch: &mut [f32],
        output: Output,
    ) {
        let Self { isa, finish, .. } = *self;
        match &self.way {
            Way::Winograd(winograd) => winograd.run(isa, [part, parts], x, plus, scratch, output),
            Way::Depthwise { walk, filter, bias, table, zeros } => {
                self.pieces(table, [part, parts], output, |at| {
                    isa.run(depthwise::Gather {
                        walk,
                        x,
                        filter,
                        bias,
                        zeros,
                        table,
                        at,
                        output,
                        plus,
                        finish,
                    });
                });
            }
            Way::Gather { walk, packed, table, zeros } => {
                // Few positions are not worth dividing: each worker reads a part of the filter instead.
                let (all, few) = (packed.count(), table.to.len() < FEW * parts && self.function.is_none());
                let (share, blocks) = match few {
                    true => ([0, 1], all * part / parts..all * (part + 1) / parts),
                    false => ([part, parts], 0..all),
                };
                self.pieces(table, share, output, |at| {
                    let blocks = blocks.clone();
                    isa.run(Chunk { walk, x, packed, zeros, table, at, output, blocks, plus, finish });
                });
            }
        }
    }

    /// Calls `run` for the positions of a part, and applies the function that follows: as many positions at once as
    /// stay in the cache while block after block of filters is applied to them.
    fn pieces(&self, table: &Table, [part, parts]: [usize; 2], output: Output, run: impl Fn(Range<usize>)) {
        let positions = table.to.len();
        let piece = positions.div_ceil(parts).next_multiple_of(12);
        let mut at = (part * piece).min(positions);
        let end = ((part + 1) * piece).min(positions);
        let g = &self.geometry;
        let channels = g.out_channels;
        // A large filter is read once for all positions rather than again for each piece.
        let small = product(g.filter_shape()) <= FILTER;
        let step = match small || self.function.is_some() {
            true => (CACHED / (channels + g.in_channels) / 24 * 24).max(24),
            false => piece,
        };
        while at < end {
            let next = (at + step).min(end);
            run(at..next);
            if let Some(function) = self.function {
                for rows in table.to[at..next].chunk_by(|a, b| a + channels == *b) {
                    // SAFETY: positions of this part, which lie side by side in the output.
                    let numbers = unsafe {
                        std::slice::from_raw_parts_mut(output.first().add(rows[0]), rows.len() * channels)
                    };
                    function.forward_in_place(self.isa, numbers);
                }
            }
            at = next;
        }
    }
}

/// Positions of an image below which each worker takes all of them.
const FEW: usize = 96;

/// Numbers of a piece's inputs and outputs, 256 KiB: they stay in a second-level cache beside a filter of `FILTER`
/// numbers.
const CACHED: usize = 1 << 16;
const FILTER: usize = 3 << 15;

/// Operations from which on a layer of one image is shared by the workers.
pub(super) const LARGE: u64 = 1 << 20;

/// The places of all positions; with pooling, window by window.
fn table(walk: &Walk, pool: bool, to: &Layout) -> Table {
    let plain = Walk { to: to.plane(), ..walk.clone() };
    let mut table = Table::new(&plain, 0, walk.positions());
    let place = |h: usize, w: usize| to.origin() + h * to.row() + w * to.shape[2];
    let n = table.to.len();
    if !pool {
        for (p, t) in table.to.iter_mut().enumerate() {
            *t = place(p / walk.cols, p % walk.cols);
        }
        return table;
    }
    let cells = |h: usize, w: usize| {
        [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(i, j)| (2 * h + i) * walk.cols + 2 * w + j)
    };
    let windows = || (0..to.shape[0]).flat_map(|h| (0..to.shape[1]).map(move |w| (h, w)));
    table.from = table
        .from
        .chunks(n)
        .flat_map(|from| windows().flat_map(move |(h, w)| cells(h, w).map(|p| from[p])))
        .collect();
    table.to = windows().flat_map(|(h, w)| [place(h, w); 4]).collect();
    table
}

/// A dense layer of one image, `y = x weights + bias`, with ReLU if it follows: `weights` `[inputs][units]`. The
/// workers of `team` share a large one.
///
/// # Panics
/// When a slice's length does not fit the others.
pub fn dense(
    isa: Isa,
    team: Option<&mut Team>,
    x: &[f32],
    weights: &[f32],
    bias: Option<&[f32]>,
    relu: bool,
    y: &mut [f32],
) {
    assert_eq!(weights.len(), x.len() * y.len());
    assert!(bias.is_none_or(|b| b.len() == y.len()));
    if let Some(bias) = bias {
        y.copy_from_slice(bias);
    } else {
        y.fill(0.0);
    }
    let (floor, units) = (if relu { 0.0 } else { f32::NEG_INFINITY }, y.len());
    let y = Output(y.as_mut_ptr());
    match team.filter(|team| team.threads() > 1 && 2 * weights.len() as u64 >= LARGE) {
        None => isa.run(Dense { x, weights, floor, y, units, at: 0..units }),
        Some(team) => {
            // A piece for each worker, of whole tiles: how many sums take turns, and so the bits, depends on these.
            let piece = units.div_ceil(team.threads()).next_multiple_of(8 * isa.lanes());
            team.run(&|i| {
                let at = (i * piece).min(units)..((i + 1) * piece).min(units);
                isa.run(Dense { x, weights, floor, y, units, at });
            });
        }
    }
}

struct Dense<'a> {
    x: &'a [f32],
    weights: &'a [f32],
    floor: f32,
    y: Output,
    units: usize,
    /// The units to make.
    at: Range<usize>,
}

impl Kernel for Dense<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Range { start: mut u, end } = self.at.clone();
        while u < end {
            // SAFETY: the units stay inside `y` and the weights' rows; the last vector is masked.
            unsafe {
                u += match (end - u).div_ceil(S::LANES) {
                    8.. => self.units::<S, 8, 1>(s, u),
                    4.. => self.units::<S, 4, 2>(s, u),
                    2.. => self.units::<S, 2, 4>(s, u),
                    _ => self.units::<S, 1, 8>(s, u),
                };
            }
        }
    }
}

impl Dense<'_> {
    /// `NV` vectors of units, with `K` sums for each that take turns at the inputs.
    #[inline(always)]
    unsafe fn units<S: Simd, const NV: usize, const K: usize>(&self, s: S, u: usize) -> usize {
        let (units, y) = (self.units, self.y.first());
        let last = (self.at.end - u - (NV - 1) * S::LANES).min(S::LANES);
        let mut acc = [[s.splat(0.0); NV]; K];
        // SAFETY: as the caller.
        unsafe {
            let load = |p: *const f32, v: usize| {
                let p = p.add(v * S::LANES);
                if v + 1 < NV { s.load(p) } else { s.load_first(p, last) }
            };
            for v in 0..NV {
                acc[0][v] = load(y.add(u).cast_const(), v);
            }
            let mut w = self.weights.as_ptr().add(u);
            for x in self.x.chunks_exact(K) {
                for k in 0..K {
                    let x = s.splat(x[k]);
                    for v in 0..NV {
                        acc[k][v] = s.mul_add(x, load(w, v), acc[k][v]);
                    }
                    w = w.wrapping_add(units);
                }
            }
            for &x in self.x.chunks_exact(K).remainder() {
                for v in 0..NV {
                    acc[0][v] = s.mul_add(s.splat(x), load(w, v), acc[0][v]);
                }
                w = w.wrapping_add(units);
            }
            for v in 0..NV {
                let mut sum = acc[0][v];
                for k in 1..K {
                    sum = s.add(sum, acc[k][v]);
                }
                let y = y.add(u + v * S::LANES);
                let n = if v + 1 < NV { S::LANES } else { last };
                s.store_first(y, s.max(s.splat(self.floor), sum), n);
            }
        }
        ((NV - 1) * S::LANES) + last
    }
}
