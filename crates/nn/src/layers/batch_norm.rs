use super::fields::count;
use super::layer::{
    At, Gradient, Inputs, Layer, MadeOf, ParamRole, ParamSpec, Pass, Passage, Role, Shape, Words,
};
use crate::Error;
use crate::ops;
use crate::steps::single::{SinglePlace, SingleStep};
use crate::steps::{self, Norm, Placing, StepKind};
use ndarray::{Array1, Array4, ArrayView4, Ix1};
use serde::{Deserialize, Serialize};

/// Normalizes each channel over the batch, then scales and shifts it (Ioffe and Szegedy 2015). At inference it goes
/// by moving statistics.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BatchNorm {
    /// Share of the moving statistics that stays at each step.
    pub momentum: f32,
    /// Added to the variance.
    pub epsilon: f32,
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self { momentum: 0.99, epsilon: 1e-3 }
    }
}

impl Layer for BatchNorm {
    fn inputs(&self) -> Inputs {
        Inputs::One
    }

    fn shape(&self, from: &[Shape]) -> Result<(Shape, u64), String> {
        let Self { momentum, epsilon } = *self;
        if !((0.0..=1.0).contains(&momentum) && epsilon > 0.0 && epsilon.is_finite()) {
            return Err(format!("momentum {momentum} or epsilon {epsilon} is out of range"));
        }
        Ok((from[0], count(from[0])))
    }

    fn params(&self, from: &[Shape]) -> Vec<ParamSpec> {
        use ParamRole::{Offsets, Statistics};
        [
            ("gamma", 1.0, Offsets),
            ("beta", 0.0, Offsets),
            ("moving_mean", 0.0, Statistics),
            ("moving_variance", 1.0, Statistics),
        ]
        .map(|(what, value, role)| ParamSpec::constant(what, from[0][2], value, role))
        .into()
    }

    fn forward(&self, at: &At<'_>) -> Result<Array4<f32>, Error> {
        let [gamma, beta, mean, variance] = [0, 1, 2, 3].map(|k| at.param::<Ix1>(k));
        ops::batch_norm_inference(at.x(), gamma, beta, mean, variance, self.epsilon)
    }

    fn gradient(&self, at: &At<'_>, _: ArrayView4<f32>, d: ArrayView4<f32>) -> Result<Gradient, Error> {
        let [gamma, mean, variance] = [0, 2, 3].map(|k| at.param::<Ix1>(k));
        let scale = gamma.iter().zip(&variance).map(|(g, v)| g / (v + self.epsilon).sqrt());
        let input = &d * &scale.collect::<Array1<f32>>();
        let channels = mean.len();
        let (mut d_gamma, mut d_beta) = (vec![0f64; channels], vec![0f64; channels]);
        for (x, d) in at.x().rows().into_iter().zip(d.rows()) {
            for c in 0..channels {
                let inverse = 1.0 / f64::from(variance[c] + self.epsilon).sqrt();
                d_gamma[c] += f64::from(d[c]) * (f64::from(x[c]) - f64::from(mean[c])) * inverse;
                d_beta[c] += f64::from(d[c]);
            }
        }
        let narrow = |v: Vec<f64>| v.into_iter().map(|v| v as f32).collect();
        Ok(Gradient {
            inputs: vec![input],
            params: vec![narrow(d_gamma), narrow(d_beta), Vec::new(), Vec::new()],
        })
    }

    fn reads_output(&self) -> bool {
        false
    }

    fn passage(&self, _: &Pass) -> Passage {
        Passage::Step
    }

    fn step(&self, place: &mut Placing<'_>) -> StepKind {
        let params = [0, 1, 2, 3].map(|k| place.params[k].index);
        let (channels, momentum, epsilon) = (place.shape()[2], self.momentum, self.epsilon);
        place.places.scratch_numbers(3 * channels);
        let norms = &mut place.places.norms;
        norms.push(Norm { channels, params, momentum, epsilon });
        let index = norms.len() - 1;
        if place.trained {
            StepKind::BatchNorm(steps::BatchNorm { index })
        } else {
            StepKind::FrozenNorm(steps::FrozenNorm { index })
        }
    }

    fn single(&self, place: &SinglePlace<'_>) -> SingleStep {
        place.batch_norm(self.epsilon)
    }

    fn role(&self) -> Role {
        Role::Follows
    }

    fn words(&self) -> Words {
        Words::new("each channel normalized over the batch", "채널마다 배치 전체로 정규화")
    }

    fn made_of(&self) -> MadeOf {
        MadeOf::Cell
    }

    fn keeps_places(&self) -> bool {
        true
    }
}
