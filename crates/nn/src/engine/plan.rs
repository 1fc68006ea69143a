//! From a model to steps over an arena.

use super::frozen;
use crate::loss::Loss;
use crate::model::{Model, activation};
use crate::spec::LayerKind;
use foveal_kernels::lanes::elementwise::Activation;
use foveal_kernels::lanes::embedding::Lookup;
use foveal_kernels::lanes::{ConvPool, Correlation, Frame, PoolWalk};
use foveal_kernels::{Conv2dGeometry, Isa, Pool2dGeometry};
use std::ops::Range;

/// A model compiled for one instruction set: values, steps, and where everything lies.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) isa: Isa,
    pub(super) values: Vec<Value>,
    pub(super) steps: Vec<Step>,
    /// Steps between two batch normalizations; each stage but the first begins with one.
    pub(super) stages: Vec<Range<usize>>,
    pub(super) norms: Vec<Norm>,
    pub(super) dense: Vec<Dense>,
    pub(super) embeddings: Vec<Embedding>,
    pub(super) output: usize,
    /// Where each parameter of the model lies among all numbers; trainable ones come first.
    pub(super) offsets: Vec<usize>,
    /// Where each parameter's gradient lies among a group's; dense weights and what is frozen have none there, but for
    /// a frozen convolution that gradients go through.
    pub(super) gradients: Vec<Option<usize>>,
    /// For each parameter of the model, whether it is trained.
    pub(super) trained: Vec<bool>,
    pub(super) parameters: usize,
    pub(super) gradient_numbers: usize,
    pub(super) arena: usize,
    pub(super) arena_bytes: usize,
    pub(super) saved: usize,
    pub(super) scratch: usize,
}

/// An activation and its gradient, in frames of their own.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub frame: Frame,
    pub gradient: Frame,
    pub at: Range<usize>,
    pub d: Range<usize>,
}

/// A batch normalization.
#[derive(Clone, Copy, Debug)]
pub(super) struct Norm {
    pub channels: usize,
    pub x: usize,
    pub y: usize,
    /// Indices of gamma, beta, moving mean and moving variance among the model's parameters.
    pub params: [usize; 4],
    pub momentum: f32,
    pub epsilon: f32,
    pub accumulate: bool,
}

/// A dense layer's sizes, and where a group keeps its input and its output's gradient until the update.
#[derive(Clone, Debug)]
pub(super) struct Dense {
    pub inputs: usize,
    pub units: usize,
    pub weights: usize,
    pub x: Range<usize>,
    pub dy: Range<usize>,
}

/// An embedding, and where a group keeps the numbers that it looked up and their gradients until the update.
#[derive(Clone, Debug)]
pub(super) struct Embedding {
    pub lookup: Lookup,
    pub size: usize,
    pub table: usize,
    pub ids: Range<usize>,
    pub dy: Range<usize>,
}

/// One step: what it reads and writes, and how.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub kind: StepKind,
    /// The values that go in; for each, whether its gradient is added to what later steps left there, or
    /// stored. The model's input has no gradient.
    pub inputs: Vec<Input>,
    pub y: usize,
    /// The first and the last of the model's nodes that the step does.
    pub nodes: [usize; 2],
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Input {
    pub value: usize,
    pub gradient: Option<bool>,
}

#[derive(Clone, Debug)]
pub(super) enum StepKind {
    Conv {
        forward: Box<Correlation>,
        backward: Vec<Correlation>,
        filter: usize,
        bias: Option<usize>,
    },
    ConvPool {
        plan: Box<ConvPool>,
        filter: usize,
        bias: Option<usize>,
        places: Range<usize>,
        expanded: Range<usize>,
    },
    Dense {
        index: usize,
        bias: Option<usize>,
    },
    Activation(Activation),
    ActivationInPlace(Activation),
    MaxPool {
        walks: Box<[PoolWalk; 2]>,
        places: Range<usize>,
    },
    AvgPool {
        walks: Box<[PoolWalk; 2]>,
    },
    Embedding {
        index: usize,
    },
    Norm {
        index: usize,
    },
    /// A normalization that is frozen: always by its moving statistics.
    FrozenNorm {
        index: usize,
    },
    Dropout {
        rate: f32,
        mask: Range<usize>,
        salt: u64,
    },
    Flatten,
    Softmax,
    Add,
    Concat,
}

/// What a node of the model becomes.
enum Lowered {
    Step(StepShape),
    /// It is part of an earlier step.
    Fused,
    /// Its output is its input.
    Same,
}

enum StepShape {
    Plain,
    InPlace,
    ConvPool { pool: Pool2dGeometry, relu: bool, last: usize },
}

struct Lowering<'a> {
    model: &'a Model,
    isa: Isa,
    training: bool,
    /// For each model value, whether its gradient is wanted.
    wanted: Vec<bool>,
    /// For each model value, the nodes that read it.
    readers: Vec<Vec<usize>>,
    /// For each model value, the plan's value that holds it.
    slot: Vec<Option<usize>>,
    plan: Plan,
}

impl Plan {
    /// Compiles `model` for `isa`; without a loss the plan only predicts.
    pub(super) fn new(model: &Model, isa: Isa, loss: Option<Loss>) -> Self {
        let mut readers = vec![Vec::new(); model.nodes().len() + 1];
        for (i, node) in model.nodes().iter().enumerate() {
            node.inputs.iter().for_each(|&v| readers[v].push(i));
        }
        let wanted = frozen::wanted(model);
        let (offsets, gradients, parameters, gradient_numbers) = layout(model, &wanted);
        let plan = Plan {
            isa,
            values: Vec::new(),
            steps: Vec::new(),
            stages: Vec::new(),
            norms: Vec::new(),
            dense: Vec::new(),
            embeddings: Vec::new(),
            output: 0,
            offsets,
            gradients,
            trained: model.params().iter().map(|p| p.trainable).collect(),
            parameters,
            gradient_numbers,
            arena: 0,
            arena_bytes: 0,
            saved: 0,
            scratch: 0,
        };
        let slot = vec![None; readers.len()];
        let mut lowering = Lowering { model, isa, training: loss.is_some(), wanted, readers, slot, plan };
        lowering.lower(loss);
        lowering.plan
    }

    /// Whether activations must be kept for every group of a batch at once.
    pub(super) fn staged(&self) -> bool {
        self.stages.len() > 1
    }
}

/// Places of parameters and of gradients: see [`Plan`].
fn layout(model: &Model, wanted: &[bool]) -> (Vec<usize>, Vec<Option<usize>>, usize, usize) {
    let mut offsets = vec![0; model.params().len()];
    let mut at = 0;
    for trainable in [true, false] {
        for (offset, p) in offsets.iter_mut().zip(model.params()).filter(|(_, p)| p.trainable == trainable) {
            *offset = at;
            at += p.values.len();
        }
    }
    let mut gradients = vec![None; offsets.len()];
    let mut numbers = 0;
    for node in model.nodes() {
        let passed = matches!(node.kind, LayerKind::Conv2d { .. }) && node.inputs.iter().any(|&v| wanted[v]);
        let needed = passed || frozen::trained(model, node);
        let moving = |k: usize| matches!(node.kind, LayerKind::BatchNorm { .. }) && k >= 2;
        for (k, &p) in node.params.iter().enumerate() {
            let deferred =
                matches!(node.kind, LayerKind::Dense { .. } | LayerKind::Embedding { .. }) && k == 0;
            if needed && !deferred && !moving(k) {
                gradients[p] = Some(numbers);
                numbers += model.params()[p].values.len();
            }
        }
    }
    (offsets, gradients, at, numbers)
}

impl Lowering<'_> {
    fn lower(&mut self, loss: Option<Loss>) {
        let model = self.model;
        let last = model.nodes().len() - 1;
        let shapes: Vec<Lowered> = (0..=last).map(|i| self.shape(i, loss)).collect();
        let frames = self.frames(&shapes);
        self.slot[0] = Some(self.value(frames[0], frames[0].halo, false));
        for (i, shape) in shapes.iter().enumerate() {
            match shape {
                // The step that took the node along has placed the output, if anyone else reads it.
                Lowered::Fused => {}
                Lowered::Same => self.slot[i + 1] = self.slot[model.nodes()[i].inputs[0]],
                Lowered::Step(shape) => {
                    let y = self.step(i, shape, &frames);
                    let end = self.plan.steps.last().map_or(i, |step| step.nodes[1]);
                    self.slot[end + 1] = Some(y);
                }
            }
        }
        self.plan.output = self.slot[last + 1].expect("every node has been lowered");
        self.scratch(self.plan.values[self.plan.output].frame.vectors());
        self.gradients();
        self.stages();
    }

    /// The only reader of value `v`, if there is just one and `v` is not the model's output.
    fn only_reader(&self, v: usize) -> Option<usize> {
        match self.readers[v][..] {
            [one] => Some(one),
            _ => None,
        }
    }

    fn shape(&self, i: usize, loss: Option<Loss>) -> Lowered {
        let node = &self.model.nodes()[i];
        let last = i + 1 == self.model.nodes().len();
        let x = node.inputs[0];
        // A node whose producer took it along.
        if x > 0 && self.only_reader(x) == Some(i) {
            let mut first = x - 1;
            for _ in 0..2 {
                if let Some((_, _, end)) = self.fusion(first)
                    && first < i
                    && self.chain(first, end).contains(&i)
                {
                    return Lowered::Fused;
                }
                match self.model.nodes()[first].inputs[0] {
                    0 => break,
                    v => first = v - 1,
                }
            }
        }
        match &node.kind {
            LayerKind::Conv2d { .. } => match self.fusion(i) {
                Some((pool, relu, last)) => Lowered::Step(StepShape::ConvPool { pool, relu, last }),
                None => Lowered::Step(StepShape::Plain),
            },
            LayerKind::Dropout { rate } if !self.training || *rate == 0.0 => Lowered::Same,
            // The loss takes the numbers before softmax.
            LayerKind::Softmax {} if last && matches!(loss, Some(Loss::CrossEntropy { .. })) => Lowered::Same,
            LayerKind::Gelu {} | LayerKind::Softmax {} => Lowered::Step(StepShape::Plain),
            // The result does not tell the sign.
            LayerKind::LeakyRelu { alpha } if *alpha < 0.0 => Lowered::Step(StepShape::Plain),
            kind if activation(kind).is_some() || matches!(kind, LayerKind::Dropout { .. }) => {
                let free = x > 0 && self.only_reader(x) == Some(i) && !self.needs_output(x - 1);
                Lowered::Step(if free { StepShape::InPlace } else { StepShape::Plain })
            }
            _ => Lowered::Step(StepShape::Plain),
        }
    }

    /// Whether the backward pass of node `i` reads its own output, so that it must not be overwritten.
    fn needs_output(&self, i: usize) -> bool {
        let kind = &self.model.nodes()[i].kind;
        activation(kind).is_some()
            || matches!(kind, LayerKind::Softmax {} | LayerKind::Dropout { .. })
            || matches!(kind, LayerKind::MaxPool { .. } | LayerKind::GlobalMaxPool {})
    }

    /// The nodes from `first` to `end`, each the only reader of the one before.
    fn chain(&self, first: usize, end: usize) -> Vec<usize> {
        let mut chain = vec![first];
        while let Some(&last) = chain.last()
            && last != end
        {
            match self.only_reader(last + 1) {
                Some(next) => chain.push(next),
                None => break,
            }
        }
        chain
    }

    /// What can be fused with the convolution `i`: the pooling, whether ReLU stands before or after it, and
    /// the last node taken along.
    fn fusion(&self, i: usize) -> Option<(Pool2dGeometry, bool, usize)> {
        self.model.conv_geometry(i, 1)?;
        let nodes = self.model.nodes();
        let is_relu = |n: usize| matches!(nodes[n].kind, LayerKind::Relu {});
        let pool = |n: usize| {
            matches!(nodes[n].kind, LayerKind::MaxPool { .. } | LayerKind::GlobalMaxPool {})
                .then(|| self.model.pool_geometry(n, 1))
                .flatten()
                .filter(ConvPool::fits)
        };
        let next = self.only_reader(i + 1)?;
        if is_relu(next) {
            let end = self.only_reader(next + 1)?;
            return pool(end).map(|g| (g, true, end));
        }
        let g = pool(next)?;
        match self.only_reader(next + 1).filter(|&n| is_relu(n)) {
            Some(end) => Some((g, true, end)),
            None => Some((g, false, next)),
        }
    }

    /// For each model value the frame of its activation, with the halo that its readers need. Values that share
    /// memory share the halo.
    fn frames(&self, shapes: &[Lowered]) -> Vec<Frame> {
        let model = self.model;
        let mut halos = vec![[0; 4]; self.readers.len()];
        let grow = |a: [usize; 4], b: [usize; 4]| std::array::from_fn(|k| a[k].max(b[k]));
        for (v, readers) in self.readers.iter().enumerate() {
            for &r in readers {
                if let Some(g) = model.conv_geometry(r, 1) {
                    halos[v] = grow(halos[v], Frame::halo_for(&g.h, &g.w));
                }
            }
        }
        for (i, shape) in shapes.iter().enumerate().rev() {
            if matches!(shape, Lowered::Same | Lowered::Step(StepShape::InPlace)) {
                let x = model.nodes()[i].inputs[0];
                halos[x] = grow(halos[x], halos[i + 1]);
            }
        }
        (0..halos.len())
            .map(|v| {
                let [height, width, channels] = model.value_shape(v);
                Frame { channels, height, width, halo: halos[v] }
            })
            .collect()
    }

    fn numbers(&mut self, vectors: usize) -> Range<usize> {
        let start = self.plan.arena;
        self.plan.arena += vectors * self.isa.lanes();
        start..self.plan.arena
    }

    fn value(&mut self, frame: Frame, gradient_halo: [usize; 4], gradient: bool) -> usize {
        let gradient_frame = Frame { halo: if gradient { gradient_halo } else { [0; 4] }, ..frame };
        let at = self.numbers(frame.vectors());
        let d = if gradient && self.training { self.numbers(gradient_frame.vectors()) } else { 0..0 };
        self.plan.values.push(Value { frame, gradient: gradient_frame, at, d });
        self.plan.values.len() - 1
    }

    fn scratch(&mut self, vectors: usize) {
        self.plan.scratch = self.plan.scratch.max(vectors * self.isa.lanes());
    }

    /// Adds the step of node `i`; gives its output's value.
    fn step(&mut self, i: usize, shape: &StepShape, frames: &[Frame]) -> usize {
        let node = &self.model.nodes()[i];
        let inputs: Vec<Input> = node
            .inputs
            .iter()
            .map(|&v| Input { value: self.slot[v].expect("inputs come first"), gradient: None })
            .collect();
        let x = inputs[0].value;
        let from = self.plan.values[x].frame;
        let param = |k: usize| node.params.get(k).copied();
        let (kind, y) = match (&node.kind, shape) {
            (LayerKind::Conv2d { .. }, StepShape::ConvPool { pool, relu, last }) => {
                let g = self.model.conv_geometry(i, 1).expect("a convolution");
                let y = self.value(frames[last + 1], [0; 4], self.wanted[last + 1]);
                (self.conv_pool(&g, pool, *relu, [x, y], [param(0), param(1)]), y)
            }
            (LayerKind::Conv2d { .. }, _) => {
                let g = self.model.conv_geometry(i, 1).expect("a convolution");
                let y = self.value(frames[i + 1], Correlation::backward_halo(&g), self.wanted[i + 1]);
                let to = &self.plan.values[y];
                let backward = if self.training && !self.plan.values[x].d.is_empty() {
                    Correlation::backward_input(&g, &to.gradient, &self.plan.values[x].gradient)
                } else {
                    Vec::new()
                };
                let forward = Box::new(Correlation::forward(&g, &from, &to.frame));
                let filter = param(0).expect("a filter");
                (StepKind::Conv { forward, backward, filter, bias: param(1) }, y)
            }
            (kind, StepShape::InPlace) => {
                let kind = match kind {
                    LayerKind::Dropout { rate } => self.dropout(*rate, i, &from),
                    kind => StepKind::ActivationInPlace(activation(kind).expect("in place")),
                };
                (kind, x)
            }
            (kind, _) => {
                let y = self.value(frames[i + 1], [0; 4], self.wanted[i + 1]);
                let to = self.plan.values[y].frame;
                (self.plain(i, kind, x, y, from, to), y)
            }
        };
        let last = if let StepShape::ConvPool { last, .. } = shape { *last } else { i };
        self.plan.steps.push(Step { kind, inputs, y, nodes: [i, last] });
        y
    }

    fn conv_pool(
        &mut self,
        g: &Conv2dGeometry,
        pool: &Pool2dGeometry,
        relu: bool,
        [x, y]: [usize; 2],
        params: [Option<usize>; 2],
    ) -> StepKind {
        let (from, to) = (&self.plan.values[x], self.plan.values[y].frame);
        let wanted = !self.plan.values[y].d.is_empty();
        let plan = Box::new(ConvPool::new(self.isa, g, pool, &from.frame, &from.gradient, &to, relu));
        self.scratch(plan.strip_vectors());
        let start = self.plan.arena_bytes;
        self.plan.arena_bytes += plan.places() * self.isa.lanes();
        let places = start..self.plan.arena_bytes;
        let expanded = if wanted { self.numbers(plan.expanded_vectors()) } else { 0..0 };
        let filter = params[0].expect("a filter");
        StepKind::ConvPool { plan, filter, bias: params[1], places, expanded }
    }

    fn dropout(&mut self, rate: f32, i: usize, frame: &Frame) -> StepKind {
        let mask = self.numbers(frame.channels * frame.height * frame.width);
        StepKind::Dropout { rate, mask, salt: i as u64 }
    }

    fn plain(&mut self, i: usize, kind: &LayerKind, x: usize, y: usize, from: Frame, to: Frame) -> StepKind {
        let node = &self.model.nodes()[i];
        let gradients = [x, y].map(|v| self.plan.values[v].gradient);
        // One walk between activations, one between gradients.
        let pool = |model: &Model| {
            let g = model.pool_geometry(i, 1).expect("a pooling");
            Box::new([PoolWalk::new(&g, &from, &to), PoolWalk::new(&g, &gradients[0], &gradients[1])])
        };
        // A gradient passes through scratch where it is added to another.
        self.scratch(from.vectors());
        match kind {
            LayerKind::Dense { units, .. } => {
                let lanes = self.isa.lanes();
                let inputs = from.channels;
                let padded = foveal_kernels::lanes::dense::padded_units(self.isa, *units);
                let at = self.plan.saved;
                let (x, dy) = (at..at + inputs * lanes, at + inputs * lanes..at + (inputs + padded) * lanes);
                self.plan.saved = dy.end;
                self.plan.dense.push(Dense { inputs, units: *units, weights: node.params[0], x, dy });
                StepKind::Dense { index: self.plan.dense.len() - 1, bias: node.params.get(1).copied() }
            }
            LayerKind::Embedding { size, .. } => {
                let (index, lanes) = (self.plan.embeddings.len(), self.isa.lanes());
                let rows = self.model.params()[node.params[0]].shape[0];
                let lookup = Lookup { input: from, output: to, rows, lanes };
                let (at, kept) = (self.plan.saved, if self.training { lookup.ids() } else { 0 });
                let (ids, dy) = (at..at + kept, at + kept..at + kept * (1 + size));
                self.plan.saved = dy.end;
                let table = node.params[0];
                self.plan.embeddings.push(Embedding { lookup, size: *size, table, ids, dy });
                StepKind::Embedding { index }
            }
            LayerKind::MaxPool { .. } | LayerKind::GlobalMaxPool {} => {
                let places = self.numbers(to.channels * to.height * to.width);
                StepKind::MaxPool { walks: pool(self.model), places }
            }
            LayerKind::AvgPool { .. } | LayerKind::GlobalAvgPool {} => {
                StepKind::AvgPool { walks: pool(self.model) }
            }
            LayerKind::BatchNorm { momentum, epsilon } => {
                let params = [0, 1, 2, 3].map(|k| node.params[k]);
                let (momentum, epsilon) = (*momentum, *epsilon);
                let channels = from.channels;
                self.plan.norms.push(Norm { channels, x, y, params, momentum, epsilon, accumulate: false });
                let index = self.plan.norms.len() - 1;
                if frozen::trained(self.model, node) {
                    StepKind::Norm { index }
                } else {
                    StepKind::FrozenNorm { index }
                }
            }
            LayerKind::Dropout { rate } => self.dropout(*rate, i, &from),
            LayerKind::Flatten {} => StepKind::Flatten,
            LayerKind::Softmax {} => StepKind::Softmax,
            LayerKind::Add {} => StepKind::Add,
            LayerKind::Concat {} => StepKind::Concat,
            kind => StepKind::Activation(activation(kind).expect("the kinds left are activations")),
        }
    }

    /// Decides for each input of each step whether its gradient is stored or added: the last reader stores.
    fn gradients(&mut self) {
        let mut stored = vec![false; self.plan.values.len()];
        for step in self.plan.steps.iter_mut().rev() {
            let in_place = step.inputs[0].value == step.y;
            for input in &mut step.inputs {
                if !in_place && !self.plan.values[input.value].d.is_empty() {
                    input.gradient = Some(stored[input.value]);
                    stored[input.value] = true;
                }
            }
            if let StepKind::Norm { index } | StepKind::FrozenNorm { index } = step.kind {
                self.plan.norms[index].accumulate = step.inputs[0].gradient == Some(true);
            }
        }
    }

    fn stages(&mut self) {
        let count = self.plan.steps.len();
        let mut cuts: Vec<usize> =
            (0..count).filter(|&i| matches!(self.plan.steps[i].kind, StepKind::Norm { .. })).collect();
        if !self.training {
            cuts.clear();
        }
        cuts.push(count);
        let mut start = 0;
        for cut in cuts {
            self.plan.stages.push(start..cut);
            start = cut;
        }
    }
}
