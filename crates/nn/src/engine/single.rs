//! Images one at a time, channels side by side: what a few images are predicted with, where a vector of images
//! would stand mostly empty.

use super::fusions::{self, Plans};
use super::graph::Graph;
use super::plan::{parameters, pass};
use crate::layers::{Passage, Shape};
use crate::loss::Loss;
use crate::model::Model;
use crate::spec::LayerKind;
use crate::steps::single::{SinglePlace, SingleStep, Worker};
use foveal_kernels::lanes::image::Pixels;
use foveal_kernels::nhwc::Layout;
use foveal_kernels::team::Team;
use foveal_kernels::{Aligned, Isa};

/// A model made ready for single images.
pub(super) struct Single {
    isa: Isa,
    steps: Vec<Step>,
    /// For each model value, the buffer that holds it.
    slots: Vec<usize>,
    /// How each model value lies in its buffer.
    layouts: Vec<Layout>,
    /// Numbers in each buffer.
    sizes: Vec<usize>,
    /// Numbers of scratch that a step may need.
    scratch: usize,
    /// The parameters have changed since they were taken over.
    pub stale: bool,
}

/// An image, and for each channel what its samples are multiplied by and what is then added.
#[derive(Clone, Copy)]
pub(super) struct Image<'a> {
    pub pixels: Pixels<'a>,
    pub scale: &'a [f32],
    pub shift: &'a [f32],
}

/// What one worker computes in.
pub(super) struct Buffers {
    values: Vec<Aligned>,
    scratch: Aligned,
}

struct Step {
    /// The model's nodes that it does at once.
    nodes: Vec<usize>,
    kind: SingleStep,
    /// Buffers.
    inputs: Vec<usize>,
    y: usize,
}

impl Single {
    /// Compiles `model`; with a loss that takes it over, a softmax at the end is left out.
    pub fn new(model: &Model, isa: Isa, loss: Option<Loss>) -> Self {
        let graph = Graph::new(model);
        let values = graph.values();
        let mut single = Self {
            isa,
            steps: Vec::new(),
            slots: vec![0; values],
            layouts: (0..values).map(|v| Layout::plain(model.value_shape(v))).collect(),
            sizes: Vec::new(),
            scratch: 0,
            stale: true,
        };
        single.layouts[0] = layout_for_reader(model, &graph, 0);
        single.slots[0] = single.buffer(0);
        let mut done = vec![false; model.nodes().len()];
        for i in 0..done.len() {
            if !done[i] {
                single.lower(model, &graph, i, loss).into_iter().for_each(|node| done[node] = true);
            }
        }
        single
    }

    /// A buffer for value `v`.
    fn buffer(&mut self, v: usize) -> usize {
        self.sizes.push(self.layouts[v].numbers());
        self.sizes.len() - 1
    }

    /// Buffers for a worker: zero, as what lies around images must stay.
    pub fn buffers(&self) -> Buffers {
        Buffers {
            values: self.sizes.iter().map(|&n| Aligned::zeros(n)).collect(),
            scratch: Aligned::zeros(self.scratch),
        }
    }

    /// Lowers node `i` and those it is fused with; gives them all.
    fn lower(&mut self, model: &Model, graph: &Graph, i: usize, loss: Option<Loss>) -> Vec<usize> {
        let node = &model.nodes()[i];
        let layer = node.kind.layer();
        if layer.passage(&pass(model, i, loss, Plans::Single)) == Passage::Same {
            self.slots[i + 1] = self.slots[node.inputs[0]];
            return vec![i];
        }
        let fused = fusions::find(model, graph, i, Plans::Single);
        let nodes = fused.as_ref().map_or(vec![i], |fused| fused.nodes.clone());
        let value = nodes.last().map_or(i, |&last| last) + 1;
        // Convolutions can store with zeros around; other steps write plain maps.
        if matches!(node.kind, LayerKind::Conv2d(_)) {
            self.layouts[value] = layout_for_reader(model, graph, value);
        }
        let from: Vec<Layout> = node.inputs.iter().map(|&v| self.layouts[v]).collect();
        let params = parameters(model, node);
        let place =
            SinglePlace { isa: self.isa, inputs: &from, output: self.layouts[value], params: &params };
        let kind = match &fused {
            Some(fused) => fused.pattern.single(&place),
            None => layer.single(&place),
        };
        self.scratch = self.scratch.max(kind.scratch());
        self.slots[value] = self.buffer(value);
        let inputs = node.inputs.iter().map(|&v| self.slots[v]).collect();
        self.steps.push(Step { nodes: nodes.clone(), kind, inputs, y: self.slots[value] });
        nodes
    }

    /// Takes over the parameters; `param(i)` gives those of parameter `i`.
    pub fn load<'a>(&mut self, param: impl Fn(usize) -> &'a [f32]) {
        self.steps.iter_mut().for_each(|step| step.kind.load(&param));
        self.stale = false;
    }

    /// Predicts one image; `out` takes the outputs. Nothing is allocated. A large layer is shared by the `team`.
    /// `lap` is told of the input laid out, of each step and of the output, once it is done.
    pub fn run<'a>(
        &self,
        mut team: Option<&mut Team>,
        buffers: &mut Buffers,
        image: Image<'_>,
        param: impl Fn(usize) -> &'a [f32],
        out: &mut [f32],
        mut lap: impl FnMut(usize),
    ) {
        let Buffers { values, scratch } = buffers;
        let first = self.slots[0];
        place(image.pixels, &self.layouts[0], image.scale, image.shift, &mut values[first]);
        lap(0);
        for (i, step) in self.steps.iter().enumerate() {
            let mut y = std::mem::take(&mut values[step.y]);
            let x = |k: usize| &values[step.inputs[k]][..];
            let worker = Worker { isa: self.isa, team: team.as_deref_mut(), scratch };
            step.kind.run(worker, &x, step.inputs.len(), &param, &mut y);
            values[step.y] = y;
            lap(i + 1);
        }
        let last = *self.slots.last().expect("the input at least");
        out.copy_from_slice(&values[last]);
        lap(self.steps.len() + 1);
    }

    /// What the plan says of its steps.
    pub fn told(&self) -> Vec<Told> {
        let told = |step: &Step| {
            let value = step.nodes.last().map_or(0, |&n| n + 1);
            Told {
                nodes: step.nodes.clone(),
                kernel: step.kind.kernel(),
                layout: extents(&self.layouts[value]),
                read: step.inputs.iter().map(|&slot| self.sizes[slot]).sum(),
                written: self.sizes[step.y],
            }
        };
        self.steps.iter().map(told).collect()
    }

    /// Rows, columns and channels of the input as it is laid out.
    pub fn input(&self) -> [usize; 3] {
        extents(&self.layouts[0])
    }

    /// Numbers in a worker's buffers.
    pub fn numbers(&self) -> usize {
        self.sizes.iter().sum::<usize>() + self.scratch
    }
}

/// What the plan says of a step.
pub(super) struct Told {
    pub nodes: Vec<usize>,
    pub kernel: &'static str,
    /// Rows, columns and channels of the output, halo included.
    pub layout: [usize; 3],
    /// Numbers read and written.
    pub read: usize,
    pub written: usize,
}

fn extents(layout: &Layout) -> [usize; 3] {
    let ([h, w, c], [top, bottom, left, right]) = (layout.shape, layout.halo);
    [top + h + bottom, left + w + right, c]
}

/// Whether `count` images are predicted one at a time; `wide`: see [`wide`].
pub(super) fn one_at_a_time(count: usize, isa: Isa, wide: bool) -> bool {
    count > 0 && (count <= isa.lanes() / 4 || wide)
}

/// How value `v` had best lie in memory: with the zeros around it that its only reader wants.
fn layout_for_reader(model: &Model, graph: &Graph, v: usize) -> Layout {
    let plain = Layout::plain(model.value_shape(v));
    let Some(reader) = graph.only_reader(v) else { return plain };
    let node = &model.nodes()[reader];
    let from: Vec<Shape> = node.inputs.iter().map(|&v| model.value_shape(v)).collect();
    Layout { halo: node.kind.layer().single_halo(&from), ..plain }
}

/// Whether many images, too, are best taken one at a time: channels side by side give at least nine tenths of a
/// vector's lanes work, and what dense layers read for every image stays in the cache.
pub(super) fn wide(model: &Model, isa: Isa) -> bool {
    let (mut useful, mut all, mut dense) = (0.0, 0.0, 0);
    for node in model.nodes() {
        let groups = match &node.kind {
            LayerKind::Conv2d(conv) => conv.groups.max(1) as usize,
            LayerKind::Dense(_) => {
                dense += model.params()[node.params[0]].values.len() * 4;
                1
            }
            _ => continue,
        };
        let channels = node.shape[2] / groups;
        useful += node.flops as f64;
        all += node.flops as f64 * channels.next_multiple_of(isa.lanes()) as f64 / channels as f64;
    }
    useful >= 0.9 * all && dense <= 512 << 10
}

fn place(image: Pixels<'_>, layout: &Layout, scale: &[f32], shift: &[f32], out: &mut [f32]) {
    let [h, w, c] = layout.shape;
    let row = w * c;
    assert_eq!(
        h * row,
        match image {
            Pixels::U8(v) => v.len(),
            Pixels::F32(v) => v.len(),
        },
        "an image of the model's size"
    );
    for (i, out) in out[layout.origin()..].chunks_mut(layout.row()).enumerate().take(h) {
        let out = &mut out[..row];
        let at = i * row..(i + 1) * row;
        match image {
            Pixels::U8(v) => adjust(v[at].iter().map(|&v| f32::from(v)), scale, shift, out),
            Pixels::F32(v) => adjust(v[at].iter().copied(), scale, shift, out),
        }
    }
}

fn adjust(values: impl Iterator<Item = f32>, scale: &[f32], shift: &[f32], out: &mut [f32]) {
    if let (&[scale], &[shift]) = (scale, shift) {
        return out.iter_mut().zip(values).for_each(|(out, v)| *out = v * scale + shift);
    }
    let channels = scale.iter().zip(shift).cycle();
    for ((out, v), (scale, shift)) in out.iter_mut().zip(values).zip(channels) {
        *out = v * scale + shift;
    }
}
