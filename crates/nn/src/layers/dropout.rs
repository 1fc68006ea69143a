use super::layer::{At, Gradient, Inputs, Layer, MadeOf, ParamSpec, Pass, Passage, Role, Shape, Words};
use crate::Error;
use crate::steps::single::{SinglePlace, SingleStep};
use crate::steps::{self, Placing, StepKind};
use ndarray::{Array4, ArrayView4};
use serde::{Deserialize, Serialize};

/// While training, sets numbers to 0 with probability `rate` and scales the others up (Srivastava et al. 2014).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// Probability of 0.
    pub rate: f32,
}

impl Default for Dropout {
    fn default() -> Self {
        Self { rate: 0.5 }
    }
}

impl Layer for Dropout {
    fn inputs(&self) -> Inputs {
        Inputs::One
    }

    fn shape(&self, from: &[Shape]) -> Result<(Shape, u64), String> {
        if !(0.0..1.0).contains(&self.rate) {
            return Err(format!("rate must be from 0 to below 1, got {}", self.rate));
        }
        Ok((from[0], 0))
    }

    fn params(&self, _: &[Shape]) -> Vec<ParamSpec> {
        Vec::new()
    }

    fn forward(&self, at: &At<'_>) -> Result<Array4<f32>, Error> {
        Ok(at.x().to_owned())
    }

    fn gradient(&self, _: &At<'_>, _: ArrayView4<f32>, d: ArrayView4<f32>) -> Result<Gradient, Error> {
        Ok(Gradient::of(d.to_owned()))
    }

    /// The gradient goes by the mask.
    fn reads_output(&self) -> bool {
        false
    }

    fn passage(&self, pass: &Pass) -> Passage {
        if pass.training && self.rate > 0.0 { Passage::InPlace } else { Passage::Same }
    }

    fn step(&self, place: &mut Placing<'_>) -> StepKind {
        StepKind::Dropout(steps::Dropout::new(place, self.rate))
    }

    fn single(&self, _: &SinglePlace<'_>) -> SingleStep {
        unreachable!("single images are predicted, and then dropout is its input")
    }

    fn role(&self) -> Role {
        Role::Follows
    }

    fn words(&self) -> Words {
        Words::new(
            format!("a share of {} left out while training", self.rate),
            format!("학습할 때 {} 비율로 끔", self.rate),
        )
    }

    fn made_of(&self) -> MadeOf {
        MadeOf::Cell
    }

    fn keeps_places(&self) -> bool {
        true
    }
}
