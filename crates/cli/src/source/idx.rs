//! Folders of IDX files, as MNIST is distributed.

use super::name::name;
use crate::files::{self, What};
use crate::paths::Shown;
use anyhow::{Result, anyhow};
use foveal::data::{Dataset, Error, TrainTest, idx};
use std::fs;
use std::path::{Path, PathBuf};

/// Whether a folder holds one of the four IDX files.
pub fn is_in(path: &Path) -> Result<bool> {
    for start in ["train-images", "train-labels", "t10k-images", "t10k-labels"] {
        if find(path, start)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads the files of a folder; the test part may be missing.
pub fn open(path: &Path) -> Result<TrainTest> {
    let missing = |what: &str| {
        anyhow!(
            "{}: there is no file {what}-ubyte (plain or .gz); a data set folder holds train-images-idx3, \
             train-labels-idx1, t10k-images-idx3 and t10k-labels-idx1",
            path.shown()
        )
    };
    let images = find(path, "train-images")?.ok_or_else(|| missing("train-images-idx3"))?;
    let labels = find(path, "train-labels")?.ok_or_else(|| missing("train-labels-idx1"))?;
    let name = name(&path.shown());
    let train = pair(&images, &labels, &name, None)?;
    let images = find(path, "t10k-images")?;
    let labels = find(path, "t10k-labels")?;
    let test = match (images, labels) {
        (None, None) => None,
        (None, _) => return Err(missing("t10k-images-idx3")),
        (_, None) => return Err(missing("t10k-labels-idx1")),
        (Some(images), Some(labels)) => {
            Some(pair(&images, &labels, &format!("{name} test"), train.classes())?)
        }
    };
    Ok(TrainTest::new(train, test)?)
}

/// The file in `folder` whose name begins with `start`, such as `train-images-idx3-ubyte` or
/// `train-images-idx3-ubyte.gz`. Where both are, the plain one.
fn find(folder: &Path, start: &str) -> Result<Option<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|e| anyhow!("cannot read {}: {e}", folder.shown()))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with(start)))
        .collect();
    found.sort();
    Ok(found.into_iter().next())
}

fn pair(images: &Path, labels: &Path, name: &str, classes: Option<&[String]>) -> Result<Dataset> {
    let (image_bytes, label_bytes) = (files::read(images, What::Idx)?, files::read(labels, What::Idx)?);
    let read = match classes {
        Some(classes) => idx::images_and_labels_named(&image_bytes, &label_bytes, name, classes),
        None => idx::images_and_labels(&image_bytes, &label_bytes, name),
    };
    read.map_err(|error| {
        // The error names the data set; if one of the files is broken, its path says more.
        let broken =
            |path: &Path, bytes: &[u8]| -> Option<Error> { idx::read_idx(bytes, &path.shown()).err() };
        broken(images, &image_bytes).or_else(|| broken(labels, &label_bytes)).unwrap_or(error).into()
    })
}
