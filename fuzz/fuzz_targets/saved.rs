#![no_main]
//! Saved models.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(saved) = foveal::train::SavedModel::from_bytes(bytes, "x") {
        saved.to_bytes().expect("what was read is written");
    }
});
