//! MODEL on the command line: a built-in model's name, or a model file.

use crate::files;
use anyhow::{Context as _, Result, bail};
use foveal::nn::{ModelSpec, builtin};
use std::path::Path;

/// The model that `name` names.
pub fn spec(name: &str) -> Result<ModelSpec> {
    if let Some(spec) = builtin::spec(name) {
        return Ok(spec);
    }
    let path = Path::new(name);
    if !path.exists() && path.extension().is_none() {
        let names: Vec<&str> = builtin::ALL.iter().map(|b| b.name).collect();
        bail!(
            "no built-in model is called `{name}` and there is no such file; built in are {}",
            names.join(", ")
        );
    }
    let text = files::read_text(path)?;
    ModelSpec::from_toml(&text).with_context(|| name.to_owned())
}
