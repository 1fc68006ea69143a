#![forbid(unsafe_code)]
//! Part of foveal.
