use super::fields::{by, is_one, is_ones, is_yes, is_zeros, one, ones, padding, steps, yes};
use super::layer::{At, Gradient, Inputs, Layer, MadeOf, ParamSpec, Pass, Passage, Role, Shape, Words};
use crate::Error;
use crate::init::Init;
use crate::ops;
use crate::steps::single::{SinglePlace, SingleStep};
use crate::steps::{ConvTransposed, Placing, StepKind};
use foveal_kernels::lanes::ConvTranspose;
use foveal_kernels::{Conv2dTransposeGeometry, Conv2dTransposeOptions, GeometryError, Padding};
use ndarray::{Array4, ArrayView4, Axis, Ix1, Ix4};
use serde::{Deserialize, Serialize};

/// The transpose of a convolution, which makes maps larger: TensorFlow's `conv2d_transpose`, PyTorch's
/// `ConvTranspose2d`. Filters are `[kh, kw, filters / groups, c]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2dTranspose {
    /// Number of filters: the output's channels.
    pub filters: usize,
    /// Height and width of a filter.
    pub kernel: [usize; 2],
    /// Step between the places that neighbouring cells write to.
    #[serde(default = "ones", skip_serializing_if = "is_ones")]
    pub strides: [i64; 2],
    /// Step between the filter's cells.
    #[serde(default = "ones", skip_serializing_if = "is_ones")]
    pub dilations: [i64; 2],
    /// `"VALID"`, `"SAME"` or `[top, bottom, left, right]`, which are cut off.
    #[serde(default, with = "padding")]
    pub padding: Padding,
    /// Rows added at the bottom and columns added at the right.
    #[serde(default, skip_serializing_if = "is_zeros")]
    pub output_padding: [i64; 2],
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

impl Default for Conv2dTranspose {
    /// 32 filters of 2x2 by steps of 2: maps twice as high and wide.
    fn default() -> Self {
        Self {
            filters: 32,
            kernel: [2, 2],
            strides: [2, 2],
            dilations: [1, 1],
            padding: Padding::Valid,
            output_padding: [0, 0],
            groups: 1,
            bias: true,
            init: Init::He,
        }
    }
}

impl Conv2dTranspose {
    /// Strides, dilations, padding and groups.
    pub fn options(&self) -> Conv2dTransposeOptions {
        let Self { strides, dilations, padding, output_padding, groups, .. } = *self;
        Conv2dTransposeOptions { strides, dilations, padding, output_padding, groups }
    }

    /// The geometry for a batch of `n` images of this shape.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn geometry(&self, [h, w, c]: Shape, n: usize) -> Result<Conv2dTransposeGeometry, GeometryError> {
        let groups = usize::try_from(self.groups).ok().filter(|&g| g > 0);
        if let Some(groups) = groups.filter(|&g| !self.filters.is_multiple_of(g)) {
            let problem = format!("{} filters are not a multiple of {groups} groups", self.filters);
            return Err(GeometryError::new("conv2d_transpose", problem));
        }
        let depth = groups.map_or(self.filters, |g| self.filters / g);
        let filter = [self.kernel[0], self.kernel[1], depth, c];
        Conv2dTransposeGeometry::new("conv2d_transpose", &[n, h, w, c], &filter, &self.options())
    }

    fn checked(&self, from: Shape) -> Conv2dTransposeGeometry {
        self.geometry(from, 1).expect("the shapes were checked when the model was made")
    }
}

impl Layer for Conv2dTranspose {
    fn inputs(&self) -> Inputs {
        Inputs::One
    }

    fn shape(&self, from: &[Shape]) -> Result<(Shape, u64), String> {
        let g = self.geometry(from[0], 1).map_err(|e| e.problem)?;
        let [_, h, w, c] = g.output_shape();
        Ok(([h, w, c], g.flops()))
    }

    fn params(&self, from: &[Shape]) -> Vec<ParamSpec> {
        let shape = self.checked(from[0]).filter_shape();
        let cells = shape[0] * shape[1];
        // An output number is a sum over the cells of one filter for each of its group's channels.
        let fans = [cells * shape[3] / self.groups as usize, cells * shape[2]];
        let filter = ParamSpec::weights("filter", &shape, self.init, fans);
        std::iter::once(filter).chain(self.bias.then(|| ParamSpec::bias(self.filters))).collect()
    }

    fn forward(&self, at: &At<'_>) -> Result<Array4<f32>, Error> {
        let bias = self.bias.then(|| at.param::<Ix1>(1));
        ops::conv2d_transpose(at.x(), at.param::<Ix4>(0), bias, &self.options())
    }

    fn gradient(&self, at: &At<'_>, _: ArrayView4<f32>, d: ArrayView4<f32>) -> Result<Gradient, Error> {
        let (filter, options) = (at.param::<Ix4>(0), self.options());
        let (a, b, i, o) = filter.dim();
        let input = ops::conv2d_transpose_backward_input(at.extents(), filter, d, &options)?;
        let weights = ops::conv2d_transpose_backward_filter(at.x(), [a, b, i, o], d, &options)?;
        let bias = self.bias.then(|| d.sum_axis(Axis(0)).sum_axis(Axis(0)).sum_axis(Axis(0)).to_vec());
        let params = std::iter::once(weights.into_raw_vec_and_offset().0).chain(bias).collect();
        Ok(Gradient { inputs: vec![input], params })
    }

    fn reads_output(&self) -> bool {
        false
    }

    fn passage(&self, _: &Pass) -> Passage {
        Passage::Step
    }

    fn channels_last(&self) -> bool {
        false
    }

    fn step(&self, place: &mut Placing<'_>) -> StepKind {
        StepKind::ConvTransposed(ConvTransposed::new(place, &self.checked(place.shape())))
    }

    fn single(&self, place: &SinglePlace<'_>) -> SingleStep {
        place.conv_transposed(&self.checked(place.shape()))
    }

    fn role(&self) -> Role {
        Role::Convolution
    }

    fn words(&self) -> Words {
        let (n, k, [en, ko]) = (self.filters, by(self.kernel), steps(self.strides));
        Words::new(format!("{n} filters {k}, transposed{en}"), format!("{k} 전치 필터 {n}개{ko}"))
    }

    fn made_of(&self) -> MadeOf {
        MadeOf::Many
    }

    fn keeps_places(&self) -> bool {
        false
    }

    fn halos(&self, from: &[Shape]) -> [[usize; 4]; 2] {
        let g = self.checked(from[0]);
        [ConvTranspose::input_halo(&g), ConvTranspose::gradient_halo(&g)]
    }
}
