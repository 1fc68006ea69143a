//! How one value of a model answers to another, as at inference.

use super::{Model, Node, activation, conv_options, pool_options};
use crate::spec::LayerKind;
use crate::{Conv2dOptions, Error, ops};
use ndarray::{Array1, Array4, ArrayView4, Ix1, Ix2, Ix4};

impl Model {
    /// The value called `name`: 0 for `input`, `i + 1` for the output of layer `i`.
    pub fn value_named(&self, name: &str) -> Option<usize> {
        if name == "input" { Some(0) } else { self.nodes.iter().position(|n| n.name == name).map(|i| i + 1) }
    }

    /// The name of value `v`: `input`, or the layer's that gives it.
    pub fn value_name(&self, v: usize) -> &str {
        if v == 0 { "input" } else { &self.nodes[v - 1].name }
    }

    /// The value with the classes' logits: what goes into a softmax at the end, else the output.
    pub fn logits(&self) -> usize {
        match self.nodes.last() {
            Some(Node { kind: LayerKind::Softmax {}, inputs, .. }) => inputs[0],
            _ => self.nodes.len(),
        }
    }

    /// The gradient of value `of` with respect to value `at`: `values` are those of [`Model::activations`],
    /// `d_of` `[n, h, w, c]` is what each number of value `of` counts. As at inference: batch normalization goes
    /// by its moving statistics and dropout lets everything through. The result has the shape of value `at`.
    ///
    /// # Errors
    /// When there is no such value, `at` comes after `of`, or the shapes do not fit.
    pub fn gradient(
        &self,
        values: &[Array4<f32>],
        of: usize,
        at: usize,
        d_of: ArrayView4<f32>,
    ) -> Result<Array4<f32>, Error> {
        const NAME: &str = "gradient";
        let all = self.nodes.len() + 1;
        if values.len() != all || of >= all || at > of {
            let problem =
                format!("of value {of} with respect to value {at}, given {} of {all}", values.len());
            return Err(Error::operator(NAME, problem));
        }
        ops::expect(NAME, "d_of", d_of.shape(), values[of].shape())?;
        for (v, value) in values.iter().enumerate() {
            let [h, w, c] = self.value_shape(v);
            ops::expect(NAME, "each value", value.shape(), &[values[0].dim().0, h, w, c])?;
        }
        // Only what lies on a way from `at` is gone back through.
        let mut reached = vec![false; all];
        reached[at] = true;
        for v in at + 1..=of {
            reached[v] = self.nodes[v - 1].inputs.iter().any(|&i| reached[i]);
        }
        let mut slopes: Vec<Option<Array4<f32>>> = vec![None; all];
        slopes[of] = Some(ops::rows(d_of).into_owned());
        for v in (at + 1..=of).rev().filter(|&v| reached[v]) {
            let Some(slope) = slopes[v].take() else { continue };
            let node = &self.nodes[v - 1];
            for (&input, slope) in node.inputs.iter().zip(self.backward(node, values, v, &slope)?) {
                match &mut slopes[input] {
                    _ if !reached[input] => {}
                    Some(sum) => *sum += &slope,
                    none => *none = Some(slope),
                }
            }
        }
        Ok(slopes[at].take().unwrap_or_else(|| Array4::zeros(values[at].raw_dim())))
    }

    /// What the gradient `d` of value `v`, the output of `node`, is for each of the node's inputs.
    fn backward(
        &self,
        node: &Node,
        values: &[Array4<f32>],
        v: usize,
        d: &Array4<f32>,
    ) -> Result<Vec<Array4<f32>>, Error> {
        let x = values[node.inputs[0]].view();
        let (n, h, w, c) = x.dim();
        let from = [n, h, w, c];
        let one = match &node.kind {
            LayerKind::Conv2d { .. } => {
                let options = conv_options(&node.kind).expect("it is a convolution");
                ops::conv2d_backward_input(from, self.view::<Ix4>(node.params[0]), d.view(), &options)?
            }
            LayerKind::Dense { .. } => {
                // A 1x1 convolution of a 1x1 image.
                let weights = self.view::<Ix2>(node.params[0]);
                let filter = weights.insert_axis(ndarray::Axis(0)).insert_axis(ndarray::Axis(0));
                ops::conv2d_backward_input(from, filter, d.view(), &Conv2dOptions::default())?
            }
            LayerKind::MaxPool { .. } => {
                ops::max_pool_backward(x, d.view(), &pool_options(&node.kind).expect("pool"))?
            }
            LayerKind::AvgPool { .. } => {
                ops::avg_pool_backward(from, d.view(), &pool_options(&node.kind).expect("pool"))?
            }
            LayerKind::GlobalAvgPool {} => ops::global_avg_pool_backward(from, d.view())?,
            LayerKind::GlobalMaxPool {} => ops::max_pool_backward(x, d.view(), &ops::whole([h, w]))?,
            // What is looked up does not change by little steps of the number.
            LayerKind::Embedding { .. } => Array4::zeros(from),
            LayerKind::Softmax {} => ops::softmax_backward(values[v].view(), d.view())?,
            LayerKind::BatchNorm { epsilon, .. } => {
                let [gamma, variance] = [0, 3].map(|i| self.view::<Ix1>(node.params[i]));
                let scale = gamma.iter().zip(&variance).map(|(g, v)| g / (v + epsilon).sqrt());
                d * &scale.collect::<Array1<f32>>()
            }
            LayerKind::Dropout { .. } => d.clone(),
            LayerKind::Flatten {} => d.clone().into_shape_with_order(from).expect("as many numbers"),
            LayerKind::Add {} => return Ok(vec![d.clone(); node.inputs.len()]),
            LayerKind::Concat {} => {
                let channels: Vec<usize> = node.inputs.iter().map(|&i| self.value_shape(i)[2]).collect();
                return ops::concat_backward(&channels, d.view());
            }
            kind => {
                let function = activation(kind).expect("the kinds left are activations");
                ops::activation_backward(function, x, d.view())?
            }
        };
        Ok(vec![one])
    }
}
