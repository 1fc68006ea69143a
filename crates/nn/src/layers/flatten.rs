use super::layer::{At, Gradient, Inputs, Layer, MadeOf, ParamSpec, Pass, Passage, Role, Shape, Words};
use crate::Error;
use crate::ops;
use crate::steps::single::{SinglePlace, SingleStep};
use crate::steps::{Placing, StepKind};
use ndarray::{Array4, ArrayView4};
use serde::{Deserialize, Serialize};

/// One row of numbers, in the order height, width, channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {}

fn reshaped(x: ArrayView4<f32>, [n, h, w, c]: [usize; 4]) -> Array4<f32> {
    let rows = ops::rows(x).into_owned();
    rows.into_shape_with_order((n, h, w, c)).expect("as many numbers, row-major")
}

impl Layer for Flatten {
    fn inputs(&self) -> Inputs {
        Inputs::One
    }

    fn shape(&self, from: &[Shape]) -> Result<(Shape, u64), String> {
        Ok(([1, 1, from[0].iter().product()], 0))
    }

    fn params(&self, _: &[Shape]) -> Vec<ParamSpec> {
        Vec::new()
    }

    fn forward(&self, at: &At<'_>) -> Result<Array4<f32>, Error> {
        Ok(reshaped(at.x(), [at.extents()[0], 1, 1, at.shape[2]]))
    }

    fn gradient(&self, at: &At<'_>, _: ArrayView4<f32>, d: ArrayView4<f32>) -> Result<Gradient, Error> {
        Ok(Gradient::of(reshaped(d, at.extents())))
    }

    fn reads_output(&self) -> bool {
        false
    }

    /// With channels side by side the numbers stand in this order already.
    fn passage(&self, pass: &Pass) -> Passage {
        if pass.side_by_side { Passage::Step } else { Passage::Same }
    }

    fn step(&self, _: &mut Placing<'_>) -> StepKind {
        StepKind::Flatten(crate::steps::Flatten)
    }

    fn single(&self, _: &SinglePlace<'_>) -> SingleStep {
        unreachable!("with channels side by side a flat row is its input")
    }

    fn role(&self) -> Role {
        Role::Connected
    }

    fn words(&self) -> Words {
        Words::new("one row of numbers", "한 줄로 편 수")
    }

    fn made_of(&self) -> MadeOf {
        MadeOf::Moved
    }

    fn keeps_places(&self) -> bool {
        false
    }

    fn moved_from(&self, [_, w, c]: Shape, [_, _, at]: Shape) -> Option<Option<Shape>> {
        let c = c.max(1);
        Some(Some([at / c / w.max(1), at / c % w.max(1), at % c]))
    }
}
