//! Layers whose arithmetic stands in the kernels already: a function of each number, or an operation of
//! [`foveal_kernels::grid`]. They say which; all else follows.

use super::fields::fits;
use super::layer::{At, Gradient, Inputs, Layer, MadeOf, ParamSpec, Pass, Passage, Role, Shape, Words};
use super::pooling::Pooling;
use crate::Error;
use crate::ops;
use crate::steps::single::{SinglePlace, SingleStep};
use crate::steps::{
    AvgPool, Function, InPlace, MaxPool, NhwcAvgPool, NhwcMaxPool, OnGrid, Placing, StepKind,
};
use foveal_kernels::grid::{Op, Rearrangement};
use foveal_kernels::lanes::elementwise::Activation;
use foveal_kernels::{GeometryError, Pool2dGeometry};
use ndarray::{Array4, ArrayView4};

/// What a simple layer does to its inputs.
pub enum Arithmetic {
    /// A function of each number.
    Function(Activation),
    /// Windows, each of which becomes one number.
    Pool(Pooling),
    /// An operation of the kernels.
    Op(Op),
}

/// A layer that says what it does, and leaves the rest to the implementation of [`Layer`] below.
pub trait Simple {
    /// Its arithmetic for inputs of these shapes.
    ///
    /// # Errors
    /// When an option is out of range.
    fn arithmetic(&self, from: &[Shape]) -> Result<Arithmetic, String>;

    /// Its parameters for inputs whose shapes fit.
    fn params(&self, _from: &[Shape]) -> Vec<ParamSpec> {
        Vec::new()
    }

    /// Whether a plan for this leaves the layer out.
    fn left_out(&self, _pass: &Pass) -> bool {
        false
    }

    /// The options of an activation, by name.
    fn numbers(&self) -> Vec<(&'static str, f32)> {
        Vec::new()
    }

    fn role(&self) -> Role;

    fn words(&self) -> Words;
}

/// Shapes of the least extents, for what does not depend on shapes.
const NOTHING: &[Shape] = &[[1, 1, 1], [1, 1, 1]];

fn checked(layer: &impl Simple, from: &[Shape]) -> Arithmetic {
    layer.arithmetic(from).expect("the options were checked when the model was made")
}

impl<T: Simple> Layer for T {
    fn inputs(&self) -> Inputs {
        match self.arithmetic(NOTHING) {
            Ok(Arithmetic::Op(op)) if op.inputs() == 2 => Inputs::Two,
            _ => Inputs::One,
        }
    }

    fn shape(&self, from: &[Shape]) -> Result<(Shape, u64), String> {
        match self.arithmetic(from)? {
            Arithmetic::Function(_) => Ok((from[0], super::fields::count(from[0]))),
            Arithmetic::Pool(pool) => pool.shape(from[0]),
            Arithmetic::Op(op) => {
                let shape = op.output_shape(from)?;
                fits("output", shape)?;
                Ok((shape, op.flops(from)))
            }
        }
    }

    fn params(&self, from: &[Shape]) -> Vec<ParamSpec> {
        Simple::params(self, from)
    }

    fn forward(&self, at: &At<'_>) -> Result<Array4<f32>, Error> {
        match checked(self, &shapes(at)) {
            Arithmetic::Function(f) => Ok(ops::activation(f, at.x())),
            Arithmetic::Pool(pool) => pool.forward(at.x()),
            Arithmetic::Op(op) => ops::grid::run(&op, &at.inputs, &at.values()),
        }
    }

    fn gradient(&self, at: &At<'_>, y: ArrayView4<f32>, d: ArrayView4<f32>) -> Result<Gradient, Error> {
        match checked(self, &shapes(at)) {
            Arithmetic::Function(f) => Ok(Gradient::of(ops::activation_backward(f, at.x(), d)?)),
            Arithmetic::Pool(pool) => pool.gradient(at, d),
            Arithmetic::Op(op) => {
                let (inputs, params) = ops::grid::gradients(&op, &at.inputs, &at.values(), y, d)?;
                Ok(Gradient { inputs, params })
            }
        }
    }

    fn reads_output(&self) -> bool {
        match self.arithmetic(NOTHING) {
            Ok(Arithmetic::Op(op)) => op.reads_output(),
            // A window's gradient goes by the places noted on the way forward.
            Ok(Arithmetic::Pool(_)) => false,
            _ => true,
        }
    }

    fn passage(&self, pass: &Pass) -> Passage {
        if self.left_out(pass) {
            return Passage::Same;
        }
        match self.arithmetic(NOTHING) {
            Ok(Arithmetic::Function(f)) if f.slope_from_output() => Passage::InPlace,
            _ => Passage::Step,
        }
    }

    fn step(&self, place: &mut Placing<'_>) -> StepKind {
        match checked(self, place.from) {
            Arithmetic::Function(f) if place.in_place() => StepKind::InPlace(InPlace(f)),
            Arithmetic::Function(f) => StepKind::Function(Function::new(place, f)),
            Arithmetic::Pool(pool) => {
                let g = pool.checked(place.shape());
                match (pool.max, place.channels_last()) {
                    (true, false) => StepKind::MaxPool(MaxPool::new(place, &g)),
                    (false, false) => StepKind::AvgPool(AvgPool::new(place, &g)),
                    (true, true) => StepKind::NhwcMaxPool(NhwcMaxPool::new(place, &g)),
                    (false, true) => StepKind::NhwcAvgPool(NhwcAvgPool::new(&g)),
                }
            }
            Arithmetic::Op(op) => StepKind::OnGrid(OnGrid::new(place, &op)),
        }
    }

    fn single(&self, place: &SinglePlace<'_>) -> SingleStep {
        match checked(self, &place.from()) {
            Arithmetic::Function(f) => SingleStep::Function(f),
            Arithmetic::Pool(pool) if pool.max => SingleStep::MaxPool(pool.checked(place.shape())),
            Arithmetic::Pool(pool) => SingleStep::AvgPool(pool.checked(place.shape())),
            Arithmetic::Op(op) => place.grid(&op),
        }
    }

    fn role(&self) -> Role {
        Simple::role(self)
    }

    fn words(&self) -> Words {
        Simple::words(self)
    }

    fn keeps_places(&self) -> bool {
        match self.arithmetic(NOTHING) {
            Ok(Arithmetic::Op(op)) => op_keeps_places(&op),
            Ok(Arithmetic::Function(_)) => true,
            Ok(Arithmetic::Pool(_)) | Err(_) => false,
        }
    }

    fn pool_geometry(&self, from: Shape, n: usize) -> Option<Result<Pool2dGeometry, GeometryError>> {
        match self.arithmetic(&[from]) {
            Ok(Arithmetic::Pool(pool)) => Some(pool.geometry(from, n)),
            _ => None,
        }
    }

    fn made_of(&self) -> MadeOf {
        match self.arithmetic(NOTHING) {
            Ok(Arithmetic::Op(op)) => op_made_of(&op),
            Ok(Arithmetic::Pool(_)) => MadeOf::Many,
            Ok(Arithmetic::Function(_)) => MadeOf::Cell,
            // A slice, whose options mean nothing without its input's shape.
            Err(_) => MadeOf::Moved,
        }
    }

    fn numbers(&self) -> Vec<(&'static str, f32)> {
        Simple::numbers(self)
    }

    fn moved_from(&self, from: Shape, at: Shape) -> Option<Option<Shape>> {
        match self.arithmetic(&[from]) {
            Ok(Arithmetic::Op(Op::Rearrange { how, .. })) => Some(how.source(from, at)),
            _ => None,
        }
    }

    fn function(&self) -> Option<Activation> {
        match self.arithmetic(NOTHING) {
            Ok(Arithmetic::Function(f)) => Some(f),
            _ => None,
        }
    }
}

fn shapes(at: &At<'_>) -> Vec<Shape> {
    at.inputs.iter().map(|x| [x.dim().1, x.dim().2, x.dim().3]).collect()
}

fn op_made_of(op: &Op) -> MadeOf {
    match op {
        Op::Rearrange { .. } => MadeOf::Moved,
        Op::Binary(_) => MadeOf::Each,
        Op::LayerNorm { .. } | Op::L2Normalize { .. } | Op::Softmax | Op::LogSoftmax => MadeOf::Channels,
        Op::Scale | Op::Prelu => MadeOf::Cell,
        Op::Resize(_) | Op::Reduce { .. } | Op::GroupNorm { .. } | Op::LocalResponseNorm { .. } => {
            MadeOf::Many
        }
    }
}

fn op_keeps_places(op: &Op) -> bool {
    match op {
        Op::Rearrange { how, .. } => matches!(how, Rearrangement::ChannelShuffle { .. }),
        Op::Resize(_) | Op::Reduce { .. } => false,
        Op::Binary(_)
        | Op::GroupNorm { .. }
        | Op::LayerNorm { .. }
        | Op::LocalResponseNorm { .. }
        | Op::L2Normalize { .. }
        | Op::Softmax
        | Op::LogSoftmax
        | Op::Scale
        | Op::Prelu => true,
    }
}
