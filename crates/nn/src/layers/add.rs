use super::fields::{count, fits};
use super::layer::{At, Gradient, Inputs, Layer, MadeOf, ParamSpec, Pass, Passage, Role, Shape, Words};
use crate::Error;
use crate::ops;
use crate::steps::single::{SinglePlace, SingleStep};
use crate::steps::{OnGrid, Placing, StepKind};
use foveal_kernels::grid::{Binary, Op};
use ndarray::{Array4, ArrayView4};
use serde::{Deserialize, Serialize};

/// The sum of its inputs: any number of one shape, or two of which one has a single row, column or channel where the
/// other has more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {}

const SPREAD: Op = Op::Binary(Binary::Add);

/// Whether all inputs have one shape; others are spread over each other.
fn alike(from: &[Shape]) -> bool {
    from.iter().all(|shape| *shape == from[0])
}

fn shapes(at: &At<'_>) -> Vec<Shape> {
    at.inputs.iter().map(|x| [x.dim().1, x.dim().2, x.dim().3]).collect()
}

impl Layer for Add {
    fn inputs(&self) -> Inputs {
        Inputs::Several
    }

    fn shape(&self, from: &[Shape]) -> Result<(Shape, u64), String> {
        if alike(from) {
            return Ok((from[0], count(from[0])));
        }
        let other = from.iter().find(|shape| **shape != from[0]).unwrap_or(&from[0]);
        match from {
            [_, _] => {
                let shape = SPREAD.output_shape(from)?;
                fits("output", shape)?;
                Ok((shape, SPREAD.flops(from)))
            }
            _ => Err(format!("inputs must have one shape, got {:?} and {other:?}", from[0])),
        }
    }

    fn params(&self, _: &[Shape]) -> Vec<ParamSpec> {
        Vec::new()
    }

    fn forward(&self, at: &At<'_>) -> Result<Array4<f32>, Error> {
        if alike(&shapes(at)) { ops::add(&at.inputs) } else { ops::grid::run(&SPREAD, &at.inputs, &[]) }
    }

    fn gradient(&self, at: &At<'_>, y: ArrayView4<f32>, d: ArrayView4<f32>) -> Result<Gradient, Error> {
        let inputs = match alike(&shapes(at)) {
            true => vec![d.to_owned(); at.inputs.len()],
            false => ops::grid::gradients(&SPREAD, &at.inputs, &[], y, d)?.0,
        };
        Ok(Gradient { inputs, params: Vec::new() })
    }

    fn reads_output(&self) -> bool {
        false
    }

    fn passage(&self, _: &Pass) -> Passage {
        Passage::Step
    }

    fn step(&self, place: &mut Placing<'_>) -> StepKind {
        if alike(place.from) {
            StepKind::Add(crate::steps::Add)
        } else {
            StepKind::OnGrid(OnGrid::new(place, &SPREAD))
        }
    }

    fn single(&self, place: &SinglePlace<'_>) -> SingleStep {
        if alike(&place.from()) { SingleStep::Add } else { place.grid(&SPREAD) }
    }

    fn role(&self) -> Role {
        Role::Joins
    }

    fn words(&self) -> Words {
        Words::new("sum", "합")
    }

    fn made_of(&self) -> MadeOf {
        MadeOf::Each
    }

    fn keeps_places(&self) -> bool {
        true
    }
}
