//! What a program that was built with fewer features says of what it lacks.

use anyhow::{Error, anyhow};

/// The error for `what` the user asked for and this program was built without.
#[allow(dead_code, reason = "a program with all features lacks nothing")]
pub fn lacking(what: &str, feature: &str) -> Error {
    anyhow!(
        "{what}: this program was built without the feature `{feature}`; build it with that \
         (cargo build --release --features {feature})"
    )
}
