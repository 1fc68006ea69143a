//! Writing `onnx.proto` as bytes.

use super::{Attribute, Dim, Graph, Model, Node, Numbers, Tensor, Value};
use crate::wire::Message;
use std::borrow::Cow;

impl Model<'_> {
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

impl Graph<'_> {
    pub(super) fn write(&self, m: &mut Message) {
        self.nodes.iter().for_each(|n| m.message(1, |m| n.write(m)));
        m.text(2, &self.name);
        self.tensors.iter().for_each(|t| m.message(5, |m| t.write(m)));
        self.inputs.iter().for_each(|v| m.message(11, |m| v.write(m)));
        self.outputs.iter().for_each(|v| m.message(12, |m| v.write(m)));
    }
}

impl Node<'_> {
    pub(super) fn write(&self, m: &mut Message) {
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

impl Attribute<'_> {
    pub(super) fn write(&self, m: &mut Message) {
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

impl Tensor<'_> {
    pub(super) fn write(&self, m: &mut Message) {
        self.dims.iter().for_each(|d| m.int(1, *d));
        m.int(2, self.kind);
        m.text(8, &self.name);
        let raw = match &self.numbers {
            Numbers::Raw(bytes) => Cow::Borrowed(&bytes[..]),
            Numbers::Floats(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Numbers::Ints(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Numbers::Doubles(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Numbers::Side(side) => {
                let (offset, length) = (side.offset.to_string(), side.length.map(|n| n.to_string()));
                let all = [
                    ("location", Some(&side.location)),
                    ("offset", Some(&offset)),
                    ("length", length.as_ref()),
                ];
                for (key, value) in all.iter().filter_map(|(key, value)| Some((key, (*value)?))) {
                    m.message(13, |m| {
                        m.text(1, key);
                        m.text(2, value);
                    });
                }
                m.int(14, 1);
                return;
            }
        };
        m.bytes(9, &raw);
    }
}

impl Value {
    pub(super) fn write(&self, m: &mut Message) {
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
