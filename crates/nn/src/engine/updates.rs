//! How the parameters are cut into chunks, and where each chunk's gradient comes from.

use super::group::Group;
use super::plan::Plan;
use crate::layers::ParamRole;
use crate::model::Model;
use crate::steps::{Dense, Embedding, StepKind};
use foveal_kernels::Isa;
use foveal_kernels::lanes::elementwise::add_assign;
use foveal_kernels::lanes::{dense, embedding};

/// Numbers that a worker updates at a time.
const CHUNK: usize = 2048;
/// The same of an embedding's table: every chunk goes through all that was looked up.
const LOOKED_UP: usize = 8192;

/// How the trainable numbers are cut into chunks.
pub(super) struct Updates {
    /// Where chunks begin and end among all numbers.
    pub bounds: Vec<usize>,
    pub chunks: Vec<Chunk>,
}

/// Where a chunk's gradient comes from, and how it is changed.
pub(super) struct Chunk {
    pub source: Source,
    /// The parameter, among the model's.
    pub param: usize,
    /// Whether weight decay applies to it.
    pub decay: bool,
    pub rates: Rates,
}

/// How a parameter differs from the others in how it is trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// What the learning rate is multiplied by.
    pub lr: f32,
    /// Its weight decay; `None` for the optimizer's, which applies to weights alone.
    pub decay: Option<f32>,
}

impl Default for Rates {
    fn default() -> Self {
        Self { lr: 1.0, decay: None }
    }
}

pub(super) enum Source {
    /// Rows of a dense layer's weights, from `first` on: from what the groups saved.
    Dense { layer: Dense, first: usize },
    /// Rows of an embedding's table, from `first` on: from what the groups saved.
    Embedding { layer: Embedding, first: usize },
    /// Numbers from this place of the groups' gradients on.
    Groups(usize),
}

/// The step whose gradients of parameter `p` are computed when it is updated.
enum Saved<'a> {
    Dense(&'a Dense),
    Embedding(&'a Embedding),
    None,
}

fn saved(plan: &Plan, p: usize) -> Saved<'_> {
    let found = plan.steps.iter().find_map(|step| match &step.kind {
        StepKind::Dense(layer) if layer.weights == p => Some(Saved::Dense(layer)),
        StepKind::Embedding(layer) if layer.table == p => Some(Saved::Embedding(layer)),
        _ => None,
    });
    found.unwrap_or(Saved::None)
}

impl Updates {
    pub fn new(model: &Model, plan: &Plan) -> Self {
        let mut order: Vec<usize> =
            (0..model.params().len()).filter(|&p| model.params()[p].trainable).collect();
        order.sort_by_key(|&p| plan.places.offsets[p]);
        let (mut bounds, mut chunks) = (vec![0], Vec::new());
        for p in order {
            let param = &model.params()[p];
            let (count, start) = (param.values.len(), plan.places.offsets[p]);
            let saved = saved(plan, p);
            let step = match &saved {
                // Rows are taken by sixes by the kernel.
                Saved::Dense(layer) => layer.units * (CHUNK / layer.units).next_multiple_of(6).max(6),
                Saved::Embedding(layer) => layer.size * (LOOKED_UP / layer.size).max(1),
                Saved::None => CHUNK,
            };
            for first in (0..count).step_by(step) {
                let source = match &saved {
                    Saved::Dense(layer) => {
                        Source::Dense { layer: (*layer).clone(), first: first / layer.units }
                    }
                    Saved::Embedding(layer) => {
                        Source::Embedding { layer: (*layer).clone(), first: first / layer.size }
                    }
                    Saved::None => Source::Groups(plan.places.gradients[p].expect("trainable") + first),
                };
                let decay = param.role == ParamRole::Weights;
                chunks.push(Chunk { source, param: p, decay, rates: Rates::default() });
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

impl Source {
    /// The gradient of a chunk, summed over the groups in their order.
    pub fn sum(&self, isa: Isa, groups: &[Group], gradient: &mut [f32]) {
        match self {
            Source::Dense { layer, first } => {
                let group = |g: usize| {
                    let saved = &groups[g].kept.saved;
                    (&saved[layer.x.clone()], &saved[layer.dy.clone()])
                };
                let (inputs, units) = (layer.inputs, layer.units);
                dense::backward_weights(isa, groups.len(), group, inputs, units, *first, gradient);
            }
            Source::Embedding { layer, first } => {
                let group = |g: usize| {
                    let saved = &groups[g].kept.saved;
                    (&saved[layer.ids.clone()], &saved[layer.dy.clone()])
                };
                let extents = [layer.lookup.rows, layer.size];
                embedding::backward(groups.len(), group, extents, *first, gradient);
            }
            Source::Groups(at) => {
                let own = *at..at + gradient.len();
                gradient.copy_from_slice(&groups[0].kept.gradients[own.clone()]);
                for group in &groups[1..] {
                    add_assign(isa, &group.kept.gradients[own.clone()], gradient);
                }
            }
        }
    }
}
