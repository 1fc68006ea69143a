//! One module for each command.

mod completions;
mod conv2d;
mod data;
mod explain;
mod lab;
mod model;
mod pool;
mod summary;

use crate::args::Command;
use crate::output::Context;
use anyhow::Result;

/// Does what was asked for.
pub fn run(command: &Command, context: &Context) -> Result<()> {
    match command {
        Command::Conv2d(args) => conv2d::run(args, context),
        Command::MaxPool(args) => pool::run(pool::Kind::Max, args, context),
        Command::AvgPool(args) => pool::run(pool::Kind::Average, args, context),
        Command::Explain(args) => explain::run(args, context),
        Command::Summary(args) => summary::run(args, context),
        Command::Data(args) => data::run(args, context),
        Command::Lab(args) => lab::run(args, context),
        Command::Train(_) | Command::Eval(_) | Command::Predict(_) => anyhow::bail!("not yet"),
        Command::Completions(args) => completions::run(args),
    }
}
