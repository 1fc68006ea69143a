//! From a model to steps over an arena, images side by side.

use super::channels;
use super::frozen;
use super::fusions::{self, ConvReluPool, Fused, Plans};
use super::graph::Graph;
use super::options::{GroupLayout, Options};
use crate::layers::{ParamRole, Pass, Passage, Shape};
use crate::loss::Loss;
use crate::model::{Model, Node};
use crate::spec::LayerKind;
use crate::steps::{Input, Parameter, Places, Placing, Step, StepKind, Wires};
use foveal_kernels::Isa;
use foveal_kernels::lanes::Frame;
use std::ops::Range;

/// A model compiled for one instruction set: values, steps, and where everything lies.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) places: Places,
    pub(super) steps: Vec<Step>,
    /// Steps between two that need the whole batch (batch normalizations, a program's own layers); each stage but the
    /// first begins with one.
    pub(super) stages: Vec<Range<usize>>,
    pub(super) output: usize,
    /// Activations of all groups are kept until the loss of the whole batch is known.
    pub(super) whole: bool,
}

/// What a node of the model becomes.
enum Lowered {
    /// A step, with an output of its own or over its input.
    Step { in_place: bool },
    /// The first node of a step that does several.
    Fused(Box<Fused<ConvReluPool>>),
    /// It is part of an earlier step.
    Taken,
    /// Its output is its input.
    Same,
}

impl Plan {
    /// Compiles `model`, as is said or as suits it; without a loss the plan only predicts.
    pub(super) fn new(model: &Model, options: &Options, layout: Option<GroupLayout>) -> Self {
        let (isa, loss) = (options.isa, options.loss);
        let graph = Graph::new(model);
        let wanted = frozen::wanted(model);
        let layout = layout.unwrap_or_else(|| channels::suited(model, options));
        let channels_last = layout == GroupLayout::Channels && channels::known(model);
        let places = places(model, isa, &wanted, channels_last);
        let plan = Plan { places, steps: Vec::new(), stages: Vec::new(), output: 0, whole: false };
        let slot = vec![None; graph.values()];
        let mut lowering = Lowering { model, graph, training: loss.is_some(), wanted, slot, plan };
        lowering.lower(loss);
        lowering.plan
    }

    /// Whether activations must be kept for every group of a batch at once.
    pub(super) fn staged(&self) -> bool {
        self.stages.len() > 1 || self.whole
    }

    /// Images in a group.
    pub fn images(&self) -> usize {
        self.places.images
    }

    /// Numbers in one image's output.
    pub(super) fn outputs(&self) -> usize {
        self.places.values[self.output].frame.vectors()
    }

    /// Bytes that one group of images takes while it goes through the net.
    pub fn group_bytes(&self) -> usize {
        self.places.arena * 4 + self.places.arena_bytes
    }

    /// The steps of `stage` but the one with which it begins, which needs the whole batch.
    pub(super) fn own_steps(&self, stage: usize) -> Range<usize> {
        let steps = self.stages[stage].clone();
        steps.start + usize::from(stage > 0)..steps.end
    }
}

/// The node's parameters, as steps know them.
pub(super) fn parameters(model: &Model, node: &Node) -> Vec<Parameter> {
    let count = |p: usize| model.params()[p].values.len();
    node.params.iter().map(|&index| Parameter { index, count: count(index) }).collect()
}

/// What a plan is made for, as the layers ask.
pub(super) fn pass(model: &Model, node: usize, loss: Option<Loss>, plans: Plans) -> Pass {
    Pass {
        training: loss.is_some() && plans != Plans::Single,
        side_by_side: plans == Plans::SideBySide,
        last: node + 1 == model.nodes().len(),
        own_softmax: matches!(loss, Some(Loss::CrossEntropy { .. })),
        own_sigmoid: loss == Some(Loss::BinaryCrossEntropy),
    }
}

/// Places of parameters and of gradients.
fn places(model: &Model, isa: Isa, wanted: &[bool], channels_last: bool) -> Places {
    let mut offsets = vec![0; model.params().len()];
    // First what the optimizer changes, then the statistics that steps change, then what stays as it is.
    let mut turns = vec![2; offsets.len()];
    for node in model.nodes() {
        let trained = frozen::trained(model, node);
        node.params.iter().for_each(|&p| {
            turns[p] = if model.params()[p].trainable { 0 } else { 2 - usize::from(trained) };
        });
    }
    let (mut at, mut ends) = (0, [0; 3]);
    for (turn, end) in ends.iter_mut().enumerate() {
        for ((offset, p), _) in
            offsets.iter_mut().zip(model.params()).zip(&turns).filter(|(_, own)| **own == turn)
        {
            *offset = at;
            at += p.values.len();
        }
        *end = at;
    }
    let mut gradients = vec![None; offsets.len()];
    let mut numbers = 0;
    for node in model.nodes() {
        // A convolution's backward pass computes the filter's gradient along with the input's.
        let passed = matches!(node.kind, LayerKind::Conv2d(_)) && node.inputs.iter().any(|&v| wanted[v]);
        let needed = passed || frozen::trained(model, node);
        for (k, &p) in node.params.iter().enumerate() {
            let param = &model.params()[p];
            // What a dense layer's weights and an embedding's table need is kept until the update.
            let kept = !channels_last
                && k == 0
                && matches!(node.kind, LayerKind::Dense(_) | LayerKind::Embedding(_));
            if needed && !kept && param.role != ParamRole::Statistics {
                gradients[p] = Some(numbers);
                numbers += param.values.len();
            }
        }
    }
    Places {
        isa,
        images: if channels_last { channels::images(at, isa) } else { isa.lanes() },
        channels_last,
        values: Vec::new(),
        norms: Vec::new(),
        offsets,
        gradients,
        trained: model.params().iter().map(|p| p.trainable).collect(),
        parameters: at,
        optimized: ends[0],
        changing: ends[1],
        gradient_numbers: numbers,
        arena: 0,
        arena_bytes: 0,
        saved: 0,
        scratch: 0,
        filters: Vec::new(),
    }
}

struct Lowering<'a> {
    model: &'a Model,
    graph: Graph,
    training: bool,
    /// For each model value, whether its gradient is wanted.
    wanted: Vec<bool>,
    /// For each model value, the plan's value that holds it.
    slot: Vec<Option<usize>>,
    plan: Plan,
}

impl Lowering<'_> {
    fn lower(&mut self, loss: Option<Loss>) {
        let nodes = self.model.nodes().len();
        let lowered = self.all(loss);
        let frames = self.frames(&lowered);
        self.slot[0] = Some(self.plan.places.value(frames[0], None));
        for (i, what) in lowered.iter().enumerate() {
            match what {
                // The step that took the node along has placed the output, if anyone else reads it.
                Lowered::Taken => {}
                Lowered::Same => self.slot[i + 1] = self.slot[self.model.nodes()[i].inputs[0]],
                Lowered::Step { in_place } => self.step(i, None, *in_place, &frames),
                Lowered::Fused(fused) => self.step(i, Some(fused), false, &frames),
            }
        }
        self.plan.output = self.slot[nodes].expect("every node has been lowered");
        let vectors = self.plan.places.values[self.plan.output].frame.vectors();
        self.plan.places.scratch(vectors);
        self.gradients();
        self.stages();
    }

    /// What each node becomes.
    fn all(&self, loss: Option<Loss>) -> Vec<Lowered> {
        let mut all: Vec<Option<Lowered>> = self.model.nodes().iter().map(|_| None).collect();
        for (i, node) in self.model.nodes().iter().enumerate() {
            if all[i].is_some() {
                continue;
            }
            let channels_last = self.plan.places.channels_last;
            if let Some(fused) =
                (!channels_last).then(|| fusions::side_by_side(self.model, &self.graph, i)).flatten()
            {
                fused.nodes[1..].iter().for_each(|&taken| all[taken] = Some(Lowered::Taken));
                all[i] = Some(Lowered::Fused(Box::new(fused)));
                continue;
            }
            let plans = if channels_last { Plans::Channels } else { Plans::SideBySide };
            let passage = node.kind.layer().passage(&pass(self.model, i, loss, plans));
            all[i] = Some(match passage {
                Passage::Same => Lowered::Same,
                Passage::Step => Lowered::Step { in_place: false },
                Passage::InPlace => Lowered::Step { in_place: self.may_overwrite(i, &all) },
            });
        }
        all.into_iter().map(|one| one.expect("every node was seen")).collect()
    }

    /// Whether node `i` may write over its input: nobody else reads it, and its own maker does not look back at it.
    fn may_overwrite(&self, i: usize, before: &[Option<Lowered>]) -> bool {
        let x = self.model.nodes()[i].inputs[0];
        if x == 0 || self.graph.only_reader(x) != Some(i) {
            return false;
        }
        // Where the maker's output is its input, others may read that. A dropout's place is its input's, too.
        let shared = matches!(before[x - 1], Some(Lowered::Same));
        let maker = self.model.nodes()[x - 1].kind.layer();
        !shared && !maker.reads_output()
    }

    /// For each model value the frame of its activation, with the halo that its readers need. Values that share
    /// memory share the halo.
    fn frames(&self, lowered: &[Lowered]) -> Vec<Frame> {
        let nodes = self.model.nodes();
        let mut halos = vec![[0; 4]; self.graph.values()];
        let grow = |a: [usize; 4], b: [usize; 4]| std::array::from_fn(|k| a[k].max(b[k]));
        if self.plan.places.channels_last {
            // Only images can be laid out with zeros around them at no cost.
            halos[0] = channels::halo_of_images(self.model, &self.graph);
        }
        for node in nodes.iter().filter(|_| !self.plan.places.channels_last) {
            let [input, _] = node.kind.layer().halos(&self.shapes(node));
            node.inputs.iter().for_each(|&v| halos[v] = grow(halos[v], input));
        }
        for (i, what) in lowered.iter().enumerate().rev() {
            if matches!(what, Lowered::Same | Lowered::Step { in_place: true }) {
                let x = nodes[i].inputs[0];
                halos[x] = grow(halos[x], halos[i + 1]);
            }
        }
        (0..halos.len())
            .map(|v| {
                let [height, width, channels] = self.model.value_shape(v);
                Frame { channels, height, width, halo: halos[v] }
            })
            .collect()
    }

    /// Height, width, channels of a node's inputs.
    fn shapes(&self, node: &Node) -> Vec<Shape> {
        node.inputs.iter().map(|&v| self.model.value_shape(v)).collect()
    }

    /// Adds the step of node `i`, or of the nodes that it is fused with, and places its output.
    fn step(&mut self, i: usize, fused: Option<&Fused<ConvReluPool>>, in_place: bool, frames: &[Frame]) {
        let node = &self.model.nodes()[i];
        let inputs: Vec<usize> =
            node.inputs.iter().map(|&v| self.slot[v].expect("inputs come first")).collect();
        let nodes = fused.map_or(vec![i], |fused| fused.nodes.clone());
        let value = nodes.last().map_or(i, |&last| last) + 1;
        let layer = node.kind.layer();
        let y = if in_place {
            inputs[0]
        } else {
            // What is pooled along has the gradient's halo in a strip of its own.
            let none = fused.is_some() || self.plan.places.channels_last;
            let halo = if none { [0; 4] } else { layer.halos(&self.shapes(node))[1] };
            self.plan.places.value(frames[value], (self.wanted[value] && self.training).then_some(halo))
        };
        let (params, from) = (parameters(self.model, node), self.shapes(node));
        let mut place = Placing {
            places: &mut self.plan.places,
            training: self.training,
            node: i,
            inputs: &inputs,
            y,
            from: &from,
            to: self.model.value_shape(value),
            params: &params,
            trained: frozen::trained(self.model, node),
        };
        let kind = match fused {
            Some(fused) => fused.pattern.step(&mut place),
            None => layer.step(&mut place),
        };
        let inputs = inputs.into_iter().map(|value| Input { value, gradient: None }).collect();
        self.plan.steps.push(Step { kind, wires: Wires { inputs, y }, nodes });
        self.slot[value] = Some(y);
    }

    /// Decides for each input of each step whether its gradient is stored or added: the last reader stores.
    fn gradients(&mut self) {
        let mut stored = vec![false; self.plan.places.values.len()];
        for step in self.plan.steps.iter_mut().rev() {
            let in_place = step.wires.in_place();
            for input in &mut step.wires.inputs {
                if !in_place && !self.plan.places.values[input.value].d.is_empty() {
                    input.gradient = Some(stored[input.value]);
                    stored[input.value] = true;
                }
            }
        }
    }

    fn stages(&mut self) {
        let count = self.plan.steps.len();
        let whole = |kind: &StepKind| matches!(kind, StepKind::BatchNorm(_) | StepKind::Own(_));
        let cut = |&i: &usize| self.training && whole(&self.plan.steps[i].kind);
        let cuts: Vec<usize> = (0..count).filter(cut).chain([count]).collect();
        let mut start = 0;
        for cut in cuts {
            self.plan.stages.push(start..cut);
            start = cut;
        }
    }
}
