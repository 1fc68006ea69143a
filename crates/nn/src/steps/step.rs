//! The closed list of steps with images side by side.

use super::activation::{Function, InPlace};
use super::batch_norm::{BatchNorm, FrozenNorm};
use super::conv::{Conv, ConvPooled};
use super::dense::Dense;
use super::dropout::Dropout;
use super::embedding::Embedding;
use super::flatten::Flatten;
use super::grid::OnGrid;
use super::join::{Add, Concat};
use super::nhwc::{NhwcAvgPool, NhwcConv, NhwcMaxPool};
use super::own::Own;
use super::pool::{AvgPool, MaxPool};
use super::run::Run;
use super::scene::{Forward, Scene};
use super::transpose::ConvTransposed;
use super::wires::Wires;
use foveal_kernels::dispatch::TRAINING;

/// One step: what it reads and writes, and how.
#[derive(Clone, Debug)]
pub struct Step {
    pub kind: StepKind,
    pub wires: Wires,
    /// The model's nodes that the step does, each the only reader of the one before.
    pub nodes: Vec<usize>,
}

impl Step {
    /// Runs `steps` in order.
    pub fn forward(steps: &[Step], scene: &mut Scene<'_>, mode: Forward) {
        steps.iter().for_each(|step| step.kind.forward(scene, &step.wires, mode));
    }

    /// Runs the gradients of `steps` in reverse order.
    pub fn backward(steps: &[Step], scene: &mut Scene<'_>) {
        let places = scene.places;
        // Where nothing before a step is trained, its output has no gradient.
        for step in steps.iter().rev().filter(|step| !places.values[step.wires.y].d.is_empty()) {
            step.kind.backward(scene, &step.wires);
        }
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
            pub fn forward(&self, scene: &mut Scene<'_>, step: &Wires, mode: Forward) {
                match self {
                    $(StepKind::$kind(kind) => kind.forward(scene, step, mode),)*
                }
            }

            /// Computes the gradients of inputs and parameters from that of the output.
            pub fn backward(&self, scene: &mut Scene<'_>, step: &Wires) {
                // Without training no step's gradients are compiled: a plan that would ask for them is refused.
                if !TRAINING {
                    unreachable!("gradients without training");
                }
                match self {
                    $(StepKind::$kind(kind) => kind.backward(scene, step),)*
                }
            }

            /// The module of `foveal_kernels` that does the work.
            pub fn kernel(&self) -> &'static str {
                match self {
                    $(StepKind::$kind(kind) => kind.kernel(),)*
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
            pub fn gradients(&self, step: &Wires, trained: bool) -> u64 {
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
    NhwcConv,
    NhwcMaxPool,
    NhwcAvgPool,
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
    Own,
}
