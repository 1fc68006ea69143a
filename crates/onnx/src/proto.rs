//! The part of `onnx.proto` that convolutional networks need, read from and written to bytes.
//!
//! Reading takes memory in proportion to the bytes: lengths are checked against what is there, graphs within
//! graphs are not entered, and the number of nodes is bounded.
//!
//! Source: `onnx/onnx.proto` of the ONNX project.

use crate::Error;
use crate::wire::{Message, fields};
use std::rc::Rc;

/// Nodes, tensors, inputs that a graph may have, each.
const MOST: usize = 1 << 16;

/// `TensorProto.DataType`: what an element is.
pub mod kind {
    /// 32-bit floats.
    pub const FLOAT: i64 = 1;
    /// Bytes.
    pub const UINT8: i64 = 2;
    /// 32-bit integers.
    pub const INT32: i64 = 6;
    /// 64-bit integers.
    pub const INT64: i64 = 7;
    /// Truth values.
    pub const BOOL: i64 = 9;
    /// 64-bit floats.
    pub const DOUBLE: i64 = 11;
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

/// The numbers of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers<'a> {
    /// Little-endian bytes.
    Raw(&'a [u8]),
    /// Floats.
    Floats(Vec<f32>),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// Doubles.
    Doubles(Vec<f64>),
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<'a> {
    /// Its name.
    pub name: String,
    /// Extents.
    pub dims: Vec<i64>,
    /// What an element is, of [`kind`].
    pub kind: i64,
    /// The elements.
    pub numbers: Numbers<'a>,
    /// Whether the numbers are in another file.
    pub external: bool,
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

fn room<T>(list: &[T], what: &str) -> Result<(), Error> {
    if list.len() < MOST {
        return Ok(());
    }
    Err(Error::Refused(format!("the graph has more than {MOST} {what}; foveal reads smaller ones")))
}

impl<'a> Model<'a> {
    /// Reads a file's bytes.
    ///
    /// # Errors
    /// When they are no whole ONNX file, or its graph is too large.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut model = Model::default();
        let mut graphs = 0;
        fields(bytes, |number, field| {
            match number {
                1 => model.ir_version = field.int()?,
                2 => model.producer = field.text()?.into(),
                7 => {
                    graphs += 1;
                    model.graph = Graph::read(field.bytes()?)?;
                }
                8 => {
                    room(&model.opsets, "operator sets")?;
                    model.opsets.push(pair(field.bytes()?)?);
                }
                14 => {
                    room(&model.metadata, "metadata")?;
                    model.metadata.push(texts(field.bytes()?)?);
                }
                25 => model.functions += 1,
                _ => {}
            }
            Ok(())
        })?;
        if graphs != 1 {
            return Err(Error::broken(format!("it has {graphs} graphs")));
        }
        Ok(model)
    }

    /// The file's bytes.
    pub fn write(&self) -> Vec<u8> {
        let mut m = Message::default();
        m.int(1, self.ir_version);
        m.text(2, &self.producer);
        m.text(3, env!("CARGO_PKG_VERSION"));
        m.message(7, |m| self.graph.write(m));
        for (domain, version) in &self.opsets {
            m.message(8, |m| {
                m.text(1, domain);
                m.int(2, *version);
            });
        }
        for (key, value) in &self.metadata {
            m.message(14, |m| {
                m.text(1, key);
                m.text(2, value);
            });
        }
        m.0
    }
}

fn pair(message: &[u8]) -> Result<(String, i64), Error> {
    let mut found = (String::new(), 0);
    fields(message, |number, field| {
        match number {
            1 => found.0 = field.text()?.into(),
            2 => found.1 = field.int()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(found)
}

fn texts(message: &[u8]) -> Result<(String, String), Error> {
    let mut found = (String::new(), String::new());
    fields(message, |number, field| {
        match number {
            1 => found.0 = field.text()?.into(),
            2 => found.1 = field.text()?.into(),
            _ => {}
        }
        Ok(())
    })?;
    Ok(found)
}

impl<'a> Graph<'a> {
    fn read(message: &'a [u8]) -> Result<Self, Error> {
        let mut graph = Graph::default();
        fields(message, |number, field| {
            match number {
                1 => {
                    room(&graph.nodes, "nodes")?;
                    graph.nodes.push(Node::read(field.bytes()?)?);
                }
                2 => graph.name = field.text()?.into(),
                5 => {
                    room(&graph.tensors, "constants")?;
                    graph.tensors.push(Rc::new(Tensor::read(field.bytes()?)?));
                }
                11 => {
                    room(&graph.inputs, "inputs")?;
                    graph.inputs.push(Value::read(field.bytes()?)?);
                }
                12 => {
                    room(&graph.outputs, "outputs")?;
                    graph.outputs.push(Value::read(field.bytes()?)?);
                }
                15 => return Err(Error::Refused("it has sparse constants; foveal reads dense ones".into())),
                _ => {}
            }
            Ok(())
        })?;
        Ok(graph)
    }

    fn write(&self, m: &mut Message) {
        self.nodes.iter().for_each(|n| m.message(1, |m| n.write(m)));
        m.text(2, &self.name);
        self.tensors.iter().for_each(|t| m.message(5, |m| t.write(m)));
        self.inputs.iter().for_each(|v| m.message(11, |m| v.write(m)));
        self.outputs.iter().for_each(|v| m.message(12, |m| v.write(m)));
    }
}

impl<'a> Node<'a> {
    fn read(message: &'a [u8]) -> Result<Self, Error> {
        let mut node = Node::default();
        fields(message, |number, field| {
            match number {
                1 => {
                    room(&node.inputs, "inputs of one node")?;
                    node.inputs.push(field.text()?.into());
                }
                2 => {
                    room(&node.outputs, "outputs of one node")?;
                    node.outputs.push(field.text()?.into());
                }
                3 => node.name = field.text()?.into(),
                4 => node.operator = field.text()?.into(),
                5 => {
                    room(&node.attributes, "attributes of one node")?;
                    node.attributes.push(Attribute::read(field.bytes()?)?);
                }
                7 => node.domain = field.text()?.into(),
                _ => {}
            }
            Ok(())
        })?;
        Ok(node)
    }

    fn write(&self, m: &mut Message) {
        self.inputs.iter().for_each(|v| m.text(1, v));
        self.outputs.iter().for_each(|v| m.text(2, v));
        m.text(3, &self.name);
        m.text(4, &self.operator);
        for (name, attribute) in &self.attributes {
            m.message(5, |m| {
                m.text(1, name);
                attribute.write(m);
            });
        }
    }
}

impl<'a> Attribute<'a> {
    fn read(message: &'a [u8]) -> Result<(String, Self), Error> {
        let (mut name, mut said, mut found) = (String::new(), 0, Attribute::Other);
        let (mut floats, mut ints) = (Vec::new(), Vec::new());
        fields(message, |number, field| {
            match number {
                1 => name = field.text()?.into(),
                2 => found = Attribute::Float(field.float()?),
                3 => found = Attribute::Int(field.int()?),
                4 => found = Attribute::Text(String::from_utf8_lossy(field.bytes()?).into()),
                5 => found = Attribute::Tensor(Rc::new(Tensor::read(field.bytes()?)?)),
                7 => field.floats(&mut floats)?,
                8 => field.ints(&mut ints)?,
                20 => said = field.int()?,
                _ => {}
            }
            Ok(())
        })?;
        // A writer may leave out what is zero or empty; the kind then says what it was.
        let found = match (said, found) {
            (6, _) => Attribute::Floats(floats),
            (7, _) => Attribute::Ints(ints),
            (0, Attribute::Other) if !floats.is_empty() => Attribute::Floats(floats),
            (0, Attribute::Other) if !ints.is_empty() => Attribute::Ints(ints),
            (1, Attribute::Other) => Attribute::Float(0.0),
            (2, Attribute::Other) => Attribute::Int(0),
            (3, Attribute::Other) => Attribute::Text(String::new()),
            (_, found) => found,
        };
        Ok((name, found))
    }

    fn write(&self, m: &mut Message) {
        let kind = match self {
            Attribute::Float(v) => {
                m.float(2, *v);
                1
            }
            Attribute::Int(v) => {
                m.int(3, *v);
                2
            }
            Attribute::Text(v) => {
                m.text(4, v);
                3
            }
            Attribute::Tensor(v) => {
                m.message(5, |m| v.write(m));
                4
            }
            Attribute::Floats(v) => {
                v.iter().for_each(|v| m.float(7, *v));
                6
            }
            Attribute::Ints(v) => {
                v.iter().for_each(|v| m.int(8, *v));
                7
            }
            Attribute::Other => 0,
        };
        m.int(20, kind);
    }
}

impl<'a> Tensor<'a> {
    /// A tensor of floats.
    pub fn floats(name: &str, dims: &[usize], values: Vec<f32>) -> Self {
        let dims = dims.iter().map(|&d| d as i64).collect();
        Self { name: name.into(), dims, kind: kind::FLOAT, numbers: Numbers::Floats(values), external: false }
    }

    /// A list of whole numbers.
    pub fn ints(name: &str, values: &[i64]) -> Self {
        let (dims, numbers) = (vec![values.len() as i64], Numbers::Ints(values.to_vec()));
        Self { name: name.into(), dims, kind: kind::INT64, numbers, external: false }
    }

    fn read(message: &'a [u8]) -> Result<Self, Error> {
        let mut tensor = Tensor {
            name: String::new(),
            dims: Vec::new(),
            kind: 0,
            numbers: Numbers::Raw(&[]),
            external: false,
        };
        let (mut floats, mut ints, mut doubles) = (Vec::new(), Vec::new(), Vec::new());
        fields(message, |number, field| {
            match number {
                1 => field.ints(&mut tensor.dims)?,
                2 => tensor.kind = field.int()?,
                4 => field.floats(&mut floats)?,
                5 | 7 => field.ints(&mut ints)?,
                8 => tensor.name = field.text()?.into(),
                9 => tensor.numbers = Numbers::Raw(field.bytes()?),
                10 => field.doubles(&mut doubles)?,
                13 => tensor.external = true,
                14 => tensor.external |= field.int()? == 1,
                _ => {}
            }
            Ok(())
        })?;
        if !floats.is_empty() {
            tensor.numbers = Numbers::Floats(floats);
        } else if !ints.is_empty() {
            tensor.numbers = Numbers::Ints(ints);
        } else if !doubles.is_empty() {
            tensor.numbers = Numbers::Doubles(doubles);
        }
        Ok(tensor)
    }

    fn write(&self, m: &mut Message) {
        self.dims.iter().for_each(|d| m.int(1, *d));
        m.int(2, self.kind);
        m.text(8, &self.name);
        let raw: Vec<u8> = match &self.numbers {
            Numbers::Raw(bytes) => bytes.to_vec(),
            Numbers::Floats(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Numbers::Ints(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Numbers::Doubles(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
        };
        m.bytes(9, &raw);
    }

    /// Extents, checked.
    ///
    /// # Errors
    /// When one is negative or their product is larger than memory.
    pub fn shape(&self) -> Result<Vec<usize>, String> {
        let dims = self.dims.iter().map(|&d| usize::try_from(d).ok()).collect::<Option<Vec<_>>>();
        let dims = dims.filter(|d| d.iter().try_fold(8usize, |a, &v| a.checked_mul(v)).is_some());
        dims.ok_or_else(|| format!("the constant `{}` has the shape {:?}", self.name, self.dims))
    }

    fn checked<T>(&self, values: Option<Vec<T>>) -> Result<Vec<T>, String> {
        if self.external {
            return Err(format!(
                "the numbers of `{}` are in another file; save the model as one file (in PyTorch with \
                 external_data=False)",
                self.name
            ));
        }
        let n: usize = self.shape()?.iter().product();
        let name = &self.name;
        let values = values.ok_or_else(|| {
            format!("the constant `{name}` is of type {}, which is not supported", self.kind)
        })?;
        if values.len() != n {
            return Err(format!("the constant `{name}` {:?} has {} numbers", self.dims, values.len()));
        }
        Ok(values)
    }

    /// The elements as floats.
    ///
    /// # Errors
    /// When they are not as many as the extents say, or not floats.
    pub fn to_floats(&self) -> Result<Vec<f32>, String> {
        self.checked(match (&self.numbers, self.kind) {
            (Numbers::Raw(b), kind::FLOAT) => {
                Some(b.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
            }
            (Numbers::Raw(b), kind::DOUBLE) => {
                Some(b.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect())
            }
            (Numbers::Floats(v), kind::FLOAT) => Some(v.clone()),
            (Numbers::Doubles(v), kind::DOUBLE) => Some(v.iter().map(|v| *v as f32).collect()),
            _ => None,
        })
    }

    /// The elements as whole numbers.
    ///
    /// # Errors
    /// When they are not as many as the extents say, or not whole numbers.
    pub fn to_ints(&self) -> Result<Vec<i64>, String> {
        self.checked(match (&self.numbers, self.kind) {
            (Numbers::Raw(b), kind::INT64) => {
                Some(b.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b)).collect())
            }
            (Numbers::Raw(b), kind::INT32) => {
                Some(b.as_chunks::<4>().0.iter().map(|b| i64::from(i32::from_le_bytes(*b))).collect())
            }
            (Numbers::Raw(b), kind::BOOL) => Some(b.iter().map(|&b| i64::from(b)).collect()),
            (Numbers::Ints(v), kind::INT64 | kind::INT32 | kind::BOOL) => Some(v.clone()),
            _ => None,
        })
    }
}

impl Value {
    /// A value of that name, kind and extents.
    pub fn new(name: &str, kind: i64, dims: Vec<Dim>) -> Self {
        Self { name: name.into(), kind, dims: Some(dims) }
    }

    fn read(message: &[u8]) -> Result<Self, Error> {
        let mut value = Value::default();
        fields(message, |number, field| {
            match number {
                1 => value.name = field.text()?.into(),
                2 => value.read_type(field.bytes()?)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(value)
    }

    fn read_type(&mut self, message: &[u8]) -> Result<(), Error> {
        fields(message, |number, field| {
            if number != 1 {
                return Ok(());
            }
            fields(field.bytes()?, |number, field| {
                match number {
                    1 => self.kind = field.int()?,
                    2 => {
                        let dims = self.dims.insert(Vec::new());
                        fields(field.bytes()?, |number, field| {
                            if number == 1 {
                                room(dims, "axes of one value")?;
                                dims.push(Dim::read(field.bytes()?)?);
                            }
                            Ok(())
                        })?;
                    }
                    _ => {}
                }
                Ok(())
            })
        })
    }

    fn write(&self, m: &mut Message) {
        m.text(1, &self.name);
        let dim = |m: &mut Message, dim: &Dim| match dim {
            Dim::Known(n) => m.int(1, *n),
            Dim::Open(name) => m.text(2, name),
        };
        m.message(2, |m| {
            m.message(1, |m| {
                m.int(1, self.kind);
                m.message(2, |m| self.dims.iter().flatten().for_each(|d| m.message(1, |m| dim(m, d))));
            });
        });
    }
}

impl Dim {
    fn read(message: &[u8]) -> Result<Self, Error> {
        let mut dim = Dim::Open(String::new());
        fields(message, |number, field| {
            match number {
                1 => dim = Dim::Known(field.int()?),
                2 => dim = Dim::Open(field.text()?.into()),
                _ => {}
            }
            Ok(())
        })?;
        Ok(dim)
    }
}
