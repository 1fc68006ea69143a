//! What a compiled model is made of: steps over numbers that have been given their places.
//!
//! A step is one of a closed list, so that nothing is looked up and nothing allocated while it runs. Each kind of
//! step has a file: how it runs with images side by side, forward and backward. [`single`] has the steps of plans
//! that take images one at a time.

mod activation;
mod batch_norm;
mod conv;
mod dense;
mod dropout;
mod embedding;
mod flatten;
mod grid;
mod join;
mod places;
mod pool;
mod rows;
mod scene;
pub mod single;
mod transpose;

pub use activation::{Function, InPlace};
pub use batch_norm::{BatchNorm, FrozenNorm, NormState};
pub use conv::{Conv, ConvPooled};
pub use dense::Dense;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use flatten::Flatten;
pub use grid::OnGrid;
pub use join::{Add, Concat};
pub use places::{Places, Placing};
pub use pool::{AvgPool, MaxPool};
pub use rows::{move_rows, split};
pub use scene::{Forward, Kept, MOST_LANES, Parameter, Scene};
pub use transpose::ConvTransposed;

/// One step: what it reads and writes, and how.
#[derive(Clone, Debug)]
pub struct Step {
    pub kind: StepKind,
    /// The values that go in; for each, whether its gradient is added to what later steps left there, or stored.
    /// The model's input has no gradient.
    pub inputs: Vec<Input>,
    /// The value that comes out.
    pub y: usize,
    /// The model's nodes that the step does, each the only reader of the one before.
    pub nodes: Vec<usize>,
}

/// A value that a step reads.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    pub value: usize,
    /// Whether its gradient is added to another; nothing where it has none.
    pub gradient: Option<bool>,
}

impl Step {
    /// The first input's value.
    pub fn x(&self) -> usize {
        self.inputs[0].value
    }

    /// Whether the output overwrites the input.
    pub fn in_place(&self) -> bool {
        self.x() == self.y
    }
}

macro_rules! steps {
    ($($kind:ident,)*) => {
        /// How a step with images side by side computes.
        #[derive(Clone, Debug)]
        pub enum StepKind {
            $($kind($kind),)*
        }

        impl StepKind {
            /// Computes the step's output.
            pub fn forward(&self, scene: &mut Scene<'_>, step: &Step, mode: Forward) {
                match self {
                    $(StepKind::$kind(kind) => kind.forward(scene, step, mode),)*
                }
            }

            /// Computes the gradients of inputs and parameters from that of the output.
            pub fn backward(&self, scene: &mut Scene<'_>, step: &Step) {
                match self {
                    $(StepKind::$kind(kind) => kind.backward(scene, step),)*
                }
            }

            /// The module of `foveal_kernels` that does the work.
            pub fn kernel(&self) -> &'static str {
                match self {
                    $(StepKind::$kind(_) => $kind::KERNEL,)*
                }
            }

            /// What a group keeps beside the output, in bytes.
            pub fn kept(&self, lanes: usize) -> usize {
                match self {
                    $(StepKind::$kind(kind) => kind.kept(lanes),)*
                }
            }

            /// Gradients that the backward pass computes, each as many operations as the forward pass; `trained` says
            /// whether the layer's parameters are trained.
            pub fn gradients(&self, step: &Step, trained: bool) -> u64 {
                match self {
                    $(StepKind::$kind(kind) => kind.gradients(step, trained),)*
                }
            }
        }
    };
}

steps! {
    Conv,
    ConvPooled,
    ConvTransposed,
    Dense,
    Function,
    InPlace,
    MaxPool,
    AvgPool,
    Embedding,
    BatchNorm,
    FrozenNorm,
    Dropout,
    Flatten,
    Add,
    Concat,
    OnGrid,
}

/// A step with images side by side.
trait Run {
    /// The module of `foveal_kernels` that does the work.
    const KERNEL: &'static str;

    /// Computes the output.
    fn forward(&self, scene: &mut Scene<'_>, step: &Step, mode: Forward);

    /// Computes the gradients of inputs and parameters from that of the output.
    fn backward(&self, scene: &mut Scene<'_>, step: &Step);

    /// What a group keeps beside the output, in bytes.
    fn kept(&self, _lanes: usize) -> usize {
        0
    }

    /// Gradients that the backward pass computes: that of the input, if it is wanted.
    fn gradients(&self, step: &Step, _trained: bool) -> u64 {
        u64::from(step.inputs.iter().any(|i| i.gradient.is_some()))
    }
}
