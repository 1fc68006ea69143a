//! PNG and JPEG pictures, good and broken.

mod broken;

use std::io::Cursor;

use foveal_data::picture::{Fit, decode, fit};
use foveal_data::{Error, Picture};
use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, Rgba};

fn encode(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn gradient() -> ImageBuffer<Rgb<u8>, Vec<u8>> {
    ImageBuffer::from_fn(12, 9, |x, y| Rgb([x as u8 * 20, y as u8 * 28, 128]))
}

#[test]
fn every_depth_is_read() {
    let grey = ImageBuffer::from_fn(2, 1, |x, _| Luma([x as u8 * 200]));
    let picture = decode(&encode(grey, ImageFormat::Png), "x").unwrap();
    assert_eq!((picture.height(), picture.width(), picture.channels()), (1, 2, 1));
    assert_eq!(picture.pixels(), [0.0, 200.0]);

    let deep = ImageBuffer::from_fn(2, 1, |x, _| Luma([x as u16 * 65_535]));
    let picture = decode(&encode(deep, ImageFormat::Png), "x").unwrap();
    assert_eq!(picture.pixels(), [0.0, 255.0]);

    let picture = decode(&encode(gradient(), ImageFormat::Png), "x").unwrap();
    assert_eq!((picture.height(), picture.width(), picture.channels()), (9, 12, 3));
    assert_eq!(picture.pixels()[3..6], [20.0, 0.0, 128.0]);
}

#[test]
fn transparent_pixels_are_laid_over_white() {
    let clear = ImageBuffer::from_fn(2, 1, |x, _| Rgba([0, 51, 255, x as u8 * 255]));
    let picture = decode(&encode(clear, ImageFormat::Png), "x").unwrap();
    assert_eq!(picture.pixels(), [255.0, 255.0, 255.0, 0.0, 51.0, 255.0]);

    let half = ImageBuffer::from_pixel(1, 1, LumaA([0u8, 51]));
    let picture = decode(&encode(half, ImageFormat::Png), "x").unwrap();
    assert!((picture.pixels()[0] - 204.0).abs() < 1e-3);

    let deep = ImageBuffer::from_pixel(1, 1, Rgba([65_535u16, 0, 0, 65_535]));
    let picture = decode(&encode(deep, ImageFormat::Png), "x").unwrap();
    assert_eq!(picture.pixels(), [255.0, 0.0, 0.0]);
}

#[test]
fn the_orientation_of_a_camera_is_applied() {
    let wide = ImageBuffer::from_fn(32, 16, |x, _| Luma([if x < 16 { 0u8 } else { 255 }]));
    let mut bytes = encode(wide, ImageFormat::Jpeg);
    // EXIF, little-endian, one entry: tag 0x0112 (orientation), short, 6 (turn clockwise).
    let mut exif = b"\xff\xe1\x00\x22Exif\0\0II*\0\x08\0\0\0\x01\0".to_vec();
    exif.extend_from_slice(b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0");
    bytes.splice(2..2, exif);
    let picture = decode(&bytes, "x").unwrap();
    assert_eq!((picture.height(), picture.width()), (32, 16));
    assert!(picture.pixels()[0] < 10.0 && picture.pixels()[31 * 16] > 245.0);
}

#[test]
fn a_picture_that_was_cut_off_is_refused() {
    let good = encode(gradient(), ImageFormat::Jpeg);
    assert!(decode(&good, "x").is_ok());
    broken::every_truncation(&good, |bytes| assert!(decode(bytes, "x").is_err()));
    let good = encode(gradient(), ImageFormat::Png);
    let whole = decode(&good, "x").unwrap();
    // The last chunk of a PNG is empty: without it, all pixels are there.
    broken::every_truncation(&good, |bytes| {
        assert!(decode(bytes, "x").is_ok_and(|p| p == whole) || bytes.len() < good.len() - 4);
        assert!(bytes.len() + 12 > good.len() || decode(bytes, "x").is_err());
    });
}

#[test]
fn mutations_never_panic() {
    let palette = {
        let grey = ImageBuffer::from_fn(7, 5, |x, y| Luma([(x * y) as u8 * 8]));
        encode(grey, ImageFormat::Png)
    };
    for good in [encode(gradient(), ImageFormat::Png), encode(gradient(), ImageFormat::Jpeg), palette] {
        broken::mutations(&good, |bytes| match decode(bytes, "x") {
            Ok(picture) => {
                let size = picture.height() * picture.width() * picture.channels();
                assert_eq!(picture.pixels().len(), size);
            }
            Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
        });
    }
}

/// Writes the right checksum into each whole chunk of a PNG.
fn repair(bytes: &mut [u8]) {
    let mut at = 8;
    while let Some(&[a, b, c, d]) = bytes.get(at..at + 4).and_then(|w| w.first_chunk()) {
        let end = at + 8 + u32::from_be_bytes([a, b, c, d]) as usize;
        let Some(body) = bytes.get(at + 4..end) else {
            return;
        };
        let mut check = flate2::Crc::new();
        check.update(body);
        let sum = check.sum().to_be_bytes();
        let Some(place) = bytes.get_mut(end..end + 4) else {
            return;
        };
        place.copy_from_slice(&sum);
        at = end + 4;
    }
}

#[test]
fn mutations_behind_good_checksums_never_panic() {
    let good = encode(gradient(), ImageFormat::Png);
    let mut decoded = 0;
    broken::mutations(&good, |bytes| {
        let mut bytes = bytes.to_vec();
        repair(&mut bytes);
        decoded += usize::from(decode(&bytes, "x").is_ok());
    });
    assert!(decoded > 0);
}

/// A PNG whose header, checksum and all, declares this size, and whose data hold nothing.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend_from_slice(&width.to_be_bytes());
    header.extend_from_slice(&height.to_be_bytes());
    header.extend_from_slice(&[8, 2, 0, 0, 0]);
    let mut check = flate2::Crc::new();
    check.update(&header);
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(&check.sum().to_be_bytes());
    bytes.extend_from_slice(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
    bytes
}

#[test]
fn bombs_are_refused() {
    for (width, height) in [(1 << 31, 1), (30_000, 30_000), (40_000, 2)] {
        let error = decode(&png_header(width, height), "x").unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    }
    let error = decode(&png_header(5_000, 5_000), "x").unwrap_err();
    assert!(matches!(error, Error::Truncated { .. }), "{error}");
}

#[test]
fn dense_pictures_are_not_taken_for_bombs() {
    let blank: ImageBuffer<Luma<u8>, _> = ImageBuffer::new(3_000, 3_000);
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        assert!(decode(&encode(blank.clone(), format), "x").is_ok());
    }
}

#[test]
fn other_formats_are_named() {
    for bytes in [&b"GIF89"[..], b"", b"\x89", b"hello"] {
        let error = decode(bytes, "cat.png").unwrap_err();
        assert!(error.to_string().starts_with("cat.png: "), "{error}");
        assert!(matches!(error, Error::Magic { .. }), "{error}");
    }
}

#[test]
fn pixels_out_of_range_make_no_picture() {
    assert!(Picture::new(1, 1, 1, vec![f32::NAN]).is_err());
    assert!(Picture::new(1, 1, 1, vec![255.1]).is_err());
    assert!(Picture::new(1, 1, 2, vec![0.0; 2]).is_err());
    assert!(Picture::new(0, 1, 1, vec![]).is_err());
    assert!(Picture::new(usize::MAX, 2, 1, vec![0.0; 2]).is_err());
}

#[test]
fn fit_converts_and_keeps_the_range() {
    let picture = decode(&encode(gradient(), ImageFormat::Png), "x").unwrap();
    for shape in [[9, 12, 3], [28, 28, 1], [1, 1, 1], [1, 100, 3], [224, 3, 3]] {
        let fitted = fit(&picture, shape, Fit::Stretch).unwrap();
        assert_eq!(fitted.len(), shape.iter().product::<usize>());
        assert!(fitted.iter().all(|v| (-0.01..=255.01).contains(v)));
    }
    assert_eq!(fit(&picture, [9, 12, 3], Fit::Stretch).unwrap(), picture.pixels());
    for shape in [[0, 1, 1], [1, 1, 2], [usize::MAX, 2, 1], [1 << 20, 1 << 20, 3]] {
        assert!(matches!(fit(&picture, shape, Fit::Stretch), Err(Error::Argument { .. })));
    }
    let red = Picture::new(1, 1, 3, vec![255.0, 0.0, 0.0]).unwrap();
    assert!((fit(&red, [1, 1, 1], Fit::Stretch).unwrap()[0] - 76.245).abs() < 1e-3);
}

#[test]
fn shrinking_averages_and_growing_interpolates() {
    let stripes: Vec<f32> = (0..100).map(|i| (i % 2) as f32 * 255.0).collect();
    let picture = Picture::new(10, 10, 1, stripes).unwrap();
    // Seven columns weigh .6 .8 1 .8 .6 .4 .2; the bright ones 2 of 4.4.
    let (low, high) = (255.0 * 2.0 / 4.4, 255.0 * 2.4 / 4.4);
    let small = fit(&picture, [2, 2, 1], Fit::Stretch).unwrap();
    let expected = [low, high, low, high];
    let close = |(a, b): (&f32, f32)| (a - b).abs() < 1e-3;
    assert!(small.iter().zip(expected).all(close), "{small:?}");
    let edge = Picture::new(1, 2, 1, vec![0.0, 100.0]).unwrap();
    assert_eq!(fit(&edge, [1, 4, 1], Fit::Stretch).unwrap(), [0.0, 25.0, 75.0, 100.0]);
}
