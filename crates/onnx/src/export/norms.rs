//! Normalizations and reductions as nodes.

use super::{Attributes, Place, Writer};
use crate::Error;
use crate::proto::{Attribute, Tensor};
use foveal_nn::layers::{Along, How, LocalResponseNorm, Reduce};
use foveal_nn::model::Node as Layer;

impl Writer<'_> {
    /// ONNX normalizes over the last axes, so the channels are put last and back.
    pub(super) fn layer_norm(&mut self, layer: &Layer, epsilon: f32) -> Place {
        let name = layer.name.as_str();
        let attributes = vec![("axis", Attribute::Int(-1)), ("epsilon", Attribute::Float(epsilon))];
        let Place { name: x, flat } = self.values[layer.inputs[0]].clone();
        if flat {
            return Place { name: self.with_params("LayerNormalization", layer, x, attributes), flat };
        }
        let last = self.transpose(&format!("{name}/channels_last"), &x, [0, 2, 3, 1]);
        let params = self.params(layer);
        let inputs = [&last, &params[0], &params[1]].map(String::as_str);
        let y = self.node("LayerNormalization", &format!("{name}/normalized"), &inputs, attributes);
        Place { name: self.transpose(name, &y, [0, 3, 1, 2]), flat: false }
    }

    /// Groups as the channels of an instance normalization, which older operator sets have.
    pub(super) fn group_norm(&mut self, layer: &Layer, groups: usize, epsilon: f32) -> String {
        let (name, from) = (layer.name.as_str(), layer.inputs[0]);
        let [h, w, c] = self.model.value_shape(from);
        let x = self.spatial(from, name);
        let x = self.reshaped(&format!("{name}/groups"), &x, &[0, groups as i64, -1]);
        let [ones, zeros] = [("ones", 1.0), ("zeros", 0.0)].map(|(what, v)| {
            self.tensor(Tensor::floats(&format!("{name}.{what}"), &[groups], vec![v; groups]))
        });
        let attributes: Attributes = vec![("epsilon", Attribute::Float(epsilon))];
        let y = self.node(
            "InstanceNormalization",
            &format!("{name}/normalized"),
            &[&x, &ones, &zeros],
            attributes,
        );
        let y = self.reshaped(&format!("{name}/channels"), &y, &[0, c as i64, h as i64, w as i64]);
        let (gamma, beta) = (self.channels(layer, 0, false), self.channels(layer, 1, false));
        let y = self.node("Mul", &format!("{name}/scaled"), &[&y, &gamma], vec![]);
        self.node("Add", name, &[&y, &beta], vec![])
    }

    pub(super) fn response_norm(&mut self, layer: &Layer, norm: &LocalResponseNorm) -> Result<String, Error> {
        if norm.size.is_multiple_of(2) {
            let problem = format!("has windows of {} channels; ONNX runtimes take odd ones alone", norm.size);
            return Err(Error::Layer { layer: layer.name.clone(), problem });
        }
        let numbers = [("alpha", norm.alpha), ("beta", norm.beta), ("bias", norm.bias)];
        let mut attributes = numbers.map(|(n, v)| (n, Attribute::Float(v))).to_vec();
        attributes.push(("size", Attribute::Int(norm.size as i64)));
        let x = self.spatial(layer.inputs[0], &layer.name);
        Ok(self.node("LRN", &layer.name, &[&x], attributes))
    }

    /// `x / max(norm, epsilon)`.
    pub(super) fn length_one(&mut self, layer: &Layer, epsilon: f32) -> Place {
        let name = layer.name.as_str();
        let Place { name: x, flat } = self.values[layer.inputs[0]].clone();
        let length = self.reduced("ReduceL2", &format!("{name}/length"), &x, &[1]);
        let least = self.tensor(Tensor::floats(&format!("{name}.epsilon"), &[], vec![epsilon]));
        let divisor = self.node("Max", &format!("{name}/divisor"), &[&length, &least], vec![]);
        Place { name: self.node("Div", name, &[&x, &divisor], vec![]), flat }
    }

    pub(super) fn reduction(&mut self, layer: &Layer, reduce: &Reduce) -> String {
        let operator = match reduce.how {
            How::Mean => "ReduceMean",
            How::Sum => "ReduceSum",
            How::Max => "ReduceMax",
        };
        let named = [(Along::Channels, 1), (Along::Height, 2), (Along::Width, 3)];
        let axes: Vec<i64> = named.iter().filter(|(a, _)| reduce.over.contains(a)).map(|&(_, i)| i).collect();
        let x = self.spatial(layer.inputs[0], &layer.name);
        self.reduced(operator, &layer.name, &x, &axes)
    }

    /// A reduction; older operator sets take the axes of all but sums as an attribute.
    fn reduced(&mut self, operator: &str, name: &str, x: &str, axes: &[i64]) -> String {
        if self.newer || operator == "ReduceSum" {
            let list = self.tensor(Tensor::ints(&format!("{name}.axes"), axes));
            return self.node(operator, name, &[x, &list], vec![]);
        }
        self.node(operator, name, &[x], vec![("axes", Attribute::Ints(axes.to_vec()))])
    }

    /// The same numbers with other extents.
    pub(super) fn reshaped(&mut self, name: &str, x: &str, shape: &[i64]) -> String {
        let shape = self.tensor(Tensor::ints(&format!("{name}.shape"), shape));
        self.node("Reshape", name, &[x, &shape], vec![])
    }
}
