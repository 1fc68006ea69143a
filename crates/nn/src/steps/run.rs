//! What every step with images side by side can do.

use super::scene::{Forward, Scene};
use super::wires::Wires;

/// A step with images side by side.
pub trait Run {
    /// The module of `foveal_kernels` that does the work.
    const KERNEL: &'static str;

    /// The same, where the step has a choice.
    fn kernel(&self) -> &'static str {
        Self::KERNEL
    }

    /// Computes the output.
    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, mode: Forward);

    /// Computes the gradients of inputs and parameters from that of the output.
    fn backward(&self, scene: &mut Scene<'_>, step: &Wires);

    /// What a group keeps beside the output, in bytes.
    fn kept(&self, _lanes: usize) -> usize {
        0
    }

    /// Gradients that the backward pass computes: that of the input, if it is wanted.
    fn gradients(&self, step: &Wires, _trained: bool) -> u64 {
        u64::from(step.inputs.iter().any(|i| i.gradient.is_some()))
    }
}
