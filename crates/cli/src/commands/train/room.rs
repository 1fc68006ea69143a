//! Whether there is memory for a training, asked before it begins.

use crate::machine;
use crate::output::bytes;
use anyhow::{Result, bail};
use foveal::nn::Model;
use foveal::train::{Preprocess, Recipe, memory_needed};

/// Refuses a training that needs more memory than is free, and says which batches would fit.
pub fn check(model: &Model, preprocess: &Preprocess, recipe: &Recipe) -> Result<()> {
    let Some(free) = machine::free_memory() else { return Ok(()) };
    let needed = memory_needed(model, preprocess, recipe)? as u64;
    if needed <= free {
        return Ok(());
    }
    let mut fitting = None;
    let mut batch_size = recipe.batch_size / 2;
    while batch_size > 0 && fitting.is_none() {
        let smaller = memory_needed(model, preprocess, &Recipe { batch_size, ..recipe.clone() })? as u64;
        fitting = (smaller <= free).then_some((batch_size, smaller));
        batch_size /= 2;
    }
    let remedy = match fitting {
        Some((batch_size, smaller)) => format!("--batch-size {batch_size} needs {}", bytes(smaller)),
        None => "a single picture is too much: use smaller ones (--image-size) or a smaller model".to_owned(),
    };
    bail!(
        "training in batches of {} needs {} of memory, of which {} are free; {remedy}",
        recipe.batch_size,
        bytes(needed),
        bytes(free)
    )
}
