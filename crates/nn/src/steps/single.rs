//! The steps of a plan that takes images one at a time, channels side by side.

use super::own::{Fault, OwnLayer, OwnSingle};
use super::places::Parameter;
use foveal_kernels::grid::{Grid, Op, Planned};
use foveal_kernels::lanes::elementwise::{Activation, add_assign};
use foveal_kernels::lanes::embedding::row;
use foveal_kernels::nhwc::{
    self, After, Layout, Prepared, PreparedTranspose,
    pool::{self, Pool},
};
use foveal_kernels::team::Team;
use foveal_kernels::{Conv2dGeometry, Conv2dTransposeGeometry, Isa, Pool2dGeometry};
use std::sync::Arc;

/// How a step with one image computes.
pub enum SingleStep {
    /// A convolution with what follows it; the parameters and epsilon of a batch normalization that is folded into
    /// filter and bias.
    Conv {
        prepared: Box<Prepared>,
        filter: usize,
        bias: Option<usize>,
        norm: Option<([usize; 4], f32)>,
    },
    /// A transposed convolution.
    ConvTransposed {
        prepared: Box<PreparedTranspose>,
        filter: usize,
        bias: Option<usize>,
    },
    /// A dense layer, with ReLU if it follows.
    Dense {
        weights: usize,
        bias: Option<usize>,
        relu: bool,
    },
    /// A function of each number.
    Function(Activation),
    /// The table, its rows and the numbers in each.
    Embedding {
        table: usize,
        extents: [usize; 2],
    },
    MaxPool(Pool2dGeometry),
    AvgPool(Pool2dGeometry),
    /// Batch normalization: scale and shift of each channel from its four parameters.
    Norm {
        params: [usize; 4],
        scale: Vec<f32>,
        shift: Vec<f32>,
        epsilon: f32,
    },
    Add,
    /// Channels of each input.
    Concat(Vec<usize>),
    /// An operation of the grid kernels.
    Grid {
        planned: Box<Planned>,
        params: [Option<usize>; 2],
    },
    /// A layer of the program's own.
    Own(Box<OwnSingle>),
}

/// Who computes a step, and with what.
pub struct Worker<'a> {
    pub isa: Isa,
    /// Shares a large layer.
    pub team: Option<&'a mut Team>,
    /// At least [`SingleStep::scratch`] numbers.
    pub scratch: &'a mut [f32],
}

/// A step on its way into a plan for single images.
pub struct SinglePlace<'a> {
    pub isa: Isa,
    /// How the inputs and the output lie.
    pub inputs: &'a [Layout],
    pub output: Layout,
    /// The node's parameters.
    pub params: &'a [Parameter],
}

impl SinglePlace<'_> {
    /// Height, width, channels of each input.
    pub fn from(&self) -> Vec<[usize; 3]> {
        self.inputs.iter().map(|layout| layout.shape).collect()
    }

    /// Height, width, channels of the first input.
    pub fn shape(&self) -> [usize; 3] {
        self.inputs[0].shape
    }

    /// Parameter `k` among the model's.
    pub fn param(&self, k: usize) -> usize {
        self.params[k].index
    }

    fn optional(&self, k: usize) -> Option<usize> {
        self.params.get(k).map(|p| p.index)
    }

    /// A convolution, what follows it, and the batch normalization (its parameters and epsilon) between them.
    pub fn conv(&self, g: &Conv2dGeometry, norm: Option<([usize; 4], f32)>, after: &After) -> SingleStep {
        let prepared = Box::new(Prepared::new(self.isa, g, after, self.inputs[0], self.output));
        SingleStep::Conv { prepared, filter: self.param(0), bias: self.optional(1), norm }
    }

    pub fn conv_transposed(&self, g: &Conv2dTransposeGeometry) -> SingleStep {
        let prepared = Box::new(PreparedTranspose::new(self.isa, g, false, self.inputs[0], self.output));
        SingleStep::ConvTransposed { prepared, filter: self.param(0), bias: self.optional(1) }
    }

    pub fn dense(&self, relu: bool) -> SingleStep {
        SingleStep::Dense { weights: self.param(0), bias: self.optional(1), relu }
    }

    pub fn batch_norm(&self, epsilon: f32) -> SingleStep {
        let blank = vec![0.0; self.params[0].count];
        let params = [0, 1, 2, 3].map(|k| self.param(k));
        SingleStep::Norm { params, scale: blank.clone(), shift: blank, epsilon }
    }

    /// A layer of the program's own, whose parameters have these shapes.
    pub fn own(&self, layer: Arc<dyn OwnLayer>, shapes: Vec<Vec<usize>>) -> SingleStep {
        let from = self.from();
        let params = self.params.iter().map(|p| p.index).zip(shapes).collect();
        SingleStep::Own(Box::new(OwnSingle {
            layer,
            from,
            to: self.output.shape,
            params,
            fault: Fault::default(),
        }))
    }

    pub fn grid(&self, op: &Op) -> SingleStep {
        let x: Vec<Grid> = self.inputs.iter().map(Grid::of_layout).collect();
        let planned = Box::new(Planned::new(op, &x, Grid::of_layout(&self.output)));
        SingleStep::Grid { planned, params: [0, 1].map(|k| self.optional(k)) }
    }
}

impl SingleStep {
    /// Takes over the parameters; `param(i)` gives those of parameter `i`.
    pub fn load<'a>(&mut self, param: &impl Fn(usize) -> &'a [f32]) {
        match self {
            SingleStep::Conv { prepared, filter, bias, norm } => {
                let (filter, bias) = (param(*filter), bias.map(param));
                match norm {
                    None => prepared.load(filter, bias),
                    Some((params, epsilon)) => {
                        let (filter, bias) = folded(filter, bias, &affine(params.map(param), *epsilon));
                        prepared.load(&filter, Some(&bias));
                    }
                }
            }
            SingleStep::ConvTransposed { prepared, filter, bias } => {
                prepared.load(param(*filter), bias.map(param))
            }
            SingleStep::Norm { params, scale, shift, epsilon } => {
                for (c, [k, add]) in affine(params.map(param), *epsilon).into_iter().enumerate() {
                    (scale[c], shift[c]) = (k as f32, add as f32);
                }
            }
            SingleStep::Dense { .. }
            | SingleStep::Function(_)
            | SingleStep::Embedding { .. }
            | SingleStep::MaxPool(_)
            | SingleStep::AvgPool(_)
            | SingleStep::Add
            | SingleStep::Concat(_)
            | SingleStep::Own(_)
            | SingleStep::Grid { .. } => {}
        }
    }

    /// Numbers of scratch that the step needs.
    pub fn scratch(&self) -> usize {
        match self {
            SingleStep::Grid { planned, .. } => planned.scratch(),
            SingleStep::Conv { prepared, .. } => prepared.scratch(),
            SingleStep::ConvTransposed { .. }
            | SingleStep::Dense { .. }
            | SingleStep::Function(_)
            | SingleStep::Embedding { .. }
            | SingleStep::MaxPool(_)
            | SingleStep::AvgPool(_)
            | SingleStep::Norm { .. }
            | SingleStep::Add
            | SingleStep::Own(_)
            | SingleStep::Concat(_) => 0,
        }
    }

    /// Computes `y`. `x(k)` gives input `k`, of `inputs`.
    pub fn run<'a, 'x>(
        &self,
        Worker { isa, team, scratch }: Worker<'_>,
        x: &impl Fn(usize) -> &'x [f32],
        inputs: usize,
        param: &impl Fn(usize) -> &'a [f32],
        y: &mut [f32],
    ) {
        match self {
            SingleStep::Conv { prepared, .. } => {
                prepared.run(team, x(0), (inputs > 1).then(|| x(1)), scratch, y);
            }
            SingleStep::ConvTransposed { prepared, .. } => prepared.run(team, x(0), y),
            SingleStep::Dense { weights, bias, relu } => {
                nhwc::dense(isa, team, x(0), param(*weights), bias.map(param), *relu, y);
            }
            SingleStep::Function(f) => f.forward(isa, x(0), y),
            SingleStep::Embedding { table, extents: [rows, size] } => {
                let table = param(*table);
                for (id, y) in x(0).iter().zip(y.chunks_exact_mut(*size)) {
                    y.copy_from_slice(&table[row(*id, *rows) * size..][..*size]);
                }
            }
            SingleStep::MaxPool(g) => pool::of_one_image(isa, Pool::Max, g, team, x(0), y),
            SingleStep::AvgPool(g) => pool::of_one_image(isa, Pool::Mean, g, team, x(0), y),
            SingleStep::Norm { scale, shift, .. } => normalize(scale, shift, x(0), y),
            SingleStep::Add => {
                y.copy_from_slice(x(0));
                (1..inputs).for_each(|k| add_assign(isa, x(k), y));
            }
            SingleStep::Concat(channels) => join(channels, x, y),
            SingleStep::Own(own) => own.run(x, param, y),
            SingleStep::Grid { planned, params } => {
                let params = params.map(|p| p.map_or(&[][..], param));
                let second = if inputs > 1 { x(1) } else { &[] };
                planned.forward(isa, [x(0), second], params, y, scratch);
            }
        }
    }

    /// The module of `foveal_kernels` that does the work.
    pub fn kernel(&self) -> &'static str {
        match self {
            SingleStep::Conv { prepared, .. } => prepared.kernel(),
            SingleStep::ConvTransposed { .. } => "nhwc::transpose",
            SingleStep::Dense { .. } => "nhwc::dense",
            SingleStep::Function(_) => "lanes::elementwise",
            SingleStep::Embedding { .. } => "lanes::embedding",
            SingleStep::MaxPool(_) | SingleStep::AvgPool(_) => "nhwc::pool",
            SingleStep::Grid { .. } => "grid",
            SingleStep::Norm { .. } | SingleStep::Add | SingleStep::Concat(_) | SingleStep::Own(_) => "-",
        }
    }
}

/// What batch normalization does to each channel at inference: the factor, and what is added. The parameters are
/// factors, offsets, means and variances.
fn affine([gamma, beta, mean, variance]: [&[f32]; 4], epsilon: f32) -> Vec<[f64; 2]> {
    let numbers = gamma.iter().zip(beta).zip(mean.iter().zip(variance));
    let of = |((gamma, beta), (mean, variance)): ((&f32, &f32), (&f32, &f32))| {
        let k = f64::from(*gamma) / (f64::from(*variance) + f64::from(epsilon)).sqrt();
        [k, f64::from(*beta) - f64::from(*mean) * k]
    };
    numbers.map(of).collect()
}

/// Filter and bias of a convolution that does what this one and `affine` after it do.
fn folded(filter: &[f32], bias: Option<&[f32]>, affine: &[[f64; 2]]) -> (Vec<f32>, Vec<f32>) {
    let filter = filter.chunks_exact(affine.len());
    let filter = filter.flat_map(|row| row.iter().zip(affine).map(|(w, [k, _])| (f64::from(*w) * k) as f32));
    let bias = affine.iter().enumerate().map(|(o, [k, add])| {
        let bias = bias.map_or(0.0, |bias| f64::from(bias[o]));
        (bias * k + add) as f32
    });
    (filter.collect(), bias.collect())
}

fn normalize(scale: &[f32], shift: &[f32], x: &[f32], y: &mut [f32]) {
    for (x, y) in x.chunks_exact(scale.len()).zip(y.chunks_exact_mut(scale.len())) {
        for (c, (x, y)) in x.iter().zip(y).enumerate() {
            *y = x * scale[c] + shift[c];
        }
    }
}

/// The channels of several inputs, one after the other.
fn join<'x>(channels: &[usize], x: &impl Fn(usize) -> &'x [f32], y: &mut [f32]) {
    let all: usize = channels.iter().sum();
    let mut at = 0;
    for (k, &c) in channels.iter().enumerate() {
        for (x, y) in x(k).chunks_exact(c).zip(y.chunks_exact_mut(all)) {
            y[at..at + c].copy_from_slice(x);
        }
        at += c;
    }
}
