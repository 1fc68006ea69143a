//! A spec whose shapes have been checked along the chain, and its parameters.

mod build;
mod freeze;
mod gradient;

pub use build::MAX_LAYERS;

use crate::Error;
use crate::layers::{At, ParamRole};
use crate::ops;
use crate::spec::{LayerKind, ModelSpec};
use foveal_kernels::{Conv2dGeometry, Pool2dGeometry};
use ndarray::{Array4, ArrayView4};

/// A named array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// `<layer>.<what>`: `conv2d_1.filter`, `conv2d_1.bias`, `dense_1.weights`, `batch_norm_1.gamma` …
    pub name: String,
    /// Extents; filters are HWIO, dense weights `[inputs, units]`.
    pub shape: Vec<usize>,
    /// The numbers, row-major.
    pub values: Vec<f32>,
    /// Whether training changes it by gradients (moving statistics are not).
    pub trainable: bool,
    /// What it is for: weight decay applies to weights alone.
    pub role: ParamRole,
}

/// A layer in its place: value 0 is the model's input, value `i + 1` the output of node `i`.
#[derive(Clone, Debug)]
pub struct Node {
    /// The layer's name.
    pub name: String,
    /// What it does.
    pub kind: LayerKind,
    /// The values that go in.
    pub inputs: Vec<usize>,
    /// Height, width, channels of the output.
    pub shape: [usize; 3],
    /// The parameters, by index into [`Model::params`].
    pub params: Vec<usize>,
    /// Operations for one image.
    pub flops: u64,
}

/// A checked model with its parameters.
#[derive(Clone, Debug)]
pub struct Model {
    spec: ModelSpec,
    nodes: Vec<Node>,
    params: Vec<Param>,
}

impl Model {
    /// The spec that the model was made from.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// The layers in order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// All parameters.
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// All parameters, to be changed; shapes must stay.
    ///
    /// ```
    /// let mut model = foveal_nn::Sequential::new([1, 1, 2]).dense(1).build(0)?;
    /// model.params_mut()[1].values[0] = 0.5;
    /// assert_eq!(model.param("dense_1.bias").unwrap().values, [0.5]);
    /// # Ok::<(), foveal_nn::Error>(())
    /// ```
    pub fn params_mut(&mut self) -> &mut [Param] {
        &mut self.params
    }

    /// Whether every parameter has as many numbers as its shape says: [`Model::params_mut`] lets anyone change them.
    ///
    /// # Errors
    /// [`Error::Parameter`] for the first that has not.
    ///
    /// ```
    /// let mut model = foveal_nn::Sequential::new([1, 1, 2]).dense(3).build(0)?;
    /// assert!(model.check_params().is_ok());
    /// model.params_mut()[0].values.clear();
    /// assert!(model.check_params().is_err() && foveal_nn::Model::predict(&model, ndarray::Array4::zeros((1, 1, 1, 2)).view()).is_err());
    /// # Ok::<(), foveal_nn::Error>(())
    /// ```
    pub fn check_params(&self) -> Result<(), Error> {
        let whole = |p: &&Param| p.values.len() == p.shape.iter().product::<usize>();
        match self.params.iter().find(|p| !whole(p)) {
            Some(p) => {
                Err(Error::Parameter { name: p.name.clone(), shape: p.shape.clone(), found: p.values.len() })
            }
            None => Ok(()),
        }
    }

    /// The parameter called `name`.
    pub fn param(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|p| p.name == name)
    }

    /// Height, width, channels of one input.
    pub fn input_shape(&self) -> [usize; 3] {
        self.spec.input.shape
    }

    /// The rows of the embedding that the model begins with: it takes whole numbers below that, such as those of
    /// words, and no pictures.
    pub fn vocabulary(&self) -> Option<usize> {
        self.spec.vocabulary()
    }

    /// Height, width, channels of one output.
    pub fn output_shape(&self) -> [usize; 3] {
        self.nodes.last().map_or(self.spec.input.shape, |n| n.shape)
    }

    /// Numbers in one output: classes, or values of a regression.
    pub fn outputs(&self) -> usize {
        self.output_shape().iter().product()
    }

    /// The geometry of node `i` for a batch of `n`, if it is a convolution.
    pub fn conv_geometry(&self, i: usize, n: usize) -> Option<Conv2dGeometry> {
        let node = &self.nodes[i];
        let LayerKind::Conv2d(conv) = &node.kind else { return None };
        conv.geometry(self.value_shape(node.inputs[0]), n).ok()
    }

    /// The geometry of node `i` for a batch of `n`, if it is a pooling.
    pub fn pool_geometry(&self, i: usize, n: usize) -> Option<Pool2dGeometry> {
        let node = &self.nodes[i];
        node.kind.layer().pool_geometry(self.value_shape(node.inputs[0]), n)?.ok()
    }

    /// Height, width, channels of value `v` (0 is the input, `i + 1` node `i`'s output).
    pub fn value_shape(&self, v: usize) -> [usize; 3] {
        if v == 0 { self.spec.input.shape } else { self.nodes[v - 1].shape }
    }

    /// Every value of a forward pass over `x` `[n, h, w, c]`, as at inference: the input, then each layer's
    /// output.
    ///
    /// # Errors
    /// When `x` has not the model's input shape, or a parameter not as many numbers as its shape says.
    ///
    /// ```
    /// use ndarray::array;
    ///
    /// let model = foveal_nn::Sequential::new([1, 1, 2]).relu().flatten().build(0)?;
    /// let values = model.activations(array![[[[-1.0, 2.0]]]].view())?;
    /// assert_eq!(values[1], array![[[[0.0, 2.0]]]]);
    /// # Ok::<(), foveal_nn::Error>(())
    /// ```
    pub fn activations(&self, x: ArrayView4<f32>) -> Result<Vec<Array4<f32>>, Error> {
        let [h, w, c] = self.input_shape();
        if x.shape()[1..] != [h, w, c] {
            return Err(Error::Inputs { wanted: [h, w, c], found: x.shape().to_vec() });
        }
        self.check_params()?;
        let mut values = vec![ops::rows(x).into_owned()];
        for node in &self.nodes {
            let value = node.kind.layer().forward(&self.at(node, &values))?;
            values.push(value);
        }
        Ok(values)
    }

    /// The outputs for `x` `[n, h, w, c]`, as at inference, `[n, outputs]`: layer by layer, by the operators. To ask more
    /// than once, take `foveal::Predictor` (`foveal_infer::Predictor`), which compiles the model first and is ten times
    /// as fast on a small net.
    ///
    /// # Errors
    /// When `x` has not the model's input shape.
    ///
    /// ```
    /// let model = foveal_nn::Sequential::new([2, 2, 1]).avg_pool(2).flatten().build(0)?;
    /// let x = ndarray::Array4::from_shape_fn((3, 2, 2, 1), |(n, ..)| n as f32);
    /// assert_eq!(model.predict(x.view())?, ndarray::array![[0.0], [1.0], [2.0]]);
    /// # Ok::<(), foveal_nn::Error>(())
    /// ```
    pub fn predict(&self, x: ArrayView4<f32>) -> Result<ndarray::Array2<f32>, Error> {
        let n = x.shape()[0];
        let last = self.activations(x)?.pop().expect("there is at least the input");
        let outputs = self.outputs();
        Ok(last.into_shape_with_order((n, outputs)).expect("the output has that many numbers"))
    }

    /// A layer at work on values.
    fn at<'a>(&'a self, node: &Node, values: &'a [Array4<f32>]) -> At<'a> {
        let param = |&p: &usize| (&self.params[p].shape[..], &self.params[p].values[..]);
        At {
            inputs: node.inputs.iter().map(|&i| values[i].view()).collect(),
            params: node.params.iter().map(param).collect(),
            shape: node.shape,
        }
    }
}
