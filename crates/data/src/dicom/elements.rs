//! A DICOM file as elements: which of them are wanted, and where their values lie.
//!
//! The crate `dicom-encoding` reads the headers of elements. Its sister crates, which read values into
//! trees, take as much memory as headers ask for and panic on some broken files. Here every length is
//! compared with the bytes that are there, and values are slices of the file.

use std::borrow::Cow;
use std::io::Read;

use dicom_encoding::Decode;
use dicom_encoding::decode::explicit_be::ExplicitVRBigEndianDecoder;
use dicom_encoding::decode::explicit_le::ExplicitVRLittleEndianDecoder;
use dicom_encoding::decode::implicit_le::StandardImplicitVRLittleEndianDecoder;

use super::tags::{self, Tag};
use crate::Error;
use crate::error::first_bytes;

/// Bytes before the elements: a preamble and `DICM`.
const PREAMBLE: usize = 128;
/// The deepest nesting of sequences.
const DEPTH: usize = 32;
/// The most bytes that a deflated file may unpack to.
const INFLATED: u64 = 80 << 20;
const DIRECTORY: &str = "1.2.840.10008.1.3.10";
const ITEM: u32 = 0xFFFE_E000;
const ITEM_END: u32 = 0xFFFE_E00D;
const SEQUENCE_END: u32 = 0xFFFE_E0DD;

/// Whether the bytes begin as a DICOM file does: `DICM` after 128 others.
pub fn is_dicom(bytes: &[u8]) -> bool {
    bytes.get(PREAMBLE..PREAMBLE + 4) == Some(b"DICM")
}

/// How elements are written.
#[derive(Clone, Copy, PartialEq)]
enum Encoding {
    Implicit,
    Explicit,
    Big,
}

/// How pixels are written.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Codec {
    Native,
    RunLengths,
    Jpeg,
}

/// A transfer syntax.
struct Syntax {
    encoding: Encoding,
    codec: Codec,
    deflated: bool,
}

impl Syntax {
    fn named(uid: &str, file: &str) -> Result<Self, Error> {
        let of = |encoding, codec| Ok(Self { encoding, codec, deflated: false });
        let kind = match uid.strip_prefix("1.2.840.10008.1.2").unwrap_or("?") {
            "" => return of(Encoding::Implicit, Codec::Native),
            ".1" => return of(Encoding::Explicit, Codec::Native),
            ".1.99" => {
                return Ok(Self { encoding: Encoding::Explicit, codec: Codec::Native, deflated: true });
            }
            ".2" => return of(Encoding::Big, Codec::Native),
            ".5" => return of(Encoding::Explicit, Codec::RunLengths),
            ".4.50" | ".4.51" | ".4.57" | ".4.70" => return of(Encoding::Explicit, Codec::Jpeg),
            ".4.80" | ".4.81" => "JPEG-LS pixels",
            ".4.90" | ".4.91" | ".4.92" | ".4.93" => "JPEG 2000 pixels",
            ".4.110" | ".4.111" | ".4.112" => "JPEG XL pixels",
            ".4.201" | ".4.202" | ".4.203" => "High-Throughput JPEG 2000 pixels",
            _ => "an unusual transfer syntax",
        };
        Err(Error::Unsupported {
            file: file.to_string(),
            what: kind.to_string(),
            remedy: "write it uncompressed, with `gdcmconv --raw IN OUT`",
        })
    }
}

/// The pixels as they stand in the file.
pub(super) enum Stored<'a> {
    /// Nothing compressed.
    Native(&'a [u8]),
    /// Fragments of a compressed picture.
    Fragments(Vec<&'a [u8]>),
}

/// The wanted elements of a file; of one that stands there twice, the first.
pub(super) struct Elements<'a> {
    found: Vec<(u32, &'a [u8])>,
    pub(super) pixels: Option<Stored<'a>>,
    pub(super) codec: Codec,
    pub(super) big: bool,
    pub(super) file: &'a str,
}

/// The elements of a file after its head, unpacked if they are deflated.
pub(super) struct Body<'a> {
    bytes: Cow<'a, [u8]>,
    at: usize,
    syntax: Syntax,
    file: &'a str,
}

impl<'a> Body<'a> {
    /// Reads the head, which says how the rest is written.
    pub(super) fn new(bytes: &'a [u8], file: &'a str) -> Result<Self, Error> {
        if !is_dicom(bytes) {
            let (file, found) = (file.to_string(), first_bytes(bytes));
            return Err(Error::Magic { file, format: "a DICOM file (DICM after 128 bytes)", found });
        }
        let mut walk = Walk { bytes, at: PREAMBLE + 4, encoding: Encoding::Explicit, file };
        let mut uid = None;
        while bytes.get(walk.at..walk.at + 2) == Some(&[2, 0]) {
            let (tag, _, length) = walk.header()?;
            let length = length.ok_or_else(|| walk.broken("an element of group 0002 has no length"))?;
            let value = walk.take(length, "head")?;
            match tag {
                0x0002_0002 if text(value) == DIRECTORY => {
                    return Err(Error::Unsupported {
                        file: file.to_string(),
                        what: "a DICOM directory (DICOMDIR)".to_string(),
                        remedy: "name the slices themselves",
                    });
                }
                0x0002_0010 => uid = Some(text(value)),
                _ => {}
            }
        }
        let uid = uid.ok_or_else(|| walk.broken("it has no TransferSyntaxUID (0002,0010)"))?;
        let syntax = Syntax::named(&uid, file)?;
        if !syntax.deflated {
            return Ok(Self { bytes: Cow::Borrowed(bytes), at: walk.at, syntax, file });
        }
        let mut unfolded = Vec::new();
        let rest = flate2::bufread::DeflateDecoder::new(&bytes[walk.at..]);
        rest.take(INFLATED + 1).read_to_end(&mut unfolded).map_err(|_| Error::Damaged {
            file: file.to_string(),
            problem: "its deflated elements are broken".to_string(),
        })?;
        if unfolded.len() as u64 > INFLATED {
            return Err(Error::TooLarge {
                file: file.to_string(),
                declared: "deflated elements".to_string(),
                limit: format!("{INFLATED} bytes"),
                remedy: "write it uncompressed",
            });
        }
        Ok(Self { bytes: Cow::Owned(unfolded), at: 0, syntax, file })
    }

    /// The wanted elements before the pixels, and the pixels, too, if `pixels` is true.
    pub(super) fn elements(&self, pixels: bool) -> Result<Elements<'_>, Error> {
        let encoding = self.syntax.encoding;
        let mut walk = Walk { bytes: &self.bytes, at: self.at, encoding, file: self.file };
        let mut elements = Elements {
            found: Vec::new(),
            pixels: None,
            codec: self.syntax.codec,
            big: encoding == Encoding::Big,
            file: self.file,
        };
        while walk.at < walk.bytes.len() {
            let (tag, implicit, length) = walk.header()?;
            if tag == tags::PIXEL_DATA.code {
                if pixels {
                    elements.pixels = Some(match length {
                        Some(length) => Stored::Native(walk.take(length, "pixels")?),
                        None => Stored::Fragments(walk.fragments()?),
                    });
                }
                return Ok(elements);
            }
            match length {
                None => walk.skip_sequence(implicit, 0)?,
                Some(length) => {
                    let value = walk.take(length, "elements")?;
                    let wanted = tags::WANTED.iter().any(|t| t.code == tag);
                    if wanted && !elements.found.iter().any(|(t, _)| *t == tag) {
                        elements.found.push((tag, value));
                    }
                }
            }
        }
        Ok(elements)
    }
}

/// Walks through the elements.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    encoding: Encoding,
    file: &'a str,
}

impl<'a> Walk<'a> {
    fn broken(&self, problem: &str) -> Error {
        Error::Header { file: self.file.to_string(), problem: format!("{problem} (at byte {})", self.at) }
    }

    /// The next header: the tag, whether the kind is unknown (then a sequence inside is written implicitly), and the
    /// length, if it is known.
    fn header(&mut self) -> Result<(u32, bool, Option<usize>), Error> {
        let start = self.bytes.get(self.at..).unwrap_or_default();
        let mut rest = start;
        let read = match self.encoding {
            Encoding::Implicit => StandardImplicitVRLittleEndianDecoder::default().decode_header(&mut rest),
            Encoding::Explicit => ExplicitVRLittleEndianDecoder::default().decode_header(&mut rest),
            Encoding::Big => ExplicitVRBigEndianDecoder::default().decode_header(&mut rest),
        };
        // The only possible error is that the bytes end.
        let (header, _) = read.map_err(|_| self.short("elements", 8))?;
        self.at += start.len() - rest.len();
        let tag = u32::from(header.tag.0) << 16 | u32::from(header.tag.1);
        let unknown = header.vr.to_string() == "UN";
        Ok((tag, unknown, header.len.get().map(|n| n as usize)))
    }

    fn short(&self, part: &'static str, needs: usize) -> Error {
        Error::Truncated {
            file: self.file.to_string(),
            part,
            expected: (self.at as u64).saturating_add(needs as u64),
            found: self.bytes.len() as u64,
        }
    }

    fn take(&mut self, length: usize, part: &'static str) -> Result<&'a [u8], Error> {
        let end = self.at.checked_add(length).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| self.short(part, length))?;
        let value = &self.bytes[self.at..end];
        self.at = end;
        Ok(value)
    }

    /// Skips a sequence of unknown length. One of unknown kind is written implicitly (PS3.5 6.2.2).
    fn skip_sequence(&mut self, implicit: bool, depth: usize) -> Result<(), Error> {
        if depth > DEPTH {
            return Err(self.broken("its sequences lie too deep within one another"));
        }
        let around = self.encoding;
        if implicit {
            self.encoding = Encoding::Implicit;
        }
        loop {
            match self.header()? {
                (SEQUENCE_END, _, _) => break,
                (ITEM, _, Some(length)) => drop(self.take(length, "sequence")?),
                (ITEM, _, None) => loop {
                    match self.header()? {
                        (ITEM_END, _, _) => break,
                        (_, implicit, None) => self.skip_sequence(implicit, depth + 1)?,
                        (_, _, Some(length)) => drop(self.take(length, "sequence")?),
                    }
                },
                _ => return Err(self.broken("a sequence holds something that is not an item")),
            }
        }
        self.encoding = around;
        Ok(())
    }

    /// The fragments of compressed pixels. The first item is not one of them: it is a table of where frames begin.
    fn fragments(&mut self) -> Result<Vec<&'a [u8]>, Error> {
        let mut fragments = Vec::new();
        let mut table = true;
        loop {
            match self.header()? {
                (SEQUENCE_END, _, _) => return Ok(fragments),
                (ITEM, _, Some(length)) => {
                    let fragment = self.take(length, "pixels")?;
                    if !table {
                        fragments.push(fragment);
                    }
                    table = false;
                }
                _ => return Err(self.broken("its compressed pixels are not in items")),
            }
        }
    }
}

/// A text without the padding around it.
pub(super) fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).trim_matches([' ', '\0']).to_string()
}

impl Elements<'_> {
    /// A value that may be missing; empty counts as missing.
    pub(super) fn get(&self, tag: Tag) -> Option<&[u8]> {
        let found = self.found.iter().find(|(code, _)| *code == tag.code).map(|(_, value)| *value);
        found.filter(|value| !value.is_empty())
    }

    /// A text that may be missing.
    pub(super) fn text(&self, tag: Tag) -> Option<String> {
        self.get(tag).map(text).filter(|text| !text.is_empty())
    }

    pub(super) fn missing(&self, tag: Tag) -> Error {
        self.wrong(format!("it has no {tag}"))
    }

    /// An error about the elements. `problem` never quotes a value that may tell of the patient.
    pub(super) fn wrong(&self, problem: String) -> Error {
        Error::Header { file: self.file.to_string(), problem }
    }

    /// A number of 16 bits that may be missing.
    pub(super) fn short(&self, tag: Tag) -> Result<Option<u16>, Error> {
        let Some(value) = self.get(tag) else { return Ok(None) };
        let Ok(bytes) = <[u8; 2]>::try_from(value) else {
            return Err(self.wrong(format!("{tag} takes {} bytes, not 2", value.len())));
        };
        Ok(Some(if self.big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }))
    }

    /// A number of 16 bits that must be there.
    pub(super) fn needed(&self, tag: Tag) -> Result<u16, Error> {
        self.short(tag)?.ok_or_else(|| self.missing(tag))
    }

    /// `N` decimal numbers that must be there.
    pub(super) fn decimals<const N: usize>(&self, tag: Tag) -> Result<[f64; N], Error> {
        let value = self.text(tag).ok_or_else(|| self.missing(tag))?;
        let parts = value.split('\\').take(N + 1).map(|part| part.trim().parse::<f64>().ok());
        let numbers: Option<Vec<f64>> = parts.map(|v| v.filter(|v| v.is_finite())).collect();
        numbers.and_then(|numbers| <[f64; N]>::try_from(numbers).ok()).ok_or_else(|| {
            let plural = if N == 1 { "" } else { "s" };
            self.wrong(format!("{tag} is not {N} number{plural}"))
        })
    }
}
