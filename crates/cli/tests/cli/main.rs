#![forbid(unsafe_code)]
//! The built program, end to end: what it prints, what it writes, how it ends.

mod augment;
mod bounded;
mod broken_inputs;
mod ct;
mod exchange;
mod files;
mod harness;
#[cfg(unix)]
mod kills;
mod kinds;
mod lab;
mod labels;
mod meaning;
mod models;
mod names;
#[cfg(unix)]
mod nothing_lost;
mod npz_file;
mod operators;
mod own_data;
mod performance;
mod pretrained;
mod recipes;
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
