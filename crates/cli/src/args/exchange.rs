//! The options of `foveal export` and `foveal import`.

use super::values::{Size, size};
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
    /// The output of the graph that the model gives, where it has several
    #[arg(id = "graph_output", long = "output", value_name = "NAME")]
    pub graph_output: Option<String>,
    /// Height,width of an input that leaves them open, or one number for both
    #[arg(long, value_name = "H,W", value_parser = size)]
    pub input_size: Option<Size>,
    /// Names of the classes, in the outputs' order [default: the metadata's, or numbers after a softmax]
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    pub classes: Option<Vec<String>>,
}
