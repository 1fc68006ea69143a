//! What is done with sums before they are stored.

use crate::geometry::Pool2dGeometry;
use crate::lanes::elementwise::Activation;
use crate::simd::Simd;

/// What follows a convolution and is part of its step, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct After {
    /// Another image is added, which lies as the output does.
    pub add: bool,
    /// A function of each number.
    pub activation: Option<Activation>,
    /// Max pooling; with it nothing is added, and the function is none, ReLU or a clip, which may as well come
    /// before it.
    pub pool: Option<Pool2dGeometry>,
}

/// What is done with a sum while it is in a register.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finish {
    /// Smaller sums become this: 0 for ReLU, minus infinity for nothing.
    pub floor: f32,
    /// Larger sums become this.
    pub ceiling: f32,
    /// Four positions in a row make one output, the largest of them.
    pub pool: bool,
}

impl Finish {
    /// Sums as they are.
    pub const NONE: Self = Self { floor: f32::NEG_INFINITY, ceiling: f32::INFINITY, pool: false };

    /// Splits `after` in what is done in registers, and a function that is applied to what has been stored.
    pub fn of(after: &After) -> (Self, Option<Activation>) {
        let (floor, ceiling, function) = match after.activation {
            None => (f32::NEG_INFINITY, f32::INFINITY, None),
            Some(Activation::Relu) => (0.0, f32::INFINITY, None),
            Some(Activation::Clip(low, high)) => (low, high, None),
            function => (f32::NEG_INFINITY, f32::INFINITY, function),
        };
        let pool = after.pool.is_some();
        assert!(!pool || (function.is_none() && !after.add), "a convolution pools what is monotone");
        (Self { floor, ceiling, pool }, function)
    }

    /// The sum between floor and ceiling; what is not a number stays so.
    #[inline(always)]
    pub fn clamp<S: Simd>(self, s: S, sum: S::V) -> S::V {
        s.min(s.splat(self.ceiling), s.max(s.splat(self.floor), sum))
    }
}

/// The larger of both; not-a-number if either is.
#[inline(always)]
pub(super) fn larger<S: Simd>(s: S, a: S::V, b: S::V) -> S::V {
    s.select(s.eq(a, a), s.max(a, b), a)
}
