//! Slices of CT as DICOM files, good and broken.
#![cfg(feature = "dicom")]

mod broken;
#[path = "../../foveal/examples/ct_phantoms/dicom_file.rs"]
mod dicom_file;

use dicom_file::{DicomFile, Plane, Tag};
use foveal_data::dicom::{Header, Id, divided, header, is_dicom, owners, parts, read, stacks};
use foveal_data::{Error, Part, Window};
use serde_json::Value;
use std::path::PathBuf;

/// What names the patients of the files here.
const SECRETS: [&str; 6] =
    ["Fixture^Crop", "FIXTURE-0815", "CompressedSamples", "1CT1", "Doe^Jane", "PID-77"];

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/dicom"))
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap()
}

/// A slice 3 rows high and 4 columns wide, with what a test changes.
fn small(patient: &str, series: &str, z: f64) -> DicomFile {
    let position = [-10.0, 20.0, z];
    let plane =
        Plane { patient, name: "Doe^Jane", series, instance: 1, position, spacing: [2.0, 1.0], size: [3, 4] };
    DicomFile::slice(&plane, &[-1000, -500, 0, 40, 100, 200, 300, 400, 500, 600, 700, 800])
}

fn plain() -> DicomFile {
    small("PID-77", "1.2.3", 5.0)
}

#[test]
fn hounsfield_values_are_pydicoms() {
    let answers: Value = serde_json::from_slice(&fixture("hounsfield.json")).unwrap();
    let files = answers["files"].as_object().unwrap();
    assert_eq!(files.len(), 13);
    for (name, answer) in files {
        let slice = read(&fixture(name), name).unwrap();
        let values: Vec<f64> = slice.hounsfield().iter().map(|&v| f64::from(v)).collect();
        let [rows, columns] = slice.header().size();
        assert_eq!(answer["size"], serde_json::json!([rows, columns]), "{name}");
        let middle = &values[rows / 2 * columns..][..columns];
        let theirs: Vec<f64> =
            answer["middle_row"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        let number = |key: &str| answer[key].as_f64().unwrap();
        if name == "jpeg_baseline.dcm" {
            // Two decoders of lossy JPEG may differ by one step, which is 4 units here.
            assert!(middle.iter().zip(&theirs).all(|(a, b)| (a - b).abs() <= 4.0), "{name}: {middle:?}");
            let mean = (values.iter().sum::<f64>() - number("sum")) / values.len() as f64;
            assert!(mean.abs() < 1.0, "{name}: {mean}");
            continue;
        }
        assert_eq!(middle, theirs, "{name}");
        assert_eq!(
            slice.range().map(|r| r.map(f64::from)),
            Some([number("least"), number("greatest")]),
            "{name}"
        );
        assert_eq!(values.iter().sum::<f64>(), number("sum"), "{name}");
        let by_place: f64 = values.iter().zip(1..).map(|(v, i)| v * f64::from(i)).sum();
        assert_eq!(by_place, number("sum_by_place"), "{name}");
    }
}

#[test]
fn broken_files_are_refused_or_read_and_tell_nothing_of_the_patient() {
    for name in [
        "explicit",
        "implicit",
        "big_endian",
        "deflated",
        "rle",
        "rle_eight",
        "jpeg_lossless",
        "jpeg_baseline",
    ] {
        let good = fixture(&format!("{name}.dcm"));
        let whole = read(&good, "x").unwrap();
        let mut refused = 0;
        let mut try_one = |bytes: &[u8]| match read(bytes, "x") {
            Ok(slice) => {
                let [rows, columns] = slice.header().size();
                assert_eq!(slice.hounsfield().len(), rows * columns);
                assert!(slice.hounsfield().iter().all(|v| v.is_finite()));
                assert_eq!(slice.sample([8, 8], &Window::SOFT).unwrap().len(), 64);
            }
            Err(error) => {
                refused += 1;
                let text = format!("{error} {error:?}");
                assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "{name}: {text}");
            }
        };
        broken::every_truncation(&good, &mut try_one);
        broken::mutations(&good, &mut try_one);
        assert!(refused > good.len() / 2, "{name}: {refused}");
        // A file that is cut off is never a slice of other values.
        broken::every_truncation(&good, |bytes| {
            if let Ok(slice) = read(bytes, "x") {
                assert_eq!(slice, whole, "{name}: {} of {} bytes", bytes.len(), good.len());
            }
        });
    }
}

#[test]
fn debug_output_tells_nothing_of_the_patient() {
    let slice = read(&plain().bytes(), "x").unwrap();
    let text = format!("{slice:?} {:?}", Id::of(b"PID-77"));
    assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "{text}");
}

/// The error for a slice with one element changed.
fn refused(tag: Tag, kind: &[u8; 2], value: &[u8]) -> String {
    read(&plain().set(tag, kind, value).bytes(), "a.dcm").unwrap_err().to_string()
}

#[test]
fn what_is_no_slice_of_ct_is_refused_by_name() {
    let cases: [(Tag, &[u8; 2], &[u8], &str); 20] = [
        ((0x0008, 0x0060), b"CS", b"MR", "holds modality MR"),
        ((0x0008, 0x0060), b"CS", b"Doe^Jane", "holds another modality than CT"),
        ((0x0028, 0x0008), b"IS", b"12", "holds several frames (NumberOfFrames)"),
        ((0x0028, 0x0301), b"CS", b"YES", "BurnedInAnnotation"),
        ((0x0028, 0x0002), b"US", &[3, 0], "not MONOCHROME1 or MONOCHROME2"),
        ((0x0028, 0x0004), b"CS", b"PALETTE COLOR", "not MONOCHROME1 or MONOCHROME2"),
        ((0x0028, 0x0100), b"US", &[32, 0], "pixels of 32 bits"),
        ((0x0028, 0x0101), b"US", &[17, 0], "17 bits of 16 count"),
        ((0x0028, 0x0102), b"US", &[16, 0], "the highest of them 16"),
        ((0x0028, 0x0103), b"US", &[2, 0], "PixelRepresentation (0028,0103) is 2"),
        ((0x0028, 0x0010), b"US", &[0, 0], "0 rows and 4 columns"),
        ((0x0028, 0x0010), b"US", &[0xff, 0xff], "65535 rows and 4 columns, more than"),
        ((0x0028, 0x0011), b"US", &[0, 0x40], "pixels needs 98304"),
        ((0x0028, 0x0030), b"DS", b"0\\1", "PixelSpacing (0028,0030) is 0 and 1"),
        ((0x0028, 0x0030), b"DS", b"1", "PixelSpacing (0028,0030) is not 2 numbers"),
        ((0x0020, 0x0037), b"DS", b"1\\0\\0\\1\\0\\0", "not two directions at right angles"),
        ((0x0028, 0x1053), b"DS", b"0", "RescaleSlope is 0"),
        ((0x0028, 0x1054), b"LO", b"Z_EFF", "another unit than Hounsfield's"),
        ((0x0002, 0x0010), b"UI", b"1.2.840.10008.1.2.4.90", "holds JPEG 2000 pixels"),
        ((0x0002, 0x0002), b"UI", b"1.2.840.10008.1.3.10", "holds a DICOM directory (DICOMDIR)"),
    ];
    for (tag, kind, value, told) in cases {
        let error = refused(tag, kind, value);
        assert!(error.starts_with("a.dcm: ") && error.contains(told), "{told}: {error}");
        assert!(SECRETS.iter().all(|secret| !error.contains(secret)), "{error}");
    }
}

#[test]
fn missing_elements_are_named() {
    for (tag, name) in [
        ((0x0008, 0x0060), "Modality (0008,0060)"),
        ((0x0020, 0x000E), "SeriesInstanceUID (0020,000e)"),
        ((0x0020, 0x0032), "ImagePositionPatient (0020,0032)"),
        ((0x0020, 0x0037), "ImageOrientationPatient (0020,0037)"),
        ((0x0028, 0x0010), "Rows (0028,0010)"),
        ((0x0028, 0x0030), "PixelSpacing (0028,0030)"),
        ((0x0028, 0x0101), "BitsStored (0028,0101)"),
        ((0x0028, 0x0103), "PixelRepresentation (0028,0103)"),
        ((0x0028, 0x1052), "RescaleIntercept (0028,1052)"),
        ((0x0028, 0x1053), "RescaleSlope (0028,1053)"),
    ] {
        let error = refused(tag, b"LO", b"");
        assert!(error.contains(&format!("it has no {name}")), "{error}");
    }
}

#[test]
fn absurd_lengths_are_refused_before_memory_is_taken() {
    let mut bytes = plain().bytes();
    let at = bytes.windows(4).rposition(|w| w == [0xE0, 0x7F, 0x10, 0x00]).unwrap();
    bytes[at + 8..at + 12].copy_from_slice(&0xFFFF_FFFEu32.to_le_bytes());
    assert!(matches!(read(&bytes, "x"), Err(Error::Truncated { part: "pixels", .. })));
    // 16 million pixels that a few bytes of RLE or JPEG cannot hold.
    for (name, told) in [("rle.dcm", "too short for its pixels"), ("jpeg_lossless.dcm", "pixels needs")] {
        let mut bytes = fixture(name);
        for element in [0x10, 0x11] {
            let at = bytes.windows(6).position(|w| w == [0x28, 0, element, 0, b'U', b'S']).unwrap();
            bytes[at + 8..at + 10].copy_from_slice(&4096u16.to_le_bytes());
        }
        let error = read(&bytes, "x").unwrap_err().to_string();
        assert!(error.contains(told), "{name}: {error}");
    }
    // A hundred megabytes of zeros, deflated.
    use std::io::Write;
    let mut bomb = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..100 {
        bomb.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let mut bytes = plain().text((0x0002, 0x0010), b"UI", "1.2.840.10008.1.2.1.99").bytes();
    let at = bytes.windows(4).position(|w| w == [0x08, 0, 0x16, 0]).unwrap();
    bytes.truncate(at);
    bytes.extend(bomb.finish().unwrap());
    assert!(matches!(read(&bytes, "x"), Err(Error::TooLarge { .. })));
}

#[test]
fn sequences_of_unknown_length_are_passed_over() {
    let good = plain().bytes();
    let at = good.windows(4).position(|w| w == [0x10, 0, 0x20, 0]).unwrap();
    let open = [0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF];
    let start =
        |kind: &[u8; 2]| [&[0x10, 0, 0x02, 0x10], &kind[..], &[0, 0, 0xFF, 0xFF, 0xFF, 0xFF]].concat();
    let ends = [0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0, 0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];
    let with = |inside: &[u8]| [&good[..at], inside, &good[at..]].concat();
    // With an element inside that has pixels of its own, as an icon has.
    let icon = [0xE0, 0x7F, 0x10, 0, b'O', b'W', 0, 0, 2, 0, 0, 0, 9, 9];
    let one = with(&[&start(b"SQ")[..], &open, &icon, &ends].concat());
    assert_eq!(read(&one, "x"), read(&good, "x"));
    // A sequence of unknown kind: its contents are written implicitly.
    let icon = [0xE0, 0x7F, 0x10, 0, 2, 0, 0, 0, 9, 9];
    let one = with(&[&start(b"UN")[..], &open, &icon, &ends].concat());
    assert_eq!(read(&one, "x"), read(&good, "x"));
    // Ten thousand nested sequences.
    let deep = [start(b"SQ"), open.to_vec()].concat().repeat(10_000);
    let error = read(&with(&deep), "x").unwrap_err().to_string();
    assert!(error.contains("too deep"), "{error}");
}

#[test]
fn padding_is_not_measured_and_becomes_air() {
    let mut file = plain();
    // Stored values have 1024 more.
    file.set((0x0028, 0x0120), b"SS", 24i16.to_le_bytes()).set((0x0028, 0x0121), b"SS", 524i16.to_le_bytes());
    let slice = read(&file.bytes(), "x").unwrap();
    assert_eq!(slice.padding(), [0, 1]);
    assert_eq!(slice.range(), Some([0.0, 800.0]));
    assert_eq!(slice.hounsfield()[..2], [-1000.0, -500.0]);
    let lung = Window::named("lung").unwrap();
    let sample = slice.sample([6, 4], &lung).unwrap();
    assert!(sample[1] < lung.grey(-500.0), "{sample:?}");
}

#[test]
fn samples_have_square_pixels_and_see_through_a_window() {
    let slice = read(&plain().bytes(), "x").unwrap();
    // 3 rows of 2 mm and 4 columns of 1 mm.
    assert_eq!(slice.header().square(), [6, 4]);
    let wide = Window::new(0.0, 2000.0).unwrap();
    let sample = slice.sample([6, 4], &wide).unwrap();
    assert!((sample[0] - wide.grey(-1000.0)).abs() < 1e-4 && (sample[23] - wide.grey(800.0)).abs() < 1e-3);
    // In a square of 6 there is air on both sides.
    let sample = slice.sample([6, 6], &wide).unwrap();
    assert!(sample.chunks(6).all(|line| line[0] == 0.0 && line[5] == 0.0 && line[4] > 0.0), "{sample:?}");
    let soft = slice.sample([6, 4], &Window::SOFT).unwrap();
    assert_eq!((soft[0], soft[23]), (0.0, 255.0));
    assert!(slice.sample([0, 4], &wide).is_err() && slice.sample([1 << 20, 1 << 20], &wide).is_err());
}

fn headers(files: &[DicomFile]) -> Vec<Header> {
    files.iter().map(|file| header(&file.bytes(), "x").unwrap()).collect()
}

#[test]
fn series_are_ordered_by_place_whatever_the_numbers_say() {
    let numbered = |series, z, number: &str| {
        let mut file = small("PID-77", series, z);
        file.text((0x0020, 0x0013), b"IS", number);
        file
    };
    let mut files = vec![
        numbered("1.2", 30.0, "1"),
        numbered("1.3", 5.0, "9"),
        numbered("1.2", -10.0, "2"),
        numbered("1.2", 10.0, "3"),
        numbered("1.3", 2.5, "10"),
    ];
    let found = stacks(&headers(&files));
    let slices: Vec<&[usize]> = found.iter().map(|s| &s.slices[..]).collect();
    assert_eq!(slices, [&[2, 3, 0][..], &[4, 1]]);
    assert_eq!(found[0].distances, Some([20.0, 20.0]));
    // Coronal: rows to the left, columns to the feet. The normal points to the front or back, not along z.
    for (file, y) in files.iter_mut().zip([4.0, 3.0, 1.0, 9.0, 2.0]) {
        file.text((0x0020, 0x0037), b"DS", "1\\0\\0\\0\\0\\-1");
        file.text((0x0020, 0x0032), b"DS", &format!("0\\{y}\\{}", 50.0 - y * y));
    }
    assert_eq!(stacks(&headers(&files))[0].slices, [2, 0, 3]);
    // A slice in another direction, as a localizer is, is a stack of its own.
    files[0].text((0x0020, 0x0037), b"DS", "0\\1\\0\\0\\0\\-1");
    let found = stacks(&headers(&files));
    assert_eq!(found.iter().map(|s| s.slices.len()).collect::<Vec<_>>(), [1, 2, 2]);
    assert_eq!(found[0].distances, None);
}

#[test]
fn splits_never_divide_a_patient() {
    let mut files = Vec::new();
    for patient in 0..40 {
        for slice in 0..5 {
            files.push(small(
                &format!("P{patient}"),
                &format!("1.{patient}.{}", slice % 2),
                f64::from(slice),
            ));
        }
    }
    let owned = owners(&headers(&files));
    let all = parts(&owned);
    assert_eq!(divided(&owned, &all), None);
    let count = |part| all.iter().filter(|p| **p == part).count();
    assert_eq!([Part::Train, Part::Validation, Part::Test].map(count), [160, 20, 20]);
    // Neither the order of the files nor more slices of the same patients change a part.
    let back: Vec<Id> = owned.iter().rev().step_by(3).copied().collect();
    let again = parts(&back);
    assert!(
        back.iter().zip(&again).all(|(id, part)| all[owned.iter().position(|o| o == id).unwrap()] == *part)
    );
    let mut wrong = all.clone();
    wrong[7] = if all[7] == Part::Test { Part::Train } else { Part::Test };
    assert_eq!(divided(&owned, &wrong), Some([5, 7]));
    assert_eq!(parts(&owned[..5]), [Part::Train; 5]);
    assert_eq!(parts(&owned[..10]).iter().filter(|p| **p == Part::Validation).count(), 5);
}

#[test]
fn without_a_patient_the_study_counts_then_the_series() {
    let mut files = [small("", "1.2", 0.0), small("  ", "1.3", 1.0), small("", "1.4", 2.0)];
    files[0].text((0x0020, 0x000D), b"UI", "9.9");
    files[1].text((0x0020, 0x000D), b"UI", "9.9");
    files[2].text((0x0020, 0x000D), b"UI", "");
    let headers = headers(&files);
    assert!(headers.iter().all(|h| h.patient().is_none()));
    let owned = owners(&headers);
    assert_eq!((owned[0], owned[2]), (owned[1], headers[2].series()));
    assert_ne!(owned[0], owned[2]);
}

#[test]
fn files_are_told_by_their_content() {
    assert!(is_dicom(&plain().bytes()));
    assert!(!is_dicom(b"DICM") && !is_dicom(&[0; 200]));
    assert_eq!(Id::of(b"A-1 "), Id::of(b"A-1\0"));
    assert_ne!(Id::of(b"A-1"), Id::of(b"A-2"));
}
