#![no_main]
//! CSV tables.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(table) = foveal::data::table::read_csv(bytes, "x", None, None) {
        assert_eq!(table.paths.len(), table.parts.len());
    }
});
