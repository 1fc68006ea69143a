//! A loop of the program's own with operators: a convolutional net of parameters in arrays, its forward and backward
//! pass written out, and plain gradient descent. `cargo run --release -p foveal --example own_loop`

use foveal::ndarray::{Array1, Array2, Array4, Axis, Zip, s};
use foveal::nn::init::{Init, Random};
use foveal::nn::{Conv2dOptions, Error, Padding, Pool2dOptions, ops};

const POOL: Pool2dOptions = Pool2dOptions { ksize: [4, 4], strides: [4, 4], padding: Padding::Valid };

struct Net {
    filter: Array4<f32>,
    bias: Array1<f32>,
    weights: Array2<f32>,
    offsets: Array1<f32>,
}

impl Net {
    /// One step of gradient descent on a batch; the loss before it.
    fn step(&mut self, x: &Array4<f32>, labels: &[u32], lr: f32) -> Result<f32, Error> {
        let options = Conv2dOptions::default();
        let conv = ops::conv2d(x.view(), self.filter.view(), Some(self.bias.view()), &options)?;
        let relu = ops::activation(ops::Activation::Relu, conv.view());
        let pooled = ops::max_pool(relu.view(), &POOL)?;
        let flat = ops::flatten(pooled.view());
        let logits = ops::dense(flat.view(), self.weights.view(), Some(self.offsets.view()))?;
        let (loss, d_logits) = ops::softmax_cross_entropy(logits.view(), labels, 0.0, None)?;

        let dense = ops::dense_backward(flat.view(), self.weights.view(), d_logits.view())?;
        let d_pooled = dense.input.into_shape_with_order(pooled.raw_dim()).expect("flattened before");
        let d_relu = ops::max_pool_backward(relu.view(), d_pooled.view(), &POOL)?;
        let d_conv = ops::activation_backward(ops::Activation::Relu, conv.view(), d_relu.view())?;
        let conv = ops::conv2d_backward(x.view(), self.filter.view(), d_conv.view(), &options)?;

        self.filter.scaled_add(-lr, &conv.filter);
        self.bias.scaled_add(-lr, &conv.bias);
        self.weights.scaled_add(-lr, &dense.weights);
        self.offsets.scaled_add(-lr, &dense.bias);
        Ok(loss)
    }
}

/// Trains, and says how it went.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x = Array4::from_shape_fn((64, 10, 10, 1), |(n, h, w, _)| {
        let along = if n % 2 == 0 { h } else { w };
        f32::from(u8::from(along == n % 7 + 1)) + (n * 31 + h * 17 + w * 13) as f32 % 10.0 / 30.0
    });
    let labels: Vec<u32> = (0..64).map(|n| n % 2).collect();
    let mut random = Random::new(0);
    let mut net = Net {
        filter: Array4::from_shape_vec((3, 3, 1, 4), Init::He.values(36, 9, 36, &mut random))?,
        bias: Array1::zeros(4),
        weights: Array2::from_shape_vec((16, 2), Init::Glorot.values(32, 16, 2, &mut random))?,
        offsets: Array1::zeros(2),
    };
    let mut losses = Vec::new();
    for epoch in 0..60 {
        for batch in 0..4 {
            let part = batch * 16..(batch + 1) * 16;
            let images = x.slice(s![part.clone(), .., .., ..]).to_owned();
            losses.push(net.step(&images, &labels[part], 0.1 / (1.0 + epoch as f32 / 20.0))?);
        }
    }
    let mean =
        Zip::from(Array1::from(losses.split_off(losses.len() - 4)).view()).fold(0.0, |a, l| a + l / 4.0);
    println!("loss {:.3}, then {mean:.3}; filters {:?}", losses[0], net.filter.len_of(Axis(3)));
    assert!(mean < 0.5 * losses[0]);
    Ok(())
}
