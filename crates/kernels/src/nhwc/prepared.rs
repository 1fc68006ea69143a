//! Layers made ready for one image at a time: filters packed and places looked up once, bias, ReLU and max
//! pooling part of the step, nothing allocated when it runs.

use super::conv::{forward, forward_places, product};
use super::depthwise;
use super::gather::{Chunk, Finish, Output, Packed, Table};
use super::walk::{Plane, Walk};
use crate::dispatch::Isa;
use crate::geometry::{Conv2dGeometry, Pool2dGeometry};
use crate::simd::{Kernel, Simd};
use crate::team::Team;
use std::ops::Range;

/// How one image lies in memory: rows of pixels, channels side by side, with zeros around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Height, width, channels of the image.
    pub shape: [usize; 3],
    /// Rows of zeros above and below, columns of zeros left and right.
    pub halo: [usize; 4],
}

impl Layout {
    /// An image with nothing around it.
    pub fn plain(shape: [usize; 3]) -> Self {
        Self { shape, halo: [0; 4] }
    }

    /// Numbers in all.
    pub fn numbers(&self) -> usize {
        self.plane().height * self.row()
    }

    /// Numbers from one row to the next.
    pub fn row(&self) -> usize {
        self.plane().width * self.shape[2]
    }

    /// The place of the first pixel.
    pub fn origin(&self) -> usize {
        self.halo[0] * self.row() + self.halo[2] * self.shape[2]
    }

    pub(super) fn plane(&self) -> Plane {
        let ([h, w, channels], [top, bottom, left, right]) = (self.shape, self.halo);
        Plane { height: h + top + bottom, width: w + left + right, channels }
    }
}

/// A convolution of one image, with bias, ReLU and 2x2 max pooling if they follow.
#[derive(Clone, Debug)]
pub struct Prepared {
    isa: Isa,
    geometry: Conv2dGeometry,
    walk: Walk,
    packed: Packed,
    table: Table,
    zeros: Vec<f32>,
    finish: Finish,
    from: Layout,
    to: Layout,
    /// The filter and the bias of a depthwise convolution, as they are.
    depthwise: Option<[Vec<f32>; 2]>,
}

impl Prepared {
    /// The zeros that `geometry` needs around its input, if a table of places would not serve better.
    pub fn halo(geometry: &Conv2dGeometry) -> [usize; 4] {
        forward(geometry).halo().unwrap_or_default()
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
    /// than none or [`Prepared::halo`], or the pool does not fit (see [`Prepared::pools`]).
    pub fn new(
        isa: Isa,
        geometry: &Conv2dGeometry,
        relu: bool,
        pool: Option<&Pool2dGeometry>,
        from: Layout,
        to: Layout,
    ) -> Self {
        let g = geometry;
        assert!(g.batch == 1 && from.shape == [g.h.input, g.w.input, g.in_channels]);
        let mut walk = forward(g);
        let packed = Packed::blank(isa, &walk);
        let laid_out = from.halo == Self::halo(g) && walk.merge().is_some();
        assert!(laid_out || from.halo == [0; 4], "a halo that the convolution asks for");
        let shape = pool.map_or([g.h.output, g.w.output], |p| [p.h.output, p.w.output]);
        assert_eq!(to.shape, [shape[0], shape[1], g.out_channels]);
        assert!(pool.is_none_or(|p| Self::pools(g, p) && [p.h.input, p.w.input] == [g.h.output, g.w.output]));
        let table = table(&walk, pool.is_some(), &to);
        let zeros = vec![0.0; walk.from.channels.max(walk.stretch())];
        let finish = Finish { floor: if relu { 0.0 } else { f32::NEG_INFINITY }, pool: pool.is_some() };
        let depthwise =
            depthwise::fits(g).then(|| [vec![0.0; product(g.filter_shape())], vec![0.0; g.out_channels]]);
        Self { isa, geometry: *g, walk, packed, table, zeros, finish, from, to, depthwise }
    }

    /// Takes over a filter `[kh, kw, c / groups, o]` and a bias `[o]`.
    ///
    /// # Panics
    /// When a slice's length is not its shape's product.
    pub fn load(&mut self, filter: &[f32], bias: Option<&[f32]>) {
        let g = &self.geometry;
        assert!(filter.len() == product(g.filter_shape()) && bias.is_none_or(|b| b.len() == g.out_channels));
        if let Some([f, b]) = &mut self.depthwise {
            f.copy_from_slice(filter);
            match bias {
                Some(bias) => b.copy_from_slice(bias),
                None => b.fill(0.0),
            }
            return;
        }
        self.packed.fill(&forward(g), filter, &forward_places(g), bias);
    }

    /// Runs it on `x`, laid out as was said; only the image's own numbers of `y` are written. The workers
    /// of `team` share a large one.
    ///
    /// # Panics
    /// When a slice is shorter than its layout.
    pub fn run(&self, team: Option<&mut Team>, x: &[f32], y: &mut [f32]) {
        assert!(x.len() >= self.from.numbers() && y.len() >= self.to.numbers());
        let positions = self.table.to.len();
        let output = Output(y.as_mut_ptr());
        let Some(team) = team.filter(|t| t.threads() > 1 && self.geometry.flops() >= LARGE) else {
            return self.part(x, output, 0..positions);
        };
        // A piece for each worker, of whole tiles.
        let piece = positions.div_ceil(team.threads()).next_multiple_of(12);
        let at = |i: usize| (i * piece).min(positions);
        team.run(&|i| self.part(x, output, at(i)..at(i + 1)));
    }

    fn part(&self, x: &[f32], output: Output, at: Range<usize>) {
        let Self { walk, packed, zeros, table, finish, .. } = self;
        if let Some([filter, bias]) = &self.depthwise {
            let floor = finish.floor;
            self.isa.run(depthwise::Gather { walk, x, filter, bias, zeros, table, at, output, floor });
        } else {
            let blocks = 0..packed.count();
            self.isa.run(Chunk { walk, x, packed, zeros, table, at, output, blocks, finish: *finish });
        }
    }
}

/// Operations from which on a layer of one image is shared by the workers.
pub(super) const LARGE: u64 = 8 << 20;

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

/// A dense layer of one image, `y = x weights + bias`, with ReLU if it follows: `weights` `[inputs][units]`.
///
/// # Panics
/// When a slice's length does not fit the others.
pub fn dense(isa: Isa, x: &[f32], weights: &[f32], bias: Option<&[f32]>, relu: bool, y: &mut [f32]) {
    assert_eq!(weights.len(), x.len() * y.len());
    assert!(bias.is_none_or(|b| b.len() == y.len()));
    if let Some(bias) = bias {
        y.copy_from_slice(bias);
    } else {
        y.fill(0.0);
    }
    isa.run(Dense { x, weights, floor: if relu { 0.0 } else { f32::NEG_INFINITY }, y });
}

struct Dense<'a> {
    x: &'a [f32],
    weights: &'a [f32],
    floor: f32,
    y: &'a mut [f32],
}

impl Kernel for Dense<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let units = self.y.len();
        let mut u = 0;
        while u < units {
            // SAFETY: the units stay inside `y` and the weights' rows; the last vector is masked.
            unsafe {
                u += match (units - u).div_ceil(S::LANES) {
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
    unsafe fn units<S: Simd, const NV: usize, const K: usize>(&mut self, s: S, u: usize) -> usize {
        let units = self.y.len();
        let last = (units - u - (NV - 1) * S::LANES).min(S::LANES);
        let mut acc = [[s.splat(0.0); NV]; K];
        // SAFETY: as the caller.
        unsafe {
            let load = |p: *const f32, v: usize| {
                let p = p.add(v * S::LANES);
                if v + 1 < NV { s.load(p) } else { s.load_first(p, last) }
            };
            for v in 0..NV {
                acc[0][v] = load(self.y.as_ptr().add(u), v);
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
                let y = self.y.as_mut_ptr().add(u + v * S::LANES);
                let n = if v + 1 < NV { S::LANES } else { last };
                s.store_first(y, s.max(s.splat(self.floor), sum), n);
            }
        }
        ((NV - 1) * S::LANES) + last
    }
}
