use super::fields::{by, is_one, is_ones, is_yes, one, ones, padding, steps, yes};
use super::layer::{At, Gradient, Inputs, Layer, MadeOf, ParamSpec, Pass, Passage, Role, Shape, Words};
use crate::init::Init;
use crate::ops;
use crate::steps::single::{SinglePlace, SingleStep};
use crate::steps::{Conv, NhwcConv, Placing, StepKind};
use crate::{Conv2dOptions, Error};
use foveal_kernels::lanes::Convolution;
use foveal_kernels::nhwc::{After, Prepared};
use foveal_kernels::{Conv2dGeometry, GeometryError, Padding};
use ndarray::{Array4, ArrayView4, Ix1, Ix4};
use serde::{Deserialize, Serialize};

/// Two-dimensional convolution (cross-correlation): filters `[kh, kw, c / groups, filters]` slide over the maps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2d {
    /// Number of filters: the output's channels.
    pub filters: usize,
    /// Height and width of a filter.
    pub kernel: [usize; 2],
    /// Step between windows.
    #[serde(default = "ones", skip_serializing_if = "is_ones")]
    pub strides: [i64; 2],
    /// Step between the filter's cells.
    #[serde(default = "ones", skip_serializing_if = "is_ones")]
    pub dilations: [i64; 2],
    /// `"VALID"`, `"SAME"` or `[top, bottom, left, right]`.
    #[serde(default, with = "padding")]
    pub padding: Padding,
    /// Groups that the channels are split into.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub groups: i64,
    /// Whether a number is added for each filter.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub bias: bool,
    /// How the filters begin.
    #[serde(default, skip_serializing_if = "Init::is_default")]
    pub init: Init,
}

impl Default for Conv2d {
    /// 32 filters of 3x3, VALID, with a bias.
    fn default() -> Self {
        Self {
            filters: 32,
            kernel: [3, 3],
            strides: [1, 1],
            dilations: [1, 1],
            padding: Padding::Valid,
            groups: 1,
            bias: true,
            init: Init::He,
        }
    }
}

impl Conv2d {
    /// Strides, dilations, padding and groups.
    pub fn options(&self) -> Conv2dOptions {
        let Self { strides, dilations, padding, groups, .. } = *self;
        Conv2dOptions { strides, dilations, padding, groups }
    }

    /// The geometry for a batch of `n` images of this shape.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn geometry(&self, [h, w, c]: Shape, n: usize) -> Result<Conv2dGeometry, GeometryError> {
        let depth = usize::try_from(self.groups).ok().filter(|&g| g > 0).map_or(c, |g| c / g);
        let filter = [self.kernel[0], self.kernel[1], depth, self.filters];
        Conv2dGeometry::new("conv2d", &[n, h, w, c], &filter, &self.options())
    }

    fn checked(&self, from: Shape) -> Conv2dGeometry {
        self.geometry(from, 1).expect("the shapes were checked when the model was made")
    }
}

impl Layer for Conv2d {
    fn inputs(&self) -> Inputs {
        Inputs::One
    }

    fn shape(&self, from: &[Shape]) -> Result<(Shape, u64), String> {
        let g = self.geometry(from[0], 1).map_err(|e| e.problem)?;
        let [_, h, w, c] = g.output_shape();
        Ok(([h, w, c], g.flops()))
    }

    fn params(&self, from: &[Shape]) -> Vec<ParamSpec> {
        let g = self.checked(from[0]);
        let shape = g.filter_shape();
        let cells = shape[0] * shape[1];
        let fans = [cells * shape[2], cells * self.filters / g.groups];
        let filter = ParamSpec::weights("filter", &shape, self.init, fans);
        std::iter::once(filter).chain(self.bias.then(|| ParamSpec::bias(self.filters))).collect()
    }

    fn forward(&self, at: &At<'_>) -> Result<Array4<f32>, Error> {
        let bias = self.bias.then(|| at.param::<Ix1>(1));
        ops::conv2d(at.x(), at.param::<Ix4>(0), bias, &self.options())
    }

    fn gradient(&self, at: &At<'_>, _: ArrayView4<f32>, d: ArrayView4<f32>) -> Result<Gradient, Error> {
        let g = ops::conv2d_backward(at.x(), at.param::<Ix4>(0), d, &self.options())?;
        let bias = self.bias.then(|| g.bias.to_vec());
        let params = std::iter::once(g.filter.into_raw_vec_and_offset().0).chain(bias).collect();
        Ok(Gradient { inputs: vec![g.input], params })
    }

    fn reads_output(&self) -> bool {
        false
    }

    fn passage(&self, _: &Pass) -> Passage {
        Passage::Step
    }

    fn step(&self, place: &mut Placing<'_>) -> StepKind {
        let g = self.checked(place.shape());
        match place.channels_last() {
            true => StepKind::NhwcConv(NhwcConv::new(place, &g)),
            false => StepKind::Conv(Conv::new(place, &g)),
        }
    }

    fn single(&self, place: &SinglePlace<'_>) -> SingleStep {
        place.conv(&self.checked(place.shape()), None, &After::default())
    }

    fn role(&self) -> Role {
        Role::Convolution
    }

    fn words(&self) -> Words {
        let (n, k, [en, ko]) = (self.filters, by(self.kernel), steps(self.strides));
        Words::new(format!("{n} filters {k}{en}"), format!("{k} 필터 {n}개{ko}"))
    }

    fn made_of(&self) -> MadeOf {
        MadeOf::Many
    }

    fn keeps_places(&self) -> bool {
        false
    }

    fn halos(&self, from: &[Shape]) -> [[usize; 4]; 2] {
        let g = self.checked(from[0]);
        Convolution::halos(&g)
    }

    fn single_halo(&self, from: &[Shape]) -> [usize; 4] {
        Prepared::halo(&self.checked(from[0]))
    }
}
