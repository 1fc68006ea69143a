//! A constant: extents, and numbers that are shared.

use crate::proto::Floats;
use crate::proto::{Numbers, Tensor, kind};
use std::rc::Rc;

/// Numbers that have been computed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Data {
    F32(Vec<f32>),
    F64(Vec<f64>),
    /// Of a kind of whole numbers.
    Int(Vec<i64>, i64),
    Bool(Vec<bool>),
}

/// The least and the most of a kind of whole numbers.
pub(crate) fn range(of: i64) -> Option<[i64; 2]> {
    Some(match of {
        kind::UINT8 => [0, 255],
        kind::INT8 => [-128, 127],
        kind::UINT16 => [0, 65535],
        kind::INT16 => [-32768, 32767],
        kind::INT32 => [i64::from(i32::MIN), i64::from(i32::MAX)],
        kind::UINT32 => [0, i64::from(u32::MAX)],
        kind::INT64 => [i64::MIN, i64::MAX],
        _ => return None,
    })
}

impl Data {
    /// Its kind, as `onnx.proto` has it.
    pub fn kind(&self) -> i64 {
        match self {
            Data::F32(_) => kind::FLOAT,
            Data::F64(_) => kind::DOUBLE,
            Data::Int(_, kind) => *kind,
            Data::Bool(_) => kind::BOOL,
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Data::F32(v) => v.len(),
            Data::F64(v) => v.len(),
            Data::Int(v, _) => v.len(),
            Data::Bool(v) => v.len(),
        }
    }
}

#[derive(Clone, Debug)]
enum Source<'g> {
    Stored(Rc<Tensor<'g>>),
    Computed(Rc<Data>),
}

/// A constant. To clone it costs nothing.
#[derive(Clone, Debug)]
pub(crate) struct Constant<'g> {
    dims: Vec<usize>,
    source: Source<'g>,
}

impl<'g> Constant<'g> {
    /// A constant of a file.
    pub fn stored(tensor: Rc<Tensor<'g>>) -> Result<Self, String> {
        Ok(Self { dims: tensor.shape()?, source: Source::Stored(tensor) })
    }

    /// Numbers that have been computed; as many as the extents say.
    pub fn computed(dims: Vec<usize>, data: Data) -> Self {
        assert_eq!(dims.iter().product::<usize>(), data.len(), "{dims:?}");
        Self { dims, source: Source::Computed(Rc::new(data)) }
    }

    /// One 64-bit whole number.
    pub fn int(value: i64) -> Self {
        Self::computed(vec![], Data::Int(vec![value], kind::INT64))
    }

    /// A list of 64-bit whole numbers.
    pub fn list(values: Vec<i64>) -> Self {
        Self::computed(vec![values.len()], Data::Int(values, kind::INT64))
    }

    /// The same numbers with other extents.
    pub fn with_dims(&self, dims: Vec<usize>) -> Self {
        debug_assert_eq!(dims.iter().product::<usize>(), self.size());
        Self { dims, source: self.source.clone() }
    }

    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// How many numbers it has.
    pub fn size(&self) -> usize {
        self.dims.iter().product()
    }

    /// The tensor of the file, if it is one.
    pub fn tensor(&self) -> Option<&Rc<Tensor<'g>>> {
        match &self.source {
            Source::Stored(tensor) => Some(tensor),
            Source::Computed(_) => None,
        }
    }

    /// Whether its numbers are in another file.
    pub fn is_apart(&self) -> bool {
        self.tensor().is_some_and(|tensor| matches!(tensor.numbers, Numbers::Side(_)))
    }

    /// Its kind, as `onnx.proto` has it; 16-bit floats count as what they become, 32-bit ones.
    pub fn kind(&self) -> i64 {
        match &self.source {
            Source::Stored(tensor) if matches!(tensor.kind, kind::FLOAT16 | kind::BFLOAT16) => kind::FLOAT,
            Source::Stored(tensor) => tensor.kind,
            Source::Computed(data) => data.kind(),
        }
    }

    /// Whether it holds floats.
    pub fn has_floats(&self) -> bool {
        matches!(self.kind(), kind::FLOAT | kind::DOUBLE)
    }

    /// Its numbers, to compute with.
    pub fn data(&self) -> Result<Rc<Data>, String> {
        let tensor = match &self.source {
            Source::Computed(data) => return Ok(data.clone()),
            Source::Stored(tensor) => tensor,
        };
        Ok(Rc::new(match self.kind() {
            kind::FLOAT => Data::F32(tensor.to_floats()?),
            kind::DOUBLE => Data::F64(tensor.as_floats()?.to_doubles()),
            kind::BOOL => Data::Bool(tensor.to_ints()?.into_iter().map(|v| v != 0).collect()),
            kind => Data::Int(tensor.to_ints()?, kind),
        }))
    }

    /// Its numbers where they stand, if they are floats.
    pub fn floats(&self) -> Result<Floats<'_>, String> {
        match &self.source {
            Source::Stored(tensor) => tensor.as_floats(),
            Source::Computed(data) => match &**data {
                Data::F32(v) => Ok(Floats::Values(v)),
                Data::F64(v) => Ok(Floats::Doubles(v)),
                other => Err(format!(
                    "its constant is of type {}, where floats are needed",
                    kind::name(other.kind())
                )),
            },
        }
    }

    /// Its numbers, if they are floats.
    pub fn to_floats(&self) -> Result<Vec<f32>, String> {
        self.floats().map(Floats::to_vec)
    }

    /// Its numbers, if they are whole; truth values are 0 and 1.
    pub fn ints(&self) -> Result<Vec<i64>, String> {
        match &self.source {
            Source::Stored(tensor) => tensor.to_ints(),
            Source::Computed(data) => match &**data {
                Data::Int(v, _) => Ok(v.clone()),
                Data::Bool(v) => Ok(v.iter().map(|&v| i64::from(v)).collect()),
                other => Err(format!(
                    "its constant is of type {}, where whole numbers are needed",
                    kind::name(other.kind())
                )),
            },
        }
    }

    /// Its one number, as 32-bit float.
    pub fn one_float(&self) -> Result<f32, String> {
        if self.size() != 1 {
            return Err(format!("its constant {:?} must be one number", self.dims));
        }
        Ok(self.to_floats()?[0])
    }
}
