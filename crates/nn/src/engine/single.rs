//! Images one at a time, channels side by side: what a few images are predicted with, where a vector of images
//! would stand mostly empty.

use super::fusions::{self, Plans};
use super::graph::Graph;
use super::plan::{parameters, pass};
use crate::Error;
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
    /// For each model value, the one that stands for it: itself, or where a layer does nothing, its input.
    stands: Vec<usize>,
    /// How each model value lies in its buffer.
    layouts: Vec<Layout>,
    /// Numbers in each buffer. Values that are never needed at once share one.
    sizes: Vec<usize>,
    /// The buffers of the input and of the output.
    ends: [usize; 2],
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
    /// Model values.
    inputs: Vec<usize>,
    output: usize,
    /// Their buffers, and how many numbers of them the values take.
    from: Vec<Part>,
    to: Part,
}

/// The first numbers of a buffer.
#[derive(Clone, Copy, Default)]
struct Part {
    buffer: usize,
    numbers: usize,
}

impl Single {
    /// Compiles `model`; with a loss that takes it over, a softmax at the end is left out.
    pub fn new(model: &Model, isa: Isa, loss: Option<Loss>) -> Self {
        let graph = Graph::new(model);
        let values = graph.values();
        let mut single = Self {
            isa,
            steps: Vec::new(),
            stands: (0..values).collect(),
            layouts: (0..values).map(|v| Layout::plain(model.value_shape(v))).collect(),
            sizes: Vec::new(),
            ends: [0; 2],
            scratch: 0,
            stale: true,
        };
        single.layouts[0] = layout_for_reader(model, &graph, 0);
        let mut done = vec![false; model.nodes().len()];
        for i in 0..done.len() {
            if !done[i] {
                single.lower(model, &graph, i, loss).into_iter().for_each(|node| done[node] = true);
            }
        }
        single.place();
        single
    }

    /// Gives every value a buffer, in the order of the steps: one whose value is no longer needed, if there is one.
    fn place(&mut self) {
        let output = self.stands[self.stands.len() - 1];
        let mut readers = vec![0; self.stands.len()];
        self.steps.iter().for_each(|step| step.inputs.iter().for_each(|&v| readers[v] += 1));
        readers[output] += 1;
        let mut buffers = vec![usize::MAX; self.stands.len()];
        let mut free = Vec::new();
        buffers[0] = self.buffer(0, &mut free);
        for i in 0..self.steps.len() {
            let y = self.steps[i].output;
            buffers[y] = self.buffer(y, &mut free);
            for &v in &self.steps[i].inputs {
                readers[v] -= 1;
                // What lies around an image must stay zero: such a buffer is for this value alone.
                if readers[v] == 0 && self.layouts[v].halo == [0; 4] {
                    free.push(buffers[v]);
                }
            }
            let part = |v: usize| Part { buffer: buffers[v], numbers: self.layouts[v].numbers() };
            let step = &mut self.steps[i];
            step.from = step.inputs.iter().map(|&v| part(v)).collect();
            step.to = part(y);
        }
        self.ends = [buffers[0], buffers[output]];
    }

    /// A buffer for value `v`: the smallest free one that is large enough, or the largest, which grows.
    fn buffer(&mut self, v: usize, free: &mut Vec<usize>) -> usize {
        let numbers = self.layouts[v].numbers();
        if self.layouts[v].halo == [0; 4] {
            let enough = free.iter().filter(|&&b| self.sizes[b] >= numbers).min_by_key(|&&b| self.sizes[b]);
            let found = enough.or_else(|| free.iter().max_by_key(|&&b| self.sizes[b])).copied();
            if let Some(buffer) = found {
                free.retain(|&b| b != buffer);
                self.sizes[buffer] = self.sizes[buffer].max(numbers);
                return buffer;
            }
        }
        self.sizes.push(numbers);
        self.sizes.len() - 1
    }

    /// Buffers for a worker, with scratch for `workers`: zero, as what lies around images must stay.
    pub fn buffers(&self, workers: usize) -> Buffers {
        Buffers {
            values: self.sizes.iter().map(|&n| Aligned::zeros(n)).collect(),
            scratch: Aligned::zeros(self.scratch * workers),
        }
    }

    /// Lowers node `i` and those it is fused with; gives them all.
    fn lower(&mut self, model: &Model, graph: &Graph, i: usize, loss: Option<Loss>) -> Vec<usize> {
        let node = &model.nodes()[i];
        let layer = node.kind.layer();
        if layer.passage(&pass(model, i, loss, Plans::Single)) == Passage::Same {
            self.stands[i + 1] = self.stands[node.inputs[0]];
            return vec![i];
        }
        let fused = fusions::single(model, graph, i);
        let nodes = fused.as_ref().map_or(vec![i], |fused| fused.nodes.clone());
        let value = nodes.last().map_or(i, |&last| last) + 1;
        // Convolutions can store with zeros around; other steps write plain maps.
        let plus = fused.as_ref().and_then(|fused| fused.pattern.plus());
        if matches!(node.kind, LayerKind::Conv2d(_)) && plus.is_none() {
            self.layouts[value] = layout_for_reader(model, graph, value);
        }
        // A flat row has a shape of its own, and the numbers of the maps that stand for it.
        let inputs = || node.inputs.iter().copied().chain(plus);
        let from: Vec<Layout> = inputs().map(|v| self.layouts[v]).collect();
        let inputs = inputs().map(|v| self.stands[v]).collect();
        let params = parameters(model, node);
        let place =
            SinglePlace { isa: self.isa, inputs: &from, output: self.layouts[value], params: &params };
        let kind = match &fused {
            Some(fused) => fused.pattern.single(&place),
            None => layer.single(&place),
        };
        self.scratch = self.scratch.max(kind.scratch());
        let (from, to) = (Vec::new(), Part::default());
        self.steps.push(Step { nodes: nodes.clone(), kind, inputs, output: value, from, to });
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
        let [first, last] = self.ends;
        place(image.pixels, &self.layouts[0], image.scale, image.shift, &mut values[first]);
        lap(0);
        for (i, step) in self.steps.iter().enumerate() {
            let mut y = std::mem::take(&mut values[step.to.buffer]);
            let x = |k: usize| &values[step.from[k].buffer][..step.from[k].numbers];
            let worker = Worker { isa: self.isa, team: team.as_deref_mut(), scratch };
            step.kind.run(worker, &x, step.from.len(), &param, &mut y[..step.to.numbers]);
            values[step.to.buffer] = y;
            lap(i + 1);
        }
        out.copy_from_slice(&values[last][..out.len()]);
        lap(self.steps.len() + 1);
    }

    /// The first error of a layer of the program's own since this was asked last.
    pub fn fault(&self) -> Option<Error> {
        self.steps.iter().find_map(|step| match &step.kind {
            SingleStep::Own(own) => own.fault.take(),
            _ => None,
        })
    }

    /// What the plan says of its steps.
    pub fn told(&self) -> Vec<Told> {
        let told = |step: &Step| {
            let value = step.nodes.last().map_or(0, |&n| n + 1);
            Told {
                nodes: step.nodes.clone(),
                kernel: step.kind.kernel(),
                layout: extents(&self.layouts[value]),
                read: step.from.iter().map(|part| part.numbers).sum(),
                written: step.to.numbers,
            }
        };
        self.steps.iter().map(told).collect()
    }

    /// Rows, columns and channels of the input as it is laid out.
    pub fn input(&self) -> [usize; 3] {
        extents(&self.layouts[0])
    }

    /// Numbers in a worker's buffers, and of scratch.
    pub fn numbers(&self) -> usize {
        self.sizes.iter().sum::<usize>() + self.scratch
    }

    /// Numbers of scratch.
    pub fn scratch(&self) -> usize {
        self.scratch
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

/// Puts an image where its pixels lie; what is around them stays.
pub(super) fn place(image: Pixels<'_>, layout: &Layout, scale: &[f32], shift: &[f32], out: &mut [f32]) {
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
    if let (Ok(scale), Ok(shift)) = (<[f32; 3]>::try_from(scale), <[f32; 3]>::try_from(shift)) {
        // Colour, without a turn of the cycle for every number.
        let mut values = values;
        return out.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| {
            for (c, out) in pixel.iter_mut().enumerate() {
                *out = values.next().unwrap_or(0.0) * scale[c] + shift[c];
            }
        });
    }
    let channels = scale.iter().zip(shift).cycle();
    for ((out, v), (scale, shift)) in out.iter_mut().zip(values).zip(channels) {
        *out = v * scale + shift;
    }
}
