#![forbid(unsafe_code)]
//! The built program, end to end: what it prints, what it writes, how it ends.

mod augment;
mod broken_inputs;
mod ct;
mod exchange;
mod files;
mod harness;
mod kinds;
mod lab;
mod meaning;
mod models;
mod npz_file;
mod operators;
mod own_data;
mod performance;
mod pretrained;
#[cfg(unix)]
mod results;
mod resume;
mod show;
mod splits;
mod streams;
#[cfg(unix)]
mod suspects;
#[cfg(unix)]
mod terminal;
mod texts;
mod training;
mod transfer;
