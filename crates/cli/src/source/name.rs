//! The names that data sets have in run folders and results.

use super::mnist::MNIST;
use std::fs;
use std::path::Path;

/// A short name for run folders and results: `mnist`, the folder's own name, or the file's without extension.
pub fn name(data: &str) -> String {
    let path = Path::new(data);
    let whole = fs::canonicalize(path).ok();
    let whole = whole.as_deref().unwrap_or(path);
    let own = if whole.is_file() { whole.file_stem() } else { whole.file_name() };
    let own = own.map(|n| n.to_string_lossy().into_owned());
    if data == MNIST { MNIST.into() } else { own.unwrap_or_else(|| "data".into()) }
}
