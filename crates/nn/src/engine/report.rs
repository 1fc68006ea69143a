//! The plan as a person reads it: what each step does, with what, on how much.

use super::frozen;
use super::options::Options;
use super::plan::Plan;
use super::single::{self, Single, Told};
use super::wide::wide;
use crate::Error;
use crate::model::Model;
use crate::steps::{Step, StepKind};
use foveal_kernels::lanes::Frame;

/// A model compiled for a batch size, in words and numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanReport {
    /// The instruction set.
    pub isa: &'static str,
    /// Images in a group: numbers in a vector.
    pub lanes: usize,
    /// Images in a batch.
    pub batch_size: usize,
    /// Groups in a batch.
    pub groups: usize,
    /// Whether the plan trains; else it only predicts.
    pub training: bool,
    /// Whether images go through one at a time, channels side by side: few images are predicted so, and any number
    /// where channels fill vectors.
    pub one_at_a_time: bool,
    /// What happens, in the order of the forward pass.
    pub steps: Vec<PlannedStep>,
    /// Bytes of one arena: every activation and gradient of one group, or of one image.
    pub arena_bytes: usize,
    /// Arenas: one for each thread, or for each group where a normalization needs the whole batch at once.
    pub arenas: usize,
    /// Bytes of everything the engine holds: arenas, scratch, gradient sums, parameters and their moments.
    pub memory_bytes: usize,
}

/// Which part of a pass a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Images are laid side by side.
    Input,
    /// Layers of the model.
    Layers,
    /// The loss and its gradient.
    Loss,
    /// Outputs are put in rows.
    Output,
    /// Gradients are summed over the groups, and the parameters changed.
    Update,
}

/// One step of a plan. Bytes and operations are those of a whole batch.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedStep {
    /// Which part of the pass it is.
    pub part: Part,
    /// The model's layers that it does at once.
    pub layers: Vec<String>,
    /// The module of `foveal_kernels` that does it.
    pub kernel: &'static str,
    /// Extents of the output, halos of zeros counted in. Of a group: channels, rows, columns, lanes; of a single
    /// image: rows, columns, channels.
    pub layout: Vec<usize>,
    /// Bytes of activations read by the forward pass.
    pub bytes_read: u64,
    /// Bytes of activations written by the forward pass.
    pub bytes_written: u64,
    /// Bytes of parameters.
    pub parameter_bytes: u64,
    /// Operations of the forward pass, a multiply-add counted as two.
    pub forward_flops: u64,
    /// Operations of the backward pass: for each gradient as many as forward. The gradient of a dense layer's
    /// weights is computed by the update; the optimizer's few operations a number are not counted.
    pub backward_flops: u64,
}

/// The plan that an engine would run, at the price of compiling the model: no arena is made.
///
/// # Errors
/// When the options do not fit the model.
pub fn describe(model: &Model, options: &Options) -> Result<PlanReport, Error> {
    options.check(model)?;
    let plan = Plan::new(model, options, None);
    Ok(Describing { model, plan: &plan, options, threads: options.threads.max(1) }.report())
}

/// Bytes of all that an engine with `plan` holds.
pub(super) fn memory_needed(model: &Model, plan: &Plan, options: &Options) -> usize {
    Describing { model, plan, options, threads: options.threads.max(1) }.memory()
}

/// What an engine with `plan` runs.
pub(super) fn described(model: &Model, plan: &Plan, options: &Options, threads: usize) -> PlanReport {
    Describing { model, plan, options, threads }.report()
}

struct Describing<'a> {
    model: &'a Model,
    plan: &'a Plan,
    options: &'a Options,
    threads: usize,
}

impl Describing<'_> {
    fn report(&self) -> PlanReport {
        let (plan, groups) = (self.plan, self.groups());
        let training = self.options.loss.is_some();
        let wide = wide(self.model, plan.places.isa);
        if !training && single::one_at_a_time(self.options.batch_size, plan.places.isa, wide) {
            return self.single();
        }
        let mut steps = vec![self.input()];
        steps.extend(plan.steps.iter().map(|step| self.step(step)));
        if training {
            steps.extend([self.end(Part::Loss), self.update()]);
        } else {
            steps.push(self.end(Part::Output));
        }
        let arenas = self.arenas();
        PlanReport {
            isa: plan.places.isa.name(),
            lanes: plan.images(),
            batch_size: self.options.batch_size,
            groups,
            training,
            one_at_a_time: false,
            steps,
            arena_bytes: plan.group_bytes(),
            arenas,
            memory_bytes: self.memory(),
        }
    }

    /// Bytes of everything an engine holds.
    fn memory(&self) -> usize {
        let (plan, groups) = (self.plan, self.groups());
        let moments = if self.options.loss.is_some() { 2 * plan.places.optimized } else { 0 };
        let numbers = plan.places.parameters
            + moments
            + plan.places.filters.iter().map(|filter| filter.conv.numbers()).sum::<usize>()
            + groups * (plan.places.gradient_numbers + plan.places.saved)
            + self.threads * plan.places.scratch;
        self.arenas().saturating_mul(plan.group_bytes()).saturating_add(numbers.saturating_mul(4))
    }

    fn arenas(&self) -> usize {
        if self.plan.staged() { self.groups() } else { self.threads }
    }

    /// The plan for images that go through one at a time.
    fn single(&self) -> PlanReport {
        let (single, images) = (Single::new(self.model, self.options.isa, None), self.options.batch_size);
        let bytes = |numbers: usize| 4 * (numbers * images) as u64;
        let step = |told: Told| PlannedStep {
            kernel: told.kernel,
            layout: told.layout.to_vec(),
            bytes_read: bytes(told.read),
            bytes_written: bytes(told.written),
            ..self.layers(&told.nodes)
        };
        let first = PlannedStep {
            kernel: "-",
            layout: single.input().to_vec(),
            bytes_written: bytes(single.input().iter().product()),
            ..self.input()
        };
        let width = self.model.outputs();
        let last = PlannedStep {
            layout: vec![1, 1, width],
            bytes_read: bytes(width),
            bytes_written: bytes(width),
            ..self.end(Part::Output)
        };
        let arena_bytes = 4 * single.numbers();
        PlanReport {
            isa: self.plan.places.isa.name(),
            lanes: self.plan.places.isa.lanes(),
            batch_size: images,
            groups: images,
            training: false,
            one_at_a_time: true,
            steps: std::iter::once(first)
                .chain(single.told().into_iter().map(step))
                .chain(std::iter::once(last))
                .collect(),
            arena_bytes,
            arenas: self.threads,
            // Filters are kept a second time, as the kernels want them; the scratch of all for an image that they share.
            memory_bytes: self.threads * (arena_bytes + 4 * single.scratch())
                + 8 * self.plan.places.parameters,
        }
    }

    fn groups(&self) -> usize {
        self.options.batch_size.div_ceil(self.plan.images())
    }

    /// Bytes of so many numbers of each group.
    fn bytes(&self, numbers: usize) -> u64 {
        (numbers as u64).saturating_mul(4 * self.groups() as u64)
    }

    /// Operations of a batch.
    fn flops(&self, of_one: u64) -> u64 {
        of_one.saturating_mul(self.options.batch_size as u64)
    }

    fn layout(&self, frame: &Frame) -> Vec<usize> {
        let (rows, images) = (frame.plane() / frame.row().max(1), self.plan.images());
        match self.plan.places.channels_last {
            true => vec![images, rows, frame.row(), frame.channels],
            false => vec![frame.channels, rows, frame.row(), images],
        }
    }

    fn input(&self) -> PlannedStep {
        let value = &self.plan.places.values[0];
        let samples = self.model.input_shape().iter().product::<usize>() as u64;
        PlannedStep {
            part: Part::Input,
            layers: Vec::new(),
            kernel: "lanes::image",
            layout: self.layout(&value.frame),
            bytes_read: self.flops(samples),
            bytes_written: self.bytes(value.at.len()),
            parameter_bytes: 0,
            forward_flops: self.flops(2 * samples),
            backward_flops: 0,
        }
    }

    fn end(&self, part: Part) -> PlannedStep {
        let value = &self.plan.places.values[self.plan.output];
        PlannedStep {
            part,
            layers: Vec::new(),
            kernel: if part == Part::Loss { "lanes::loss" } else { "-" },
            layout: self.layout(&value.frame),
            bytes_read: self.bytes(value.at.len()),
            bytes_written: self.bytes(value.at.len()),
            parameter_bytes: 0,
            forward_flops: 0,
            backward_flops: 0,
        }
    }

    fn update(&self) -> PlannedStep {
        let (plan, params) = (self.plan, self.model.params());
        let trained: usize = params.iter().filter(|p| p.trainable).map(|p| p.values.len()).sum();
        let dense = plan.steps.iter().filter_map(|step| match &step.kind {
            StepKind::Dense(layer) if plan.places.trained[layer.weights] => {
                Some(2 * (layer.inputs * layer.units) as u64)
            }
            _ => None,
        });
        let dense: u64 = dense.sum();
        let sums = ((self.groups() - 1) * plan.places.gradient_numbers) as u64;
        PlannedStep {
            part: Part::Update,
            layers: Vec::new(),
            kernel: "optimizer",
            layout: vec![1, 1, trained, 1],
            bytes_read: self.bytes(plan.places.gradient_numbers + plan.places.saved),
            bytes_written: 12 * trained as u64,
            parameter_bytes: 4 * trained as u64,
            forward_flops: 0,
            backward_flops: self.flops(dense).saturating_add(sums),
        }
    }

    fn step(&self, step: &Step) -> PlannedStep {
        let plan = self.plan;
        let layers = self.layers(&step.nodes);
        let to = &plan.places.values[step.wires.y];
        let read = step.wires.inputs.iter().map(|i| plan.places.values[i.value].at.len()).sum();
        let beside = (step.kind.kept(plan.images()) * self.groups()) as u64;
        PlannedStep {
            kernel: step.kind.kernel(),
            layout: self.layout(&to.frame),
            bytes_read: self.bytes(read),
            bytes_written: self.bytes(to.at.len()).saturating_add(beside),
            backward_flops: layers.forward_flops.saturating_mul(self.gradients(step)),
            ..layers
        }
    }

    /// What is known of a step from the layers it does.
    fn layers(&self, nodes: &[usize]) -> PlannedStep {
        let nodes = || nodes.iter().map(|&n| &self.model.nodes()[n]);
        let params = nodes().flat_map(|n| &n.params);
        PlannedStep {
            part: Part::Layers,
            layers: nodes().map(|n| n.name.clone()).collect(),
            kernel: "-",
            layout: Vec::new(),
            bytes_read: 0,
            bytes_written: 0,
            parameter_bytes: params.map(|&p| 4 * self.model.params()[p].values.len() as u64).sum(),
            forward_flops: self.flops(nodes().fold(0u64, |sum, n| sum.saturating_add(n.flops))),
            backward_flops: 0,
        }
    }

    /// Gradients that a step's backward pass computes.
    fn gradients(&self, step: &Step) -> u64 {
        if self.plan.places.values[step.wires.y].d.is_empty() {
            return 0;
        }
        step.kind.gradients(&step.wires, frozen::trained(self.model, &self.model.nodes()[step.nodes[0]]))
    }
}
