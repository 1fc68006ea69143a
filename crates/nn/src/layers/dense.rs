use super::fields::{count, fits, is_yes, yes};
use super::layer::{At, Gradient, Inputs, Layer, MadeOf, ParamSpec, Pass, Passage, Role, Shape, Words};
use crate::Error;
use crate::init::Init;
use crate::ops;
use crate::steps::single::{SinglePlace, SingleStep};
use crate::steps::{self, NhwcConv, Placing, StepKind};
use foveal_kernels::{Conv2dGeometry, Conv2dOptions};
use ndarray::{Array2, Array4, ArrayView4, Axis, Ix1, Ix2};
use serde::{Deserialize, Serialize};

/// A fully connected layer: every input number to every unit, weights `[inputs, units]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    /// Number of outputs.
    pub units: usize,
    /// Whether a number is added for each unit.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub bias: bool,
    /// How the weights begin.
    #[serde(default, skip_serializing_if = "Init::is_default")]
    pub init: Init,
}

impl Default for Dense {
    /// 10 units with a bias.
    fn default() -> Self {
        Self { units: 10, bias: true, init: Init::He }
    }
}

/// `[n, h, w, c]` as rows of numbers.
fn flat(x: ArrayView4<f32>) -> Array2<f32> {
    ops::flatten(x)
}

impl Layer for Dense {
    fn inputs(&self) -> Inputs {
        Inputs::One
    }

    fn shape(&self, from: &[Shape]) -> Result<(Shape, u64), String> {
        let (first, units) = (from[0], self.units);
        if first[..2] != [1, 1] {
            return Err(format!("its input {first:?} is not flat: put a `flatten` layer before it"));
        }
        let size = first[2];
        if units == 0 || fits("weights", [1, size, units]).is_err() {
            return Err(format!("{units} units on {size} inputs are none or too many"));
        }
        Ok(([1, 1, units], 2 * count([1, size, units])))
    }

    fn params(&self, from: &[Shape]) -> Vec<ParamSpec> {
        let extents = [from[0][2], self.units];
        let weights = ParamSpec::weights("weights", &extents, self.init, extents);
        std::iter::once(weights).chain(self.bias.then(|| ParamSpec::bias(self.units))).collect()
    }

    fn forward(&self, at: &At<'_>) -> Result<Array4<f32>, Error> {
        let bias = self.bias.then(|| at.param::<Ix1>(1));
        let y = ops::dense(flat(at.x()).view(), at.param::<Ix2>(0), bias)?;
        Ok(y.insert_axis(Axis(1)).insert_axis(Axis(1)))
    }

    fn gradient(&self, at: &At<'_>, _: ArrayView4<f32>, d: ArrayView4<f32>) -> Result<Gradient, Error> {
        let g = ops::dense_backward(flat(at.x()).view(), at.param::<Ix2>(0), flat(d).view())?;
        let bias = self.bias.then(|| g.bias.to_vec());
        let params = std::iter::once(g.weights.into_raw_vec_and_offset().0).chain(bias).collect();
        Ok(Gradient { inputs: vec![g.input.insert_axis(Axis(1)).insert_axis(Axis(1))], params })
    }

    fn reads_output(&self) -> bool {
        false
    }

    fn passage(&self, _: &Pass) -> Passage {
        Passage::Step
    }

    fn step(&self, place: &mut Placing<'_>) -> StepKind {
        if place.channels_last() {
            // All numbers of an image are the channels of a single place.
            let inputs = place.shape().iter().product();
            let (x, filter) = ([1, 1, 1, inputs], [1, 1, inputs, self.units]);
            let g = Conv2dGeometry::new("dense", &x, &filter, &Conv2dOptions::default());
            let g = g.expect("the shapes were checked when the model was made");
            return StepKind::NhwcConv(NhwcConv::new(place, &g));
        }
        StepKind::Dense(steps::Dense::new(place, self.units))
    }

    fn single(&self, place: &SinglePlace<'_>) -> SingleStep {
        place.dense(false)
    }

    fn role(&self) -> Role {
        Role::Connected
    }

    fn words(&self) -> Words {
        Words::new(format!("{} units", self.units), format!("유닛 {}개", self.units))
    }

    fn made_of(&self) -> MadeOf {
        MadeOf::Many
    }

    fn keeps_places(&self) -> bool {
        false
    }
}
