#![forbid(unsafe_code)]
//! What the page computes, with foveal's own code, and the types that TypeScript sees.
//!
//! | module | for |
//! |---|---|
//! | [`mod@bench`] | the convolution bench: settings, results, single cells, links, code |
//! | [`network`] | the network view: a model, a picture, every number in between |
//! | [`training`] | training in the page, a step at a time |
//!
//! Functions that JavaScript calls are thin: each hands a value on to Rust that is tested on the host. Numbers are
//! `f32` throughout; nothing here needs threads, a clock or a file.

pub mod bench;
pub mod network;
pub mod training;
