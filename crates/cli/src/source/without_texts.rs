//! What stands for `texts` in a program without the feature `text`.

use super::opened::Opened;
use super::options::ReadOptions;
use crate::built_in::lacking;
use crate::output::Context;
use crate::paths::Shown;
use anyhow::Result;
use std::path::Path;

/// A folder that holds this file is a data set of texts.
pub const TRAIN: &str = "train.tsv";

/// Refuses a file of texts.
pub fn from_file(path: &Path, _: &ReadOptions, _: &Context) -> Result<Opened> {
    Err(lacking(&format!("{}: texts", path.shown()), "text"))
}
pub use from_file as from_table;
pub use from_file as from_folder;
