#![forbid(unsafe_code)]
//! The compiled half of the Python package `foveal`: `python/foveal` holds the other, and `python/tests` the tests.
//! Without the feature `extension` it is empty, so that the workspace builds where there is no Python.
//!
//! | module | holds |
//! |---|---|
//! | `arrays` | NumPy arrays in and out: what is odd is converted or refused in one line |
//! | `arguments` | strides, windows and padding as people write them |
//! | `work` | where the arithmetic runs: workers that belong to one process, the GIL |
//! | `ops` | the operators |
//! | `model` | models: what they say, what is in them |
//! | `trainer` | one training step at a time, for TensorFlow 1's sessions |
//! | `command` | commands of the program, training among them |

#[cfg(feature = "extension")]
mod arguments;
#[cfg(feature = "extension")]
mod arrays;
#[cfg(feature = "extension")]
mod command;
#[cfg(feature = "extension")]
mod model;
#[cfg(feature = "extension")]
mod ops;
#[cfg(feature = "extension")]
mod trainer;
#[cfg(feature = "extension")]
mod work;

#[cfg(feature = "extension")]
use pyo3::prelude::*;

/// The module `foveal._foveal`.
#[cfg(feature = "extension")]
#[pymodule]
fn _foveal(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    command::add_to(module)?;
    model::add_to(module)?;
    trainer::add_to(module)?;
    ops::add_to(module)
}
