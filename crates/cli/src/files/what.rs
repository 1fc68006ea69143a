//! What a file is to be, how large it may be, and how it begins: looked at before it is read.

use std::fmt;

/// What a file is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A `.npy` file.
    Array,
    /// A `.npz` file.
    Arrays,
    /// An IDX file, plain or packed.
    Idx,
    /// A `.csv` or `.tsv` table.
    Table,
    /// A text with one sample on each line.
    Texts,
    /// A saved model or a checkpoint.
    Model,
    /// An ONNX file.
    Onnx,
    /// A picture or a DICOM slice.
    Picture,
    /// A model file.
    ModelFile,
    /// A small text, such as a list of class names.
    Words,
}

/// How much of a file is looked at first.
pub const HEAD: usize = 4096;

impl What {
    /// Bytes that such a file may have.
    pub fn most(self) -> u64 {
        match self {
            What::Array | What::Arrays => 4 << 30,
            What::Idx | What::Onnx | What::Model => 2 << 30,
            What::Table | What::Picture => 256 << 20,
            What::Texts => 64 << 20,
            What::ModelFile | What::Words => 4 << 20,
        }
    }

    /// Whether such a file can begin with `head`. Readers say what is wrong with one that can and does not go on so.
    pub fn begins(self, head: &[u8]) -> bool {
        match self {
            What::Array => head.starts_with(b"\x93NUMPY"),
            What::Arrays => head.starts_with(b"PK"),
            What::Idx => {
                head.starts_with(&[0x1f, 0x8b]) || head.starts_with(&[0, 0]) && head.get(2) > Some(&0)
            }
            // Eight bytes of a length, then JSON.
            What::Model => head.get(4..9) == Some(&[0, 0, 0, 0, b'{']),
            What::Onnx => head.first() > Some(&0),
            What::Table | What::Texts | What::ModelFile | What::Words => !head.contains(&0) || is_utf16(head),
            What::Picture => true,
        }
    }
}

/// UTF-16 has zeros; its readers say what to do about it.
fn is_utf16(head: &[u8]) -> bool {
    let zeros = head.iter().filter(|b| **b == 0).count();
    head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) || 3 * zeros < 2 * head.len()
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            What::Array => "a .npy array",
            What::Arrays => "a .npz file",
            What::Idx => "an IDX file",
            What::Table => "a table",
            What::Texts => "a file of texts",
            What::Model => "a saved model",
            What::Onnx => "an ONNX file",
            What::Picture => "a picture",
            What::ModelFile => "a model file",
            What::Words => "a list of words",
        })
    }
}
