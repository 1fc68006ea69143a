#![forbid(unsafe_code)]
//! Writes the pixels of the 10,000 test images to stdout, for programs in other languages.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(&foveal_mnist::test_images())
}
