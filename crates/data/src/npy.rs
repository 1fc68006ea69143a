//! `.npy`, NumPy's file for one array (NEP 1; versions 1, 2 and 3).
//!
//! Read and written here rather than through `ndarray-npy` or `npyz`: both take memory for the
//! declared shape before they look at the bytes, want the type of number known beforehand, and
//! bring a general parser of Python literals (`pest`, `num-bigint`, a dozen crates) for a header
//! of three known keys.

use ndarray::{ArrayD, ArrayViewD, IxDyn, ShapeBuilder};

use crate::Error;
use crate::error::{first_bytes, quoted};

const MAGIC: &[u8] = b"\x93NUMPY";
/// The most bytes of a header; NumPy's own have a few hundred.
const MAX_HEADER: usize = 64 * 1024;
/// The most numbers: 2 GiB of `f32`.
const MAX_NUMBERS: u64 = 1 << 29;
/// The most axes: the limit of NumPy 1.
const MAX_AXES: usize = 32;

/// Reads a `.npy` file of numbers as `f32`. `source` names it in errors.
///
/// Reads booleans, signed and unsigned integers of 1 to 8 bytes and floats of 2, 4 and 8 bytes, of
/// either byte order, in C or Fortran order; the array comes back in C order. Numbers that `f32`
/// cannot hold are rounded to the nearest it can (integers beyond 2^24 and `f64` lose digits;
/// `f64` beyond about 3.4e38 becomes infinity).
///
/// # Errors
/// [`Error::Magic`], [`Error::Header`], [`Error::Unsupported`] (objects, text, complex numbers,
/// structures), [`Error::TooLarge`], [`Error::Truncated`], [`Error::Trailing`].
///
/// ```
/// use foveal_data::npy::{read_npy, write_npy};
///
/// let array = ndarray::arr2(&[[1.0, 2.0], [3.0, 4.5]]).into_dyn();
/// assert_eq!(read_npy(&write_npy(array.view()), "x.npy")?, array);
/// # Ok::<(), foveal_data::Error>(())
/// ```
pub fn read_npy(bytes: &[u8], source: &str) -> Result<ArrayD<f32>, Error> {
    let (header, body) = open(bytes, source)?;
    array(header.number.read_all(body), &header, source)
}

/// A `.npy` file's numbers: bytes where the file holds unsigned bytes, else as [`read_npy`].
#[derive(Debug, Clone, PartialEq)]
pub enum Array {
    /// Of dtype `uint8`.
    U8(ArrayD<u8>),
    /// Of any other dtype.
    F32(ArrayD<f32>),
}

impl Array {
    /// The length of each axis.
    pub fn shape(&self) -> &[usize] {
        match self {
            Array::U8(array) => array.shape(),
            Array::F32(array) => array.shape(),
        }
    }
}

/// As [`read_npy`], but leaves unsigned bytes as bytes.
///
/// # Errors
/// As [`read_npy`].
pub fn read_npy_any(bytes: &[u8], source: &str) -> Result<Array, Error> {
    let (header, body) = open(bytes, source)?;
    match (header.number.kind, header.number.size) {
        (Kind::Unsigned, 1) => Ok(Array::U8(array(body.to_vec(), &header, source)?)),
        _ => Ok(Array::F32(array(header.number.read_all(body), &header, source)?)),
    }
}

/// As [`read_npy`], but as `f64`, which loses no digits but of integers beyond 2^53.
///
/// # Errors
/// As [`read_npy`].
pub fn read_npy_f64(bytes: &[u8], source: &str) -> Result<ArrayD<f64>, Error> {
    let (header, body) = open(bytes, source)?;
    let number = header.number;
    let values = body.chunks_exact(number.size).map(|bytes| number.read_f64(bytes)).collect();
    array(values, &header, source)
}

/// Checks, by the first bytes of a `.npy` file, that a file of `size` bytes holds the array that it declares, before it is
/// read.
///
/// # Errors
/// When the header is broken, declares more numbers than an array may hold, or another number of bytes. A header that is
/// longer than `head` is not judged.
pub fn declared(head: &[u8], size: u64, source: &str) -> Result<(), Error> {
    let (header, start) = match split_header(head, source) {
        Ok((header, start)) => (parse_header(header, source)?, start as u64),
        Err(Error::Truncated { .. }) if size > head.len() as u64 => return Ok(()),
        Err(error) => return Err(error),
    };
    let count = element_count(&header.shape, source)? as u64;
    if count > MAX_NUMBERS {
        return Err(Error::TooLarge {
            file: source.to_string(),
            declared: format!("{count} numbers"),
            limit: format!("the {MAX_NUMBERS} of an array"),
            remedy: "divide it into several arrays",
        });
    }
    let expected = start + count * header.number.size as u64;
    match size {
        _ if size < expected => {
            Err(Error::Truncated { file: source.to_string(), part: "data", expected, found: size })
        }
        _ if size > expected => Err(Error::Trailing { file: source.to_string(), expected }),
        _ => Ok(()),
    }
}

/// The header, and the bytes of exactly the numbers that it declares.
fn open<'a>(bytes: &'a [u8], source: &str) -> Result<(Header, &'a [u8]), Error> {
    let (text, _) = split_header(bytes, source)?;
    if let Kind::Text { .. } = parse_header(text, source)?.number.kind {
        let what = "text".to_string();
        return Err(Error::Unsupported { file: source.to_string(), what, remedy: REMEDY });
    }
    open_any(bytes, source)
}

/// [`open`], of text, too.
pub(crate) fn open_any<'a>(bytes: &'a [u8], source: &str) -> Result<(Header, &'a [u8]), Error> {
    let (header, start) = split_header(bytes, source)?;
    let header = parse_header(header, source)?;
    let count = element_count(&header.shape, source)?;
    let body = bytes.get(start..).unwrap_or_default();
    let whole = |size: u64| size.saturating_add(start as u64);
    let size = count.saturating_mul(header.number.size);
    if body.len() < size {
        return Err(Error::Truncated {
            file: source.to_string(),
            part: "data",
            expected: whole(size as u64),
            found: bytes.len() as u64,
        });
    }
    if body.len() > size {
        return Err(Error::Trailing { file: source.to_string(), expected: whole(size as u64) });
    }
    Ok((header, body))
}

/// In C order.
fn array<T: Clone>(values: Vec<T>, header: &Header, source: &str) -> Result<ArrayD<T>, Error> {
    let shape = IxDyn(&header.shape).set_f(header.fortran);
    let array = ArrayD::from_shape_vec(shape, values)
        .map_err(|error| Error::Header { file: source.to_string(), problem: error.to_string() })?;
    Ok(if header.fortran { array.as_standard_layout().into_owned() } else { array })
}

/// Writes an array as a `.npy` file: little-endian `f32` (`<f4`) in C order, whatever the layout
/// of `array`. NumPy reads it with `np.load`.
pub fn write_npy(array: ArrayViewD<'_, f32>) -> Vec<u8> {
    let sides: Vec<String> = array.shape().iter().map(usize::to_string).collect();
    let comma = if sides.len() == 1 { "," } else { "" };
    let dict =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}{comma}), }}", sides.join(", "));
    // Version 1 counts the header in 16 bits; only an array of thousands of axes needs more.
    let fits = dict.len() < 65_000;
    let fixed = MAGIC.len() + 2 + if fits { 2 } else { 4 };
    let padding = 63 - (fixed + dict.len()) % 64;
    let len = dict.len() + padding + 1;
    let mut bytes = Vec::with_capacity(fixed + len + 4 * array.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[if fits { 1 } else { 2 }, 0]);
    if fits {
        bytes.extend_from_slice(&(len as u16).to_le_bytes());
    } else {
        bytes.extend_from_slice(&(len as u32).to_le_bytes());
    }
    bytes.extend_from_slice(dict.as_bytes());
    bytes.resize(bytes.len() + padding, b' ');
    bytes.push(b'\n');
    for value in array.iter() {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    bytes
}

/// The text of the header, and where the data begin.
fn split_header<'a>(bytes: &'a [u8], source: &str) -> Result<(&'a [u8], usize), Error> {
    let file = source.to_string();
    let cut_short = !bytes.is_empty() && MAGIC.starts_with(bytes);
    if !bytes.starts_with(MAGIC) && !cut_short {
        return Err(Error::Magic { file, format: "a .npy file", found: first_bytes(bytes) });
    }
    let truncated = |expected: usize| Error::Truncated {
        file: source.to_string(),
        part: "header",
        expected: expected as u64,
        found: bytes.len() as u64,
    };
    let version = *bytes.get(6).ok_or_else(|| truncated(10))?;
    let (start, len) = match version {
        1 => match bytes.get(8..10) {
            Some(&[a, b]) => (10, usize::from(u16::from_le_bytes([a, b]))),
            _ => return Err(truncated(10)),
        },
        2 | 3 => match bytes.get(8..12) {
            Some(&[a, b, c, d]) => (12, u32::from_le_bytes([a, b, c, d]) as usize),
            _ => return Err(truncated(12)),
        },
        _ => {
            return Err(Error::Unsupported {
                file,
                what: format!(".npy version {version}"),
                remedy: "save it with numpy.save, which writes version 1, 2 or 3",
            });
        }
    };
    if len > MAX_HEADER {
        return Err(Error::TooLarge {
            file,
            declared: format!("a header of {len} bytes"),
            limit: format!("{MAX_HEADER}"),
            remedy: "save it as a plain array of numbers",
        });
    }
    let end = start + len;
    let header = bytes.get(start..end).ok_or_else(|| truncated(end))?;
    Ok((header, end))
}

/// Number of elements. The product of the axes that are not zero fits memory, at 8 bytes a number.
fn element_count(shape: &[usize], source: &str) -> Result<usize, Error> {
    let bound = shape
        .iter()
        .try_fold(8usize, |product, &side| product.checked_mul(side.max(1)))
        .filter(|&bytes| isize::try_from(bytes).is_ok());
    match bound {
        Some(_) => Ok(shape.iter().product()),
        None => Err(Error::TooLarge {
            file: source.to_string(),
            declared: format!("shape {shape:?}"),
            limit: "a computer can address".to_string(),
            remedy: "fetch or write the file again",
        }),
    }
}

/// What to do with an array that is no numbers.
const REMEDY: &str = "save it as an array of plain numbers, e.g. x.astype('float32')";
/// The most characters of one text.
const MAX_TEXT: usize = 4096;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Bool,
    Signed,
    Unsigned,
    Float,
    /// Characters of four bytes, or bytes of UTF-8; as many as fit, zeros after them.
    Text {
        wide: bool,
    },
}

/// The type of a number in the file.
#[derive(Clone, Copy)]
pub(crate) struct Number {
    pub kind: Kind,
    pub size: usize,
    pub big_endian: bool,
}

impl Number {
    fn read_all(self, body: &[u8]) -> Vec<f32> {
        body.chunks_exact(self.size).map(|bytes| self.read(bytes)).collect()
    }

    /// The bits of one number of `self.size` bytes, at most 8.
    fn bits(self, bytes: &[u8]) -> u64 {
        let push = |bits: u64, &byte: &u8| bits << 8 | u64::from(byte);
        if self.big_endian { bytes.iter().fold(0, push) } else { bytes.iter().rev().fold(0, push) }
    }

    /// One number as `f64`.
    fn read_f64(self, bytes: &[u8]) -> f64 {
        let bits = self.bits(bytes);
        match (self.kind, self.size) {
            (Kind::Unsigned, _) => bits as f64,
            (Kind::Signed, size) => {
                let unused = 64 - 8 * size as u32;
                ((bits << unused) as i64 >> unused) as f64
            }
            (Kind::Float, 8) => f64::from_bits(bits),
            _ => f64::from(self.read(bytes)),
        }
    }

    /// One number.
    fn read(self, bytes: &[u8]) -> f32 {
        let bits = self.bits(bytes);
        match (self.kind, self.size) {
            (Kind::Bool, _) => f32::from(u8::from(bits != 0)),
            (Kind::Unsigned, _) => bits as f32,
            (Kind::Signed, size) => {
                let unused = 64 - 8 * size as u32;
                ((bits << unused) as i64 >> unused) as f32
            }
            (Kind::Float, 2) => half(bits as u16),
            (Kind::Float, 4) => f32::from_bits(bits as u32),
            (Kind::Float, _) => f64::from_bits(bits) as f32,
            (Kind::Text { .. }, _) => f32::NAN,
        }
    }
}

/// An IEEE 754 half as `f32`, exactly.
pub fn half(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let exponent = u32::from(bits >> 10 & 0x1f);
    let fraction = u32::from(bits & 0x3ff);
    match exponent {
        0 => {
            let tiny = fraction as f32 / (1 << 24) as f32;
            f32::from_bits(tiny.to_bits() | sign)
        }
        0x1f => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

pub(crate) struct Header {
    pub number: Number,
    pub fortran: bool,
    pub shape: Vec<usize>,
}

/// Reads the Python dictionary with the keys `descr`, `fortran_order` and `shape`.
fn parse_header(text: &[u8], source: &str) -> Result<Header, Error> {
    let mut parser = Parser { rest: text, source };
    let (mut number, mut fortran, mut shape) = (None, None, None);
    parser.expect(b'{')?;
    while !parser.take(b'}') {
        let key = parser.string()?;
        parser.expect(b':')?;
        match key {
            b"descr" if number.is_none() => number = Some(parser.number()?),
            b"fortran_order" if fortran.is_none() => fortran = Some(parser.boolean()?),
            b"shape" if shape.is_none() => shape = Some(parser.shape()?),
            _ => return Err(parser.broken(format!("key {} is unknown or repeated", quoted(key)))),
        }
        if !parser.take(b',') {
            parser.expect(b'}')?;
            break;
        }
    }
    if !parser.rest.trim_ascii().is_empty() {
        return Err(parser.broken(format!("{} stands after its end", quoted(parser.rest))));
    }
    match (number, fortran, shape) {
        (Some(number), Some(fortran), Some(shape)) => Ok(Header { number, fortran, shape }),
        _ => Err(parser.broken("it lacks descr, fortran_order or shape".to_string())),
    }
}

struct Parser<'a> {
    rest: &'a [u8],
    source: &'a str,
}

impl<'a> Parser<'a> {
    fn broken(&self, problem: String) -> Error {
        Error::Header { file: self.source.to_string(), problem }
    }

    fn unexpected(&self, wanted: &str) -> Error {
        self.broken(format!("{wanted} expected at {}", quoted(self.rest)))
    }

    /// Skips white space, then `byte` if it is next.
    fn take(&mut self, byte: u8) -> bool {
        self.rest = self.rest.trim_ascii_start();
        let found = self.rest.first() == Some(&byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), Error> {
        if self.take(byte) { Ok(()) } else { Err(self.unexpected(&format!("'{}'", byte as char))) }
    }

    /// Everything up to the first byte that `inside` refuses.
    fn run(&mut self, inside: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|&byte| !inside(byte));
        let (run, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        run
    }

    fn string(&mut self) -> Result<&'a [u8], Error> {
        let quote = if self.take(b'\'') {
            b'\''
        } else if self.take(b'"') {
            b'"'
        } else {
            return Err(self.unexpected("a quoted word"));
        };
        let word = self.run(|byte| byte != quote && byte != b'\\');
        match self.rest.split_first() {
            Some((&byte, rest)) if byte == quote => {
                self.rest = rest;
                Ok(word)
            }
            _ => Err(self.unexpected("the end of a quoted word")),
        }
    }

    fn boolean(&mut self) -> Result<bool, Error> {
        self.rest = self.rest.trim_ascii_start();
        match self.run(|byte| byte.is_ascii_alphabetic()) {
            b"True" => Ok(true),
            b"False" => Ok(false),
            word => Err(self.broken(format!("fortran_order is {}", quoted(word)))),
        }
    }

    fn shape(&mut self) -> Result<Vec<usize>, Error> {
        let mut shape = Vec::new();
        self.expect(b'(')?;
        while !self.take(b')') {
            let digits = self.run(|byte| byte.is_ascii_digit());
            let side = std::str::from_utf8(digits).ok().and_then(|d| d.parse().ok());
            let side = side.ok_or_else(|| self.unexpected("the length of an axis"))?;
            if shape.len() == MAX_AXES {
                return Err(self.broken(format!("it has more than {MAX_AXES} axes")));
            }
            shape.push(side);
            // Python 2 wrote long integers as 3L.
            self.take(b'L');
            if !self.take(b',') {
                self.expect(b')')?;
                break;
            }
        }
        Ok(shape)
    }

    fn number(&mut self) -> Result<Number, Error> {
        let unsupported =
            |what: String| Error::Unsupported { file: self.source.to_string(), what, remedy: REMEDY };
        if matches!(self.rest.trim_ascii_start().first(), Some(b'[' | b'(')) {
            return Err(unsupported("a structured type".to_string()));
        }
        let source = self.source;
        let descr = self.string()?;
        let named = |what: &str| Error::Unsupported {
            file: source.to_string(),
            what: format!("{what} (dtype {})", quoted(descr)),
            remedy: REMEDY,
        };
        let (order, code) = match descr.split_first() {
            Some((order @ (b'<' | b'>' | b'|' | b'='), code)) => (*order, code),
            _ => (b'|', descr),
        };
        let (kind, size) = match code {
            b"b1" | b"?" => (Kind::Bool, 1),
            b"i1" => (Kind::Signed, 1),
            b"i2" => (Kind::Signed, 2),
            b"i4" => (Kind::Signed, 4),
            b"i8" => (Kind::Signed, 8),
            b"u1" => (Kind::Unsigned, 1),
            b"u2" => (Kind::Unsigned, 2),
            b"u4" => (Kind::Unsigned, 4),
            b"u8" => (Kind::Unsigned, 8),
            b"f2" => (Kind::Float, 2),
            b"f4" => (Kind::Float, 4),
            b"f8" => (Kind::Float, 8),
            [b'O', ..] => return Err(named("pickled Python objects")),
            [kind @ (b'U' | b'S' | b'a'), length @ ..] => {
                let length = std::str::from_utf8(length).ok().and_then(|text| text.parse::<usize>().ok());
                let Some(length) = length.filter(|n| (1..=MAX_TEXT).contains(n)) else {
                    return Err(named("text"));
                };
                let wide = *kind == b'U';
                (Kind::Text { wide }, if wide { 4 * length } else { length })
            }
            [b'c', ..] => return Err(named("complex numbers")),
            [b'M' | b'm', ..] => return Err(named("dates or durations")),
            [b'V', ..] => return Err(named("raw records")),
            [b'f', ..] => return Err(named("floats of this width")),
            _ => return Err(named("an unknown type")),
        };
        if size > 1 && matches!(order, b'|' | b'=') && kind != (Kind::Text { wide: false }) {
            return Err(self.broken(format!("dtype {} has no byte order", quoted(descr))));
        }
        Ok(Number { kind, size, big_endian: order == b'>' })
    }
}
