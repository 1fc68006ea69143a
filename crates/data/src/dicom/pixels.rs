//! Pixels: stored values, unpacked and rescaled.
//!
//! The adapters of the `dicom` crates for RLE and JPEG trust the sizes that a file declares, so that a
//! broken file makes them panic. RLE is decoded here, and the size of a JPEG is checked before it is.

use std::borrow::Cow;

use jpeg_decoder::{Decoder, PixelFormat};

use super::elements::{Codec, Elements, Stored};
use super::tags;
use crate::Error;

/// The most bytes that a byte of RLE can unpack to: a run of 128 takes two bytes.
const RLE_DENSITY: usize = 64;
/// The most pixels a byte of JPEG can hold: a block of 64 takes at least one bit.
const JPEG_DENSITY: usize = 64 * 8;

/// How a pixel is stored.
struct Format {
    /// Bytes of a pixel, 1 or 2.
    bytes: usize,
    /// Bits of the value.
    stored: u16,
    /// Unused bits below the value.
    below: u16,
    signed: bool,
    slope: f64,
    intercept: f64,
    /// The stored values, from and to, that mean that nothing was measured.
    padding: Option<[i32; 2]>,
}

impl Format {
    fn new(elements: &Elements<'_>) -> Result<Self, Error> {
        let file = || elements.file.to_string();
        let no = |what: String, remedy| Error::Unsupported { file: file(), what, remedy };
        let samples = elements.needed(tags::SAMPLES)?;
        let shown = elements.text(tags::PHOTOMETRIC).ok_or_else(|| elements.missing(tags::PHOTOMETRIC))?;
        if samples != 1 || !matches!(shown.as_str(), "MONOCHROME1" | "MONOCHROME2") {
            let what = "pixels that are not MONOCHROME1 or MONOCHROME2";
            return Err(no(what.into(), "CT is grey: name the original slices"));
        }
        let allocated = elements.needed(tags::ALLOCATED)?;
        if !matches!(allocated, 8 | 16) {
            return Err(no(format!("pixels of {allocated} bits"), "write it with 16 bits a pixel"));
        }
        let stored = elements.needed(tags::STORED)?;
        let high = elements.short(tags::HIGH)?.unwrap_or(stored.saturating_sub(1));
        if stored == 0 || high >= allocated || high + 1 < stored {
            return Err(elements.wrong(format!(
                "{stored} bits of {allocated} count, the highest of them {high} (BitsStored, HighBit)"
            )));
        }
        let signed = match elements.needed(tags::SIGNED)? {
            0 => false,
            1 => true,
            other => return Err(elements.wrong(format!("{} is {other}, not 0 or 1", tags::SIGNED))),
        };
        // US counts as unspecified: GDCM writes it for every CT that it compresses.
        if elements.text(tags::RESCALE_TYPE).is_some_and(|unit| !matches!(unit.as_str(), "HU" | "US")) {
            let remedy = "name slices in Hounsfield units (RescaleType HU)";
            return Err(no("values in another unit than Hounsfield's".into(), remedy));
        }
        let [slope] = elements.decimals(tags::SLOPE)?;
        let [intercept] = elements.decimals(tags::INTERCEPT)?;
        if slope == 0.0 || slope.abs() > 1e6 || intercept.abs() > 1e9 {
            let problem =
                format!("RescaleSlope is {slope} and RescaleIntercept {intercept}, which no scanner writes");
            return Err(elements.wrong(problem));
        }
        let value = |v: u16| if signed { i32::from(v as i16) } else { i32::from(v) };
        let first = elements.short(tags::PADDING)?.map(value);
        let last = elements.short(tags::PADDING_LIMIT)?.map(value);
        let padding = first.map(|a| last.map_or([a, a], |b| [a.min(b), a.max(b)]));
        let bytes = usize::from(allocated / 8);
        Ok(Self { bytes, stored, below: high + 1 - stored, signed, slope, intercept, padding })
    }

    /// The stored value, taken out of the bits of a pixel.
    fn value(&self, bits: u16) -> i32 {
        let unused = u32::from(16 - self.stored);
        let bits = bits >> self.below << unused;
        if self.signed { i32::from(bits as i16) >> unused } else { i32::from(bits >> unused) }
    }
}

/// Hounsfield units, and the pixels that were not measured.
pub(super) fn hounsfield(elements: &Elements<'_>, size: [usize; 2]) -> Result<(Vec<f32>, Vec<u32>), Error> {
    let format = Format::new(elements)?;
    let count = size[0] * size[1];
    let bits = bits(elements, &format, size)?;
    let (mut values, mut padding) = (Vec::with_capacity(count), Vec::new());
    for (i, bits) in bits.into_iter().enumerate() {
        let value = format.value(bits);
        if format.padding.is_some_and(|[low, high]| (low..=high).contains(&value)) {
            padding.push(i as u32);
        }
        values.push((format.slope * f64::from(value) + format.intercept) as f32);
    }
    Ok((values, padding))
}

/// The bits of each pixel.
fn bits(elements: &Elements<'_>, format: &Format, size: [usize; 2]) -> Result<Vec<u16>, Error> {
    let wanted = size[0] * size[1] * format.bytes;
    let stored = elements.pixels.as_ref().ok_or_else(|| elements.missing(tags::PIXEL_DATA))?;
    match (stored, elements.codec) {
        (Stored::Native(bytes), Codec::Native) => {
            let bytes = bytes.get(..wanted).ok_or_else(|| short(elements, wanted, bytes.len()))?;
            if format.bytes == 1 {
                if elements.big {
                    let (file, what) = (elements.file.to_string(), "big-endian pixels of 8 bits".into());
                    return Err(Error::Unsupported { file, what, remedy: "write it little-endian" });
                }
                return Ok(bytes.iter().map(|&b| u16::from(b)).collect());
            }
            let (pairs, _) = bytes.as_chunks::<2>();
            let of = if elements.big { u16::from_be_bytes } else { u16::from_le_bytes };
            Ok(pairs.iter().map(|&pair| of(pair)).collect())
        }
        (Stored::Fragments(fragments), Codec::RunLengths) => {
            run_lengths(&joined(fragments), format.bytes, size[0] * size[1])
                .map_err(|problem| damaged(elements, problem))
        }
        (Stored::Fragments(fragments), Codec::Jpeg) => jpeg(elements, &joined(fragments), size),
        (_, Codec::Native) => Err(elements.wrong("its pixels are in fragments, but not compressed".into())),
        (_, _) => Err(elements.wrong("its pixels are said to be compressed, but not in fragments".into())),
    }
}

fn joined<'a>(fragments: &[&'a [u8]]) -> Cow<'a, [u8]> {
    match fragments {
        [one] => Cow::Borrowed(*one),
        many => Cow::Owned(many.concat()),
    }
}

fn short(elements: &Elements<'_>, expected: usize, found: usize) -> Error {
    Error::Truncated {
        file: elements.file.to_string(),
        part: "pixels",
        expected: expected as u64,
        found: found as u64,
    }
}

fn damaged(elements: &Elements<'_>, problem: impl Into<String>) -> Error {
    Error::Damaged { file: elements.file.to_string(), problem: problem.into() }
}

/// RLE (PS3.5 annex G): a table of 16 numbers, then the high bytes of all pixels, then the low ones.
fn run_lengths(data: &[u8], planes: usize, count: usize) -> Result<Vec<u16>, &'static str> {
    let number = |i: usize| {
        let bytes = data.get(4 * i..4 * i + 4).and_then(|b| <[u8; 4]>::try_from(b).ok());
        bytes.map(|b| u32::from_le_bytes(b) as usize).ok_or("its table of runs is cut off")
    };
    if number(0)? != planes || data.len() < 64 {
        return Err("its runs are not as many as a pixel has bytes");
    }
    let mut bits: Vec<u16> = Vec::new();
    for plane in 0..planes {
        let start = number(1 + plane)?;
        let end = if plane + 1 < planes { number(2 + plane)? } else { data.len() };
        let runs = data.get(start..end).filter(|_| start >= 64).ok_or("its runs lie outside of it")?;
        if runs.len().saturating_mul(RLE_DENSITY) < count {
            return Err("its runs are too short for its pixels");
        }
        let unpacked = unpack(runs, count)?;
        if plane == 0 {
            bits = unpacked.iter().map(|&b| u16::from(b)).collect();
        } else {
            bits.iter_mut().zip(&unpacked).for_each(|(bits, &low)| *bits = *bits << 8 | u16::from(low));
        }
    }
    Ok(bits)
}

/// PackBits, `count` bytes of it.
fn unpack(mut runs: &[u8], count: usize) -> Result<Vec<u8>, &'static str> {
    let mut bytes = Vec::with_capacity(count);
    while bytes.len() < count {
        let [kind, rest @ ..] = runs else { return Err("its runs end too early") };
        runs = rest;
        match kind {
            0..=127 => {
                let length = usize::from(*kind) + 1;
                let literal = runs.get(..length).ok_or("its runs end too early")?;
                bytes.extend_from_slice(literal);
                runs = &runs[length..];
            }
            128 => {}
            129..=255 => {
                let [value, rest @ ..] = runs else { return Err("its runs end too early") };
                bytes.resize(bytes.len() + 257 - usize::from(*kind), *value);
                runs = rest;
            }
        }
    }
    bytes.truncate(count);
    Ok(bytes)
}

fn jpeg(elements: &Elements<'_>, data: &[u8], size: [usize; 2]) -> Result<Vec<u16>, Error> {
    let count = size[0] * size[1];
    if data.len().saturating_mul(JPEG_DENSITY) < count {
        return Err(short(elements, count.div_ceil(JPEG_DENSITY), data.len()));
    }
    let mut decoder = Decoder::new(data);
    decoder.set_max_decoding_buffer_size(2 * count);
    // The decoder's message says nothing about the patient, only about the structure of the picture.
    let failed = |error: jpeg_decoder::Error| match error {
        jpeg_decoder::Error::Unsupported(kind) => Error::Unsupported {
            file: elements.file.to_string(),
            what: format!("a kind of JPEG ({kind:?})"),
            remedy: "write it uncompressed, with `gdcmconv --raw IN OUT`",
        },
        other => damaged(elements, other.to_string().escape_debug().to_string()),
    };
    decoder.read_info().map_err(failed)?;
    let info = decoder.info().ok_or_else(|| damaged(elements, "its JPEG has no size"))?;
    let [rows, columns] = [info.height, info.width].map(usize::from);
    if [rows, columns] != size {
        let problem = format!("its JPEG is {rows}x{columns} pixels, not {}x{}", size[0], size[1]);
        return Err(damaged(elements, problem));
    }
    let wide = match info.pixel_format {
        PixelFormat::L8 => false,
        PixelFormat::L16 => true,
        _ => return Err(damaged(elements, "its JPEG is not grey")),
    };
    let bytes = decoder.decode().map_err(failed)?;
    if bytes.len() != if wide { 2 * count } else { count } {
        return Err(damaged(elements, "its JPEG ends too early"));
    }
    if !wide {
        return Ok(bytes.into_iter().map(u16::from).collect());
    }
    let (pairs, _) = bytes.as_chunks::<2>();
    Ok(pairs.iter().map(|&pair| u16::from_ne_bytes(pair)).collect())
}
