//! Pictures, and how they are made to fit the input of a model.

use std::io::Cursor;

use image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use crate::Error;
pub use crate::digit::fit_digit;
use crate::error::first_bytes;
pub use crate::fit::{Fit, fit, raw};
use crate::kinds;

/// The longest side of a picture that is decoded.
const MAX_SIDE: u32 = 32_768;
/// The most pixels of a picture that is decoded.
pub(crate) const MAX_PIXELS: u64 = 1 << 25;
/// The most bytes for the pixels of one picture: as the decoder gives them and as they are kept, together.
const MAX_KEPT: u64 = 256 << 20;
/// The most bytes for the decoder's buffers and output.
const MAX_ALLOC: u64 = 256 << 20;
/// The most pixels a byte of PNG can hold: 8 of one bit in a byte, expanded 1032 times by DEFLATE.
const PNG_DENSITY: u64 = 8 * 1032;
/// The most pixels a byte of JPEG can hold: a block of 64 takes at least one bit.
const JPEG_DENSITY: u64 = 64 * 8;
/// The most pixels a byte of BMP can hold: a run of 255 takes two.
const BMP_DENSITY: u64 = 128;
/// The most pixels that a byte of WebP, TIFF or GIF is allowed. These formats can hold a blank picture of any
/// size in a few bytes, so this limit is our own: it keeps out decompression bombs.
const BLANK_DENSITY: u64 = 1 << 16;
/// File name extensions of the pictures that are read, in lower case.
pub const EXTENSIONS: [&str; 8] = ["png", "jpg", "jpeg", "bmp", "webp", "tif", "tiff", "gif"];

/// 65,535 / 255.
const WORD: f32 = 257.0;

/// A grey or RGB picture of pixels from 0 to 255.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    height: usize,
    width: usize,
    channels: usize,
    pixels: Pixels,
}

/// Pixels in the type that the file has: bytes take a quarter of the memory.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Pixels {
    Bytes(Vec<u8>),
    /// 16 bits, 0 to 65,535.
    Words(Vec<u16>),
    Numbers(Vec<f32>),
}

impl Pixels {
    fn len(&self) -> usize {
        match self {
            Pixels::Bytes(v) => v.len(),
            Pixels::Words(v) => v.len(),
            Pixels::Numbers(v) => v.len(),
        }
    }
}

impl Picture {
    /// A picture of `height * width * channels` pixels, row by row, channel fastest. One channel
    /// is grey, three are red, green and blue.
    ///
    /// # Errors
    /// [`Error::Argument`] when a side is zero, `channels` is neither 1 nor 3, the number of
    /// pixels does not agree, or a pixel is not within 0 to 255.
    ///
    /// ```
    /// let picture = foveal_data::Picture::new(1, 2, 1, vec![0.0, 255.0])?;
    /// assert_eq!((picture.height(), picture.width()), (1, 2));
    /// # Ok::<(), foveal_data::Error>(())
    /// ```
    pub fn new(height: usize, width: usize, channels: usize, pixels: Vec<f32>) -> Result<Self, Error> {
        if let Some(pixel) = pixels.iter().find(|p| !(0.0..=255.0).contains(*p)) {
            let (argument, value) = ("pixel", pixel.to_string());
            return Err(Error::Argument { argument, value, allowed: "within 0 to 255".to_string() });
        }
        Self::of(height, width, channels, Pixels::Numbers(pixels))
    }

    fn of(height: usize, width: usize, channels: usize, pixels: Pixels) -> Result<Self, Error> {
        let wrong = |argument, value: String, allowed: &str| Error::Argument {
            argument,
            value,
            allowed: allowed.to_string(),
        };
        if height == 0 || width == 0 || !matches!(channels, 1 | 3) {
            let shape = format!("{height}x{width}x{channels}");
            let allowed = "height x width x channels with sides of at least 1 and 1 or 3 channels";
            return Err(wrong("picture shape", shape, allowed));
        }
        let size = height.checked_mul(width).and_then(|n| n.checked_mul(channels));
        if size != Some(pixels.len()) {
            let allowed = format!("the product of {height}x{width}x{channels}");
            return Err(wrong("number of pixels", pixels.len().to_string(), &allowed));
        }
        Ok(Picture { height, width, channels, pixels })
    }

    /// Rows, at least 1.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns, at least 1.
    pub fn width(&self) -> usize {
        self.width
    }

    /// 1 for grey, 3 for RGB.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// `height * width * channels` pixels, 0 to 255, row by row, channel fastest.
    pub fn pixels(&self) -> Vec<f32> {
        match &self.pixels {
            Pixels::Bytes(bytes) => bytes.iter().map(|&v| f32::from(v)).collect(),
            Pixels::Words(words) => words.iter().map(|&v| f32::from(v) / WORD).collect(),
            Pixels::Numbers(numbers) => numbers.clone(),
        }
    }

    /// Whether red, green and blue agree everywhere.
    pub fn is_grey(&self) -> bool {
        fn agree<T: PartialEq>(values: &[T]) -> bool {
            values.as_chunks::<3>().0.iter().all(|[r, g, b]| r == g && g == b)
        }
        self.channels == 1
            || match &self.pixels {
                Pixels::Bytes(v) => agree(v),
                Pixels::Words(v) => agree(v),
                Pixels::Numbers(v) => agree(v),
            }
    }

    /// Whether its pixels have 16 bits.
    pub fn is_deep(&self) -> bool {
        matches!(self.pixels, Pixels::Words(_))
    }

    /// `height * width` grey pixels, 0 to 255, by the luma of ITU-R BT.601 (0.299 R + 0.587 G + 0.114 B),
    /// as TensorFlow's `rgb_to_grayscale` and Pillow's "L" have it.
    pub fn grey(&self) -> Vec<f32> {
        let full = self.full();
        let mut grey = self.own_grey();
        if full != 255.0 {
            grey.iter_mut().for_each(|v| *v /= WORD);
        }
        grey
    }

    /// Grey pixels on the picture's own scale, 0 to [`full`](Self::full).
    pub(crate) fn own_grey(&self) -> Vec<f32> {
        fn of<T: Copy + Into<f32>>(values: &[T], channels: usize, full: f32) -> Vec<f32> {
            match channels {
                1 => values.iter().map(|&v| v.into()).collect(),
                _ => {
                    values.as_chunks::<3>().0.iter().map(|rgb| luma(rgb.map(Into::into)).min(full)).collect()
                }
            }
        }
        let (channels, full) = (self.channels, self.full());
        match &self.pixels {
            Pixels::Bytes(v) => of(v, channels, full),
            Pixels::Words(v) => of(v, channels, full),
            Pixels::Numbers(v) => of(v, channels, full),
        }
    }

    /// What white is on the picture's own scale: 255, or 65,535 for 16 bits.
    pub(crate) fn full(&self) -> f32 {
        if self.is_deep() { 65_535.0 } else { 255.0 }
    }

    /// Its pixels as they are kept.
    pub(crate) fn kept(&self) -> &Pixels {
        &self.pixels
    }
}

fn luma([red, green, blue]: [f32; 3]) -> f32 {
    0.299 * red + 0.587 * green + 0.114 * blue
}

/// Decodes a PNG, JPEG, BMP, WebP, TIFF or GIF file; of several frames (GIF, animated WebP) the first. `source` names it
/// in errors.
///
/// 16-bit samples stay 16 bits deep, transparent pixels are laid over white, and the
/// orientation that a camera notes (EXIF) is applied. The size in the header is checked before
/// anything is decoded: 33.5 million pixels at most, no side over
/// 32,768, and no more pixels than the format can hold in that many bytes (of WebP and TIFF, which can hold blank pictures of any
/// size: 65,536 a byte). A JPEG that was cut off is refused, not filled up.
///
/// # Errors
/// [`Error::Magic`] for another format, [`Error::TooLarge`], [`Error::Truncated`],
/// [`Error::Unsupported`] and [`Error::Damaged`].
///
/// ```
/// let error = foveal_data::picture::decode(b"<svg xmlns=", "cat.svg").unwrap_err();
/// assert!(error.to_string().starts_with("cat.svg: holds an SVG drawing"));
/// ```
pub fn decode(bytes: &[u8], source: &str) -> Result<Picture, Error> {
    decode_within(bytes, source, MAX_PIXELS)
}

/// [`decode`], but with at most `most` pixels, which also limits the memory of the decoder.
///
/// # Errors
/// As [`decode`].
///
/// ```
/// let error = foveal_data::picture::decode_within(b"A cat", "cat.png", 1 << 20).unwrap_err();
/// assert!(error.to_string().starts_with("cat.png: starts with bytes 41 20 63 61"));
/// ```
pub fn decode_within(bytes: &[u8], source: &str, most: u64) -> Result<Picture, Error> {
    let most = most.min(MAX_PIXELS);
    let mut decoder = open(bytes, source, most)?;
    // A broken orientation is no reason to refuse the pixels.
    let orientation = decoder.orientation();
    let mut image = DynamicImage::from_decoder(decoder).map_err(|e| refused(e, source, most))?;
    if let Ok(orientation) = orientation {
        image.apply_orientation(orientation);
    }
    flatten(image, source)
}

/// What the header of a picture says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// Height and width, as [`decode`] would give them.
    pub size: [usize; 2],
    /// Whether its pixels have 16 bits.
    pub deep: bool,
}

/// Reads the header of a picture alone.
///
/// # Errors
/// Those of [`decode`] that a header shows.
pub fn header(bytes: &[u8], source: &str) -> Result<Header, Error> {
    use image::metadata::Orientation as O;
    let mut decoder = open(bytes, source, MAX_PIXELS)?;
    let (width, height) = decoder.dimensions();
    let turned = matches!(
        decoder.orientation(),
        Ok(O::Rotate90 | O::Rotate270 | O::Rotate90FlipH | O::Rotate270FlipH)
    );
    let size = [height as usize, width as usize];
    let size = if turned { [size[1], size[0]] } else { size };
    use ColorType::{L16, La16, Rgb16, Rgba16};
    Ok(Header { size, deep: matches!(decoder.color_type(), L16 | La16 | Rgb16 | Rgba16) })
}

/// Height and width of a picture, as [`decode`] would give it, from its header alone.
///
/// # Errors
/// Those of [`header`].
pub fn size(bytes: &[u8], source: &str) -> Result<[usize; 2], Error> {
    header(bytes, source).map(|header| header.size)
}

/// A decoder that has read the header, and whose size has been checked.
fn open<'a>(bytes: &'a [u8], source: &str, most: u64) -> Result<impl ImageDecoder + 'a, Error> {
    use ImageFormat as F;
    // 16 bytes a pixel, and a megabyte at least for tables.
    let alloc = (most * 16).clamp(1 << 20, MAX_ALLOC);
    let format = match image::guess_format(bytes) {
        Ok(format @ (F::Png | F::Jpeg | F::Bmp | F::WebP | F::Tiff | F::Gif)) => format,
        _ => return Err(unread(bytes, source)),
    };
    if format == F::Jpeg && lacks_end(bytes) {
        return Err(Error::Damaged {
            file: source.to_string(),
            problem: "it stops before its end marker (FF D9)".to_string(),
        });
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(alloc);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|e| refused(e, source, most))?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let kept = pixels.saturating_mul(taken(decoder.color_type()));
    if pixels > most || kept > MAX_KEPT {
        return Err(too_large(format!("{width}x{height} pixels"), source, most));
    }
    let density = match format {
        F::Png => PNG_DENSITY,
        F::Jpeg => JPEG_DENSITY,
        F::Bmp => BMP_DENSITY,
        _ => BLANK_DENSITY,
    };
    let least = pixels.div_ceil(density);
    if least > bytes.len() as u64 {
        return Err(Error::Truncated {
            file: source.to_string(),
            part: "picture",
            expected: least,
            found: bytes.len() as u64,
        });
    }
    Ok(decoder)
}

/// Why a file that is none of the formats is not read: it is named as what it is.
fn unread(bytes: &[u8], source: &str) -> Error {
    match kinds::of(bytes) {
        Some((what, remedy)) => {
            Error::Unsupported { file: source.to_string(), what: what.to_string(), remedy }
        }
        None => Error::Magic {
            file: source.to_string(),
            format: "a PNG, JPEG, BMP, WebP, TIFF or GIF picture",
            found: first_bytes(bytes),
        },
    }
}

/// Whether a JPEG file was cut off after its pixels began. The decoder would fill the missing part
/// with grey, and nobody would notice that a data set holds half pictures.
fn lacks_end(bytes: &[u8]) -> bool {
    // Skips the segments (FF, kind, length, content) before the first scan: one may hold a
    // thumbnail, which has an end marker of its own.
    let mut rest = bytes.get(2..).unwrap_or_default();
    while let [0xff, kind, tail @ ..] = rest {
        match (kind, tail) {
            (0xda, _) => return !tail.windows(2).any(|pair| pair == [0xff, 0xd9]),
            (0xff, _) => rest = &rest[1..],
            (_, [high, low, ..]) => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                rest = tail.get(length..).unwrap_or_default();
            }
            _ => break,
        }
    }
    // There is no scan: the decoder will say what is wrong.
    false
}

fn too_large(declared: String, source: &str, most: u64) -> Error {
    Error::TooLarge {
        file: source.to_string(),
        declared,
        limit: format!("{most} pixels, {MAX_KEPT} bytes of them or sides of {MAX_SIDE}"),
        remedy: "scale it down",
    }
}

fn refused(error: ImageError, source: &str, most: u64) -> Error {
    // The decoder's message may quote the file, which may hold line feeds.
    let problem = error.to_string().escape_debug().to_string();
    let file = source.to_string();
    match error {
        ImageError::Limits(_) => too_large(format!("a size that was refused ({problem})"), source, most),
        ImageError::Unsupported(_) => Error::Unsupported {
            file,
            what: format!("a kind of picture ({problem})"),
            remedy: "save it as an 8-bit PNG",
        },
        _ => Error::Damaged { file, problem },
    }
}

/// Pixels of any depth as grey or RGB over white; 8 bits stay bytes.
fn flatten(image: DynamicImage, source: &str) -> Result<Picture, Error> {
    use Pixels::{Bytes, Words};
    let (height, width) = (image.height() as usize, image.width() as usize);
    let (channels, pixels) = match image {
        DynamicImage::ImageLuma8(i) => (1, Bytes(i.into_raw())),
        DynamicImage::ImageLumaA8(i) => (1, bytes_over_white::<2>(i.as_raw())),
        DynamicImage::ImageRgb8(i) => (3, Bytes(i.into_raw())),
        DynamicImage::ImageRgba8(i) => (3, bytes_over_white::<4>(i.as_raw())),
        DynamicImage::ImageLuma16(i) => (1, Words(i.into_raw())),
        DynamicImage::ImageLumaA16(i) => (1, words_over_white::<2>(i.as_raw())),
        DynamicImage::ImageRgb16(i) => (3, Words(i.into_raw())),
        DynamicImage::ImageRgba16(i) => (3, words_over_white::<4>(i.as_raw())),
        other => (3, Bytes(other.into_rgb8().into_raw())),
    };
    Picture::of(height, width, channels, pixels)
        .map_err(|error| Error::Damaged { file: source.to_string(), problem: error.to_string() })
}

/// Bytes for a pixel: as it is decoded and as [`flatten`] keeps it, together.
fn taken(colour: ColorType) -> u64 {
    let decoded = u64::from(colour.bytes_per_pixel());
    let colours = if colour.has_color() { 3 } else { 1 };
    match (colour, colour.has_alpha()) {
        (ColorType::L8 | ColorType::Rgb8, _) => decoded,
        (ColorType::La8 | ColorType::Rgba8, _) => decoded + colours,
        (ColorType::L16 | ColorType::Rgb16, _) => decoded,
        _ => decoded + 2 * colours,
    }
}

/// Lays pixels of N - 1 colours and an opacity, all bytes, over white.
fn bytes_over_white<const N: usize>(values: &[u8]) -> Pixels {
    Pixels::Bytes(over_white::<N>(values, 255.0).map(|v| v.round() as u8).collect())
}

/// The same for 16 bits.
fn words_over_white<const N: usize>(values: &[u16]) -> Pixels {
    Pixels::Words(over_white::<N>(values, 65_535.0).map(|v| v.round() as u16).collect())
}

/// Composes N - 1 colours and an opacity, each 0 to `full`, over white.
fn over_white<const N: usize>(values: &[impl Copy + Into<f32>], full: f32) -> impl Iterator<Item = f32> {
    let (pixels, _) = values.as_chunks::<N>();
    pixels.iter().flat_map(move |pixel| {
        let opacity = pixel[N - 1].into() / full;
        let over = move |colour: f32| colour * opacity + full * (1.0 - opacity);
        (0..N - 1).map(move |c| over(pixel[c].into()).clamp(0.0, full))
    })
}
