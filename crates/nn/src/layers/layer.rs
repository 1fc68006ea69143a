//! What every kind of layer must know of itself.

use crate::Error;
use crate::init::Init;
use crate::steps::single::{SinglePlace, SingleStep};
use crate::steps::{Placing, StepKind};
use foveal_kernels::lanes::elementwise::Activation;
use foveal_kernels::{GeometryError, Pool2dGeometry};
use ndarray::{Array4, ArrayView, ArrayView4, Dimension, IxDyn};

/// Height, width, channels.
pub type Shape = [usize; 3];

/// A kind of layer, with its options.
pub trait Layer {
    /// How many inputs it takes.
    fn inputs(&self) -> Inputs;

    /// What comes out for inputs of these shapes, and the floating-point operations for one image.
    ///
    /// # Errors
    /// Says what does not fit, with the shapes; the caller names the layer.
    fn shape(&self, from: &[Shape]) -> Result<(Shape, u64), String>;

    /// The parameters, for inputs whose shapes fit.
    fn params(&self, from: &[Shape]) -> Vec<ParamSpec>;

    /// The output for a batch, as at inference.
    ///
    /// # Errors
    /// When the numbers do not fit, such as a token beyond an embedding's table.
    fn forward(&self, at: &At<'_>) -> Result<Array4<f32>, Error>;

    /// What the gradient `d` of the output `y` is for each input and parameter, as at inference.
    ///
    /// # Errors
    /// When the shapes do not fit.
    fn gradient(&self, at: &At<'_>, y: ArrayView4<f32>, d: ArrayView4<f32>) -> Result<Gradient, Error>;

    /// Whether the engine's backward pass reads the layer's output, which then must stay as it is.
    fn reads_output(&self) -> bool;

    /// Whether the layer needs a step, and a place for its output.
    fn passage(&self, pass: &Pass) -> Passage;

    /// Whether the layer has a step in a plan that trains with channels side by side.
    fn channels_last(&self) -> bool {
        true
    }

    /// The step of a plan for groups of images, laid out as the place says.
    fn step(&self, place: &mut Placing<'_>) -> StepKind;

    /// The step of a plan for single images.
    fn single(&self, place: &SinglePlace<'_>) -> SingleStep;

    /// Which of a network's three parts it belongs to.
    fn role(&self) -> Role;

    /// What it does, in a few words.
    fn words(&self) -> Words;

    /// Whether each cell is made of the same cell of the inputs.
    fn keeps_places(&self) -> bool;

    /// The zeros that it wants around its input and around its output's gradient, with images side by side.
    fn halos(&self, _from: &[Shape]) -> [[usize; 4]; 2] {
        [[0; 4]; 2]
    }

    /// The zeros that it wants around its input, for single images.
    fn single_halo(&self, _from: &[Shape]) -> [usize; 4] {
        [0; 4]
    }

    /// What is wrong with a place that is not the first, of inputs of this shape; nothing for most kinds.
    fn misplaced(&self, _from: Shape) -> Option<String> {
        None
    }

    /// The rows of its table, if it looks numbers up.
    fn vocabulary(&self) -> Option<usize> {
        None
    }

    /// The geometry for a batch of `n` images of this shape, if it is a pooling.
    fn pool_geometry(&self, _from: Shape, _n: usize) -> Option<Result<Pool2dGeometry, GeometryError>> {
        None
    }

    /// What a cell of the output is made of.
    fn made_of(&self) -> MadeOf;

    /// The layer's own numbers by name, as an explanation shows them: the options of an activation.
    fn numbers(&self) -> Vec<(&'static str, f32)> {
        Vec::new()
    }

    /// The cell of an input of shape `from` that stands at cell `at` of the output, if the layer only moves numbers;
    /// nothing inside where the number is made up.
    fn moved_from(&self, _from: Shape, _at: Shape) -> Option<Option<Shape>> {
        None
    }

    /// The activation function, if that is all it does.
    fn function(&self) -> Option<Activation> {
        None
    }
}

/// How many inputs a layer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inputs {
    One,
    Two,
    /// At least two.
    Several,
    /// At least one; the layer says which shapes it takes.
    Any,
}

impl Inputs {
    /// Refuses another number of inputs.
    pub fn check(self, given: usize) -> Result<(), String> {
        let (fits, needs) = match self {
            Inputs::One => (given == 1, "one input"),
            Inputs::Two => (given == 2, "two inputs"),
            Inputs::Several => (given > 1, "at least two inputs"),
            Inputs::Any => (given > 0, "at least one input"),
        };
        if fits { Ok(()) } else { Err(format!("takes {needs}, got {given}")) }
    }
}

/// A parameter that a layer asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamSpec {
    /// What it is: `filter`, `bias`, `gamma` ...
    pub what: &'static str,
    pub shape: Vec<usize>,
    pub init: Init,
    /// Numbers that go into one output, and outputs that one number goes into: for [`Init`].
    pub fans: [usize; 2],
    pub role: ParamRole,
}

impl ParamSpec {
    /// Weights, from which an initial value is drawn.
    pub fn weights(what: &'static str, shape: &[usize], init: Init, fans: [usize; 2]) -> Self {
        Self { what, shape: shape.to_vec(), init, fans, role: ParamRole::Weights }
    }

    /// Numbers that all begin alike.
    pub fn constant(what: &'static str, count: usize, value: f32, role: ParamRole) -> Self {
        Self { what, shape: vec![count], init: Init::Constant(value), fans: [1, 1], role }
    }

    /// A bias, which begins at 0.
    pub fn bias(count: usize) -> Self {
        Self::constant("bias", count, 0.0, ParamRole::Offsets)
    }
}

/// What a parameter is for, which decides how it is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamRole {
    /// Weights of a sum over inputs: weight decay applies.
    Weights,
    /// Biases, factors and slopes of channels: trained without weight decay.
    Offsets,
    /// Statistics that follow the batches: not trained by gradients.
    Statistics,
}

/// A layer at work on arrays.
pub struct At<'a> {
    /// The inputs, `[n, h, w, c]`.
    pub inputs: Vec<ArrayView4<'a, f32>>,
    /// Shape and numbers of each parameter.
    pub params: Vec<(&'a [usize], &'a [f32])>,
    /// Height, width, channels of the output.
    pub shape: Shape,
}

impl<'a> At<'a> {
    /// The first input.
    pub fn x(&self) -> ArrayView4<'a, f32> {
        self.inputs[0]
    }

    /// Parameter `k` as an array of the given number of axes.
    pub fn param<D: Dimension>(&self, k: usize) -> ArrayView<'a, f32, D> {
        let (shape, values) = self.params[k];
        let array = ArrayView::from_shape(IxDyn(shape), values).expect("shapes are kept");
        array.into_dimensionality::<D>().expect("ranks are kept")
    }

    /// The numbers of all parameters.
    pub fn values(&self) -> Vec<&'a [f32]> {
        self.params.iter().map(|p| p.1).collect()
    }

    /// The first input's batch, height, width and channels.
    pub fn extents(&self) -> [usize; 4] {
        let (n, h, w, c) = self.inputs[0].dim();
        [n, h, w, c]
    }
}

/// What a layer's backward pass gives.
pub struct Gradient {
    /// For each input.
    pub inputs: Vec<Array4<f32>>,
    /// For each parameter; nothing for statistics.
    pub params: Vec<Vec<f32>>,
}

impl Gradient {
    /// Of a layer with one input and no parameters.
    pub fn of(input: Array4<f32>) -> Self {
        Self { inputs: vec![input], params: Vec::new() }
    }
}

/// What a plan is made for, as far as a layer asks.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    pub training: bool,
    /// Images side by side; else one at a time, channels side by side.
    pub side_by_side: bool,
    /// The layer is the model's last.
    pub last: bool,
    /// The loss takes the numbers before a softmax at the end.
    pub own_softmax: bool,
    /// The loss takes the numbers before a sigmoid at the end.
    pub own_sigmoid: bool,
}

/// How a layer's output comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// By a step, in a place of its own.
    Step,
    /// By a step that may overwrite the input.
    InPlace,
    /// It is the input.
    Same,
}

/// What a cell of a layer's output is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MadeOf {
    /// The same cell of the input.
    Cell,
    /// All channels of the same place.
    Channels,
    /// The same cell of each input; an input of a single row, column or channel is spread over all.
    Each,
    /// One cell of one of the inputs, whose channels stand one after the other.
    Joined,
    /// One cell at another place, as [`super::LayerKind::moved_from`] says, or a number that is made up.
    Moved,
    /// Many numbers: a window, a whole map, all of the input.
    Many,
}

/// Which of a network's three parts a layer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Finds features: filters slide over maps.
    Convolution,
    /// Makes maps smaller.
    Subsampling,
    /// Weighs all features for the answer.
    Connected,
    /// Brings several ways together: part of what comes before it.
    Joins,
    /// Changes the numbers of the layer before.
    Follows,
}

/// A few words in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// English.
    pub en: String,
    /// Korean.
    pub ko: String,
}

impl Words {
    /// The same thing said twice.
    pub fn new(en: impl Into<String>, ko: impl Into<String>) -> Self {
        Self { en: en.into(), ko: ko.into() }
    }
}
