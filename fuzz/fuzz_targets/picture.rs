#![no_main]
//! Pictures of every format, fitted to an input.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(small) = foveal::data::stack::small(bytes, "x", [8, 9]) {
        assert_eq!(small.pixels().len(), 72 * small.channels());
    }
});
