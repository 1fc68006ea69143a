//! The work whose instructions are counted: always the same, on one thread.

use foveal_kernels::{Conv2dGeometry, Conv2dOptions, Isa, Padding, Pool2dGeometry, Pool2dOptions, nhwc};
use foveal_nn::engine::{Engine, Example, Options, Pixels, Target};
use foveal_nn::loss::Loss;
use foveal_nn::optim::Optimizer;
use foveal_nn::{Model, builtin};

/// A name, and a function that prepares the work.
pub type Case = (&'static str, fn() -> Box<dyn FnMut()>);

/// All cases.
pub const ALL: [Case; 9] = [
    ("conv2d-1-8", || forward(Conv { n: 4, side: 28, channels: [1, 8], kernel: 3, stride: 1 })),
    ("conv2d-32-64", || forward(Conv { n: 2, side: 14, channels: [32, 64], kernel: 3, stride: 1 })),
    ("conv2d-7x7-stride-2", || forward(Conv { n: 1, side: 56, channels: [3, 64], kernel: 7, stride: 2 })),
    ("input-gradient-32-64", || {
        input_gradient(Conv { n: 2, side: 14, channels: [32, 64], kernel: 3, stride: 1 })
    }),
    ("filter-gradient-32-64", || {
        filter_gradient(Conv { n: 2, side: 14, channels: [32, 64], kernel: 3, stride: 1 })
    }),
    ("max-pool-2x2", max_pool),
    ("train-fast", || train("fast", 32)),
    ("train-lab-11-1", || train("lab-11-1", 8)),
    ("predict-fast-1", predict),
];

/// A SAME convolution on square images.
#[derive(Clone, Copy)]
struct Conv {
    n: usize,
    side: usize,
    channels: [usize; 2],
    kernel: usize,
    stride: i64,
}

impl Conv {
    fn geometry(self) -> Conv2dGeometry {
        let [from, to] = self.channels;
        let options =
            Conv2dOptions { strides: [self.stride; 2], padding: Padding::Same, ..Default::default() };
        let (x, filter) = ([self.n, self.side, self.side, from], [self.kernel, self.kernel, from, to]);
        Conv2dGeometry::new("conv2d", &x, &filter, &options).expect("a convolution")
    }
}

/// Numbers that are neither zero nor alike.
fn numbers(extents: [usize; 4]) -> Vec<f32> {
    (0..extents.iter().product()).map(|i: usize| (i * 31 % 251) as f32 / 251.0 - 0.4).collect()
}

fn forward(conv: Conv) -> Box<dyn FnMut()> {
    let g = conv.geometry();
    let (x, filter) = (numbers(g.input_shape()), numbers(g.filter_shape()));
    let mut y = numbers(g.output_shape());
    Box::new(move || nhwc::conv2d(Isa::best(), &g, &x, &filter, None, &mut y))
}

fn input_gradient(conv: Conv) -> Box<dyn FnMut()> {
    let g = conv.geometry();
    let (mut dx, filter, dy) =
        (numbers(g.input_shape()), numbers(g.filter_shape()), numbers(g.output_shape()));
    Box::new(move || nhwc::conv2d_backward_input(Isa::best(), &g, &dy, &filter, &mut dx))
}

fn filter_gradient(conv: Conv) -> Box<dyn FnMut()> {
    let g = conv.geometry();
    let (x, mut d_filter, dy) =
        (numbers(g.input_shape()), numbers(g.filter_shape()), numbers(g.output_shape()));
    Box::new(move || nhwc::conv2d_backward_filter(Isa::best(), &g, &x, &dy, &mut d_filter))
}

fn max_pool() -> Box<dyn FnMut()> {
    let options = Pool2dOptions { ksize: [2, 2], strides: [2, 2], padding: Padding::Valid };
    let g = Pool2dGeometry::new("max_pool", &[2, 28, 28, 32], &options).expect("a pooling");
    let (x, mut y) = (numbers(g.input_shape()), numbers(g.output_shape()));
    Box::new(move || nhwc::pool::max_pool(Isa::best(), &g, &x, &mut y))
}

fn engine(name: &str, batch_size: usize, training: bool) -> Engine {
    let model = Model::new(&builtin::spec(name).expect("built in"), 0).expect("a model");
    let options = Options {
        batch_size,
        threads: 1,
        loss: training.then(Loss::default),
        optimizer: Optimizer::default(),
        seed: 0,
        scale: vec![1.0 / 255.0],
        shift: vec![0.0],
        isa: Isa::best(),
    };
    Engine::new(&model, options).expect("an engine")
}

fn picture() -> Vec<u8> {
    (0..28 * 28).map(|i| (i * 31 % 251) as u8).collect()
}

fn train(name: &str, batch: usize) -> Box<dyn FnMut()> {
    let (mut engine, picture) = (engine(name, batch, true), picture());
    Box::new(move || {
        engine.step(batch, 1e-3, |i| Example {
            pixels: Pixels::U8(&picture),
            target: Target::Class(i as u32 % 10),
            weight: 1.0,
        });
    })
}

fn predict() -> Box<dyn FnMut()> {
    let (mut engine, picture) = (engine("fast", 1, false), picture());
    let mut out = [0.0; 10];
    Box::new(move || engine.predict_into(1, |_| Pixels::U8(&picture), &mut out))
}
