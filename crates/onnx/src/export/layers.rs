//! Each kind of layer as nodes. There is no arm for all others: a kind that is forgotten here does not compile.

use super::{Attributes, Place, Writer, moves};
use crate::Error;
use crate::proto::{Attribute, Tensor};
use foveal_nn::layers::{Coordinates, PadMode};
use foveal_nn::model::Node as Layer;
use foveal_nn::spec::LayerKind;

/// Whether the layer's operator came after the usual operator set.
pub(super) fn needs_newer(kind: &LayerKind) -> bool {
    match kind {
        LayerKind::Gelu(_) => true,
        LayerKind::Pad(pad) => pad.mode == PadMode::Wrap,
        // A size without the batch's extent; between corners it is always written.
        LayerKind::Resize(r) => r.size.is_some() || r.coordinates == Some(Coordinates::AlignCorners),
        _ => false,
    }
}

/// A number as an attribute.
fn float(name: &'static str, value: f32) -> (&'static str, Attribute<'static>) {
    (name, Attribute::Float(value))
}

impl Writer<'_> {
    /// Writes layer `i`; gives its output.
    pub(super) fn layer(&mut self, i: usize, layer: &Layer) -> Result<Place, Error> {
        use LayerKind as K;
        let (name, from) = (layer.name.as_str(), layer.inputs[0]);
        let deep = |name: String| Place { name, flat: false };
        Ok(match &layer.kind {
            K::Custom(own) => return Err(foveal_nn::Error::CustomSaved { kind: own.kind() }.into()),
            K::Dropout(_) => self.values[from].clone(),
            K::Conv2d(_) => deep(self.convolution(i, layer)),
            K::Conv2dTranspose(kind) => deep(self.transposed_convolution(kind, layer)),
            K::MaxPool(_) | K::AvgPool(_) => deep(self.pool(i, layer)?),
            K::GlobalAvgPool(_) => deep(self.spatial_node("GlobalAveragePool", layer, vec![])),
            K::GlobalMaxPool(_) => deep(self.spatial_node("GlobalMaxPool", layer, vec![])),
            K::Embedding(_) => deep(self.embedding(layer)),
            K::Flatten(_) => Place { name: self.flat(from, name), flat: true },
            K::Dense(_) => {
                let x = self.flat(from, name);
                Place { name: self.with_params("Gemm", layer, x, vec![]), flat: true }
            }
            K::Add(_) | K::Concat(_) | K::Subtract(_) | K::Multiply(_) | K::Maximum(_) | K::Minimum(_) => {
                self.joined(layer)
            }
            K::Relu(_) => self.each("Relu", layer, vec![]),
            K::LeakyRelu(f) => self.each("LeakyRelu", layer, vec![float("alpha", f.alpha)]),
            K::Sigmoid(_) => self.each("Sigmoid", layer, vec![]),
            K::HardSigmoid(f) => {
                self.each("HardSigmoid", layer, vec![float("alpha", f.alpha), float("beta", f.beta)])
            }
            K::Tanh(_) => self.each("Tanh", layer, vec![]),
            K::Gelu(f) => {
                let form = if f.approximate { "tanh" } else { "none" };
                self.each("Gelu", layer, vec![("approximate", Attribute::Text(form.into()))])
            }
            K::HardSwish(_) => self.each("HardSwish", layer, vec![]),
            K::Elu(f) => self.each("Elu", layer, vec![float("alpha", f.alpha)]),
            K::Selu(f) => self.each("Selu", layer, vec![float("alpha", f.alpha), float("gamma", f.gamma)]),
            K::Celu(f) => self.each("Celu", layer, vec![float("alpha", f.alpha)]),
            K::Softplus(_) => self.each("Softplus", layer, vec![]),
            K::Silu(_) => self.times_function(layer, &["Sigmoid"]),
            K::Mish(_) => self.times_function(layer, &["Softplus", "Tanh"]),
            K::Clip(f) => self.clip(layer, f.min, f.max),
            K::Prelu(_) => self.by_channel("PRelu", layer),
            K::Scale(_) => self.by_channel("Mul", layer),
            K::Softmax(_) => self.each("Softmax", layer, vec![("axis", Attribute::Int(1))]),
            K::LogSoftmax(_) => self.each("LogSoftmax", layer, vec![("axis", Attribute::Int(1))]),
            K::BatchNorm(norm) => {
                let attributes = vec![float("epsilon", norm.epsilon), float("momentum", norm.momentum)];
                let Place { name: x, flat } = self.values[from].clone();
                Place { name: self.with_params("BatchNormalization", layer, x, attributes), flat }
            }
            K::LayerNorm(norm) => self.layer_norm(layer, norm.epsilon),
            K::GroupNorm(norm) => deep(self.group_norm(layer, norm.groups, norm.epsilon)),
            K::InstanceNorm(norm) => {
                let x = self.spatial(from, name);
                let attributes = vec![float("epsilon", norm.epsilon)];
                deep(self.with_params("InstanceNormalization", layer, x, attributes))
            }
            K::LocalResponseNorm(norm) => deep(self.response_norm(layer, norm)?),
            K::L2Normalize(norm) => self.length_one(layer, norm.epsilon),
            K::Reduce(reduce) => deep(self.reduction(layer, reduce)),
            K::Slice(slice) => deep(self.slice(layer, slice)?),
            K::Pad(pad) => deep(self.padding(layer, pad)),
            K::Resize(resize) => deep(self.resize(layer, resize)?),
            K::ChannelShuffle(shuffle) => deep(self.shuffle(layer, shuffle.groups)),
            K::DepthToSpace(kind) => {
                let mode = Attribute::Text(moves::mode(kind.order).into());
                let attributes = vec![("blocksize", Attribute::Int(kind.block as i64)), ("mode", mode)];
                deep(self.spatial_node("DepthToSpace", layer, attributes))
            }
            K::SpaceToDepth(kind) => deep(self.space_to_depth(layer, kind)),
            K::Transpose(transpose) => {
                // Height, width, channels are axes 2, 3 and 1 of a graph with channels first.
                let [h, w, c] = transpose.order.map(|axis| [2, 3, 1][axis]);
                let x = self.spatial(from, name);
                deep(self.transpose(name, &x, [0, c, h, w]))
            }
        })
    }

    /// A node that does the same to every shape.
    fn each(&mut self, operator: &str, layer: &Layer, attributes: Attributes) -> Place {
        let Place { name: x, flat } = self.values[layer.inputs[0]].clone();
        Place { name: self.node(operator, &layer.name, &[&x], attributes), flat }
    }

    /// A node on `[n, c, h, w]`.
    fn spatial_node(&mut self, operator: &str, layer: &Layer, attributes: Attributes) -> String {
        let x = self.spatial(layer.inputs[0], &layer.name);
        self.node(operator, &layer.name, &[&x], attributes)
    }

    /// `x` times a function of `x`.
    fn times_function(&mut self, layer: &Layer, functions: &[&str]) -> Place {
        let Place { name: x, flat } = self.values[layer.inputs[0]].clone();
        let mut gate = x.clone();
        for function in functions {
            gate =
                self.node(function, &format!("{}/{}", layer.name, function.to_lowercase()), &[&gate], vec![]);
        }
        Place { name: self.node("Mul", &layer.name, &[&x, &gate], vec![]), flat }
    }

    fn clip(&mut self, layer: &Layer, min: f32, max: f32) -> Place {
        let Place { name: x, flat } = self.values[layer.inputs[0]].clone();
        let [low, high] = [("min", min), ("max", max)].map(|(what, bound)| {
            self.tensor(Tensor::floats(&format!("{}.{what}", layer.name), &[], vec![bound]))
        });
        Place { name: self.node("Clip", &layer.name, &[&x, &low, &high], vec![]), flat }
    }

    /// A node with a number for each channel.
    fn by_channel(&mut self, operator: &str, layer: &Layer) -> Place {
        let Place { name: x, flat } = self.values[layer.inputs[0]].clone();
        let number = self.channels(layer, 0, flat);
        Place { name: self.node(operator, &layer.name, &[&x, &number], vec![]), flat }
    }

    /// Parameter `k`, one number for each channel, shaped to spread over `[n, c]` or `[n, c, h, w]`.
    pub(super) fn channels(&mut self, layer: &Layer, k: usize, flat: bool) -> String {
        let param = &self.model.params()[layer.params[k]];
        let count = param.values.len();
        let shape = if flat { vec![count] } else { vec![count, 1, 1] };
        self.tensor(Tensor::floats(&param.name, &shape, param.values.clone()))
    }

    /// Several values: their sum and the like, or their channels one after the other.
    fn joined(&mut self, layer: &Layer) -> Place {
        let operator = match layer.kind {
            LayerKind::Concat(_) => "Concat",
            LayerKind::Subtract(_) => "Sub",
            LayerKind::Multiply(_) => "Mul",
            LayerKind::Maximum(_) => "Max",
            LayerKind::Minimum(_) => "Min",
            _ => "Add",
        };
        let flat = layer.inputs.iter().all(|&v| self.values[v].flat);
        let mut inputs = Vec::new();
        for (i, &v) in layer.inputs.iter().enumerate() {
            let under = format!("{}/{i}", layer.name);
            inputs.push(if flat { self.values[v].name.clone() } else { self.spatial(v, &under) });
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        if operator == "Concat" {
            let axis = vec![("axis", Attribute::Int(1))];
            return Place { name: self.node(operator, &layer.name, &inputs, axis), flat };
        }
        // The operators take two.
        let mut all = inputs[0].to_owned();
        for other in &inputs[1..] {
            all = self.node(operator, &layer.name, &[&all, other], vec![]);
        }
        Place { name: all, flat }
    }

    fn transposed_convolution(&mut self, kind: &foveal_nn::layers::Conv2dTranspose, layer: &Layer) -> String {
        let from = self.model.value_shape(layer.inputs[0]);
        let g = kind.geometry(from, 1).expect("the model is checked").convolution;
        let x = self.spatial(layer.inputs[0], &layer.name);
        // What the windows reach beyond the output is cut off at its end, what they leave open is added there.
        let sides = [g.h, g.w].map(|axis| {
            let reach = axis.dilation * (axis.kernel - 1) + 1;
            let whole = (axis.output - 1) * axis.stride + reach - axis.before;
            [axis.before, whole.saturating_sub(axis.input), axis.input.saturating_sub(whole)]
        });
        let [[top, bottom, below], [left, right, beside]] = sides;
        let attributes = vec![
            ("kernel_shape", super::ints(&[g.h.kernel, g.w.kernel])),
            ("strides", super::ints(&[g.h.stride, g.w.stride])),
            ("dilations", super::ints(&[g.h.dilation, g.w.dilation])),
            ("pads", super::ints(&[top, left, bottom, right])),
            ("output_padding", super::ints(&[below, beside])),
            ("group", Attribute::Int(g.groups as i64)),
        ];
        self.with_params("ConvTranspose", layer, x, attributes)
    }
}
