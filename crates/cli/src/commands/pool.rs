//! `foveal max-pool` and `foveal avg-pool`

use super::conv2d::show;
use crate::args::Pool;
use crate::files;
use crate::output::Context;
use anyhow::Result;
use foveal::nn::ops;

/// What is taken of each window.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Its largest number.
    Max,
    /// Its mean.
    Average,
}

/// Pools.
pub fn run(kind: Kind, args: &Pool, context: &Context) -> Result<()> {
    let name = match kind {
        Kind::Max => "max_pool",
        Kind::Average => "avg_pool",
    };
    let x = files::read_array4(&args.x, name, "an input [n, h, w, c]")?;
    let options = args.options.options();
    let y = match kind {
        Kind::Max => ops::max_pool(x.view(), &options)?,
        Kind::Average => ops::avg_pool(x.view(), &options)?,
    };
    show(&y, args.output.as_deref(), context)
}
