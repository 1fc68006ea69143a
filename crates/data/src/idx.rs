//! IDX, the format of MNIST and its relatives: two zero bytes, a type, the number of axes, the
//! axes as big-endian `u32`, then the data. Files may be gzip-compressed.

use std::io::Read;

use flate2::bufread::MultiGzDecoder;

use crate::error::first_bytes;
use crate::{Dataset, Error, Samples, Targets};

/// DEFLATE cannot expand further than this (zlib's technical notes: 1032 to 1).
const MAX_RATIO: u64 = 1032;
/// The most bytes that a compressed file may unpack to; a larger file has to be unpacked first.
const MAX_UNPACKED: u64 = 1 << 30;
/// The most axes; no known file has more.
const MAX_AXES: usize = 32;

/// An array of unsigned bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idx {
    /// The length of each axis, outermost first.
    pub shape: Vec<usize>,
    /// The product of `shape` numbers, last axis fastest.
    pub values: Vec<u8>,
}

/// Reads an IDX file of unsigned bytes, plain or gzip. `source` names it in errors.
///
/// Takes memory only when the declared size agrees with the bytes there are: exactly for a plain
/// file; for a compressed one it must lie within what DEFLATE can expand to and within 1 GiB, and
/// no more than one byte past the declared size is ever unpacked.
///
/// # Errors
/// [`Error::Magic`], [`Error::Header`], [`Error::Unsupported`] (another type of number),
/// [`Error::Truncated`], [`Error::Trailing`], [`Error::TooLarge`], [`Error::Damaged`].
///
/// ```
/// let idx = foveal_data::idx::read_idx(&[0, 0, 8, 1, 0, 0, 0, 2, 7, 9], "labels")?;
/// assert_eq!((idx.shape, idx.values), (vec![2], vec![7, 9]));
/// # Ok::<(), foveal_data::Error>(())
/// ```
pub fn read_idx(bytes: &[u8], source: &str) -> Result<Idx, Error> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return read_gzip(bytes, source);
    }
    let header = read_header(bytes, source)?;
    let body = bytes.get(header.len..).unwrap_or_default();
    check_length(&header, body.len() as u64, source)?;
    Ok(Idx { shape: header.shape, values: body.to_vec() })
}

/// A labelled set from an image file (n x height x width, or n x height x width x channels) and a
/// label file (n), plain or gzip.
///
/// The classes are named "0" to "k-1", where k is the largest label plus one; for images of
/// 28x28x1, the size of MNIST and of sets made like it, k is at least 10. Where that does not fit,
/// or where a test set must have the classes of its training set, use
/// [`images_and_labels_named`].
///
/// # Errors
/// Those of [`read_idx`], [`Error::Rank`] for another number of axes, and those of
/// [`Dataset::new`].
pub fn images_and_labels(images: &[u8], labels: &[u8], name: &str) -> Result<Dataset, Error> {
    build(images, labels, name, None)
}

/// As [`images_and_labels`], with the names of the classes.
///
/// # Errors
/// As [`images_and_labels`], and [`Error::Label`] for a label without a name.
pub fn images_and_labels_named(
    images: &[u8],
    labels: &[u8],
    name: &str,
    names: &[String],
) -> Result<Dataset, Error> {
    build(images, labels, name, Some(names))
}

fn build(images: &[u8], labels: &[u8], name: &str, names: Option<&[String]>) -> Result<Dataset, Error> {
    let file = format!("{name} labels");
    let labels = read_idx(labels, &file)?;
    if labels.shape.len() != 1 {
        return Err(Error::Rank { file, shape: labels.shape, expected: "one axis (samples)" });
    }
    let file = format!("{name} images");
    let images = read_idx(images, &file)?;
    let (n, shape) = match images.shape[..] {
        [n, height, width] => (n, [height, width, 1]),
        [n, height, width, channels] => (n, [height, width, channels]),
        _ => {
            return Err(Error::Rank {
                file,
                shape: images.shape,
                expected: "samples x height x width, perhaps x channels,",
            });
        }
    };
    if n != labels.values.len() {
        return Err(Error::Mismatch {
            name: name.to_string(),
            problem: format!("{n} images, but {} labels", labels.values.len()),
            expected: "number of samples",
        });
    }
    let names = match names {
        Some(names) => names.to_vec(),
        None => numbered(&labels.values, shape),
    };
    let labels = labels.values.iter().map(|&label| u32::from(label)).collect();
    let targets = Targets::Classes { labels, names };
    Dataset::new(name, shape, Samples::U8(images.values), targets)
}

/// "0" to "k-1".
fn numbered(labels: &[u8], shape: [usize; 3]) -> Vec<String> {
    let least = if shape == [28, 28, 1] { 10 } else { 1 };
    let seen = labels.iter().max().map_or(0, |&label| usize::from(label) + 1);
    (0..seen.max(least)).map(|class| class.to_string()).collect()
}

struct Header {
    shape: Vec<usize>,
    /// Bytes of the header.
    len: usize,
    /// Bytes of the data.
    size: u64,
}

/// The header at the start of `bytes`, which may end right after it.
fn read_header(bytes: &[u8], source: &str) -> Result<Header, Error> {
    let file = || source.to_string();
    let &[zero, also_zero, kind, axes] = bytes.first_chunk().ok_or_else(|| Error::Truncated {
        file: file(),
        part: "header",
        expected: 4,
        found: bytes.len() as u64,
    })?;
    if (zero, also_zero) != (0, 0) {
        return Err(Error::Magic { file: file(), format: "an IDX file", found: first_bytes(bytes) });
    }
    check_kind(kind, source)?;
    let axes = usize::from(axes);
    if axes == 0 || axes > MAX_AXES {
        return Err(Error::Header {
            file: file(),
            problem: format!("it declares {axes} axes, not 1 to {MAX_AXES}"),
        });
    }
    let len = 4 + 4 * axes;
    let words = bytes.get(4..len).ok_or_else(|| Error::Truncated {
        file: file(),
        part: "header",
        expected: len as u64,
        found: bytes.len() as u64,
    })?;
    let (words, _) = words.as_chunks::<4>();
    let sides: Vec<u64> = words.iter().map(|&w| u32::from_be_bytes(w).into()).collect();
    // Zeros count as one here, so that no order of the axes can overflow later.
    let bound = sides.iter().try_fold(1u64, |product, &side| product.checked_mul(side.max(1)));
    let size: Option<u64> = bound.map(|_| sides.iter().product());
    let shape: Option<Vec<usize>> = sides.iter().map(|&side| side.try_into().ok()).collect();
    match (size, shape) {
        (Some(size), Some(shape)) => Ok(Header { shape, len, size }),
        _ => Err(Error::TooLarge {
            file: file(),
            declared: format!("shape {sides:?}"),
            limit: "a computer can address".to_string(),
            remedy: "fetch or write the file again",
        }),
    }
}

fn check_kind(kind: u8, source: &str) -> Result<(), Error> {
    let name = match kind {
        0x08 => return Ok(()),
        0x09 => "i8",
        0x0b => "i16",
        0x0c => "i32",
        0x0d => "f32",
        0x0e => "f64",
        _ => {
            return Err(Error::Header {
                file: source.to_string(),
                problem: format!("its type byte is 0x{kind:02X}, which IDX does not define"),
            });
        }
    };
    Err(Error::Unsupported {
        file: source.to_string(),
        what: format!("IDX type 0x{kind:02X} ({name})"),
        remedy: "convert it to unsigned bytes (type 0x08)",
    })
}

/// Compares the bytes of data found, or one more than needed, with the header.
fn check_length(header: &Header, found: u64, source: &str) -> Result<(), Error> {
    let whole = |size: u64| size.saturating_add(header.len as u64);
    let file = source.to_string();
    match found.cmp(&header.size) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => {
            Err(Error::Truncated { file, part: "data", expected: whole(header.size), found: whole(found) })
        }
        std::cmp::Ordering::Greater => Err(Error::Trailing { file, expected: whole(header.size) }),
    }
}

fn read_gzip(bytes: &[u8], source: &str) -> Result<Idx, Error> {
    let mut unpacked = MultiGzDecoder::new(bytes);
    let mut unpack = |limit: u64, into: &mut Vec<u8>| {
        unpacked
            .by_ref()
            .take(limit)
            .read_to_end(into)
            .map_err(|error| Error::Damaged { file: source.to_string(), problem: format!("gzip: {error}") })
    };
    let mut start = Vec::new();
    unpack(4, &mut start)?;
    let axes = start.get(3).copied().unwrap_or(0);
    unpack(4 * u64::from(axes), &mut start)?;
    let header = read_header(&start, source)?;
    let limit = MAX_UNPACKED.min((bytes.len() as u64).saturating_mul(MAX_RATIO));
    if header.size > limit {
        return Err(Error::TooLarge {
            file: source.to_string(),
            declared: format!("{} bytes of data", header.size),
            limit: format!("the {limit} that {} compressed bytes may hold", bytes.len()),
            remedy: "fetch it again, or unpack it with gzip -d first",
        });
    }
    let mut values = Vec::new();
    unpack(header.size + 1, &mut values)?;
    check_length(&header, values.len() as u64, source)?;
    values.shrink_to_fit();
    Ok(Idx { shape: header.shape, values })
}
