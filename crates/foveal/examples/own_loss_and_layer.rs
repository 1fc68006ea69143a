//! A loss and a layer of the program's own: focal loss (Lin et al. 2017) on a net with a layer that learns a power of
//! each channel. `cargo run --release -p foveal --example own_loss_and_layer`

use foveal::data::Dataset;
use foveal::ndarray::{Array2, Array4, ArrayView4, ArrayViewD, Axis};
use foveal::nn::init::Init;
use foveal::nn::layers::{Custom, CustomGradients, CustomLayer, CustomParam, ParamRole};
use foveal::nn::{Sequential, ops};
use foveal::train::{Fit, Judged, Recipe};

/// `(x + 0.1)^p` with a learnt `p` for each channel, of inputs that are not below 0.
#[derive(Debug)]
struct Power;

impl CustomLayer for Power {
    fn kind(&self) -> &'static str {
        "power"
    }

    fn shape(&self, inputs: &[[usize; 3]]) -> Result<[usize; 3], String> {
        Ok(inputs[0])
    }

    fn params(&self, inputs: &[[usize; 3]]) -> Vec<CustomParam> {
        let (shape, init) = (vec![inputs[0][2]], Init::Constant(1.0));
        vec![CustomParam { what: "power", shape, init, role: ParamRole::Offsets }]
    }

    fn forward(&self, x: &[ArrayView4<f32>], p: &[ArrayViewD<f32>]) -> Result<Array4<f32>, String> {
        let mut y = x[0].mapv(|v| (v + 0.1).ln());
        y *= &p[0];
        y.mapv_inplace(f32::exp);
        Ok(y)
    }

    fn backward(
        &self,
        x: &[ArrayView4<f32>],
        p: &[ArrayViewD<f32>],
        y: ArrayView4<f32>,
        d: ArrayView4<f32>,
    ) -> Result<CustomGradients, String> {
        let (mut slope, base) = (&y * &d, x[0].mapv(|v| v + 0.1));
        let power = (&slope * &base.mapv(f32::ln)).sum_axis(Axis(0)).sum_axis(Axis(0)).sum_axis(Axis(0));
        slope *= &p[0];
        Ok(CustomGradients { inputs: vec![slope / base], params: vec![power.into_dyn()] })
    }
}

/// `-(1 - q)^2 ln q` of the true class's probability `q`, the mean; and its gradient.
fn focal(batch: &Judged<'_>) -> Result<(f32, Array2<f32>), String> {
    let (p, n) = (ops::softmax(batch.outputs), batch.indices.len() as f32);
    let (mut loss, mut d) = (0.0, Array2::zeros(p.raw_dim()));
    for (i, &label) in batch.labels().iter().enumerate() {
        let q = p[[i, label as usize]].max(1e-7);
        loss -= (1.0 - q).powi(2) * q.ln() / n;
        let slope = (2.0 * (1.0 - q) * q.ln() - (1.0 - q).powi(2) / q) / n;
        for c in 0..p.ncols() {
            let same = if c == label as usize { 1.0 } else { 0.0 };
            d[[i, c]] = slope * q * (same - p[[i, c]]);
        }
    }
    Ok((loss, d))
}

/// Trains, and says how it went.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let picture =
        |n: usize| (0..64).map(|i| ((i % 8 + 1) * (n % 3 + 1) * 9 + n % 5) as u8).collect::<Vec<u8>>();
    let data = Dataset::from_samples([8, 8, 1], (0..150).map(|n| (picture(n), n as u32 % 3)))?;
    let net = Sequential::new([8, 8, 1]).conv2d(6, 3).relu().layer(Custom::new(Power)).max_pool(2).flatten();
    let model = net.dense(3).build(0)?;
    let trained = Fit::new(&model, &data)
        .recipe(Recipe { epochs: 15, batch_size: 25, lr: 5e-3, ..Recipe::default() })
        .loss(focal)
        .metric("classes said", |j| {
            let top =
                |row: foveal::ndarray::ArrayView1<f32>| (0..3).max_by(|&a, &b| row[a].total_cmp(&row[b]));
            j.outputs.rows().into_iter().map(top).collect::<std::collections::BTreeSet<_>>().len() as f64
        })
        .run()?;
    let powers = &trained.outcome.model.param("power_1.power").ok_or("no power")?.values;
    println!("accuracy {:?}, powers {powers:.3?}", trained.outcome.validation_accuracy);
    println!("{:?}", trained.outcome.metrics.last());
    println!("saved: {}", trained.saved.to_bytes().unwrap_err());
    assert!(trained.outcome.validation_accuracy > Some(0.8) && powers.iter().any(|&p| p != 1.0));
    Ok(())
}
