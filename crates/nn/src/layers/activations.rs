//! What activation functions have in common.

use super::layer::{Pass, Role, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::lanes::elementwise::Activation;

/// A layer that is a function of each number.
pub trait ActivationLayer {
    /// The function.
    ///
    /// # Errors
    /// When an option is out of range.
    fn activation(&self) -> Result<Activation, String>;

    fn words(&self) -> Words;

    /// Whether a plan for this leaves the layer out.
    fn left_out(&self, _pass: &Pass) -> bool {
        false
    }

    /// The options, by name.
    fn numbers(&self) -> Vec<(&'static str, f32)> {
        Vec::new()
    }
}

impl<T: ActivationLayer> Simple for T {
    fn arithmetic(&self, _: &[super::Shape]) -> Result<Arithmetic, String> {
        self.activation().map(Arithmetic::Function)
    }

    fn left_out(&self, pass: &Pass) -> bool {
        ActivationLayer::left_out(self, pass)
    }

    fn numbers(&self) -> Vec<(&'static str, f32)> {
        ActivationLayer::numbers(self)
    }

    fn role(&self) -> Role {
        Role::Follows
    }

    fn words(&self) -> Words {
        ActivationLayer::words(self)
    }
}

/// A number that must be finite.
pub(super) fn finite(what: &str, value: f32) -> Result<f32, String> {
    if value.is_finite() { Ok(value) } else { Err(format!("{what} must be finite, got {value}")) }
}

/// A number that must be finite and above 0.
pub(super) fn positive(what: &str, value: f32) -> Result<f32, String> {
    if value > 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(format!("{what} must be above 0, got {value}"))
    }
}
