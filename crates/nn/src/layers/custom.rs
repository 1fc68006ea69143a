//! Layers that a program writes itself.

use super::fields::fits;
use super::layer::{
    At, Gradient, Inputs, Layer, MadeOf, ParamRole, ParamSpec, Pass, Passage, Role, Shape, Words,
};
use crate::Error;
use crate::init::Init;
use crate::steps::single::{SinglePlace, SingleStep};
use crate::steps::{Own, OwnLayer, Params, Placing, Slopes, StepKind};
use ndarray::{Array4, ArrayD, ArrayView, ArrayView4, ArrayViewD, IxDyn};
use std::fmt::Debug;
use std::sync::Arc;

/// A layer of a program's own: its shape, its parameters, forward and backward, on whole batches of `[n, h, w, c]`.
///
/// It is trained and asked like any other. Training gives it a whole batch at a time; predictions give it as many
/// images as go together, so that without training each image's output must not depend on the others. It has no form
/// in a file: TOML, model files and ONNX refuse it ([`crate::ModelSpec::check_saved`]).
///
/// ```
/// use foveal_nn::layers::{Custom, CustomGradients, CustomLayer};
/// use foveal_nn::ndarray::{Array4, ArrayView4, ArrayViewD, array};
/// use foveal_nn::Sequential;
///
/// /// `x` squared.
/// #[derive(Debug)]
/// struct Square;
///
/// impl CustomLayer for Square {
///     fn kind(&self) -> &'static str {
///         "square"
///     }
///     fn shape(&self, inputs: &[[usize; 3]]) -> Result<[usize; 3], String> {
///         Ok(inputs[0])
///     }
///     fn forward(&self, x: &[ArrayView4<f32>], _: &[ArrayViewD<f32>]) -> Result<Array4<f32>, String> {
///         Ok(&x[0] * &x[0])
///     }
///     fn backward(
///         &self,
///         x: &[ArrayView4<f32>],
///         _: &[ArrayViewD<f32>],
///         _output: ArrayView4<f32>,
///         d: ArrayView4<f32>,
///     ) -> Result<CustomGradients, String> {
///         Ok(CustomGradients { inputs: vec![2.0 * &x[0] * &d], params: vec![] })
///     }
/// }
///
/// let model = Sequential::new([1, 1, 2]).layer(Custom::new(Square)).build(0)?;
/// assert_eq!(model.predict(array![[[[3.0, -2.0]]]].view())?, array![[9.0, 4.0]]);
/// assert!(model.spec().check_saved().is_err());
/// # Ok::<(), foveal_nn::Error>(())
/// ```
pub trait CustomLayer: Debug + Send + Sync {
    /// What it is called; its layers are named after it.
    fn kind(&self) -> &'static str;

    /// Height, width, channels of the output for inputs of these shapes.
    ///
    /// # Errors
    /// Says what does not fit; the layer is named by the caller.
    fn shape(&self, inputs: &[[usize; 3]]) -> Result<[usize; 3], String>;

    /// The parameters for inputs whose shapes fit; none unless it says so.
    fn params(&self, _inputs: &[[usize; 3]]) -> Vec<CustomParam> {
        Vec::new()
    }

    /// The output `[n, h, w, c]` for inputs `[n, h, w, c]`.
    ///
    /// # Errors
    /// Says what is wrong with the numbers; training and predictions end with it.
    fn forward(&self, inputs: &[ArrayView4<f32>], params: &[ArrayViewD<f32>]) -> Result<Array4<f32>, String>;

    /// The gradients with respect to inputs and parameters, from that of the output.
    ///
    /// # Errors
    /// As [`CustomLayer::forward`].
    fn backward(
        &self,
        inputs: &[ArrayView4<f32>],
        params: &[ArrayViewD<f32>],
        output: ArrayView4<f32>,
        d_output: ArrayView4<f32>,
    ) -> Result<CustomGradients, String>;
}

/// A parameter that an own layer asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomParam {
    /// What it is called after the layer: `<layer>.<what>`.
    pub what: &'static str,
    /// Its extents; the last counts as outputs where it begins by [`Init::He`] or [`Init::Glorot`].
    pub shape: Vec<usize>,
    /// How it begins.
    pub init: Init,
    /// Weight decay applies to weights alone.
    pub role: ParamRole,
}

/// What an own layer's backward pass gives, in the shapes of inputs and parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CustomGradients {
    /// For each input.
    pub inputs: Vec<Array4<f32>>,
    /// For each parameter, summed over the batch.
    pub params: Vec<ArrayD<f32>>,
}

/// An own layer in a model.
#[derive(Clone, Debug)]
pub struct Custom(Arc<dyn CustomLayer>);

impl PartialEq for Custom {
    /// Whether both are the same layer, not merely alike.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Custom {
    /// Puts a layer into a form that models take.
    pub fn new(layer: impl CustomLayer + 'static) -> Self {
        Self(Arc::new(layer))
    }

    /// What it is called.
    pub fn kind(&self) -> &'static str {
        self.0.kind()
    }

    fn fail(&self, problem: String) -> Error {
        Error::CustomLayer { kind: self.kind(), problem }
    }
}

fn arrays<'a>(params: &Params<'a>) -> Vec<ArrayViewD<'a, f32>> {
    let array = |&(shape, values): &(&'a [usize], &'a [f32])| ArrayView::from_shape(IxDyn(shape), values);
    params.iter().map(|param| array(param).expect("a model's parameters have their shapes")).collect()
}

impl OwnLayer for Custom {
    fn run(
        &self,
        inputs: &[ArrayView4<f32>],
        params: &Params<'_>,
        shape: Shape,
    ) -> Result<Array4<f32>, Error> {
        let y = self.0.forward(inputs, &arrays(params)).map_err(|problem| self.fail(problem))?;
        let [h, w, c] = shape;
        let wanted = [inputs[0].dim().0, h, w, c];
        if y.shape() != wanted {
            return Err(self.fail(format!("forward gave {:?}, not {wanted:?}", y.shape())));
        }
        Ok(y)
    }

    fn back(
        &self,
        inputs: &[ArrayView4<f32>],
        params: &Params<'_>,
        y: ArrayView4<f32>,
        d: ArrayView4<f32>,
    ) -> Result<Slopes, Error> {
        let given = self.0.backward(inputs, &arrays(params), y, d).map_err(|problem| self.fail(problem))?;
        let CustomGradients { inputs: d_inputs, params: d_params } = given;
        let shapes = |all: Vec<&[usize]>| all.iter().map(|s| s.to_vec()).collect::<Vec<_>>();
        let wanted = shapes(inputs.iter().map(|x| x.shape()).chain(params.iter().map(|p| p.0)).collect());
        let found =
            shapes(d_inputs.iter().map(|x| x.shape()).chain(d_params.iter().map(|p| p.shape())).collect());
        if wanted != found {
            let problem = format!(
                "backward gave gradients of shapes {found:?}; those of inputs and parameters are {wanted:?}"
            );
            return Err(self.fail(problem));
        }
        let params = d_params.into_iter().map(|p| p.iter().copied().collect()).collect();
        Ok((d_inputs, params))
    }
}

impl Custom {
    fn shapes(&self, from: &[Shape]) -> Vec<Vec<usize>> {
        self.0.params(from).into_iter().map(|param| param.shape).collect()
    }
}

impl Layer for Custom {
    fn inputs(&self) -> Inputs {
        Inputs::Any
    }

    fn shape(&self, from: &[Shape]) -> Result<(Shape, u64), String> {
        let shape = self.0.shape(from)?;
        if shape.contains(&0) {
            return Err(format!("its output {shape:?} is empty"));
        }
        fits("output", shape)?;
        Ok((shape, 0))
    }

    fn params(&self, from: &[Shape]) -> Vec<ParamSpec> {
        let spec = |CustomParam { what, shape, init, role }: CustomParam| {
            let outputs = shape.last().copied().unwrap_or(1).max(1);
            let all = shape.iter().fold(1usize, |n, &v| n.saturating_mul(v));
            ParamSpec { what, init, fans: [(all / outputs).max(1), outputs], shape, role }
        };
        self.0.params(from).into_iter().map(spec).collect()
    }

    fn forward(&self, at: &At<'_>) -> Result<Array4<f32>, Error> {
        self.run(&at.inputs, &at.params, at.shape)
    }

    fn gradient(&self, at: &At<'_>, y: ArrayView4<f32>, d: ArrayView4<f32>) -> Result<Gradient, Error> {
        let (inputs, params) = self.back(&at.inputs, &at.params, y, d)?;
        Ok(Gradient { inputs, params })
    }

    fn reads_output(&self) -> bool {
        true
    }

    fn passage(&self, _: &Pass) -> Passage {
        Passage::Step
    }

    fn channels_last(&self) -> bool {
        false
    }

    fn step(&self, place: &mut Placing<'_>) -> StepKind {
        let shapes = self.shapes(place.from);
        StepKind::Own(Own::new(place, Arc::new(self.clone()), shapes))
    }

    fn single(&self, place: &SinglePlace<'_>) -> SingleStep {
        place.own(Arc::new(self.clone()), self.shapes(&place.from()))
    }

    fn role(&self) -> Role {
        Role::Follows
    }

    fn words(&self) -> Words {
        Words::new(format!("{}, of the program's own", self.kind()), format!("{}, 직접 만든 층", self.kind()))
    }

    fn made_of(&self) -> MadeOf {
        MadeOf::Many
    }

    fn keeps_places(&self) -> bool {
        false
    }
}
