//! `.safetensors` files: eight bytes that say how long the header is, a JSON header, the numbers.

use crate::Error;
use serde::Deserialize;
use std::collections::HashMap;

/// A file's header, and the bytes that it speaks of.
pub struct File<'a> {
    name: &'a str,
    header: Header,
    numbers: &'a [u8],
}

#[derive(Deserialize)]
struct Header {
    #[serde(default, rename = "__metadata__")]
    metadata: HashMap<String, String>,
    #[serde(flatten)]
    tensors: HashMap<String, Tensor>,
}

#[derive(Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<usize>,
    /// From the end of the header on.
    data_offsets: [usize; 2],
}

impl<'a> File<'a> {
    pub fn new(bytes: &'a [u8], name: &'a str) -> Result<Self, Error> {
        let fail = |problem: String| Error::NotWhole { file: name.into(), problem };
        let (length, rest) =
            bytes.split_first_chunk::<8>().ok_or_else(|| fail("it is shorter than its header".into()))?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok().filter(|&n| n <= rest.len());
        let length = length.ok_or_else(|| fail("its header is longer than the file".into()))?;
        let (header, numbers) = rest.split_at(length);
        let header: Header = serde_json::from_slice(header).map_err(|e| fail(e.to_string()))?;
        let ends = header.tensors.values().map(|t| t.data_offsets[1]).max().unwrap_or(0);
        if ends != numbers.len() {
            return Err(fail(format!("its header speaks of {ends} bytes, {} are there", numbers.len())));
        }
        Ok(Self { name, header, numbers })
    }

    /// The text under a key of the metadata.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.header.metadata.get(key).map(String::as_str)
    }

    /// The numbers of a tensor of this shape. Memory is taken only for what the file holds.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let file = self.name;
        let tensor =
            self.header.tensors.get(name).ok_or_else(|| format!("`{name}` is missing from {file}"))?;
        let Tensor { dtype, shape: found, data_offsets: [start, end] } = tensor;
        if dtype != "F32" || found != shape {
            return Err(format!("`{name}` in {file} is {dtype} {found:?}, the model needs F32 {shape:?}"));
        }
        let wanted = shape.iter().try_fold(4usize, |n, &v| n.checked_mul(v));
        let bytes = self.numbers.get(*start..*end).filter(|bytes| Some(bytes.len()) == wanted);
        let bytes =
            bytes.ok_or_else(|| format!("`{name}` in {file} has not the bytes of its shape {shape:?}"))?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
    }
}
