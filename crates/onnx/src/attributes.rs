//! A node's attributes, by name.

use crate::proto::{Attribute, Node, Tensor};
use std::rc::Rc;

/// A node's attributes.
pub(crate) struct Attributes<'g> {
    node: &'g Node<'g>,
}

/// Operators, and the attributes that they may have; those that change nothing are among them.
type Known = (&'static [&'static str], &'static [&'static str]);

const KNOWN: &[Known] = &[
    (&["Conv"], &["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"]),
    (
        &["MaxPool"],
        &["auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "storage_order", "strides"],
    ),
    (
        &["AveragePool"],
        &["auto_pad", "ceil_mode", "count_include_pad", "dilations", "kernel_shape", "pads", "strides"],
    ),
    (&["BatchNormalization"], &["epsilon", "momentum", "spatial", "training_mode"]),
    (&["Gemm"], &["alpha", "beta", "transA", "transB"]),
    (&["LeakyRelu", "Elu", "Celu", "Swish"], &["alpha"]),
    (&["Selu"], &["alpha", "gamma"]),
    (&["Gelu"], &["approximate"]),
    (&["Clip"], &["min", "max"]),
    (&["Concat", "Softmax", "LogSoftmax", "Flatten", "Gather"], &["axis"]),
    (&["Dropout"], &["ratio", "seed"]),
    (&["Reshape"], &["allowzero"]),
    (&["Transpose"], &["perm"]),
    (&["Pad"], &["mode", "pads", "value"]),
    (&["Cast"], &["to", "saturate", "round_mode"]),
    (&["Squeeze", "Unsqueeze"], &["axes"]),
    (&["HardSigmoid"], &["alpha", "beta"]),
    (&["Shape"], &["start", "end"]),
    (&["Slice"], &["starts", "ends", "axes"]),
    (&["Split"], &["axis", "split", "num_outputs"]),
    (&["Mod"], &["fmod"]),
    (
        &["Resize"],
        &[
            "antialias",
            "axes",
            "coordinate_transformation_mode",
            "cubic_coeff_a",
            "exclude_outside",
            "extrapolation_value",
            "keep_aspect_ratio_policy",
            "mode",
            "nearest_mode",
        ],
    ),
    (&["Upsample"], &["mode", "scales"]),
    (
        &["ConvTranspose"],
        &[
            "auto_pad",
            "dilations",
            "group",
            "kernel_shape",
            "output_padding",
            "output_shape",
            "pads",
            "strides",
        ],
    ),
    (&["LayerNormalization"], &["axis", "epsilon", "stash_type"]),
    (&["GroupNormalization"], &["epsilon", "num_groups", "stash_type"]),
    (&["InstanceNormalization"], &["epsilon"]),
    (&["LRN"], &["alpha", "beta", "bias", "size"]),
    (&["LpNormalization"], &["axis", "p"]),
    (&["DepthToSpace"], &["blocksize", "mode"]),
    (&["SpaceToDepth"], &["blocksize"]),
    (&["Constant"], &["value", "value_float", "value_floats", "value_int", "value_ints"]),
    (&["ConstantOfShape"], &["value"]),
    (&["HardSwish", "Mish", "Softplus", "Neg", "Max", "Min", "PRelu", "Add", "Sub", "Mul", "Div"], &[]),
    (&["Sum", "MatMul", "Relu", "Sigmoid", "Tanh", "Identity", "Abs", "Mean"], &[]),
    (&["GlobalAveragePool", "GlobalMaxPool"], &[]),
];

/// The attributes that `operator` may have; nothing for an operator that is not listed, whose reader looks itself.
fn known(operator: &str) -> Option<&'static [&'static str]> {
    if operator.starts_with("Reduce") {
        return Some(&["axes", "keepdims", "noop_with_empty_axes"]);
    }
    KNOWN.iter().find(|(operators, _)| operators.contains(&operator)).map(|&(_, attributes)| attributes)
}

impl<'g> Attributes<'g> {
    /// Refuses attributes that the operator should not have.
    pub fn new(node: &'g Node<'g>) -> Result<Self, String> {
        if let Some(known) = known(&node.operator)
            && let Some((name, _)) = node.attributes.iter().find(|(n, _)| !known.contains(&n.as_str()))
        {
            return Err(format!("its attribute `{name}` is not supported"));
        }
        Ok(Self { node })
    }

    fn get(&self, name: &str) -> Option<&'g Attribute<'g>> {
        self.node.attributes.iter().find(|(n, _)| n == name).map(|(_, a)| a)
    }

    /// A whole number.
    pub fn int(&self, name: &str, without: i64) -> Result<i64, String> {
        match self.get(name) {
            None => Ok(without),
            Some(Attribute::Int(v)) => Ok(*v),
            Some(_) => Err(format!("its attribute `{name}` must be a whole number")),
        }
    }

    /// A number.
    pub fn float(&self, name: &str, without: f32) -> Result<f32, String> {
        match self.get(name) {
            None => Ok(without),
            Some(Attribute::Float(v)) => Ok(*v),
            Some(_) => Err(format!("its attribute `{name}` must be a number")),
        }
    }

    /// A text.
    pub fn text(&self, name: &str, without: &'static str) -> Result<&'g str, String> {
        match self.get(name) {
            None => Ok(without),
            Some(Attribute::Text(v)) => Ok(v),
            Some(_) => Err(format!("its attribute `{name}` must be a text")),
        }
    }

    /// Whole numbers, if they are given.
    pub fn ints(&self, name: &str) -> Result<Option<&'g [i64]>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(Attribute::Ints(v)) => Ok(Some(v)),
            Some(_) => Err(format!("its attribute `{name}` must be a list of whole numbers")),
        }
    }

    /// Numbers, if they are given.
    pub fn floats(&self, name: &str) -> Result<Option<&'g [f32]>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(Attribute::Floats(v)) => Ok(Some(v)),
            Some(_) => Err(format!("its attribute `{name}` must be a list of numbers")),
        }
    }

    /// Whole numbers, as many as `N`.
    pub fn some<const N: usize>(&self, name: &str, without: [i64; N]) -> Result<[i64; N], String> {
        let Some(found) = self.ints(name)? else { return Ok(without) };
        let wrong = |_| format!("its attribute `{name}` is {found:?}, but {N} numbers are needed");
        found.try_into().map_err(wrong)
    }

    /// A number for height and one for width, each 1 if they are not given; of a row of places (`line`) for its length.
    pub fn pair(&self, name: &str, line: bool) -> Result<[i64; 2], String> {
        if line { Ok([1, self.some(name, [1])?[0]]) } else { self.some(name, [1, 1]) }
    }

    /// A tensor, if it is given.
    pub fn tensor(&self, name: &str) -> Result<Option<&'g Rc<Tensor<'g>>>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(Attribute::Tensor(tensor)) => Ok(Some(tensor)),
            Some(_) => Err(format!("its attribute `{name}` must be a tensor")),
        }
    }

    /// Whether it is given.
    pub fn given(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}
