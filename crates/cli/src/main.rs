#![forbid(unsafe_code)]
//! The program `foveal`.

mod args;
mod array_text;
mod commands;
mod exit;
mod files;
mod graphics;
mod interrupt;
mod language;
mod machine;
mod onnx_file;
mod output;
mod parts;
mod predictions;
mod pretrained;
mod sheet;
mod source;
mod table;
mod values;

use args::Cli;
use clap::{ColorChoice, CommandFactory, FromArgMatches};
use foveal::kernels::memory::Telling;
use output::Context;
use std::process::ExitCode;
use std::time::Instant;

#[global_allocator]
static MEMORY: Telling = Telling;

/// The stack that the program runs on, taken at once: one that grows could meet the end of memory, which nothing can
/// tell.
const STACK: usize = 8 << 20;

fn main() -> ExitCode {
    let started = Instant::now();
    exit::tell_panics();
    exit::tell_out_of_memory();
    interrupt::survive_limits();
    let main = std::thread::Builder::new().stack_size(STACK).spawn(move || run(started));
    match main.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        // A panic has been told.
        Ok(Err(_)) => ExitCode::FAILURE,
        Err(_) => exit::failed(&anyhow::anyhow!("{}", exit::NO_THREAD)),
    }
}

fn run(started: Instant) -> ExitCode {
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => return exit::usage(&error),
    };
    let context = match Context::new(&cli.common, started) {
        Ok(context) => context,
        Err(error) => return exit::failed(&error),
    };
    match commands::run(&cli.command, &context) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::failed(&error),
    }
}

fn parse() -> Result<Cli, clap::Error> {
    let plain = std::env::args_os().any(|a| a == "--no-color");
    let command = Cli::command().color(if plain { ColorChoice::Never } else { ColorChoice::Auto });
    let mut cli = Cli::from_arg_matches(&command.try_get_matches()?)?;
    if let args::Command::Train(train) = &mut cli.command {
        train.settle().map_err(|option| {
            let problem = format!("--from MODEL cannot be used with {option}; leave one of them out");
            Cli::command().error(clap::error::ErrorKind::ArgumentConflict, problem)
        })?;
    }
    Ok(cli)
}
