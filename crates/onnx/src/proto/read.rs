//! Reading `onnx.proto` from bytes.

use super::{Attribute, Dim, Graph, Model, Node, Numbers, Side, Tensor, Value};
use crate::Error;
use crate::wire::{Field, fields};
use std::borrow::Cow;
use std::rc::Rc;

/// Nodes, tensors, inputs that a graph may have, each.
const MOST: usize = 1 << 16;

fn room<T>(list: &[T], what: &str) -> Result<(), Error> {
    if list.len() < MOST {
        return Ok(());
    }
    Err(Error::TooMany { what: what.into(), most: MOST })
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
}

impl<'a> Graph<'a> {
    pub(super) fn read(message: &'a [u8]) -> Result<Self, Error> {
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
                15 => {
                    let remedy = "foveal reads dense ones: write it anew with these".into();
                    return Err(Error::Unsupported { what: "the file has sparse constants".into(), remedy });
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(graph)
    }
}

impl<'a> Node<'a> {
    pub(super) fn read(message: &'a [u8]) -> Result<Self, Error> {
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
}

impl<'a> Attribute<'a> {
    pub(super) fn read(message: &'a [u8]) -> Result<(String, Self), Error> {
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
}

impl Value {
    pub(super) fn read(message: &[u8]) -> Result<Self, Error> {
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
}

impl Dim {
    pub(super) fn read(message: &[u8]) -> Result<Self, Error> {
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

impl<'a> Tensor<'a> {
    pub(super) fn read(message: &'a [u8]) -> Result<Self, Error> {
        let numbers = Numbers::Raw(Cow::Borrowed(&[]));
        let mut tensor = Tensor { name: String::new(), dims: Vec::new(), kind: 0, numbers };
        let (mut side, mut apart) = (Side::default(), false);
        fields(message, |number, field| {
            match number {
                1 => field.ints(&mut tensor.dims)?,
                2 => tensor.kind = field.int()?,
                4 | 5 | 7 | 10 => tensor.numbers.add(number, field)?,
                8 => tensor.name = field.text()?.into(),
                9 => tensor.numbers = Numbers::Raw(Cow::Borrowed(field.bytes()?)),
                13 => side.read(texts(field.bytes()?)?)?,
                14 => apart = field.int()? == 1,
                _ => {}
            }
            Ok(())
        })?;
        if apart {
            tensor.numbers = Numbers::Side(side);
        }
        Ok(tensor)
    }
}

impl<'a> Numbers<'a> {
    /// Takes in the numbers of a repeated field. Those of one packed field stay where they are.
    fn add(&mut self, number: u64, field: Field<'a>) -> Result<(), Error> {
        match (number, field) {
            (4 | 10, Field::Bytes(bytes)) if matches!(self, Numbers::Raw(raw) if raw.is_empty()) => {
                *self = Numbers::Raw(Cow::Borrowed(bytes));
                return Ok(());
            }
            (4, _) => {
                let mut all = Vec::new();
                match self {
                    Numbers::Floats(before) => all = std::mem::take(before),
                    Numbers::Raw(before) => Field::Bytes(before).floats(&mut all)?,
                    _ => {}
                }
                field.floats(&mut all)?;
                *self = Numbers::Floats(all);
            }
            (10, _) => {
                let mut all = Vec::new();
                match self {
                    Numbers::Doubles(before) => all = std::mem::take(before),
                    Numbers::Raw(before) => Field::Bytes(before).doubles(&mut all)?,
                    _ => {}
                }
                field.doubles(&mut all)?;
                *self = Numbers::Doubles(all);
            }
            _ => {
                let mut all = match self {
                    Numbers::Ints(before) => std::mem::take(before),
                    _ => Vec::new(),
                };
                field.ints(&mut all)?;
                *self = Numbers::Ints(all);
            }
        }
        Ok(())
    }
}

impl Side {
    fn read(&mut self, (key, value): (String, String)) -> Result<(), Error> {
        let number = || value.parse().map_err(|_| Error::broken(format!("its {key} `{value}` is no number")));
        match key.as_str() {
            "location" => self.location = value,
            "offset" => self.offset = number()?,
            "length" => self.length = Some(number()?),
            _ => {}
        }
        Ok(())
    }
}
