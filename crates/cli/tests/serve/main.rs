#![forbid(unsafe_code)]
//! `foveal serve`, from outside: what it answers, how much load it stands, how it ends.
#![cfg(unix)]

mod answers;
mod bears;
mod client;
mod clients;
mod ends;
#[path = "../cli/harness.rs"]
#[allow(dead_code)]
mod harness;
mod hostile;
mod kinds;
#[path = "../cli/npz_file.rs"]
mod npz_file;
mod pictures;
mod program;
mod same;
