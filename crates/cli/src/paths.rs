//! How paths are written.

use std::path::Path;

/// A path for a person: names joined by slashes on every system, as in all that foveal documents and writes; Windows
/// opens such a path too.
pub trait Shown {
    /// The path as text.
    fn shown(&self) -> String;
}

impl Shown for Path {
    fn shown(&self) -> String {
        let text = self.display().to_string();
        if cfg!(windows) { text.replace('\\', "/") } else { text }
    }
}
