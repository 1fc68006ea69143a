//! PyTorch's 20 losses and final weights, again, over the f64 references.

use flate2::read::GzDecoder;
use foveal_testkit::reference::activation::Activation::Relu;
use foveal_testkit::reference::{self as r, loss, optim::Adam};
use foveal_testkit::{Pad, fixtures};
use ndarray::{Array, Array1, Array2, Array4, ArrayD, Dimension};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

type Weights = BTreeMap<String, ArrayD<f64>>;

/// The bytes of an IDX file after its header, gzipped or not.
fn idx(folder: &Path, name: &str, header: usize, count: usize) -> Vec<u8> {
    let plain = folder.join(name);
    let source: Box<dyn Read> = if plain.exists() {
        Box::new(std::fs::File::open(plain).unwrap())
    } else {
        let file = std::fs::File::open(folder.join(format!("{name}.gz"))).unwrap();
        Box::new(GzDecoder::new(file))
    };
    let mut bytes = Vec::new();
    let wanted = (header + count) as u64;
    source.take(wanted).read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len() as u64, wanted);
    bytes.split_off(header)
}

fn get<D: Dimension>(weights: &Weights, name: &str) -> Array<f64, D> {
    weights[name].clone().into_dimensionality().unwrap()
}

fn four(a: &Array4<f64>) -> [usize; 4] {
    let (n, h, w, c) = a.dim();
    [n, h, w, c]
}

const ONE: [usize; 2] = [1, 1];
const TWO: [usize; 2] = [2, 2];

/// A convolution, ReLU and pool, and what their backward pass needs.
struct Block {
    x: Array4<f64>,
    w: Array4<f64>,
    before_relu: Array4<f64>,
    before_pool: Array4<f64>,
    y: Array4<f64>,
}

impl Block {
    fn forward(x: Array4<f64>, weights: &Weights, name: &str) -> Block {
        let w = get(weights, &format!("{name}.w"));
        let bias: Array1<f64> = get(weights, &format!("{name}.b"));
        let before_relu = r::conv2d(&x, &w, Some(&bias), ONE, ONE, Pad::Same, 1);
        let before_pool = Relu.forward(&before_relu);
        let y = r::max_pool(&before_pool, TWO, TWO, Pad::Valid);
        Block { x, w, before_relu, before_pool, y }
    }

    fn backward(&self, d_y: &Array4<f64>, name: &str, gradients: &mut Weights) -> Array4<f64> {
        let d = r::max_pool_backward(d_y, &self.before_pool, TWO, TWO, Pad::Valid);
        let d = Relu.backward(&d, &self.before_relu);
        let d_w = r::conv2d_backward_filter(&d, &self.x, four(&self.w), ONE, ONE, Pad::Same, 1);
        gradients.insert(format!("{name}.w"), d_w.into_dyn());
        gradients.insert(format!("{name}.b"), r::conv2d_backward_bias(&d).into_dyn());
        r::conv2d_backward_input(&d, &self.w, four(&self.x), ONE, ONE, Pad::Same, 1)
    }
}

fn loss_and_gradients(x: Array4<f64>, labels: &[usize], weights: &Weights) -> (f64, Weights) {
    let first = Block::forward(x, weights, "conv1");
    let second = Block::forward(first.y.clone(), weights, "conv2");
    let rows = (labels.len(), 7 * 7 * 16);
    let flat: Array2<f64> = second.y.clone().into_shape_with_order(rows).unwrap();
    let (w, bias): (Array2<f64>, Array1<f64>) = (get(weights, "dense.w"), get(weights, "dense.b"));
    let logits = r::dense(&flat, &w, Some(&bias));
    let value = loss::softmax_cross_entropy(&logits, labels, 0.0, None);

    let mut gradients = Weights::new();
    let d = loss::softmax_cross_entropy_gradient(&logits, labels, 0.0, None);
    let (d_flat, d_w, d_b) = r::dense_backward(&d, &flat, &w);
    gradients.insert("dense.w".into(), d_w.into_dyn());
    gradients.insert("dense.b".into(), d_b.into_dyn());
    let d = d_flat.into_shape_with_order(second.y.raw_dim()).unwrap();
    let d = second.backward(&d, "conv2", &mut gradients);
    first.backward(&d, "conv1", &mut gradients);
    (value, gradients)
}

/// `FOVEAL_MNIST_DIR=folder cargo test -p foveal-testkit --test trajectory -- --ignored`
#[test]
#[ignore = "needs MNIST's training files in the folder FOVEAL_MNIST_DIR"]
fn the_references_train_as_pytorch_does() {
    let folder = std::env::var_os("FOVEAL_MNIST_DIR").expect("FOVEAL_MNIST_DIR");
    let folder = Path::new(&folder);
    let t = fixtures::trajectory();
    let steps = t.losses_f64.len();
    let images = idx(folder, "train-images-idx3-ubyte", 16, steps * t.batch * 784);
    let labels = idx(folder, "train-labels-idx1-ubyte", 8, steps * t.batch);
    let mut weights = t.initial.clone();
    let mut adams: BTreeMap<_, _> = (weights.keys().cloned())
        .map(|name| (name, Adam::new(t.lr, [0.9, 0.999], 1e-8, 0.0, false)))
        .collect();
    for step in 0..steps {
        let batch = step * t.batch..(step + 1) * t.batch;
        let pixels = images[batch.start * 784..batch.end * 784].iter();
        let x = pixels.map(|&p| f64::from(p) / 255.0).collect();
        let x = Array4::from_shape_vec((t.batch, 28, 28, 1), x).unwrap();
        let classes: Vec<usize> = labels[batch].iter().map(|&l| l.into()).collect();
        let (value, gradients) = loss_and_gradients(x, &classes, &weights);
        let expected = t.losses_f64[step];
        assert!((value - expected).abs() < 1e-10, "step {step}: {value} and {expected}");
        for (name, adam) in &mut adams {
            let (w, g) = (weights.get_mut(name).unwrap(), &gradients[name]);
            let g = g.as_standard_layout();
            adam.step(w.as_slice_mut().unwrap(), g.as_slice().unwrap());
        }
    }
    let mut worst = 0.0f64;
    for (name, w) in &weights {
        for (a, b) in w.iter().zip(&t.final_f64[name]) {
            worst = worst.max((a - b).abs());
        }
    }
    println!("weights after {steps} steps: worst difference {worst:.1e}");
    assert!(worst < 1e-9);
}
