use super::fields::fits;
use super::layer::{At, Gradient, Inputs, Layer, MadeOf, ParamSpec, Pass, Passage, Role, Shape, Words};
use crate::Error;
use crate::ops;
use crate::steps::single::{SinglePlace, SingleStep};
use crate::steps::{Placing, StepKind};
use ndarray::{Array4, ArrayView4};
use serde::{Deserialize, Serialize};

/// The channels of several inputs of one height and width, one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concat {}

impl Layer for Concat {
    fn inputs(&self) -> Inputs {
        Inputs::Several
    }

    fn shape(&self, from: &[Shape]) -> Result<(Shape, u64), String> {
        let first = from[0];
        if let Some(other) = from.iter().find(|s| s[..2] != first[..2]) {
            return Err(format!("inputs must have one height and width, got {first:?} and {other:?}"));
        }
        let channels = from.iter().fold(0usize, |sum, s| sum.saturating_add(s[2]));
        let shape = [first[0], first[1], channels];
        fits("output", shape)?;
        Ok((shape, 0))
    }

    fn params(&self, _: &[Shape]) -> Vec<ParamSpec> {
        Vec::new()
    }

    fn forward(&self, at: &At<'_>) -> Result<Array4<f32>, Error> {
        ops::concat(&at.inputs)
    }

    fn gradient(&self, at: &At<'_>, _: ArrayView4<f32>, d: ArrayView4<f32>) -> Result<Gradient, Error> {
        let channels: Vec<usize> = at.inputs.iter().map(|x| x.dim().3).collect();
        Ok(Gradient { inputs: ops::concat_backward(&channels, d)?, params: Vec::new() })
    }

    fn reads_output(&self) -> bool {
        false
    }

    fn passage(&self, _: &Pass) -> Passage {
        Passage::Step
    }

    fn step(&self, _: &mut Placing<'_>) -> StepKind {
        StepKind::Concat(crate::steps::Concat)
    }

    fn single(&self, place: &SinglePlace<'_>) -> SingleStep {
        SingleStep::Concat(place.from().iter().map(|shape| shape[2]).collect())
    }

    fn role(&self) -> Role {
        Role::Joins
    }

    fn words(&self) -> Words {
        Words::new("side by side", "이어 붙임")
    }

    fn made_of(&self) -> MadeOf {
        MadeOf::Joined
    }

    fn keeps_places(&self) -> bool {
        true
    }
}
