//! The part of `onnx.proto` that convolutional networks need, read from and written to bytes.
//!
//! Reading takes memory in proportion to the bytes: lengths are checked against what is there, graphs within
//! graphs are not entered, and the number of nodes is bounded.
//!
//! Source: `onnx/onnx.proto` of the ONNX project.

mod read;
mod tensor;
mod write;

pub(crate) use tensor::Floats;
pub use tensor::{Numbers, Side, Tensor};

use std::rc::Rc;

/// `TensorProto.DataType`: what an element is.
pub mod kind {
    /// 32-bit floats.
    pub const FLOAT: i64 = 1;
    /// Bytes.
    pub const UINT8: i64 = 2;
    /// 8-bit integers.
    pub const INT8: i64 = 3;
    /// 16-bit integers without a sign.
    pub const UINT16: i64 = 4;
    /// 16-bit integers.
    pub const INT16: i64 = 5;
    /// 32-bit integers.
    pub const INT32: i64 = 6;
    /// 64-bit integers.
    pub const INT64: i64 = 7;
    /// Truth values.
    pub const BOOL: i64 = 9;
    /// 16-bit floats of IEEE 754.
    pub const FLOAT16: i64 = 10;
    /// 64-bit floats.
    pub const DOUBLE: i64 = 11;
    /// 32-bit integers without a sign.
    pub const UINT32: i64 = 12;
    /// 64-bit integers without a sign.
    pub const UINT64: i64 = 13;
    /// 16-bit floats that are the upper half of 32-bit ones.
    pub const BFLOAT16: i64 = 16;

    /// The type's name in ONNX, or its number where it has none here.
    pub fn name(kind: i64) -> String {
        let name = match kind {
            FLOAT => "float32",
            UINT8 => "uint8",
            INT8 => "int8",
            UINT16 => "uint16",
            INT16 => "int16",
            INT32 => "int32",
            INT64 => "int64",
            8 => "string",
            BOOL => "bool",
            FLOAT16 => "float16",
            DOUBLE => "float64",
            UINT32 => "uint32",
            UINT64 => "uint64",
            BFLOAT16 => "bfloat16",
            other => return format!("number {other}"),
        };
        name.to_owned()
    }
}

/// A model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model<'a> {
    /// The version of the file format.
    pub ir_version: i64,
    /// Who wrote it.
    pub producer: String,
    /// Operator sets: domain (empty for ONNX's own) and version.
    pub opsets: Vec<(String, i64)>,
    /// The graph.
    pub graph: Graph<'a>,
    /// Keys and texts.
    pub metadata: Vec<(String, String)>,
    /// Functions of its own that it defines.
    pub functions: usize,
}

/// A graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph<'a> {
    /// Its name.
    pub name: String,
    /// Its nodes, each after those whose outputs it takes.
    pub nodes: Vec<Node<'a>>,
    /// Constants by name.
    pub tensors: Vec<Rc<Tensor<'a>>>,
    /// What goes in.
    pub inputs: Vec<Value>,
    /// What comes out.
    pub outputs: Vec<Value>,
}

/// An operator in its place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node<'a> {
    /// Its name, if any.
    pub name: String,
    /// Its operator.
    pub operator: String,
    /// The operator's domain; empty for ONNX's own.
    pub domain: String,
    /// Names of values; empty where one is left out.
    pub inputs: Vec<String>,
    /// Names of values.
    pub outputs: Vec<String>,
    /// Names and attributes.
    pub attributes: Vec<(String, Attribute<'a>)>,
}

/// An attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute<'a> {
    /// A number.
    Float(f32),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
    /// A tensor.
    Tensor(Rc<Tensor<'a>>),
    /// Numbers.
    Floats(Vec<f32>),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// Of a kind that is not read, such as a graph.
    Other,
}

/// An extent of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Dim {
    /// Known.
    Known(i64),
    /// A name, or nothing.
    Open(String),
}

/// What is known of an input or output.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Value {
    /// Its name.
    pub name: String,
    /// What an element is, of [`kind`]; 0 if it is not said.
    pub kind: i64,
    /// Extents; none if they are not said.
    pub dims: Option<Vec<Dim>>,
}

impl Value {
    /// A value of that name, kind and extents.
    pub fn new(name: &str, kind: i64, dims: Vec<Dim>) -> Self {
        Self { name: name.into(), kind, dims: Some(dims) }
    }
}
