//! IDX files, good and broken.

mod broken;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use foveal_data::idx::{images_and_labels, images_and_labels_named, read_idx};
use foveal_data::{Error, Sample};

fn idx(shape: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, shape.len() as u8];
    for side in shape {
        bytes.extend_from_slice(&side.to_be_bytes());
    }
    bytes.extend_from_slice(values);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn sample() -> Vec<u8> {
    let values: Vec<u8> = (0..60).map(|v| v * 4).collect();
    idx(&[3, 4, 5], &values)
}

#[test]
fn plain_and_gzip_give_the_same_array() {
    let plain = read_idx(&sample(), "x").unwrap();
    assert_eq!(plain.shape, [3, 4, 5]);
    assert_eq!(plain.values[59], 236);
    assert_eq!(read_idx(&gzip(&sample()), "x").unwrap(), plain);
}

#[test]
fn every_truncation_is_an_error() {
    broken::every_truncation(&sample(), |bytes| assert!(read_idx(bytes, "x").is_err()));
    broken::every_truncation(&gzip(&sample()), |bytes| assert!(read_idx(bytes, "x").is_err()));
}

#[test]
fn mutations_give_an_error_or_a_consistent_array() {
    for good in [sample(), gzip(&sample())] {
        broken::mutations(&good, |bytes| {
            if let Ok(idx) = read_idx(bytes, "x") {
                assert_eq!(idx.shape.iter().product::<usize>(), idx.values.len());
            }
        });
    }
}

#[test]
fn trailing_bytes_are_refused() {
    let mut bytes = sample();
    bytes.push(0);
    let expected = Error::Trailing { file: "x".into(), expected: 76 };
    assert_eq!(read_idx(&bytes, "x"), Err(expected.clone()));
    assert_eq!(read_idx(&gzip(&bytes), "x"), Err(expected));
}

#[test]
fn sizes_that_overflow_are_refused() {
    for shape in [&[u32::MAX; 3][..], &[0, u32::MAX, u32::MAX, u32::MAX]] {
        let bytes = idx(shape, &[]);
        assert!(matches!(read_idx(&bytes, "x"), Err(Error::TooLarge { .. })));
    }
    let bytes = idx(&[u32::MAX], &[1]);
    assert!(matches!(read_idx(&bytes, "x"), Err(Error::Truncated { .. })));
}

#[test]
fn a_gzip_bomb_is_refused_before_it_unpacks() {
    // 64 MiB of zeros behind a header that declares 784 bytes.
    let mut small = idx(&[1, 28, 28], &[]);
    small.resize(64 << 20, 0);
    assert!(matches!(read_idx(&gzip(&small), "x"), Err(Error::Trailing { .. })));
    // A header that declares more than its bytes can hold.
    let large = gzip(&idx(&[60_000, 28, 28], &[0; 100]));
    assert!(matches!(read_idx(&large, "x"), Err(Error::TooLarge { .. })));
}

#[test]
fn other_types_are_named() {
    for (kind, name) in [(9, "i8"), (11, "i16"), (12, "i32"), (13, "f32"), (14, "f64")] {
        let message = read_idx(&[0, 0, kind, 1, 0, 0, 0, 0], "x").unwrap_err().to_string();
        assert!(message.contains(name), "{message}");
    }
    assert!(matches!(read_idx(&[0, 0, 10, 1], "x"), Err(Error::Header { .. })));
    assert!(matches!(read_idx(b"PK\x03\x04", "x"), Err(Error::Magic { .. })));
    assert!(matches!(read_idx(&[0, 0, 8, 0], "x"), Err(Error::Header { .. })));
}

#[test]
fn images_and_labels_make_a_data_set() {
    let images = idx(&[2, 28, 28], &[7; 2 * 784]);
    let labels = gzip(&idx(&[2], &[3, 1]));
    let set = images_and_labels(&images, &labels, "digits").unwrap();
    assert_eq!((set.len(), set.shape()), (2, [28, 28, 1]));
    assert_eq!(set.classes().unwrap().len(), 10);
    assert_eq!(set.label(0), Some(3));
    assert_eq!(set.sample(1), Sample::U8(vec![7; 784].into()));

    let colours = idx(&[2, 1, 2, 3], &[0; 12]);
    let set = images_and_labels(&colours, &labels, "colours").unwrap();
    assert_eq!(set.shape(), [1, 2, 3]);
    assert_eq!(set.classes().unwrap(), ["0", "1", "2", "3"]);

    let names: Vec<String> = "abcd".chars().map(String::from).collect();
    let set = images_and_labels_named(&colours, &labels, "colours", &names).unwrap();
    assert_eq!(set.classes().unwrap(), names);
    assert!(matches!(
        images_and_labels_named(&colours, &labels, "colours", &names[..3]),
        Err(Error::Label { index: 0, label: 3, .. })
    ));
}

#[test]
fn images_and_labels_that_differ_are_refused() {
    let images = idx(&[2, 2, 2], &[0; 8]);
    let labels = idx(&[3], &[0; 3]);
    let message = images_and_labels(&images, &labels, "s").unwrap_err().to_string();
    assert!(message.starts_with("s: 2 images, but 3 labels"), "{message}");
    assert!(matches!(images_and_labels(&labels, &images, "swapped"), Err(Error::Rank { .. })));
}
