//! Nodes with parameters: convolutions, matrix products, batch normalization.

use super::activation::{Activation, Order, reorder};
use super::attributes::Attributes;
use super::window::{self, Window};
use super::{Importer, input, optional};
use crate::proto::Node;
use foveal_nn::init::Init;
use foveal_nn::layers as kinds;
use foveal_nn::spec::LayerKind;
use foveal_nn::{Conv2dGeometry, Conv2dOptions};

impl<'g> Importer<'g> {
    pub(super) fn convolution(
        &mut self,
        node: &'g Node,
        attributes: &Attributes,
    ) -> Result<Activation, String> {
        let x = self.picture(node)?;
        let weights = self.constant(input(node, 1)?)?;
        let [o, i, h, w] = match (&weights.shape()?[..], x.line()) {
            (&[o, i, h, w], false) => [o, i, h, w],
            (&[o, i, w], true) => [o, i, 1, w],
            _ => {
                return Err(format!(
                    "its filters {:?} do not fit a value of {} axes",
                    weights.dims,
                    x.rank()
                ));
            }
        };
        let kernel = [h as i64, w as i64];
        if attributes.ints("kernel_shape")?.is_some() && attributes.pair("kernel_shape", x.line())? != kernel
        {
            return Err(format!("its filters {:?} are not of its kernel_shape", weights.dims));
        }
        let dilations = attributes.pair("dilations", x.line())?;
        let given = Window::new(attributes, x.line())?;
        let cells = match x.pad {
            Some(pad) if pad.value == 0.0 => pad.cells,
            Some(pad) => {
                return Err(format!("padding with {} before it is not supported, only 0", pad.value));
            }
            None => [0; 4],
        };
        let padding = given.padding(x.shape, kernel, dilations, cells)?;
        let (strides, groups) = (given.strides, attributes.int("group", 1)?);
        let options = Conv2dOptions { strides, dilations, padding, groups };
        let [ih, iw, c] = x.shape;
        let geometry = Conv2dGeometry::new("Conv", &[1, ih, iw, c], &[h, w, i, o], &options);
        let [_, oh, ow, _] = geometry.map_err(|e| e.problem)?.output_shape();
        let bias = optional(node, 2).map(|b| self.vector(b, o)).transpose()?;
        let kind = LayerKind::Conv2d(kinds::Conv2d {
            filters: o,
            kernel: [h, w],
            strides,
            dilations,
            padding,
            groups,
            bias: bias.is_some(),
            init: Init::default(),
        });
        let values = weights.to_floats()?;
        let y = self.push(kind, &[x.layer], [oh, ow, o], x.order)?;
        let turned = (0..values.len()).map(|at| {
            let (yx, i_at, o_at) = (at / (i * o), at / o % i, at % o);
            values[(o_at * i + i_at) * h * w + yx]
        });
        self.param("filter", turned.collect())?;
        bias.map_or(Ok(()), |bias| self.param("bias", bias))?;
        Ok(y)
    }

    /// A constant list of `n` numbers.
    fn vector(&self, name: &str, n: usize) -> Result<Vec<f32>, String> {
        let values = self.constant(name)?.to_floats()?;
        if values.len() != n {
            return Err(format!("`{name}` has {} numbers, not {n}", values.len()));
        }
        Ok(values)
    }

    pub(super) fn gemm(&mut self, node: &'g Node, attributes: &Attributes) -> Result<Activation, String> {
        if attributes.int("transA", 0)? != 0 {
            return Err("transA is not supported: the first axis is the batch".into());
        }
        let x = self.take(input(node, 0)?)?;
        let weights = self.constant(input(node, 1)?)?;
        let [rows, columns] = weights.shape()?[..] else {
            return Err(format!("its matrix {:?} has not two axes", weights.dims));
        };
        let mut values = weights.to_floats()?;
        let turned = attributes.int("transB", 0)? != 0;
        let (inputs, units) = if turned { (columns, rows) } else { (rows, columns) };
        if turned {
            values = (0..values.len()).map(|at| values[at % units * inputs + at / units]).collect();
        }
        let alpha = attributes.float("alpha", 1.0)?;
        values.iter_mut().for_each(|v| *v *= alpha);
        let beta = attributes.float("beta", 1.0)?;
        let mut bias = None;
        if let Some(name) = optional(node, 2) {
            let shape = self.constant(name)?.shape()?;
            let numbers = self.constant(name)?.to_floats()?;
            let numbers = match shape[..] {
                [] | [1] | [1, 1] => vec![numbers[0]; units.min(values.len())],
                [n] | [1, n] if n == units => numbers,
                _ => {
                    return Err(format!(
                        "its third input {shape:?} is not one number for each of {units} units"
                    ));
                }
            };
            bias = Some(numbers.into_iter().map(|v| v * beta).collect());
        }
        self.dense(x, [inputs, units], values, bias)
    }

    /// Rows of a constant table by the input's numbers.
    pub(super) fn gather(&mut self, node: &'g Node, attributes: &Attributes) -> Result<Activation, String> {
        if attributes.int("axis", 0)? != 0 {
            return Err("only rows of a table (axis 0) are supported".into());
        }
        let table = self.constant(input(node, 0)?)?;
        let [vocabulary, size] = table.shape()?[..] else {
            return Err(format!("its table {:?} has not two axes", table.dims));
        };
        let x = self.take(input(node, 1)?)?;
        let [h, w, c] = x.shape;
        if x.layer.is_some() || c != 1 || !x.channels_last() || !self.layers.is_empty() {
            return Err(
                "only the numbers of the input [n, h, w] or [n, l] are looked up, in one table".into()
            );
        }
        let kind = LayerKind::Embedding(kinds::Embedding { vocabulary, size, init: Init::default() });
        let y = self.push(kind, &[None], [h, w, size], x.order)?;
        self.param("table", table.to_floats()?)?;
        Ok(y)
    }

    pub(super) fn matmul(&mut self, node: &'g Node) -> Result<Activation, String> {
        let x = self.take(input(node, 0)?)?;
        let weights = self.constant(input(node, 1)?)?;
        let [inputs, units] = weights.shape()?[..] else {
            return Err(format!("its matrix {:?} has not two axes", weights.dims));
        };
        self.dense(x, [inputs, units], weights.to_floats()?, None)
    }

    fn dense(
        &mut self,
        x: Activation,
        [inputs, units]: [usize; 2],
        weights: Vec<f32>,
        bias: Option<Vec<f32>>,
    ) -> Result<Activation, String> {
        if x.rank() != 2 || x.size() != inputs || units == 0 {
            let dims = x.dims();
            return Err(format!("its matrix [{inputs}, {units}] does not fit a value of [n, {dims:?}]"));
        }
        let x = self.flat(x)?;
        let kind = LayerKind::Dense(kinds::Dense { units, bias: bias.is_some(), init: Init::default() });
        let y = self.push(kind, &[x.layer], [1, 1, units], Order::Flat(None))?;
        self.param("weights", reorder(x.order, weights, units))?;
        bias.map_or(Ok(()), |bias| self.param("bias", bias))?;
        Ok(y)
    }

    /// A value of one axis with its flatten layer, if it needs one; its order stays to be minded.
    pub(super) fn flat(&mut self, x: Activation) -> Result<Activation, String> {
        if !matches!(x.order, Order::Flat(_)) || x.shape[..2] == [1, 1] {
            return Ok(x);
        }
        self.push(LayerKind::Flatten(kinds::Flatten {}), &[x.layer], [1, 1, x.size()], x.order)
    }

    pub(super) fn batch_norm(
        &mut self,
        node: &'g Node,
        attributes: &Attributes,
    ) -> Result<Activation, String> {
        if attributes.int("training_mode", 0)? != 0 {
            return Err("training_mode is not supported: export the model for inference".into());
        }
        if attributes.int("spatial", 1)? != 1 {
            return Err("spatial = 0 is not supported".into());
        }
        let x = self.take(input(node, 0)?)?;
        if x.channels_last() {
            return Err(
                "it normalizes rows of a value with channels last; only channels are supported".into()
            );
        }
        let x = self.flat(x)?;
        let epsilon = attributes.float("epsilon", 1e-5)?;
        let momentum = attributes.float("momentum", 0.9)?;
        let numbers: Vec<Vec<f32>> =
            (1..5).map(|i| self.vector(input(node, i)?, x.shape[2])).collect::<Result<_, _>>()?;
        self.normalize(x, [momentum, epsilon], numbers)
    }

    /// A batch normalization with gamma, beta, mean and variance in the graph's order.
    pub(super) fn normalize(
        &mut self,
        x: Activation,
        [momentum, epsilon]: [f32; 2],
        numbers: Vec<Vec<f32>>,
    ) -> Result<Activation, String> {
        let kind = LayerKind::BatchNorm(kinds::BatchNorm { momentum, epsilon });
        let y = self.push(kind, &[x.layer], x.shape, x.order)?;
        // Where there is no flatten layer yet, the numbers are for channels and need no turning.
        let order = if x.shape[..2] == [1, 1] { x.order } else { Order::Flat(None) };
        for (what, values) in ["gamma", "beta", "moving_mean", "moving_variance"].into_iter().zip(numbers) {
            self.param(what, reorder(order, values, 1))?;
        }
        Ok(y)
    }

    /// A node's first input, which must be `[n, c, h, w]`, with padding that the node must take in.
    pub(super) fn picture(&self, node: &'g Node) -> Result<Activation, String> {
        let x = self.take_padded(input(node, 0)?)?;
        window::check_picture(&x)?;
        Ok(x)
    }
}
