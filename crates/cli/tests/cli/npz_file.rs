//! `.npz` files with arrays of any number type.

use crate::harness::Bench;
use std::io::Write as _;
use zip::write::SimpleFileOptions;

/// Writes `.npz` files, with arrays of any number type.
pub fn npz(bench: &Bench, name: &str, arrays: &[(&str, &str, Vec<usize>, Vec<u8>)]) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(bench.path(name)).unwrap());
    for (array, kind, shape, bytes) in arrays {
        let sides: Vec<String> = shape.iter().map(usize::to_string).collect();
        let mut dict =
            format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({},), }}", sides.join(", "));
        dict.push_str(&" ".repeat(117 - dict.len()));
        zip.start_file(format!("{array}.npy"), SimpleFileOptions::default()).unwrap();
        zip.write_all(b"\x93NUMPY\x01\0\x76\0").unwrap();
        zip.write_all(dict.as_bytes()).unwrap();
        zip.write_all(b"\n").unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

pub fn floats(values: impl Iterator<Item = f32>) -> Vec<u8> {
    values.flat_map(f32::to_le_bytes).collect()
}
