//! CT slices as DICOM files: Hounsfield units and where the slice lies, without the name of the patient.
//!
//! | what | |
//! |---|---|
//! | implicit, explicit, big-endian and deflated files | read |
//! | RLE, JPEG baseline (8 bit) and lossless (processes 14 and 14.1) | decoded |
//! | JPEG-LS, JPEG 2000, JPEG XL, several frames in one file, other modalities than CT | refused by name |
//!
//! Values are Hounsfield units: `RescaleSlope` times the stored value plus `RescaleIntercept`.
//! `PhotometricInterpretation`, which says how a viewer shows them, does not count: dense tissue is bright in
//! MONOCHROME1 and in MONOCHROME2. Of what a file says about its patient only hashes are kept ([`Id`]), and no
//! error quotes it.

mod elements;
mod header;
mod pixels;
mod series;
mod slice;
mod tags;

use crate::Error;
use elements::Body;
pub use elements::is_dicom;
pub use header::{Header, Id};
pub use series::{Stack, divided, owners, parts, stacks};
pub use slice::Slice;

/// What a slice is and where it lies. `source` names the file in errors.
///
/// # Errors
/// [`Error::Magic`], [`Error::Truncated`], [`Error::Header`] for an element that is missing or
/// makes no sense, [`Error::TooLarge`], [`Error::Unsupported`] and [`Error::Damaged`].
///
/// ```
/// let error = foveal_data::dicom::header(b"GIF89a", "cat.dcm").unwrap_err();
/// assert!(error.to_string().starts_with("cat.dcm: starts with bytes 47 49 46 38"));
/// ```
pub fn header(bytes: &[u8], source: &str) -> Result<Header, Error> {
    Header::new(&Body::new(bytes, source)?.elements(false)?)
}

/// Reads a slice. `source` names the file in errors.
///
/// # Errors
/// Those of [`header`], also about the pixels.
pub fn read(bytes: &[u8], source: &str) -> Result<Slice, Error> {
    let body = Body::new(bytes, source)?;
    let elements = body.elements(true)?;
    let header = Header::new(&elements)?;
    let (hounsfield, padding) = pixels::hounsfield(&elements, header.size)?;
    Ok(Slice { header, hounsfield, padding })
}
