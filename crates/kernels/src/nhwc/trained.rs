//! A convolution made ready for training with channels side by side: a few images at a time, by the thread that calls.
//! Filters are packed once a step; the forward pass and the input's gradient take one image after the other, the
//! filter's gradient all of them at once.

use super::conv::{backward, backward_places, product};
use super::depthwise;
use super::filter::{Sums, add_filter_gradient};
use super::finish::{After, Finish};
use super::gather::{Chunk, Output, Packed, Table};
use super::layout::Layout;
use super::prepared::Prepared;
use super::walk::Walk;
use crate::dispatch::Isa;
use crate::geometry::{Axis, Conv2dGeometry, Conv2dOptions, Padding};
use crate::lanes::elementwise::add_assign;

/// A convolution of images that stand one after the other, forward and backward.
#[derive(Clone, Debug)]
pub struct Trained {
    isa: Isa,
    /// Of one image.
    geometry: Conv2dGeometry,
    from: Layout,
    forward: Prepared,
    input: Option<Input>,
    filter: Sums,
}

/// How the input's gradient is computed.
#[derive(Clone, Debug)]
enum Input {
    /// By a convolution of the output's gradient with the filters turned by half a turn, input and output channels
    /// exchanged.
    Turned { prepared: Box<Prepared>, filter: Vec<f32> },
    /// A walk for each residue of the strides.
    Walks(Vec<Residue>),
    /// The same where each channel has a filter of its own.
    Depthwise { residues: Vec<(Walk, Table)>, filter: Vec<f32>, zeros: Vec<f32> },
}

#[derive(Clone, Debug)]
struct Residue {
    walk: Walk,
    packed: Packed,
    table: Table,
    zeros: Vec<f32>,
}

impl Trained {
    /// The zeros that `geometry` would like to have around its input.
    pub fn halo(geometry: &Conv2dGeometry) -> [usize; 4] {
        if depthwise::fits(geometry) { [0; 4] } else { Prepared::halo(geometry) }
    }

    /// Makes ready `geometry`, of one image that lies as `from` says, for the filter that [`Trained::load`] gives it;
    /// `wanted` says whether the input's gradient is. Output and gradients have nothing around them.
    ///
    /// # Panics
    /// When the batch is not 1, or `from` has another shape, or a halo other than none or [`Trained::halo`].
    pub fn new(isa: Isa, geometry: &Conv2dGeometry, from: Layout, wanted: bool) -> Self {
        let g = geometry;
        let to = Layout::plain([g.h.output, g.w.output, g.out_channels]);
        let forward = Prepared::new(isa, g, &After::default(), from, to);
        let input = wanted.then(|| Input::new(isa, g));
        Self { isa, geometry: *g, from, forward, input, filter: Sums::new(g, from.halo != [0; 4]) }
    }

    /// Takes over a filter `[kh, kw, c / groups, o]` and a bias `[o]`.
    ///
    /// # Panics
    /// When a slice's length is not its shape's product.
    pub fn load(&mut self, filter: &[f32], bias: Option<&[f32]>) {
        self.forward.load(filter, bias);
        if let Some(input) = &mut self.input {
            input.load(&self.geometry, filter);
        }
    }

    /// Numbers of scratch that a pass needs.
    pub fn scratch(&self) -> usize {
        let turned = match &self.input {
            Some(Input::Turned { prepared, .. }) => prepared.scratch(),
            _ => 0,
        };
        self.forward.scratch().max(turned + product(self.geometry.input_shape()))
    }

    /// Numbers of the packed filters.
    pub fn numbers(&self) -> usize {
        let input = match &self.input {
            None => 0,
            Some(Input::Turned { prepared, filter }) => prepared.numbers() + filter.len(),
            Some(Input::Walks(residues)) => residues.iter().map(|r| r.packed.numbers()).sum(),
            Some(Input::Depthwise { filter, .. }) => filter.len(),
        };
        self.forward.numbers() + input
    }

    /// The module that does the forward pass.
    pub fn kernel(&self) -> &'static str {
        self.forward.kernel()
    }

    /// Outputs of as many images as `y` has room for.
    ///
    /// # Panics
    /// When a slice is too short.
    pub fn forward(&self, x: &[f32], scratch: &mut [f32], y: &mut [f32]) {
        let images = y.chunks_exact_mut(product(self.geometry.output_shape()));
        for (x, y) in x.chunks_exact(self.from.numbers()).zip(images) {
            self.forward.run(None, x, None, scratch, y);
        }
    }

    /// The gradient of the images that `dy` is the output's gradient of: stored, or added to what `dx` holds.
    ///
    /// # Panics
    /// When a slice is too short, or the input's gradient was not wanted.
    pub fn backward_input(&self, dy: &[f32], accumulate: bool, scratch: &mut [f32], dx: &mut [f32]) {
        let input = self.input.as_ref().expect("the input's gradient is wanted");
        let (of_input, of_output) =
            (product(self.geometry.input_shape()), product(self.geometry.output_shape()));
        for (dy, dx) in dy.chunks_exact(of_output).zip(dx.chunks_exact_mut(of_input)) {
            if accumulate {
                let (own, scratch) = scratch.split_at_mut(of_input);
                input.run(self.isa, dy, scratch, own);
                add_assign(self.isa, own, dx);
            } else {
                input.run(self.isa, dy, scratch, dx);
            }
        }
    }

    /// Adds the gradient of the filter, of the images that `dy` is the output's gradient of.
    ///
    /// # Panics
    /// When a slice is too short.
    pub fn backward_filter(&self, x: &[f32], dy: &[f32], d_filter: &mut [f32]) {
        let images = dy.len() / product(self.geometry.output_shape());
        let x = &x[..images * self.from.numbers()];
        assert_eq!(d_filter.len(), product(self.geometry.filter_shape()));
        add_filter_gradient(self.isa, &self.filter, images, x, dy, d_filter);
    }
}

impl Input {
    fn new(isa: Isa, g: &Conv2dGeometry) -> Self {
        if depthwise::fits(g) {
            let residues = backward(g).map(|walk| {
                let table = Table::new(&walk, 0, walk.positions());
                (walk, table)
            });
            let filter = vec![0.0; product(g.filter_shape())];
            return Input::Depthwise {
                residues: residues.collect(),
                filter,
                zeros: vec![0.0; g.out_channels],
            };
        }
        if let Some(turned) = turned(g) {
            let from = Layout::plain([g.h.output, g.w.output, g.out_channels]);
            let to = Layout::plain([g.h.input, g.w.input, g.in_channels]);
            let prepared = Box::new(Prepared::new(isa, &turned, &After::default(), from, to));
            return Input::Turned { prepared, filter: vec![0.0; product(g.filter_shape())] };
        }
        let residue = |walk: Walk| {
            let packed = Packed::blank(isa, &walk);
            let table = Table::new(&walk, 0, walk.positions());
            let zeros = vec![0.0; walk.from.channels];
            Residue { walk, packed, table, zeros }
        };
        Input::Walks(backward(g).map(residue).collect())
    }

    fn load(&mut self, g: &Conv2dGeometry, filter: &[f32]) {
        match self {
            Input::Turned { prepared, filter: turned } => {
                let [kh, kw, c, o] = g.filter_shape();
                for (tap, to) in turned.chunks_exact_mut(c * o).enumerate() {
                    let from = &filter[(kh * kw - 1 - tap) * c * o..][..c * o];
                    for (i, to) in to.chunks_exact_mut(c).enumerate() {
                        to.iter_mut().zip(from[i..].iter().step_by(o)).for_each(|(to, &from)| *to = from);
                    }
                }
                prepared.load(turned, None);
            }
            Input::Walks(residues) => {
                for Residue { walk, packed, .. } in residues {
                    packed.fill(walk, filter, &backward_places(g), None);
                }
            }
            Input::Depthwise { filter: own, .. } => own.copy_from_slice(filter),
        }
    }

    /// The gradient of one image.
    fn run(&self, isa: Isa, dy: &[f32], scratch: &mut [f32], dx: &mut [f32]) {
        let output = Output(dx.as_mut_ptr());
        let (plus, finish) = (None, Finish::NONE);
        match self {
            Input::Turned { prepared, .. } => prepared.run(None, dy, None, scratch, dx),
            Input::Walks(residues) => {
                for Residue { walk, packed, table, zeros } in residues {
                    let (at, blocks) = (0..table.to.len(), 0..packed.count());
                    isa.train(Chunk { walk, x: dy, packed, zeros, table, at, output, blocks, plus, finish });
                }
            }
            Input::Depthwise { residues, filter, zeros } => {
                for (walk, table) in residues {
                    let at = 0..table.to.len();
                    let (x, bias) = (dy, zeros);
                    isa.train(depthwise::Gather {
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
                }
            }
        }
    }
}

/// The convolution of the output's gradient that gives the input's, if the strides are 1 and no window lies further
/// out than its own extent.
fn turned(g: &Conv2dGeometry) -> Option<Conv2dGeometry> {
    if g.groups != 1 || g.h.stride != 1 || g.w.stride != 1 {
        return None;
    }
    let pads = |a: &Axis| {
        let reach = (a.kernel - 1) * a.dilation;
        let before = reach.checked_sub(a.before)?;
        // What is added at the end makes as many outputs as there are inputs.
        let after = (a.input + reach).checked_sub(a.output + before)?;
        Some([before as i64, after as i64])
    };
    let ([top, bottom], [left, right]) = (pads(&g.h)?, pads(&g.w)?);
    let options = Conv2dOptions {
        strides: [1, 1],
        dilations: [g.h.dilation as i64, g.w.dilation as i64],
        padding: Padding::Explicit([top, bottom, left, right]),
        groups: 1,
    };
    let [kh, kw, c, o] = g.filter_shape();
    let turned = Conv2dGeometry::new("conv2d", &g.output_shape(), &[kh, kw, o, c], &options).ok()?;
    (turned.output_shape() == g.input_shape()).then_some(turned)
}
