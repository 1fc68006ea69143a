//! One module for each command.

mod bars;
mod bench;
mod compare;
mod completions;
mod conv2d;
mod data;
mod eval;
mod exchange;
mod explain;
mod input;
mod lab;
mod model;
mod pixels;
mod plan;
mod pool;
mod predict;
#[cfg(feature = "serve")]
mod serve;
mod show;
mod summary;
mod train;

use crate::args::Command;
use crate::output::Context;
use anyhow::Result;
pub use model::saved;

/// Runs the command that was asked for.
pub fn run(command: &Command, context: &Context) -> Result<()> {
    match command {
        Command::Conv2d(args) => conv2d::run(args, context),
        Command::MaxPool(args) => pool::run(pool::Kind::Max, args, context),
        Command::AvgPool(args) => pool::run(pool::Kind::Average, args, context),
        Command::Explain(args) => explain::run(args, context),
        Command::Show(args) => show::run(args, context),
        Command::Summary(args) => summary::run(args, context),
        Command::Data(args) => data::run(args, context),
        Command::Lab(args) => lab::run(args, context),
        Command::Train(args) => train::run(args, context),
        Command::Eval(args) => eval::run(args, context),
        Command::Compare(args) => compare::run(args, context),
        Command::Predict(args) => predict::run(args, context),
        Command::Export(args) => exchange::export(args, context),
        Command::Import(args) => exchange::import(args, context),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(args, context),
        #[cfg(not(feature = "serve"))]
        Command::Serve { .. } => Err(crate::built_in::lacking("serve", "serve")),
        Command::Bench(args) => bench::run(args, context),
        Command::Completions(args) => completions::run(args),
    }
}
