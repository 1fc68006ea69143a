//! Optimizers' updates over slices of parameters: one sweep reads the gradient and writes everything.

use crate::dispatch::Isa;
use crate::simd::{Kernel, Simd};

/// The numbers of one Adam step. With `t` the step from 1 on, `m = b1 m + (1 - b1) g`,
/// `v = b2 v + (1 - b2) g^2`, and the parameter loses
/// `lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)` (Kingma and Ba 2015, algorithm 1), and before
/// that `lr * decay` of itself (Loshchilov and Hutter 2019: AdamW).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Learning rate of this step.
    pub lr: f32,
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Keeps the quotient finite.
    pub epsilon: f32,
    /// Decoupled weight decay.
    pub decay: f32,
    /// The step, from 1 on.
    pub step: u64,
}

impl Adam {
    /// Updates `values` and both moments in place. All slices have one length.
    pub fn update(&self, isa: Isa, values: &mut [f32], m: &mut [f32], v: &mut [f32], gradient: &[f32]) {
        struct Run<'a>(&'a Adam, &'a mut [f32], &'a mut [f32], &'a mut [f32], &'a [f32]);
        impl Kernel for Run<'_> {
            type Output = ();
            #[inline(always)]
            fn run<S: Simd>(self, _: S) {
                let Run(a, values, m, v, gradient) = self;
                let t = a.step.min(i32::MAX as u64) as i32;
                let rate = a.lr / (1.0 - f64::from(a.beta1).powi(t)) as f32;
                let root = (1.0 / (1.0 - f64::from(a.beta2).powi(t))) as f32;
                let keep = 1.0 - a.lr * a.decay;
                let all = values.iter_mut().zip(m).zip(v).zip(gradient);
                for (((x, m), v), &g) in all {
                    *m = a.beta1 * *m + (1.0 - a.beta1) * g;
                    *v = a.beta2 * *v + (1.0 - a.beta2) * (g * g);
                    *x = *x * keep - rate * *m / ((*v * root).sqrt() + a.epsilon);
                }
            }
        }
        isa.train(Run(self, values, m, v, gradient));
    }
}

/// The numbers of one step of stochastic gradient descent. With `g` the gradient plus `decay` times the
/// parameter and `m = momentum * m + g`, the parameter loses `lr * m`, or `lr * (g + momentum * m)` with
/// Nesterov's look-ahead (Sutskever et al. 2013, in PyTorch's form).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// Learning rate of this step.
    pub lr: f32,
    /// Share of the last step that goes on; 0 for none.
    pub momentum: f32,
    /// Looks ahead along the momentum.
    pub nesterov: bool,
    /// L2 weight decay.
    pub decay: f32,
}

impl Sgd {
    /// Updates `values` and the momentum in place. All slices have one length.
    pub fn update(&self, isa: Isa, values: &mut [f32], m: &mut [f32], gradient: &[f32]) {
        struct Run<'a>(&'a Sgd, &'a mut [f32], &'a mut [f32], &'a [f32]);
        impl Kernel for Run<'_> {
            type Output = ();
            #[inline(always)]
            fn run<S: Simd>(self, _: S) {
                let Run(a, values, m, gradient) = self;
                for ((x, m), &g) in values.iter_mut().zip(m).zip(gradient) {
                    let g = g + a.decay * *x;
                    *m = a.momentum * *m + g;
                    let step = if a.nesterov { g + a.momentum * *m } else { *m };
                    *x -= a.lr * step;
                }
            }
        }
        isa.train(Run(self, values, m, gradient));
    }
}
