#![forbid(unsafe_code)]
//! The program `foveal`, as a library: [`program`] is all of `main`, [`embedded`] a command inside another program.

mod args;
mod array_text;
mod commands;
pub mod embedded;
mod exit;
mod files;
mod graphics;
mod language;
mod machine;
mod onnx_file;
mod output;
mod predictions;
mod pretrained;
mod sheet;
mod source;
mod surroundings;
mod table;

use args::Cli;
use output::Context;
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Instant;

/// Runs the program with a command line, the program's name first, and says how it ended. Standard streams, ^C and
/// panics are its own from here on.
pub fn program(command_line: Vec<OsString>) -> ExitCode {
    let started = Instant::now();
    exit::tell_panics();
    let cli = match Cli::read(&command_line) {
        Ok(cli) => cli,
        Err(error) => return exit::usage(&error),
    };
    let context = match Context::new(&cli.common, started, command_line) {
        Ok(context) => context,
        Err(error) => return exit::failed(&error),
    };
    match commands::run(&cli.command, &context) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::failed(&error),
    }
}
