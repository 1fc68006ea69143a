//! A node's attributes, by name.

use crate::proto::{Attribute, Node, Tensor};
use std::rc::Rc;

/// A node's attributes.
pub(super) struct Attributes<'g> {
    node: &'g Node<'g>,
}

/// The attributes that each operator may have; those that change nothing are among them.
fn known(operator: &str) -> &'static [&'static str] {
    match operator {
        "Conv" => &["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"],
        "MaxPool" => {
            &["auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "storage_order", "strides"]
        }
        "AveragePool" => {
            &["auto_pad", "ceil_mode", "count_include_pad", "dilations", "kernel_shape", "pads", "strides"]
        }
        "BatchNormalization" => &["epsilon", "momentum", "spatial", "training_mode"],
        "Gemm" => &["alpha", "beta", "transA", "transB"],
        "LeakyRelu" => &["alpha"],
        "Gelu" => &["approximate"],
        "Clip" => &["min", "max"],
        "Concat" | "Softmax" | "Flatten" | "Gather" => &["axis"],
        "Dropout" => &["ratio", "seed"],
        "Reshape" => &["allowzero"],
        "Transpose" => &["perm"],
        "Pad" => &["mode", "pads", "value"],
        "Cast" => &["to", "saturate", "round_mode"],
        "ReduceMean" | "ReduceMax" => &["axes", "keepdims", "noop_with_empty_axes"],
        "Squeeze" | "Unsqueeze" => &["axes"],
        "HardSigmoid" => &["alpha", "beta"],
        "Shape" => &["start", "end"],
        "Constant" => &["value", "value_float", "value_floats", "value_int", "value_ints"],
        _ => &[],
    }
}

impl<'g> Attributes<'g> {
    /// Refuses attributes that the operator should not have.
    pub fn new(node: &'g Node<'g>) -> Result<Self, String> {
        if super::OPERATORS.contains(&node.operator.as_str()) {
            let known = known(&node.operator);
            if let Some((name, _)) = node.attributes.iter().find(|(n, _)| !known.contains(&n.as_str())) {
                return Err(format!("its attribute `{name}` is not supported"));
            }
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

    /// The value of a Constant node.
    pub fn constant(&self) -> Result<Rc<Tensor<'g>>, String> {
        let scalar = |mut tensor: Tensor<'g>| {
            tensor.dims.clear();
            tensor
        };
        let tensor = match self.node.attributes.first().map(|(_, a)| a) {
            Some(Attribute::Tensor(tensor)) => return Ok(tensor.clone()),
            Some(Attribute::Float(v)) => scalar(Tensor::floats("constant", &[1], vec![*v])),
            Some(Attribute::Floats(v)) => Tensor::floats("constant", &[v.len()], v.clone()),
            Some(Attribute::Int(v)) => scalar(Tensor::ints("constant", &[*v])),
            Some(Attribute::Ints(v)) => Tensor::ints("constant", v),
            _ => return Err("a constant of this kind is not supported, only numbers".into()),
        };
        Ok(Rc::new(tensor))
    }
}
