#![forbid(unsafe_code)]
// Without slices or texts nothing makes what describes them.
#![cfg_attr(not(all(feature = "dicom", feature = "text")), allow(dead_code))]
//! The program `foveal`, as a library: [`program`] is all of `main`, [`embedded`] a command inside another program.

mod args;
mod array_text;
mod built_in;
mod commands;
pub mod embedded;
mod exit;
mod files;
mod graphics;
mod interrupt;
mod language;
mod machine;
mod onnx_file;
mod output;
mod parts;
mod paths;
mod predictions;
mod pretrained;
mod sheet;
mod source;
mod surroundings;
mod table;
mod values;

use args::Cli;
use output::Context;
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Instant;

/// The stack that the program runs on, taken at once: one that grows could meet the end of memory, which nothing can
/// tell.
const STACK: usize = 8 << 20;

/// Runs the program with a command line, the program's name first, and says how it ended. Standard streams, ^C and
/// panics are its own from here on.
pub fn program(command_line: Vec<OsString>) -> ExitCode {
    let started = Instant::now();
    exit::tell_panics();
    exit::tell_out_of_memory();
    interrupt::survive_limits();
    interrupt::listen();
    let main = std::thread::Builder::new().stack_size(STACK).spawn(move || run(started, command_line));
    match main.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        // A panic has been told.
        Ok(Err(_)) => ExitCode::FAILURE,
        Err(_) => exit::failed(&anyhow::anyhow!("{}", exit::NO_THREAD)),
    }
}

fn run(started: Instant, command_line: Vec<OsString>) -> ExitCode {
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
