//! The second half of a training step: every chunk of parameters sums its gradient over the groups, in their
//! order, and is updated at once.

use super::core::Engine;
use super::updates::Chunk;
use crate::optim::Optimizer;
use foveal_kernels::Isa;
use foveal_kernels::optimizer::{Adam, Sgd};

impl Engine {
    /// Sums the gradients of the first `groups` groups and takes one step of the optimizer.
    pub(super) fn update(&mut self, groups: usize, lr: f32) {
        self.steps += 1;
        let step = Taken { isa: self.options.isa, optimizer: self.options.optimizer, lr, step: self.steps };
        let Self { team, workers, groups: all, values, moments: [m, v], updates, options, .. } = self;
        let (isa, groups) = (options.isa, &all[..groups]);
        team.for_each_part(workers, &updates.bounds, [values, m, v], |worker, i, [x, m, v]| {
            let chunk = &updates.chunks[i];
            let gradient = &mut worker.gradient[..x.len()];
            chunk.source.sum(isa, groups, gradient);
            step.apply(chunk, [x, m, v], gradient);
        });
    }
}

/// A step of the optimizer.
pub(super) struct Taken {
    pub isa: Isa,
    pub optimizer: Optimizer,
    pub lr: f32,
    pub step: u64,
}

impl Taken {
    /// Changes a chunk of parameters, with their moments, by its gradient.
    #[inline]
    pub fn apply(&self, chunk: &Chunk, [x, m, v]: [&mut [f32]; 3], gradient: &[f32]) {
        let Self { isa, step, .. } = *self;
        let lr = self.lr * chunk.rates.lr;
        let decayed = |decay: f32| chunk.rates.decay.unwrap_or(if chunk.decay { decay } else { 0.0 });
        match self.optimizer {
            Optimizer::Adam { beta1, beta2, epsilon, decay } => {
                let adam = Adam { lr, beta1, beta2, epsilon, decay: decayed(decay), step };
                adam.update(isa, x, m, v, gradient);
            }
            Optimizer::Sgd { momentum, nesterov, decay } => {
                Sgd { lr, momentum, nesterov, decay: decayed(decay) }.update(isa, x, m, gradient);
            }
        }
    }
}
