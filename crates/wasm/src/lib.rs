#![forbid(unsafe_code)]
//! What the page computes, with foveal's own code, and the types that TypeScript sees.
//!
//! | module | for |
//! |---|---|
//! | [`bench`] | the convolution bench: settings, results, single cells, links, code |
//!
//! Functions that JavaScript calls are thin: each hands a value on to Rust that is tested on the host. Numbers are
//! `f32` throughout; nothing here needs threads, a clock or a file.

pub mod bench;
