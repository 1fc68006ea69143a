//! Images one at a time, channels side by side: what a few images are predicted with, where a vector of images
//! would stand mostly empty.

use crate::loss::Loss;
use crate::model::{Model, activation};
use crate::spec::LayerKind;
use foveal_kernels::Isa;
use foveal_kernels::Pool2dGeometry;
use foveal_kernels::lanes::elementwise::Activation;
use foveal_kernels::lanes::embedding::row;
use foveal_kernels::lanes::image::Pixels;
use foveal_kernels::nhwc::{self, Layout, Prepared, pool};
use foveal_kernels::team::Team;

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

/// One worker's buffers.
pub(super) type Room = Vec<Vec<f32>>;

struct Step {
    /// The model's nodes that it does at once.
    nodes: Vec<usize>,
    kind: Kind,
    inputs: Vec<usize>,
    y: usize,
}

enum Kind {
    Conv {
        prepared: Box<Prepared>,
        filter: usize,
        bias: Option<usize>,
    },
    Dense {
        weights: usize,
        bias: Option<usize>,
        relu: bool,
    },
    Activation(Activation),
    /// The table, its rows and the numbers in each.
    Embedding {
        table: usize,
        extents: [usize; 2],
    },
    MaxPool(Pool2dGeometry),
    AvgPool(Pool2dGeometry),
    /// Scale and shift of each channel, and epsilon.
    Norm {
        scale: Vec<f32>,
        shift: Vec<f32>,
        epsilon: f32,
    },
    /// Over so many channels.
    Softmax(usize),
    Add,
    /// Channels of each input.
    Concat(Vec<usize>),
}

impl Single {
    /// Compiles `model`; with a loss that takes it over, a softmax at the end is left out.
    pub fn new(model: &Model, isa: Isa, loss: Option<Loss>) -> Self {
        let nodes = model.nodes();
        let values = nodes.len() + 1;
        let mut readers = vec![Vec::new(); values];
        for (i, node) in nodes.iter().enumerate() {
            node.inputs.iter().for_each(|&v| readers[v].push(i));
        }
        let mut single = Self {
            isa,
            steps: Vec::new(),
            slots: vec![0; values],
            layouts: (0..values).map(|v| Layout::plain(model.value_shape(v))).collect(),
            sizes: Vec::new(),
            stale: true,
        };
        single.layouts[0] = wanted(model, &readers, 0);
        single.slots[0] = single.buffer(0);
        let mut i = 0;
        let mut done = vec![false; nodes.len()];
        while i < nodes.len() {
            if !done[i] {
                let last = single.lower(model, &readers, i, loss);
                // What was taken along has its producer's output; nobody else reads what lies between.
                for node in chain(&readers, i, last) {
                    done[node] = true;
                }
            }
            i += 1;
        }
        single
    }

    /// A buffer for value `v`.
    fn buffer(&mut self, v: usize) -> usize {
        self.sizes.push(self.layouts[v].numbers());
        self.sizes.len() - 1
    }

    /// Buffers for a worker: zero, as what lies around images must stay.
    pub fn room(&self) -> Room {
        self.sizes.iter().map(|&n| vec![0.0; n]).collect()
    }

    /// Lowers node `i` and those it takes along; gives the last of them.
    fn lower(&mut self, model: &Model, readers: &[Vec<usize>], i: usize, loss: Option<Loss>) -> usize {
        let node = &model.nodes()[i];
        let next = |i: usize| match readers[i + 1][..] {
            [one] if i + 1 < model.nodes().len() => Some((one, &model.nodes()[one].kind)),
            _ => None,
        };
        let x = self.slots[node.inputs[0]];
        let takes_softmax = matches!(loss, Some(Loss::CrossEntropy { .. }));
        let mut last = i;
        let kind = match &node.kind {
            LayerKind::Dropout { .. } | LayerKind::Flatten {} => {
                self.slots[i + 1] = x;
                return i;
            }
            LayerKind::Softmax {} if takes_softmax && i + 1 == model.nodes().len() => {
                self.slots[i + 1] = x;
                return i;
            }
            LayerKind::Conv2d { .. } => {
                let geometry = model.conv_geometry(i, 1).expect("a convolution");
                let (mut relu, mut pool) = (false, None);
                while let Some((n, kind)) = next(last) {
                    match (kind, model.pool_geometry(n, 1)) {
                        (LayerKind::Relu {}, _) => relu = true,
                        (LayerKind::MaxPool { .. }, Some(p))
                            if pool.is_none() && Prepared::pools(&geometry, &p) =>
                        {
                            pool = Some(p);
                        }
                        _ => break,
                    }
                    last = n;
                }
                let (from, to) = (self.layouts[node.inputs[0]], wanted(model, readers, last + 1));
                self.layouts[last + 1] = to;
                let prepared = Prepared::new(self.isa, &geometry, relu, pool.as_ref(), from, to);
                Kind::Conv {
                    prepared: Box::new(prepared),
                    filter: node.params[0],
                    bias: node.params.get(1).copied(),
                }
            }
            LayerKind::Dense { .. } => {
                let relu = matches!(next(i), Some((_, LayerKind::Relu {})));
                last = if relu { next(i).expect("it was there").0 } else { i };
                Kind::Dense { weights: node.params[0], bias: node.params.get(1).copied(), relu }
            }
            LayerKind::Embedding { .. } => {
                let shape = &model.params()[node.params[0]].shape;
                Kind::Embedding { table: node.params[0], extents: [shape[0], shape[1]] }
            }
            LayerKind::MaxPool { .. } | LayerKind::GlobalMaxPool {} => {
                Kind::MaxPool(model.pool_geometry(i, 1).expect("a pool"))
            }
            LayerKind::AvgPool { .. } | LayerKind::GlobalAvgPool {} => {
                Kind::AvgPool(model.pool_geometry(i, 1).expect("a pool"))
            }
            LayerKind::BatchNorm { epsilon, .. } => {
                let blank = vec![0.0; node.shape[2]];
                Kind::Norm { scale: blank.clone(), shift: blank, epsilon: *epsilon }
            }
            LayerKind::Softmax {} => Kind::Softmax(node.shape[2]),
            LayerKind::Add {} => Kind::Add,
            LayerKind::Concat {} => {
                Kind::Concat(node.inputs.iter().map(|&v| model.value_shape(v)[2]).collect())
            }
            kind => Kind::Activation(activation(kind).expect("the kinds left are activations")),
        };
        self.slots[last + 1] = self.buffer(last + 1);
        let inputs = node.inputs.iter().map(|&v| self.slots[v]).collect();
        let nodes = chain(readers, i, last).collect();
        self.steps.push(Step { nodes, kind, inputs, y: self.slots[last + 1] });
        last
    }

    /// Takes over the parameters; `param(i)` gives those of parameter `i`.
    pub fn load<'a>(&mut self, model: &Model, param: impl Fn(usize) -> &'a [f32]) {
        for step in &mut self.steps {
            match &mut step.kind {
                Kind::Conv { prepared, filter, bias } => prepared.load(param(*filter), bias.map(&param)),
                Kind::Norm { scale, shift, epsilon } => {
                    let p: Vec<&[f32]> =
                        model.nodes()[step.nodes[0]].params.iter().map(|&p| param(p)).collect();
                    for c in 0..scale.len() {
                        let inverse = 1.0 / (f64::from(p[3][c]) + f64::from(*epsilon)).sqrt();
                        let k = f64::from(p[0][c]) * inverse;
                        scale[c] = k as f32;
                        shift[c] = (f64::from(p[1][c]) - f64::from(p[2][c]) * k) as f32;
                    }
                }
                _ => {}
            }
        }
        self.stale = false;
    }

    /// Predicts one image; `out` takes the outputs. Nothing is allocated. A large layer is shared by the `team`.
    /// `lap` is told of the input laid out, of each step and of the output, once it is done.
    pub fn run<'a>(
        &self,
        mut team: Option<&mut Team>,
        room: &mut Room,
        image: Image<'_>,
        param: impl Fn(usize) -> &'a [f32],
        out: &mut [f32],
        mut lap: impl FnMut(usize),
    ) {
        let first = self.slots[0];
        place(image.pixels, &self.layouts[0], image.scale, image.shift, &mut room[first]);
        lap(0);
        for (i, step) in self.steps.iter().enumerate() {
            let mut y = std::mem::take(&mut room[step.y]);
            let x = &room[step.inputs[0]];
            match &step.kind {
                Kind::Conv { prepared, .. } => prepared.run(team.as_deref_mut(), x, &mut y),
                Kind::Dense { weights, bias, relu } => {
                    nhwc::dense(self.isa, x, param(*weights), bias.map(&param), *relu, &mut y);
                }
                Kind::Activation(a) => a.forward(self.isa, x, &mut y),
                Kind::Embedding { table, extents: [rows, size] } => {
                    let table = param(*table);
                    for (id, y) in x.iter().zip(y.chunks_exact_mut(*size)) {
                        y.copy_from_slice(&table[row(*id, *rows) * size..][..*size]);
                    }
                }
                Kind::MaxPool(g) => pool::max_pool(g, x, &mut y),
                Kind::AvgPool(g) => pool::avg_pool(g, x, &mut y),
                Kind::Norm { scale, shift, .. } => {
                    for (x, y) in x.chunks_exact(scale.len()).zip(y.chunks_exact_mut(scale.len())) {
                        for (c, (x, y)) in x.iter().zip(y).enumerate() {
                            *y = x * scale[c] + shift[c];
                        }
                    }
                }
                Kind::Softmax(channels) => softmax(x, *channels, &mut y),
                Kind::Add => {
                    y.copy_from_slice(x);
                    for &i in &step.inputs[1..] {
                        y.iter_mut().zip(&room[i]).for_each(|(y, x)| *y += x);
                    }
                }
                Kind::Concat(channels) => {
                    let all: usize = channels.iter().sum();
                    let mut at = 0;
                    for (&i, &c) in step.inputs.iter().zip(channels) {
                        for (x, y) in room[i].chunks_exact(c).zip(y.chunks_exact_mut(all)) {
                            y[at..at + c].copy_from_slice(x);
                        }
                        at += c;
                    }
                }
            }
            room[step.y] = y;
            lap(i + 1);
        }
        let last = *self.slots.last().expect("the input at least");
        out.copy_from_slice(&room[last]);
        lap(self.steps.len() + 1);
    }

    /// What the plan says of its steps.
    pub fn told(&self) -> Vec<Told> {
        let told = |step: &Step| {
            let value = step.nodes.last().map_or(0, |&n| n + 1);
            Told {
                nodes: step.nodes.clone(),
                kernel: kernel(&step.kind),
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
        self.sizes.iter().sum()
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

fn kernel(kind: &Kind) -> &'static str {
    match kind {
        Kind::Conv { .. } => "nhwc::prepared",
        Kind::Dense { .. } => "nhwc::dense",
        Kind::Activation(_) => "lanes::elementwise",
        Kind::Embedding { .. } => "lanes::embedding",
        Kind::MaxPool(_) | Kind::AvgPool(_) => "nhwc::pool",
        Kind::Norm { .. } | Kind::Softmax(_) | Kind::Add | Kind::Concat(_) => "-",
    }
}

/// Whether `count` images are predicted one at a time; `wide`: see [`wide`].
pub(super) fn one_at_a_time(count: usize, isa: Isa, wide: bool) -> bool {
    count > 0 && (count <= isa.lanes() / 4 || wide)
}

/// The nodes from `first` to `last`, each the only reader of the one before.
fn chain(readers: &[Vec<usize>], first: usize, last: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(first), move |&i| (i != last).then(|| readers[i + 1][0]))
}

/// How value `v` had best lie in memory: with the zeros around it that a convolution wants which alone reads it.
fn wanted(model: &Model, readers: &[Vec<usize>], v: usize) -> Layout {
    let plain = Layout::plain(model.value_shape(v));
    let [one] = readers[v][..] else { return plain };
    match model.conv_geometry(one, 1) {
        Some(g) => Layout { halo: Prepared::halo(&g), ..plain },
        None => plain,
    }
}

/// Whether many images, too, are best taken one at a time: channels side by side give at least nine tenths of a
/// vector's lanes work, and what dense layers read for every image stays in the cache.
pub(super) fn wide(model: &Model, isa: Isa) -> bool {
    let (mut useful, mut all, mut dense) = (0.0, 0.0, 0);
    for node in model.nodes() {
        let groups = match node.kind {
            LayerKind::Conv2d { groups, .. } => groups.max(1) as usize,
            LayerKind::Dense { .. } => {
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

fn softmax(x: &[f32], channels: usize, y: &mut [f32]) {
    for (x, y) in x.chunks_exact(channels).zip(y.chunks_exact_mut(channels)) {
        let top = x.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
        y.iter_mut().zip(x).for_each(|(y, x)| *y = (x - top).exp());
        let total: f64 = y.iter().map(|&v| f64::from(v)).sum();
        y.iter_mut().for_each(|y| *y = (f64::from(*y) / total) as f32);
    }
}
