//! What stands for `ct` in a program without the feature `dicom`.

use super::folder::Walked;
use super::opened::Opened;
use super::options::ReadOptions;
use crate::built_in::lacking;
use crate::output::Context;
use crate::paths::Shown;
use anyhow::Result;
use std::path::Path;

/// Refuses a folder of slices.
pub fn open(path: &Path, _: &Walked, _: &ReadOptions, _: &Context) -> Result<Opened> {
    Err(lacking(&format!("{}: DICOM slices", path.shown()), "dicom"))
}
