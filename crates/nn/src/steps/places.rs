//! Where the numbers of a plan lie, and how steps are given theirs.

use foveal_kernels::Isa;
use foveal_kernels::lanes::Frame;
use foveal_kernels::nhwc::Trained;
use std::ops::Range;

/// Where everything lies that a group of images is computed in.
#[derive(Clone, Debug)]
pub struct Places {
    pub isa: Isa,
    /// Images in a group.
    pub images: usize,
    /// Whether the images of a group stand one after the other, channels side by side; else they stand side by side.
    pub channels_last: bool,
    pub values: Vec<Value>,
    pub norms: Vec<Norm>,
    /// Where each parameter of the model lies among all numbers: first those that are trained, then the statistics of
    /// normalizations that are not frozen, then what training leaves as it is.
    pub offsets: Vec<usize>,
    /// Where each parameter's gradient lies among a group's; dense weights and what is frozen have none there, but for
    /// a frozen convolution that gradients go through.
    pub gradients: Vec<Option<usize>>,
    /// For each parameter of the model, whether it is trained.
    pub trained: Vec<bool>,
    /// Numbers in all parameters.
    pub parameters: usize,
    /// Numbers that the optimizer changes, and all that training changes: they stand first.
    pub optimized: usize,
    pub changing: usize,
    /// Numbers in a group's gradients.
    pub gradient_numbers: usize,
    /// Numbers, and bytes, in which a group goes through the net.
    pub arena: usize,
    pub arena_bytes: usize,
    /// Numbers that a group keeps until the parameters are changed.
    pub saved: usize,
    /// Numbers that a step may use for itself.
    pub scratch: usize,
    /// The convolutions and dense layers of a plan with channels side by side.
    pub filters: Vec<Filter>,
}

/// A convolution with its filter packed as its kernels want it.
#[derive(Clone, Debug)]
pub struct Filter {
    pub conv: Trained,
    pub weights: Parameter,
    pub bias: Option<Parameter>,
}

/// An activation and its gradient, in frames of their own.
#[derive(Clone, Debug)]
pub struct Value {
    pub frame: Frame,
    pub gradient: Frame,
    pub at: Range<usize>,
    /// Empty where there is no gradient.
    pub d: Range<usize>,
}

/// A batch normalization.
#[derive(Clone, Copy, Debug)]
pub struct Norm {
    pub channels: usize,
    /// Gamma, beta, moving mean and moving variance among the model's parameters.
    pub params: [usize; 4],
    pub momentum: f32,
    pub epsilon: f32,
}

impl Places {
    /// A place for as many numbers of each image.
    pub fn numbers(&mut self, vectors: usize) -> Range<usize> {
        let start = self.arena;
        self.arena += vectors * self.images;
        start..self.arena
    }

    /// A place for as many bytes of each image.
    pub fn byte_vectors(&mut self, vectors: usize) -> Range<usize> {
        let start = self.arena_bytes;
        self.arena_bytes += vectors * self.images;
        start..self.arena_bytes
    }

    /// Makes sure that a step has scratch of as many numbers of each image.
    pub fn scratch(&mut self, vectors: usize) {
        self.scratch_numbers(vectors * self.images);
    }

    /// Makes sure that a step has scratch of as many numbers.
    pub fn scratch_numbers(&mut self, numbers: usize) {
        self.scratch = self.scratch.max(numbers);
    }

    /// A value with a frame; its gradient's halo, if it has a gradient.
    pub fn value(&mut self, frame: Frame, gradient_halo: Option<[usize; 4]>) -> usize {
        let gradient = Frame { halo: gradient_halo.unwrap_or_default(), ..frame };
        let at = self.numbers(frame.vectors());
        let d = if gradient_halo.is_some() { self.numbers(gradient.vectors()) } else { 0..0 };
        self.values.push(Value { frame, gradient, at, d });
        self.values.len() - 1
    }
}

/// A step on its way into a plan: what it reads and writes has its place, what it needs besides is given here.
pub struct Placing<'a> {
    pub places: &'a mut Places,
    pub training: bool,
    /// The model's node.
    pub node: usize,
    /// The values that go in, and the one that comes out. With channels side by side a flat row is its input, so that
    /// a value's frame may have another shape than the layer sees.
    pub inputs: &'a [usize],
    pub y: usize,
    /// Height, width, channels of each input, and of the output.
    pub from: &'a [[usize; 3]],
    pub to: [usize; 3],
    /// The node's parameters.
    pub params: &'a [Parameter],
    /// Whether a parameter of the node is trained.
    pub trained: bool,
}

impl Placing<'_> {
    /// Height, width, channels of the first input.
    pub fn shape(&self) -> [usize; 3] {
        self.from[0]
    }

    /// Whether the plan has channels side by side.
    pub fn channels_last(&self) -> bool {
        self.places.channels_last
    }

    /// Whether the step overwrites its input.
    pub fn in_place(&self) -> bool {
        self.y == self.inputs[0]
    }

    pub fn x(&self) -> &Value {
        &self.places.values[self.inputs[0]]
    }

    pub(super) fn out(&self) -> &Value {
        &self.places.values[self.y]
    }

    /// A gradient that is added to another passes through scratch.
    pub(super) fn gradient_scratch(&mut self) {
        let vectors = self.x().frame.vectors();
        self.places.scratch(vectors);
    }
}

/// A parameter by its place among the model's, and how many numbers it has.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    pub index: usize,
    pub count: usize,
}
