#![no_main]
//! Slices of CT.

use foveal::data::{Window, dicom};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(slice) = dicom::read(bytes, "x") {
        assert!(dicom::header(bytes, "x").is_ok());
        assert_eq!(slice.sample([8, 9], &Window::SOFT).map(|sample| sample.len()), Ok(72));
    }
});
