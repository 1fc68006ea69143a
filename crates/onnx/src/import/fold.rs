//! Arithmetic with constants: into the preprocessing, the layer before, or a batch normalization.

use super::activation::{Activation, Order};
use super::{Importer, input};
use crate::proto::{Node, Tensor};
use foveal_nn::layers as kinds;
use foveal_nn::spec::LayerKind;

/// The variance and epsilon of a batch normalization that only scales and shifts: their sum is 1.
const EPSILON: f32 = 1.0 / 1024.0;
const VARIANCE: f32 = 1.0 - EPSILON;

impl<'g> Importer<'g> {
    pub(super) fn arithmetic(&mut self, node: &'g Node) -> Result<Activation, String> {
        let names: Vec<&str> = (0..node.inputs.len()).map(|i| input(node, i)).collect::<Result<_, _>>()?;
        let constant = |name: &&str| self.constants.contains_key(*name);
        let constants: Vec<bool> = names.iter().map(constant).collect();
        match (node.operator.as_str(), &constants[..]) {
            ("Sum", [false]) => self.take(names[0]),
            ("Add" | "Sum", [false, rest @ ..]) if !rest.is_empty() && !rest.contains(&true) => {
                self.add(&names)
            }
            ("Sum", _) => Err("constants in a Sum are not supported, only in an Add".into()),
            (_, [false, true]) => self.constant_operand(node, names[0], names[1], false),
            (_, [true, false]) => self.constant_operand(node, names[1], names[0], true),
            (operator, [false, false]) => {
                Err(format!("{operator} of two computed values is not supported, only of one and a constant"))
            }
            _ => Err("it must have two inputs, and one of them must be computed".into()),
        }
    }

    fn add(&mut self, names: &[&str]) -> Result<Activation, String> {
        let values: Vec<Activation> = names.iter().map(|n| self.take(n)).collect::<Result<_, _>>()?;
        let first = values[0].clone();
        if let Some(other) = values.iter().find(|v| (v.shape, v.order) != (first.shape, first.order)) {
            let (a, b) = (first.dims(), other.dims());
            return Err(format!("adding [n, {a:?}] and [n, {b:?}] is not supported, only one shape"));
        }
        let from: Vec<Option<usize>> = values.iter().map(|v| v.layer).collect();
        self.push(LayerKind::Add(kinds::Add {}), &from, first.shape, first.order)
    }

    fn constant_operand(
        &mut self,
        node: &Node,
        x: &str,
        constant: &str,
        turned: bool,
    ) -> Result<Activation, String> {
        let mut x = self.take(x)?;
        let tensor = self.constant(constant)?;
        let numbers = tensor.to_floats()?;
        if numbers.len() > 1 {
            x = self.flat(x)?;
        }
        let values = per_channel(&x, &tensor, numbers)?;
        let n = values.len();
        let (times, plus): (Vec<f32>, Vec<f32>) = match (node.operator.as_str(), turned) {
            ("Add", _) => (vec![1.0; n], values),
            ("Sub", false) => (vec![1.0; n], values.iter().map(|v| -v).collect()),
            ("Sub", true) => (vec![-1.0; n], values),
            ("Mul", _) => (values, vec![0.0; n]),
            ("Div", false) => (values.iter().map(|v| 1.0 / v).collect(), vec![0.0; n]),
            _ => return Err("a constant divided by a computed value is not supported".into()),
        };
        self.affine(x, times, plus)
    }

    /// `x * times + plus` for each channel.
    pub(super) fn affine(
        &mut self,
        x: Activation,
        times: Vec<f32>,
        plus: Vec<f32>,
    ) -> Result<Activation, String> {
        let permuted = matches!(x.order, Order::Flat(Some(_)));
        if x.layer.is_none() && !x.shared {
            for (c, (times, plus)) in times.iter().zip(&plus).enumerate() {
                self.scale[c] *= times;
                self.shift[c] = self.shift[c] * times + plus;
            }
            return Ok(x);
        }
        if let (Some(layer), false, false) = (x.layer, x.shared, permuted)
            && self.scale_layer(layer, &times, &plus)?
        {
            return Ok(x);
        }
        let n = times.len();
        if x.shape[2] != n {
            return Err("a number for each cell is not supported, only for each channel".into());
        }
        let numbers = vec![times, plus, vec![0.0; n], vec![VARIANCE; n]];
        self.normalize(x, [0.99, EPSILON], numbers)
    }

    /// Changes the numbers of a convolution or dense layer, if it is one.
    fn scale_layer(&mut self, layer: usize, times: &[f32], plus: &[f32]) -> Result<bool, String> {
        let made = &mut self.layers[layer];
        let (weights, bias) = match &mut made.spec.kind {
            LayerKind::Conv2d(kinds::Conv2d { bias, .. }) => ("filter", bias),
            LayerKind::Dense(kinds::Dense { bias, .. }) => ("weights", bias),
            _ => return Ok(false),
        };
        let had = std::mem::replace(bias, true);
        let name = made.name.clone();
        if !had {
            let problem = "the parameters are many times what the file holds";
            self.room = self.room.checked_sub(times.len()).ok_or(problem)?;
            self.params.insert(format!("{name}.bias"), vec![0.0; times.len()]);
        }
        // Filters and weights have the outputs as their last axis.
        for values in self
            .params
            .get_mut(&format!("{name}.{weights}"))
            .into_iter()
            .flat_map(|v| v.chunks_mut(times.len()))
        {
            values.iter_mut().zip(times).for_each(|(v, t)| *v *= t);
        }
        let bias = self.params.entry(format!("{name}.bias")).or_default();
        bias.iter_mut().zip(times.iter().zip(plus)).for_each(|(b, (t, p))| *b = *b * t + p);
        Ok(true)
    }
}

/// A constant as a number for each channel of `x`, in the graph's order.
fn per_channel(x: &Activation, tensor: &Tensor, numbers: Vec<f32>) -> Result<Vec<f32>, String> {
    let (shape, channels) = (tensor.shape()?, x.shape[2]);
    let fail = || {
        format!(
            "a constant of {shape:?} with a value of [n, {:?}] is not supported, only one number or one for each \
             channel",
            x.dims()
        )
    };
    if shape.len() > x.rank() {
        return Err(fail());
    }
    if let [one] = numbers[..] {
        return Ok(vec![one; channels]);
    }
    // Aligned at the last axis, as ONNX does.
    let mut axes = vec![1; x.rank() - shape.len()];
    axes.extend(&shape);
    let mut wanted = vec![1; x.rank()];
    wanted[x.channel_axis() as usize] = channels;
    if axes != wanted { Err(fail()) } else { Ok(numbers) }
}
