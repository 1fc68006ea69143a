use super::activations::{finite, positive};
use super::layer::{Role, Shape, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::grid::Op;
use serde::{Deserialize, Serialize};

/// Divides each number by `(bias + alpha / size * sum of squares)^beta` over `size` neighbouring channels (Krizhevsky et al.
/// 2012), as PyTorch and ONNX count.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LocalResponseNorm {
    /// Channels in a window.
    pub size: usize,
    /// Weight of the squares.
    pub alpha: f32,
    /// Exponent.
    pub beta: f32,
    /// Added to the sum; above 0.
    pub bias: f32,
}

impl Default for LocalResponseNorm {
    fn default() -> Self {
        Self { size: 5, alpha: 1e-4, beta: 0.75, bias: 1.0 }
    }
}

impl Simple for LocalResponseNorm {
    fn arithmetic(&self, _: &[Shape]) -> Result<Arithmetic, String> {
        let Self { size, .. } = *self;
        let (alpha, beta) = (finite("alpha", self.alpha)?, finite("beta", self.beta)?);
        let bias = positive("bias", self.bias)?;
        if alpha < 0.0 {
            return Err(format!("alpha must not be below 0, got {alpha}"));
        }
        Ok(Arithmetic::Op(Op::LocalResponseNorm { size, alpha, beta, bias }))
    }

    fn role(&self) -> Role {
        Role::Follows
    }

    fn words(&self) -> Words {
        Words::new(
            format!("divided by {} neighbouring channels", self.size),
            format!("이웃한 채널 {}개로 나눔", self.size),
        )
    }
}
