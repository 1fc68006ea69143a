#![no_main]
//! Archives of NumPy arrays.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(source) = foveal::data::npz::read_npz(bytes, "x", None, None) {
        assert_eq!(source.train.samples().len(), source.train.len() * source.train.sample_len());
    }
});
