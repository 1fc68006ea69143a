//! The operators, as Python calls them: `foveal.ops`.

mod conv;
mod dense;
mod pool;

use pyo3::prelude::*;

/// Adds them to the module.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    conv::add_to(module)?;
    pool::add_to(module)?;
    dense::add_to(module)
}
