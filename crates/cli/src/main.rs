#![forbid(unsafe_code)]
//! The program `foveal`.

use foveal::kernels::memory::Telling;
use std::process::ExitCode;

#[global_allocator]
static MEMORY: Telling = Telling;

fn main() -> ExitCode {
    foveal_cli::program(std::env::args_os().collect())
}
