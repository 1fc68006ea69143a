#![forbid(unsafe_code)]
//! The program `foveal`.
fn main() {}
