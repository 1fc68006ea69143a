//! `.npy` files, good and broken.

mod broken;

use foveal_data::Error;
use foveal_data::npy::{read_npy, write_npy};
use ndarray::{ArrayD, IxDyn, arr2};
use proptest::prelude::*;

/// A version 1 file with this header and body, padded as NumPy does.
fn npy(descr: &str, fortran: &str, shape: &str, body: &[u8]) -> Vec<u8> {
    let dict = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}");
    with_header(1, &dict, body)
}

fn with_header(version: u8, dict: &str, body: &[u8]) -> Vec<u8> {
    let fixed = if version == 1 { 10 } else { 12 };
    let len = dict.len() + 64 - (fixed + dict.len()) % 64;
    let mut bytes = b"\x93NUMPY".to_vec();
    bytes.extend_from_slice(&[version, 0]);
    match version {
        1 => bytes.extend_from_slice(&(len as u16).to_le_bytes()),
        _ => bytes.extend_from_slice(&(len as u32).to_le_bytes()),
    }
    bytes.extend_from_slice(dict.as_bytes());
    bytes.resize(fixed + len - 1, b' ');
    bytes.push(b'\n');
    bytes.extend_from_slice(body);
    bytes
}

fn values(descr: &str, body: &[u8]) -> Vec<f32> {
    let size = descr[3..4].parse::<usize>().unwrap();
    let shape = format!("({},)", body.len() / size);
    let array = read_npy(&npy(descr, "False", &shape, body), "x").unwrap();
    array.into_iter().collect()
}

#[test]
fn every_number_type_and_byte_order_is_read() {
    assert_eq!(values("'<f4'", &1.5f32.to_le_bytes()), [1.5]);
    assert_eq!(values("'>f4'", &1.5f32.to_be_bytes()), [1.5]);
    assert_eq!(values("'<f8'", &(-0.1f64).to_le_bytes()), [-0.1]);
    assert_eq!(values("'>f8'", &1e300f64.to_be_bytes()), [f32::INFINITY]);
    assert_eq!(values("'|b1'", &[0, 1]), [0.0, 1.0]);
    assert_eq!(values("'|u1'", &[0, 255]), [0.0, 255.0]);
    assert_eq!(values("'|i1'", &[0x80, 127]), [-128.0, 127.0]);
    assert_eq!(values("'<i2'", &(-300i16).to_le_bytes()), [-300.0]);
    assert_eq!(values("'>i4'", &(-70_000i32).to_be_bytes()), [-70_000.0]);
    assert_eq!(values("'<i8'", &(-5i64).to_le_bytes()), [-5.0]);
    assert_eq!(values("'>u2'", &65_535u16.to_be_bytes()), [65_535.0]);
    assert_eq!(values("'<u4'", &u32::MAX.to_le_bytes()), [4_294_967_296.0]);
    assert_eq!(values("'<u8'", &u64::MAX.to_le_bytes()), [18_446_744_073_709_551_616.0]);
}

#[test]
fn halves_are_exact() {
    let halves = [0x3c00u16, 0xc000, 0x7bff, 0x0400, 0x0001, 0x8000, 0x7c00, 0x3555];
    let body: Vec<u8> = halves.iter().flat_map(|h| h.to_le_bytes()).collect();
    let expected = [1.0, -2.0, 65_504.0, 2f32.powi(-14), 2f32.powi(-24), -0.0, f32::INFINITY, 0.333_251_95];
    let read = values("'<f2'", &body);
    assert_eq!(read, expected);
    assert!(read[5].is_sign_negative());
    assert!(values("'>f2'", &[0x7e, 0])[0].is_nan());
}

#[test]
fn fortran_order_is_transposed() {
    let body: Vec<u8> = [1.0f32, 4.0, 2.0, 5.0, 3.0, 6.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let array = read_npy(&npy("'<f4'", "True", "(2, 3)", &body), "x").unwrap();
    assert_eq!(array, arr2(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).into_dyn());
    assert!(array.is_standard_layout());
}

#[test]
fn all_versions_scalars_and_empty_arrays_are_read() {
    let dict = "{\"shape\": (), 'fortran_order':False,'descr':'<f4'}";
    for version in 1..=3 {
        let array = read_npy(&with_header(version, dict, &2f32.to_le_bytes()), "x").unwrap();
        assert_eq!((array.ndim(), array.sum()), (0, 2.0));
    }
    let empty = read_npy(&npy("'<f4'", "False", "(0L, 3)", &[]), "x").unwrap();
    assert_eq!(empty.shape(), [0, 3]);
}

#[test]
fn what_is_not_numbers_is_named() {
    for (descr, name) in [
        ("'|O'", "pickled"),
        ("'<U3'", "text"),
        ("'|S5'", "text"),
        ("'<c8'", "complex"),
        ("'<M8[ns]'", "dates"),
        ("'|V8'", "records"),
        ("'<f16'", "width"),
        ("[('a', '<f4')]", "structured"),
    ] {
        let error = read_npy(&npy(descr, "False", "(1,)", &[0; 8]), "x.npy").unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        let message = error.to_string();
        assert!(message.contains(name) && message.starts_with("x.npy: "), "{message}");
    }
}

#[test]
fn broken_headers_are_refused() {
    let read = |descr, fortran, shape| read_npy(&npy(descr, fortran, shape, &[0; 4]), "x");
    for bad in [
        read("'f4'", "False", "(1,)"),
        read("'<f4'", "Maybe", "(1,)"),
        read("'<f4'", "False", "(-1,)"),
        read("'<f4'", "False", "1"),
        read("'<f4'", "False", "(1,), 'shape': (1,)"),
        read("'<f4'", "False", "(99999999999999999999999,)"),
        read("'<f4'", "False", &format!("({})", "1, ".repeat(33))),
        read_npy(&with_header(1, "{}", &[]), "x"),
        read_npy(&with_header(1, "", &[]), "x"),
    ] {
        let error = bad.unwrap_err();
        assert!(matches!(error, Error::Header { .. }), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

#[test]
fn sizes_are_checked_before_memory_is_taken() {
    let huge = read_npy(&npy("'<f4'", "False", "(4294967296, 4294967296)", &[]), "x");
    assert!(matches!(huge, Err(Error::TooLarge { .. })));
    let hidden = read_npy(&npy("'<f4'", "False", "(0, 4294967296, 4294967296)", &[]), "x");
    assert!(matches!(hidden, Err(Error::TooLarge { .. })));
    let short = read_npy(&npy("'<f4'", "False", "(1000000000000,)", &[0; 4]), "x");
    assert!(matches!(short, Err(Error::Truncated { .. })));
    let long = read_npy(&npy("'<f4'", "False", "(1,)", &[0; 5]), "x");
    assert!(matches!(long, Err(Error::Trailing { .. })));
    let mut header = with_header(2, "{}", &[]);
    header[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(read_npy(&header, "x"), Err(Error::TooLarge { .. })));
    assert!(matches!(read_npy(b"", "x"), Err(Error::Magic { .. })));
}

#[test]
fn truncations_and_mutations_never_panic() {
    let c_order = write_npy(arr2(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).into_dyn().view());
    let fortran = npy("'>i2'", "True", "(2, 3, 2)", &[7; 24]);
    for good in [c_order, fortran] {
        broken::every_truncation(&good, |bytes| assert!(read_npy(bytes, "x").is_err()));
        broken::mutations(&good, |bytes| match read_npy(bytes, "x") {
            Ok(array) => assert!(array.len() <= bytes.len()),
            Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
        });
    }
}

#[test]
fn numpy_would_read_what_is_written() {
    let bytes = write_npy(ArrayD::zeros(IxDyn(&[3])).view());
    assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00\x76\x00");
    assert_eq!(bytes.len(), 128 + 12);
    assert!(bytes[10..].starts_with(b"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }"));
    assert_eq!(bytes[127], b'\n');
}

proptest! {
    #[test]
    fn round_trip(shape in prop::collection::vec(0usize..5, 0..5), bits in any::<u32>()) {
        let count: u32 = shape.iter().product::<usize>() as u32;
        let values = (0..count).map(|i| f32::from_bits(bits.wrapping_mul(i + 1))).collect();
        let array = ArrayD::from_shape_vec(IxDyn(&shape), values).unwrap();
        for view in [array.view(), array.t()] {
            let read = read_npy(&write_npy(view.clone()), "x").unwrap();
            prop_assert_eq!(read.shape(), view.shape());
            prop_assert!(read.iter().zip(view).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
    }
}
