#![no_main]
//! NumPy arrays.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(array) = foveal::data::npy::read_npy(bytes, "x") {
        let again = foveal::data::npy::write_npy(array.view());
        let read = foveal::data::npy::read_npy(&again, "y").expect("what was written is read");
        assert!(array.iter().zip(read.iter()).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
});
