//! `foveal completions`

use crate::args::{Cli, Completions, Shell};
use anyhow::Result;
use clap::CommandFactory;
use clap_complete::{aot, generate};
use std::io::Write;

/// Prints completions for a shell.
pub fn run(args: &Completions) -> Result<()> {
    let shell = match args.shell {
        Shell::Bash => aot::Shell::Bash,
        Shell::Zsh => aot::Shell::Zsh,
        Shell::Fish => aot::Shell::Fish,
        Shell::Powershell => aot::Shell::PowerShell,
    };
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "foveal", &mut script);
    let mut out = std::io::stdout().lock();
    out.write_all(&script)?;
    Ok(out.flush()?)
}
