#![no_main]
//! IDX arrays, plain and gzipped.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(read) = foveal::data::idx::read_idx(bytes, "x") {
        assert_eq!(read.values.len(), read.shape.iter().product::<usize>());
    }
});
