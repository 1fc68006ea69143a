//! The options of `foveal export` and `foveal import`.

use clap::Args;
use std::path::PathBuf;

/// `foveal export`
#[derive(Args, Debug)]
pub struct Export {
    /// A saved model (.safetensors) or a run folder
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// The file to write
    #[arg(value_name = "OUT.onnx")]
    pub output: PathBuf,
}

/// `foveal import`
#[derive(Args, Debug)]
pub struct Import {
    /// An ONNX file
    #[arg(value_name = "IN.onnx")]
    pub input: PathBuf,
    /// The saved model to write
    #[arg(value_name = "OUT.safetensors")]
    pub output: PathBuf,
    /// Names of the classes, in the outputs' order [default: the metadata's, or numbers after a softmax]
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    pub classes: Option<Vec<String>>,
}
