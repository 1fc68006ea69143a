//! DATA on the command line: `mnist`, or a folder with IDX files.

use crate::files;
use anyhow::{Result, anyhow, bail};
use foveal::data::{Dataset, Error, Samples, Source, Targets, idx};
use foveal_mnist as mnist;
use std::fs;
use std::path::{Path, PathBuf};

/// The name of the built-in data set.
pub const MNIST: &str = "mnist";

/// Opens the data set that `data` names.
pub fn open(data: &str, threads: usize) -> Result<Source> {
    if data == MNIST {
        return built_in(threads);
    }
    let path = Path::new(data);
    if path.is_dir() {
        return folder(path);
    }
    if path.exists() {
        bail!("{data}: not a data set; name `mnist` or a folder with the four IDX files");
    }
    bail!("{data}: there is no such data set or folder; `foveal data list` says what there is")
}

/// The test part of a data set, opened only when it is asked for.
pub type Later = Box<dyn FnOnce() -> Result<Option<Dataset>>>;

/// The training part at once, the test part later: it is looked at once, when all is learnt.
pub fn open_for_training(data: &str, threads: usize) -> Result<(Dataset, Later)> {
    if data == MNIST {
        return Ok((training_digits(threads)?, Box::new(|| test_digits().map(Some))));
    }
    let Source { train, test } = open(data, threads)?;
    Ok((train, Box::new(|| Ok(test))))
}

/// A short name for run folders and results: `mnist`, or the folder's own name.
pub fn name(data: &str) -> String {
    let path = Path::new(data);
    let whole = fs::canonicalize(path).ok();
    let own = whole.as_deref().unwrap_or(path).file_name().map(|n| n.to_string_lossy().into_owned());
    if data == MNIST { MNIST.into() } else { own.unwrap_or_else(|| "data".into()) }
}

fn built_in(threads: usize) -> Result<Source> {
    Ok(Source::new(training_digits(threads)?, Some(test_digits()?))?)
}

/// The built-in test digits.
pub fn test_digits() -> Result<Dataset> {
    digits("mnist test", mnist::test_images(), mnist::test_labels())
}

/// The built-in training digits.
pub fn training_digits(threads: usize) -> Result<Dataset> {
    digits(MNIST, mnist::train_images(threads), mnist::train_labels())
}

fn digits(name: &str, pixels: Vec<u8>, labels: Vec<u8>) -> Result<Dataset> {
    let names = (0..mnist::CLASSES).map(|class| class.to_string()).collect();
    let labels = labels.into_iter().map(u32::from).collect();
    let shape = [mnist::HEIGHT, mnist::WIDTH, 1];
    Ok(Dataset::new(name, shape, Samples::U8(pixels), Targets::Classes { labels, names })?)
}

fn folder(path: &Path) -> Result<Source> {
    let missing = |what: &str| {
        anyhow!(
            "{}: there is no file {what}-ubyte (plain or .gz); a data set folder holds train-images-idx3, \
             train-labels-idx1, t10k-images-idx3 and t10k-labels-idx1",
            path.display()
        )
    };
    let images = find(path, "train-images")?.ok_or_else(|| missing("train-images-idx3"))?;
    let labels = find(path, "train-labels")?.ok_or_else(|| missing("train-labels-idx1"))?;
    let name = name(&path.display().to_string());
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
    Ok(Source::new(train, test)?)
}

/// The file in `folder` whose name begins with `start`: `.../train-images-idx3-ubyte` or `....gz`; plain first.
fn find(folder: &Path, start: &str) -> Result<Option<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|e| anyhow!("cannot read {}: {e}", folder.display()))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with(start)))
        .collect();
    found.sort();
    Ok(found.into_iter().next())
}

fn pair(images: &Path, labels: &Path, name: &str, classes: Option<&[String]>) -> Result<Dataset> {
    let (image_bytes, label_bytes) = (files::read(images)?, files::read(labels)?);
    let read = match classes {
        Some(classes) => idx::images_and_labels_named(&image_bytes, &label_bytes, name, classes),
        None => idx::images_and_labels(&image_bytes, &label_bytes, name),
    };
    read.map_err(|error| {
        // The reader knows the set's name alone; a broken file is better named by its path.
        let broken = |path: &Path, bytes: &[u8]| -> Option<Error> {
            idx::read_idx(bytes, &path.display().to_string()).err()
        };
        broken(images, &image_bytes).or_else(|| broken(labels, &label_bytes)).unwrap_or(error).into()
    })
}
