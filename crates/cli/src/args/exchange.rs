//! The options of `foveal export` and `foveal import`.

use super::values::{Numbers, Size, decimals, positive, size};
use clap::{Args, ValueEnum};
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
    /// What pixels go in as: bytes, 0 to 255, or 32-bit floats
    #[arg(
        long,
        value_enum,
        value_name = "bytes|float",
        hide_possible_values = true,
        default_value = "bytes"
    )]
    pub input: Pixels,
    /// The order of the input's axes: channels last or first
    #[arg(long, value_enum, value_name = "nhwc|nchw", hide_possible_values = true, default_value = "nhwc")]
    pub layout: Layout,
}

/// What pixels go into an exported file as.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    Bytes,
    Float,
}

/// The order of an exported file's axes.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    Nhwc,
    Nchw,
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
    /// Names of the classes, in the outputs' order, or a file with one on each line [default: the metadata's, or
    /// numbers after a softmax]
    #[arg(long, value_name = "NAME,NAME|@FILE", value_delimiter = ',')]
    pub classes: Option<Vec<String>>,
    /// The outputs are logits of classes: probabilities are their softmax
    #[arg(long)]
    pub softmax: bool,
    /// What the graph wants pixels of 0 to 255 as: imagenet (0 to 1, less ImageNet's mean, by its deviation), unit
    /// (0 to 1), signed (-1 to 1), raw (as they are)
    #[arg(long, value_name = "HOW", value_enum, hide_possible_values = true, conflicts_with_all = ["mean", "std", "scale"])]
    pub preprocess: Option<Pixelwise>,
    /// What pixels are multiplied with first [default: 1/255 with --mean or --std]
    #[arg(long, value_name = "X", value_parser = positive)]
    pub scale: Option<f32>,
    /// What is then taken away: one number, or one for each channel in the graph's order
    #[arg(long, value_name = "X,X,X", value_parser = decimals, allow_hyphen_values = true)]
    pub mean: Option<Numbers>,
    /// What it is then divided by
    #[arg(long, value_name = "X,X,X", value_parser = decimals)]
    pub std: Option<Numbers>,
    /// The graph takes blue, green, red, as OpenCV and Caffe do
    #[arg(long)]
    pub bgr: bool,
}

/// A usual way to prepare pixels of 0 to 255.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixelwise {
    Imagenet,
    Unit,
    Signed,
    Raw,
}
