//! Numbers in files beside the model's.

/// Files beside the model's, in which the numbers of large models are.
pub trait SideFiles {
    /// The bytes of the file `name` from `offset` on: `length` of them, or all to its end.
    ///
    /// `name` is a plain name, without any folder.
    ///
    /// # Errors
    /// Says why there are no such bytes.
    fn read(&mut self, name: &str, offset: u64, length: Option<u64>) -> Result<Vec<u8>, String>;
}

/// There are none.
pub(crate) struct NoFiles;

impl SideFiles for NoFiles {
    fn read(&mut self, _: &str, _: u64, _: Option<u64>) -> Result<Vec<u8>, String> {
        Err("the bytes of the model's file alone are given; save the model as one file (in PyTorch with \
             external_data=False)"
            .into())
    }
}

/// Whether a name is that of a file in the model's own folder, on any system.
pub(crate) fn plain(name: &str) -> bool {
    let special = |c: char| matches!(c, '/' | '\\' | ':') || c.is_control();
    !name.is_empty() && !matches!(name, "." | "..") && !name.contains(special)
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn names_lead_nowhere_else() {
        assert!(plain("net.onnx.data") && plain("가중치 1") && plain("..data") && plain("a..b"));
        for bad in ["", ".", "..", "../x", "/etc/passwd", "a/b", "a\\b", "c:x", "x\0", "\n"] {
            assert!(!plain(bad), "{bad:?}");
        }
    }
}
