//! How one value of a model answers to another, as at inference.

use super::Model;
use crate::spec::LayerKind;
use crate::{Error, ops};
use ndarray::{Array4, ArrayView4};

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
        if self.ends_in_softmax() { self.nodes[self.nodes.len() - 1].inputs[0] } else { self.nodes.len() }
    }

    /// Whether the outputs are probabilities already.
    pub fn ends_in_softmax(&self) -> bool {
        self.nodes.last().is_some_and(|node| matches!(node.kind, LayerKind::Softmax(_)))
    }

    /// Whether each output is a probability by itself: a model of several labels an image.
    pub fn ends_in_sigmoid(&self) -> bool {
        self.nodes.last().is_some_and(|node| matches!(node.kind, LayerKind::Sigmoid(_)))
    }

    /// The gradient of value `of` with respect to value `at`. `values` are those of [`Model::activations`]; `d_of`
    /// `[n, h, w, c]` says how much each number of value `of` counts. As at inference: batch normalization goes
    /// by its moving statistics and dropout lets everything through. The result has the shape of value `at`.
    ///
    /// # Errors
    /// When there is no such value, `at` comes after `of`, or the shapes do not fit.
    ///
    /// ```
    /// use ndarray::array;
    ///
    /// let model = foveal_nn::Sequential::new([1, 1, 2]).relu().flatten().build(0)?;
    /// let values = model.activations(array![[[[-1.0, 2.0]]]].view())?;
    /// let d = model.gradient(&values, 1, 0, array![[[[1.0, 1.0]]]].view())?;
    /// assert_eq!(d, array![[[[0.0, 1.0]]]]);
    /// # Ok::<(), foveal_nn::Error>(())
    /// ```
    pub fn gradient(
        &self,
        values: &[Array4<f32>],
        of: usize,
        at: usize,
        d_of: ArrayView4<f32>,
    ) -> Result<Array4<f32>, Error> {
        self.back(values, [of, at], d_of, |_, _| {})
    }

    /// The gradients of all parameters, in the order of [`Model::params`], as at inference; those of moving statistics
    /// are empty. `values` are those of [`Model::activations`]; `d_output` `[n, h, w, c]` says how much each number of
    /// the last counts.
    ///
    /// # Errors
    /// When the shapes do not fit.
    ///
    /// ```
    /// use ndarray::array;
    ///
    /// let model = foveal_nn::Sequential::new([1, 1, 2]).dense(1).build(0)?;
    /// let values = model.activations(array![[[[3.0, 4.0]]]].view())?;
    /// let all = model.gradients(&values, array![[[[1.0]]]].view())?;
    /// assert_eq!(all, [vec![3.0, 4.0], vec![1.0]]);   // dense_1.weights, dense_1.bias
    /// # Ok::<(), foveal_nn::Error>(())
    /// ```
    pub fn gradients(
        &self,
        values: &[Array4<f32>],
        d_output: ArrayView4<f32>,
    ) -> Result<Vec<Vec<f32>>, Error> {
        let mut all = vec![Vec::new(); self.params.len()];
        self.back(values, [self.nodes.len(), 0], d_output, |node, params| {
            for (&p, gradient) in self.nodes[node].params.iter().zip(params) {
                all[p] = gradient;
            }
        })?;
        Ok(all)
    }

    /// Goes back from value `of` to value `at`; `see` gets the gradients of each node's parameters.
    fn back(
        &self,
        values: &[Array4<f32>],
        [of, at]: [usize; 2],
        d_of: ArrayView4<f32>,
        mut see: impl FnMut(usize, Vec<Vec<f32>>),
    ) -> Result<Array4<f32>, Error> {
        const NAME: &str = "gradient";
        crate::engine::training_is_here()?;
        self.check_params()?;
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
            let work = self.at(node, values);
            let gradient = node.kind.layer().gradient(&work, values[v].view(), slope.view())?;
            see(v - 1, gradient.params);
            for (&input, slope) in node.inputs.iter().zip(gradient.inputs) {
                match &mut slopes[input] {
                    _ if !reached[input] => {}
                    Some(sum) => *sum += &slope,
                    none => *none = Some(slope),
                }
            }
        }
        Ok(slopes[at].take().unwrap_or_else(|| Array4::zeros(values[at].raw_dim())))
    }
}
