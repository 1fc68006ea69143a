//! A command of the program inside another one: what it would print goes to a listener, ^C is a flag, and arrays in
//! memory may stand in place of a file.

use crate::args::Cli;
use crate::commands;
use crate::exit::Interrupted;
use crate::output::Context;
pub use crate::surroundings::{ARRAYS, Listener, Surroundings};
use foveal::train::SavedModel;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// A trained model: of a model file, a run folder, or the one that the program brings.
///
/// # Errors
/// When it is not there or none.
pub fn model(path: &Path) -> Result<SavedModel, Failure> {
    commands::saved(path).map_err(|error| Failure::Failed(format!("{error:#}")))
}

/// How a command ended that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The command line is none; the text says why, or is the help that was asked for.
    #[error("{0}")]
    Usage(String),
    /// The work was stopped; what was done so far has been saved.
    #[error("interrupted")]
    Interrupted,
    /// It could not be done.
    #[error("{0}")]
    Failed(String),
}

/// Runs a command line without the program's name, such as `train mnist --epochs 1`, on the pool of threads that it is
/// called from.
///
/// # Errors
/// When the command line is none, the work was stopped or could not be done.
pub fn run(command_line: &[OsString], surroundings: Surroundings) -> Result<(), Failure> {
    let line: Vec<OsString> = std::iter::once("foveal".into()).chain(command_line.iter().cloned()).collect();
    let cli = Cli::read(&line).map_err(|error| Failure::Usage(error.to_string()))?;
    let context = Context::without_pool(&cli.common, Instant::now(), line);
    let context = Context { embedded: Some(Arc::new(surroundings)), ..context };
    commands::run(&cli.command, &context).map_err(|error| match error.is::<Interrupted>() {
        true => Failure::Interrupted,
        false => Failure::Failed(format!("{error:#}")),
    })
}
