//! Constants, and their numbers as they stand in a file.

use super::kind;
use std::borrow::Cow;

/// The numbers of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers<'a> {
    /// Little-endian bytes.
    Raw(Cow<'a, [u8]>),
    /// Floats.
    Floats(Vec<f32>),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// Doubles.
    Doubles(Vec<f64>),
    /// Little-endian bytes in another file.
    Side(Side),
}

/// Where the numbers of a tensor are in another file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// The file's name, as the model's file has it.
    pub location: String,
    /// Where they begin.
    pub offset: u64,
    /// How many bytes they are, if it is said.
    pub length: Option<u64>,
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
}

/// Floats where they stand.
#[derive(Clone, Copy)]
pub(crate) enum Floats<'t> {
    Values(&'t [f32]),
    Doubles(&'t [f64]),
    Raw32(&'t [[u8; 4]]),
    Raw64(&'t [[u8; 8]]),
    Half(&'t [[u8; 2]]),
    Brain(&'t [[u8; 2]]),
    /// 16-bit floats as the bits of whole numbers.
    HalfBits(&'t [i64]),
    BrainBits(&'t [i64]),
}

/// Does `$body` with `$get`, the number at a place, for whatever `$floats` is: one loop for each.
macro_rules! with_floats {
    ($floats:expr, $get:ident => $body:expr) => {
        match $floats {
            Floats::Values(v) => {
                let $get = |i: usize| v[i];
                $body
            }
            Floats::Doubles(v) => {
                let $get = |i: usize| v[i] as f32;
                $body
            }
            Floats::Raw32(v) => {
                let $get = |i: usize| f32::from_le_bytes(v[i]);
                $body
            }
            Floats::Raw64(v) => {
                let $get = |i: usize| f64::from_le_bytes(v[i]) as f32;
                $body
            }
            Floats::Half(v) => {
                let $get = |i: usize| half(u16::from_le_bytes(v[i]));
                $body
            }
            Floats::Brain(v) => {
                let $get = |i: usize| brain(u16::from_le_bytes(v[i]));
                $body
            }
            Floats::HalfBits(v) => {
                let $get = |i: usize| half(v[i] as u16);
                $body
            }
            Floats::BrainBits(v) => {
                let $get = |i: usize| brain(v[i] as u16);
                $body
            }
        }
    };
}

/// A 16-bit float of IEEE 754.
fn half(bits: u16) -> f32 {
    let (sign, exponent, fraction) = (bits >> 15, bits >> 10 & 31, f32::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        e => (1024.0 + fraction) * 2f32.powi(i32::from(e) - 25),
    };
    if sign == 1 { -size } else { size }
}

/// The upper half of a 32-bit float.
fn brain(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// Rows and columns that are turned at once, so that both sides stay in the cache.
const BLOCK: usize = 32;

impl<'t> Floats<'t> {
    pub fn len(self) -> usize {
        match self {
            Floats::Values(v) => v.len(),
            Floats::Doubles(v) => v.len(),
            Floats::Raw32(v) => v.len(),
            Floats::Raw64(v) => v.len(),
            Floats::Half(v) | Floats::Brain(v) => v.len(),
            Floats::HalfBits(v) | Floats::BrainBits(v) => v.len(),
        }
    }

    pub fn to_vec(self) -> Vec<f32> {
        with_floats!(self, get => (0..self.len()).map(get).collect())
    }

    /// As doubles, with all that they hold.
    pub fn to_doubles(self) -> Vec<f64> {
        match self {
            Floats::Doubles(v) => v.to_vec(),
            Floats::Raw64(v) => v.iter().map(|b| f64::from_le_bytes(*b)).collect(),
            floats => floats.to_vec().into_iter().map(f64::from).collect(),
        }
    }

    /// Rows of `columns` numbers turned: column `i` becomes the row `place(i)`.
    pub fn turned(self, columns: usize, place: impl Fn(usize) -> usize) -> Vec<f32> {
        let rows = self.len().checked_div(columns).unwrap_or(0);
        let mut turned = vec![0.0; rows * columns];
        with_floats!(self, get => {
            for first_row in (0..rows).step_by(BLOCK) {
                let block = first_row..rows.min(first_row + BLOCK);
                for column in 0..columns {
                    let to = place(column) * rows;
                    let to = &mut turned[to + block.start..to + block.end];
                    for (row, to) in block.clone().zip(to) {
                        *to = get(row * columns + column);
                    }
                }
            }
        });
        turned
    }

    /// Rows of `width` numbers, row `i` put to `place(i)`.
    pub fn rows(self, width: usize, place: impl Fn(usize) -> usize) -> Vec<f32> {
        let rows = self.len().checked_div(width).unwrap_or(0);
        let mut placed = vec![0.0; rows * width];
        with_floats!(self, get => {
            for row in 0..rows {
                let to = place(row) * width;
                for (i, to) in placed[to..to + width].iter_mut().enumerate() {
                    *to = get(row * width + i);
                }
            }
        });
        placed
    }
}

impl<'a> Tensor<'a> {
    /// A tensor of floats.
    pub fn floats(name: &str, dims: &[usize], values: Vec<f32>) -> Self {
        let dims = dims.iter().map(|&d| d as i64).collect();
        Self { name: name.into(), dims, kind: kind::FLOAT, numbers: Numbers::Floats(values) }
    }

    /// Doubles.
    pub fn doubles(name: &str, values: &[f64]) -> Self {
        let (dims, numbers) = (vec![values.len() as i64], Numbers::Doubles(values.to_vec()));
        Self { name: name.into(), dims, kind: kind::DOUBLE, numbers }
    }

    /// A list of whole numbers.
    pub fn ints(name: &str, values: &[i64]) -> Self {
        let (dims, numbers) = (vec![values.len() as i64], Numbers::Ints(values.to_vec()));
        Self { name: name.into(), dims, kind: kind::INT64, numbers }
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

    /// Bytes of one element in a file.
    pub(crate) fn width(&self) -> Result<usize, String> {
        match self.kind {
            kind::UINT8 | kind::INT8 | kind::BOOL => Ok(1),
            kind::UINT16 | kind::INT16 | kind::FLOAT16 | kind::BFLOAT16 => Ok(2),
            kind::FLOAT | kind::INT32 | kind::UINT32 => Ok(4),
            kind::DOUBLE | kind::INT64 | kind::UINT64 => Ok(8),
            _ => Err(self.of_no_kind()),
        }
    }

    fn of_no_kind(&self) -> String {
        format!("the constant `{}` is of type {}, which is not supported", self.name, kind::name(self.kind))
    }

    /// Whether its elements are floats.
    pub(crate) fn has_floats(&self) -> bool {
        matches!(self.kind, kind::FLOAT | kind::DOUBLE | kind::FLOAT16 | kind::BFLOAT16)
    }

    fn checked(&self, found: usize) -> Result<(), String> {
        let n: usize = self.shape()?.iter().product();
        if found == n {
            return Ok(());
        }
        Err(format!("the constant `{}` {:?} has {found} numbers", self.name, self.dims))
    }

    /// The elements where they stand, if they are floats.
    pub(crate) fn as_floats(&self) -> Result<Floats<'_>, String> {
        let whole = |bytes: &[u8], width: usize| match bytes.len() % width {
            0 => Ok(()),
            _ => Err(format!("the constant `{}` ends within a number", self.name)),
        };
        let floats = match (&self.numbers, self.kind) {
            (Numbers::Floats(v), kind::FLOAT) => Floats::Values(v),
            (Numbers::Doubles(v), kind::DOUBLE) => Floats::Doubles(v),
            (Numbers::Ints(v), kind::FLOAT16) => Floats::HalfBits(v),
            (Numbers::Ints(v), kind::BFLOAT16) => Floats::BrainBits(v),
            (Numbers::Raw(b), kind::FLOAT | kind::DOUBLE | kind::FLOAT16 | kind::BFLOAT16) => {
                whole(b, self.width()?)?;
                match self.kind {
                    kind::FLOAT => Floats::Raw32(b.as_chunks().0),
                    kind::DOUBLE => Floats::Raw64(b.as_chunks().0),
                    kind::FLOAT16 => Floats::Half(b.as_chunks().0),
                    _ => Floats::Brain(b.as_chunks().0),
                }
            }
            _ => return Err(self.not_read()),
        };
        self.checked(floats.len())?;
        Ok(floats)
    }

    fn not_read(&self) -> String {
        match self.numbers {
            Numbers::Side(_) => format!("the numbers of `{}` are in another file", self.name),
            _ => self.of_no_kind(),
        }
    }

    /// The elements as floats.
    ///
    /// # Errors
    /// When they are not as many as the extents say, or not floats.
    pub fn to_floats(&self) -> Result<Vec<f32>, String> {
        self.as_floats().map(Floats::to_vec)
    }

    /// The elements as whole numbers; truth values are 0 and 1.
    ///
    /// # Errors
    /// When they are not as many as the extents say, or not whole numbers.
    pub fn to_ints(&self) -> Result<Vec<i64>, String> {
        fn each<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> i64) -> Vec<i64> {
            bytes.as_chunks::<N>().0.iter().map(|b| read(*b)).collect()
        }
        let values = match (&self.numbers, self.kind) {
            (Numbers::Ints(v), kind) if kind != kind::UINT64 && !self.has_floats() => v.clone(),
            (Numbers::Raw(b), kind::INT64) => each(b, i64::from_le_bytes),
            (Numbers::Raw(b), kind::INT32) => each(b, |b| i64::from(i32::from_le_bytes(b))),
            (Numbers::Raw(b), kind::UINT32) => each(b, |b| i64::from(u32::from_le_bytes(b))),
            (Numbers::Raw(b), kind::INT16) => each(b, |b| i64::from(i16::from_le_bytes(b))),
            (Numbers::Raw(b), kind::UINT16) => each(b, |b| i64::from(u16::from_le_bytes(b))),
            (Numbers::Raw(b), kind::INT8) => each(b, |[b]| i64::from(b as i8)),
            (Numbers::Raw(b), kind::UINT8) => each(b, |[b]| i64::from(b)),
            (Numbers::Raw(b), kind::BOOL) => each(b, |[b]| i64::from(b != 0)),
            _ => return Err(self.not_read()),
        };
        self.checked(values.len())?;
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_of_16_bits() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x8000, -0.0),
            (0x0001, 5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x3555, 0.333_251_95),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x7c00, f32::INFINITY),
            (0xfc00, f32::NEG_INFINITY),
        ] {
            assert_eq!(half(bits).to_bits(), f32::to_bits(value), "{bits:#x}");
        }
        assert!(half(0x7e01).is_nan());
        assert_eq!(brain(0x3fc0), 1.5);
        assert_eq!(brain(0xc2f7), -123.5);
    }

    #[test]
    fn rows_are_turned_and_placed() {
        let (rows, columns) = (45, 70);
        let values: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
        let turned = Floats::Values(&values).turned(columns, |i| columns - 1 - i);
        for (row, column) in [(0, 0), (44, 69), (31, 32), (40, 3)] {
            assert_eq!(turned[(columns - 1 - column) * rows + row], values[row * columns + column]);
        }
        let bytes: Vec<u8> = values[..6].iter().flat_map(|v| v.to_le_bytes()).collect();
        let placed = Floats::Raw32(bytes.as_chunks().0).rows(2, |i| (i + 1) % 3);
        assert_eq!(placed, [4., 5., 0., 1., 2., 3.]);
        assert!(Floats::Values(&[]).turned(0, |i| i).is_empty());
    }

    #[test]
    fn numbers_of_all_kinds() {
        let mut tensor = Tensor::ints("t", &[0]);
        let mut ints = |kind, bytes: &[u8], n: i64| {
            (tensor.kind, tensor.dims) = (kind, vec![n]);
            tensor.numbers = Numbers::Raw(Cow::Owned(bytes.to_vec()));
            tensor.to_ints()
        };
        assert_eq!(ints(kind::INT8, &[255, 3], 2), Ok(vec![-1, 3]));
        assert_eq!(ints(kind::UINT8, &[255], 1), Ok(vec![255]));
        assert_eq!(ints(kind::BOOL, &[2, 0], 2), Ok(vec![1, 0]));
        assert_eq!(ints(kind::INT16, &[255, 255], 1), Ok(vec![-1]));
        assert_eq!(ints(kind::UINT16, &[255, 255], 1), Ok(vec![65535]));
        assert_eq!(ints(kind::INT32, &[254, 255, 255, 255], 1), Ok(vec![-2]));
        assert_eq!(ints(kind::UINT32, &[255, 255, 255, 255], 1), Ok(vec![u32::MAX.into()]));
        assert!(ints(kind::INT64, &[0; 8], 2).is_err());
        assert!(ints(kind::UINT64, &[0; 8], 1).is_err());
        let half =
            Tensor { kind: kind::FLOAT16, numbers: Numbers::Ints(vec![0x3c00]), ..Tensor::ints("h", &[1]) };
        assert_eq!(half.to_floats(), Ok(vec![1.0]));
        let cut =
            Tensor { numbers: Numbers::Raw(Cow::Borrowed(&[0; 7])), ..Tensor::floats("c", &[1], vec![]) };
        assert!(cut.to_floats().is_err());
    }
}
