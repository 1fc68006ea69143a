#![no_main]
//! Checkpoints of runs.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = foveal::train::Checkpoint::from_bytes(bytes, "x");
});
