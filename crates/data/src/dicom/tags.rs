//! The elements that are read, by number and name.

use std::fmt;

/// An element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tag {
    pub(super) code: u32,
    name: &'static str,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:04x},{:04x})", self.name, self.code >> 16, self.code & 0xFFFF)
    }
}

macro_rules! tags {
    ($($constant:ident = $code:literal, $name:literal;)*) => {
        $(pub(super) const $constant: Tag = Tag { code: $code, name: $name };)*
        /// All of them.
        pub(super) const WANTED: &[Tag] = &[$($constant),*];
    };
}

tags! {
    MODALITY = 0x0008_0060, "Modality";
    PATIENT = 0x0010_0020, "PatientID";
    STUDY = 0x0020_000D, "StudyInstanceUID";
    SERIES = 0x0020_000E, "SeriesInstanceUID";
    POSITION = 0x0020_0032, "ImagePositionPatient";
    ORIENTATION = 0x0020_0037, "ImageOrientationPatient";
    SAMPLES = 0x0028_0002, "SamplesPerPixel";
    PHOTOMETRIC = 0x0028_0004, "PhotometricInterpretation";
    FRAMES = 0x0028_0008, "NumberOfFrames";
    ROWS = 0x0028_0010, "Rows";
    COLUMNS = 0x0028_0011, "Columns";
    SPACING = 0x0028_0030, "PixelSpacing";
    ALLOCATED = 0x0028_0100, "BitsAllocated";
    STORED = 0x0028_0101, "BitsStored";
    HIGH = 0x0028_0102, "HighBit";
    SIGNED = 0x0028_0103, "PixelRepresentation";
    PADDING = 0x0028_0120, "PixelPaddingValue";
    PADDING_LIMIT = 0x0028_0121, "PixelPaddingRangeLimit";
    BURNED_IN = 0x0028_0301, "BurnedInAnnotation";
    INTERCEPT = 0x0028_1052, "RescaleIntercept";
    SLOPE = 0x0028_1053, "RescaleSlope";
    RESCALE_TYPE = 0x0028_1054, "RescaleType";
    PIXEL_DATA = 0x7FE0_0010, "PixelData";
}
