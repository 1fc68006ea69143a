//! The second half of a training step: every chunk of parameters sums its gradient over the groups, in their
//! order, and is updated at once.

use super::Engine;
use super::plan::Plan;
use crate::model::Model;
use crate::optim::Optimizer;
use foveal_kernels::lanes::elementwise::add_assign;
use foveal_kernels::lanes::{dense, embedding};
use foveal_kernels::optimizer::{Adam, Sgd};

/// Numbers that a worker updates at a time.
const CHUNK: usize = 2048;
/// The same of an embedding's table: every chunk goes through all that was looked up.
const LOOKED_UP: usize = 8192;

/// How the trainable numbers are cut into chunks.
pub(super) struct Updates {
    /// Where chunks begin and end among all numbers.
    bounds: Vec<usize>,
    chunks: Vec<Chunk>,
}

/// Where a chunk's gradient comes from, and whether weight decay applies to it.
struct Chunk {
    source: Source,
    decay: bool,
}

enum Source {
    /// Rows of a dense layer's weights, from `first` on: from what the groups saved.
    Dense { index: usize, first: usize },
    /// Rows of an embedding's table, from `first` on: from what the groups saved.
    Embedding { index: usize, first: usize },
    /// Numbers from this place of the groups' gradients on.
    Groups(usize),
}

impl Updates {
    pub fn new(model: &Model, plan: &Plan) -> Self {
        let mut order: Vec<usize> =
            (0..model.params().len()).filter(|&p| model.params()[p].trainable).collect();
        order.sort_by_key(|&p| plan.offsets[p]);
        let (mut bounds, mut chunks) = (vec![0], Vec::new());
        for p in order {
            let param = &model.params()[p];
            let (count, start) = (param.values.len(), plan.offsets[p]);
            let dense = plan.dense.iter().position(|d| d.weights == p);
            let embedding = plan.embeddings.iter().position(|e| e.table == p);
            let step = match (dense, embedding) {
                // Rows are taken by sixes by the kernel.
                (Some(d), _) => {
                    let units = plan.dense[d].units;
                    units * (CHUNK / units).next_multiple_of(6).max(6)
                }
                (None, Some(e)) => plan.embeddings[e].size * (LOOKED_UP / plan.embeddings[e].size).max(1),
                (None, None) => CHUNK,
            };
            for first in (0..count).step_by(step) {
                let source = match (dense, embedding) {
                    (Some(index), _) => Source::Dense { index, first: first / plan.dense[index].units },
                    (_, Some(index)) => {
                        Source::Embedding { index, first: first / plan.embeddings[index].size }
                    }
                    (None, None) => Source::Groups(plan.gradients[p].expect("trainable") + first),
                };
                chunks.push(Chunk { source, decay: param.shape.len() > 1 });
                bounds.push(start + (first + step).min(count));
            }
        }
        Self { bounds, chunks }
    }

    /// Numbers of the longest chunk.
    pub fn longest(&self) -> usize {
        self.bounds.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0)
    }
}

impl Engine {
    /// Sums the gradients of the first `groups` groups and takes one step of the optimizer.
    pub(super) fn update(&mut self, groups: usize, lr: f32) {
        self.steps += 1;
        let step = self.steps;
        let Self { plan, team, workers, groups: all, values, moments: [m, v], updates, options, .. } = self;
        let (isa, groups) = (options.isa, &all[..groups]);
        team.for_each_part(workers, &updates.bounds, [values, m, v], |worker, i, [x, m, v]| {
            let chunk = &updates.chunks[i];
            let gradient = &mut worker.gradient[..x.len()];
            match chunk.source {
                Source::Dense { index, first } => {
                    let layer = &plan.dense[index];
                    let group = |g: usize| {
                        let saved = &groups[g].state.saved;
                        (&saved[layer.x.clone()], &saved[layer.dy.clone()])
                    };
                    dense::backward_weights(
                        isa,
                        groups.len(),
                        group,
                        layer.inputs,
                        layer.units,
                        first,
                        gradient,
                    );
                }
                Source::Embedding { index, first } => {
                    let layer = &plan.embeddings[index];
                    let group = |g: usize| {
                        let saved = &groups[g].state.saved;
                        (&saved[layer.ids.clone()], &saved[layer.dy.clone()])
                    };
                    let extents = [layer.lookup.rows, layer.size];
                    embedding::backward(groups.len(), group, extents, first, gradient);
                }
                Source::Groups(at) => {
                    gradient.copy_from_slice(&groups[0].state.gradients[at..at + x.len()]);
                    for group in &groups[1..] {
                        add_assign(isa, &group.state.gradients[at..at + x.len()], gradient);
                    }
                }
            }
            let decayed = |decay: f32| if chunk.decay { decay } else { 0.0 };
            match options.optimizer {
                Optimizer::Adam { beta1, beta2, epsilon, decay } => {
                    let adam = Adam { lr, beta1, beta2, epsilon, decay: decayed(decay), step };
                    adam.update(isa, x, m, v, gradient);
                }
                Optimizer::Sgd { momentum, nesterov, decay } => {
                    Sgd { lr, momentum, nesterov, decay: decayed(decay) }.update(isa, x, m, gradient);
                }
            }
        });
    }
}
