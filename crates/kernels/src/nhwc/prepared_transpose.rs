//! Transposed convolution made ready for one image at a time.

use super::conv::{backward, backward_places, product};
use super::depthwise;
use super::finish::Finish;
use super::gather::{Chunk, Output, Packed, Table};
use super::layout::Layout;
use super::prepared::LARGE;
use super::walk::{Plane, Walk};
use crate::dispatch::Isa;
use crate::geometry::Conv2dTransposeGeometry;
use crate::team::Team;
use std::ops::Range;

/// A transposed convolution of one image, with bias, and ReLU if it follows.
#[derive(Clone, Debug)]
pub struct PreparedTranspose {
    isa: Isa,
    geometry: Conv2dTransposeGeometry,
    parts: Vec<Part>,
    zeros: Vec<f32>,
    /// Smaller sums become this.
    floor: f32,
    from: Layout,
    to: Layout,
    /// The filter and the bias of a depthwise one, as they are.
    depthwise: Option<[Vec<f32>; 2]>,
}

/// The outputs of one cell of the stride: they have the same taps.
#[derive(Clone, Debug)]
struct Part {
    walk: Walk,
    packed: Packed,
    table: Table,
}

impl PreparedTranspose {
    /// Makes ready `geometry`, of one image, for the filter and bias that [`PreparedTranspose::load`] gives it. Both
    /// layouts may have a halo; that of `from` must hold zeros.
    ///
    /// # Panics
    /// When the batch is not 1 or a layout's shape is not the geometry's.
    pub fn new(isa: Isa, geometry: &Conv2dTransposeGeometry, relu: bool, from: Layout, to: Layout) -> Self {
        let g = &geometry.convolution;
        assert!(g.batch == 1 && from.shape == [g.h.output, g.w.output, g.out_channels]);
        assert_eq!(to.shape, [g.h.input, g.w.input, g.in_channels]);
        let parts: Vec<Part> = backward(g)
            .map(|walk| {
                let packed = Packed::blank(isa, &walk);
                let walk = walk.within(place(&from), place(&to));
                let table = Table::new(&walk, 0, walk.positions());
                Part { walk, packed, table }
            })
            .collect();
        let depthwise =
            depthwise::fits(g).then(|| [vec![0.0; product(g.filter_shape())], vec![0.0; g.in_channels]]);
        Self {
            isa,
            geometry: *geometry,
            parts,
            zeros: vec![0.0; g.out_channels],
            floor: if relu { 0.0 } else { f32::NEG_INFINITY },
            from,
            to,
            depthwise,
        }
    }

    /// Takes over a filter `[kh, kw, o / groups, c]` and a bias `[o]`.
    ///
    /// # Panics
    /// When a slice's length is not its shape's product.
    pub fn load(&mut self, filter: &[f32], bias: Option<&[f32]>) {
        let g = &self.geometry.convolution;
        assert!(filter.len() == product(g.filter_shape()) && bias.is_none_or(|b| b.len() == g.in_channels));
        if let Some([f, b]) = &mut self.depthwise {
            f.copy_from_slice(filter);
            match bias {
                Some(bias) => b.copy_from_slice(bias),
                None => b.fill(0.0),
            }
            return;
        }
        let places = backward_places(g);
        for part in &mut self.parts {
            part.packed.fill(&part.walk, filter, &places, bias);
        }
    }

    /// Runs it on `x`, laid out as was said; only the image's own numbers of `y` are written. The workers of `team`
    /// share a large one.
    ///
    /// # Panics
    /// When a slice is shorter than its layout.
    pub fn run(&self, team: Option<&mut Team>, x: &[f32], y: &mut [f32]) {
        assert!(x.len() >= self.from.numbers() && y.len() >= self.to.numbers());
        let output = Output(y.as_mut_ptr());
        let whole = |part: &Part| part.table.to.len();
        let Some(team) = team.filter(|t| t.threads() > 1 && self.geometry.flops() >= LARGE) else {
            return self.parts.iter().for_each(|part| self.positions(part, x, output, 0..whole(part)));
        };
        let threads = team.threads();
        team.run(&|i| {
            for part in &self.parts {
                // A piece for each worker, of whole tiles.
                let positions = whole(part);
                let piece = positions.div_ceil(threads).next_multiple_of(12);
                let at = |i: usize| (i * piece).min(positions);
                self.positions(part, x, output, at(i)..at(i + 1));
            }
        });
    }

    fn positions(&self, part: &Part, x: &[f32], output: Output, at: Range<usize>) {
        let (Part { walk, packed, table }, zeros) = (part, &self.zeros);
        let (plus, finish) = (None, Finish { floor: self.floor, ..Finish::NONE });
        if let Some([filter, bias]) = &self.depthwise {
            self.isa.run(depthwise::Gather { walk, x, filter, bias, zeros, table, at, output, plus, finish });
        } else {
            let blocks = 0..packed.count();
            self.isa.run(Chunk { walk, x, packed, zeros, table, at, output, blocks, plus, finish });
        }
    }
}

/// An image's plane, halo included, and the row and column of its first pixel in it.
fn place(layout: &Layout) -> (Plane, [usize; 2]) {
    (layout.plane(), [layout.halo[0], layout.halo[2]])
}
