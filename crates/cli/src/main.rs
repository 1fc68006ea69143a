#![forbid(unsafe_code)]
//! The program `foveal`.

use std::process::ExitCode;

fn main() -> ExitCode {
    foveal_cli::program(std::env::args_os().collect())
}
