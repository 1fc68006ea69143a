#![forbid(unsafe_code)]
//! The program `foveal`.

mod args;
mod array_text;
mod commands;
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
mod table;
mod values;

use args::Cli;
use clap::{ColorChoice, CommandFactory, FromArgMatches};
use output::Context;
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let started = Instant::now();
    exit::tell_panics();
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
