//! The options of the operators and of their explanations.

use super::values::{Four, Pair, Three, four, padding, pair, three};
use clap::{Args, Subcommand};
use foveal::nn::{Conv2dOptions, Padding, Pool2dOptions};
use std::path::PathBuf;

/// `foveal conv2d`
#[derive(Args, Debug)]
pub struct Conv2d {
    /// Input [n, h, w, c]: a .npy file, rows of numbers in a .txt or .csv file, or a list such as '[[1,2],[3,4]]'
    #[arg(value_name = "X")]
    pub x: PathBuf,
    /// Filter [h, w, c / groups, o], likewise
    #[arg(value_name = "W")]
    pub filter: PathBuf,
    /// Write the output here instead of printing it
    #[arg(short, long, value_name = "Y.npy")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub options: ConvArgs,
}

/// The options of a convolution.
#[derive(Args, Debug)]
pub struct ConvArgs {
    /// Step between windows: height,width, or one number for both
    #[arg(long, value_name = "H,W", default_value = "1,1", value_parser = pair, allow_hyphen_values = true)]
    pub strides: Pair,
    /// SAME, VALID, or cells to add: top,bottom,left,right
    #[arg(long, value_name = "SAME|VALID|T,B,L,R", default_value = "VALID", value_parser = padding, allow_hyphen_values = true)]
    pub padding: Padding,
    /// Step between the filter's cells: height,width, or one number for both
    #[arg(long, value_name = "H,W", default_value = "1,1", value_parser = pair, allow_hyphen_values = true)]
    pub dilations: Pair,
    /// Groups that the channels are split into
    #[arg(long, value_name = "N", default_value_t = 1, allow_hyphen_values = true)]
    pub groups: i64,
    /// A number to add for each filter [o]
    #[arg(long, value_name = "B.npy")]
    pub bias: Option<PathBuf>,
}

impl ConvArgs {
    /// As the operator takes them.
    pub fn options(&self) -> Conv2dOptions {
        Conv2dOptions {
            strides: self.strides.0,
            dilations: self.dilations.0,
            padding: self.padding,
            groups: self.groups,
        }
    }
}

/// `foveal max-pool`, `foveal avg-pool`
#[derive(Args, Debug)]
pub struct Pool {
    /// Input [n, h, w, c]: a .npy file, rows of numbers in a .txt or .csv file, or a list such as '[[1,2],[3,4]]'
    #[arg(value_name = "X")]
    pub x: PathBuf,
    /// Write the output here instead of printing it
    #[arg(short, long, value_name = "Y.npy")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub options: PoolArgs,
}

/// The options of a pooling.
#[derive(Args, Debug)]
pub struct PoolArgs {
    /// The window: height,width, or one number for both
    #[arg(long, value_name = "H,W", value_parser = pair, allow_hyphen_values = true)]
    pub ksize: Pair,
    /// Step between windows: height,width, or one number for both [default: the window's size]
    #[arg(long, value_name = "H,W", value_parser = pair, allow_hyphen_values = true)]
    pub strides: Option<Pair>,
    /// SAME, VALID, or cells to add: top,bottom,left,right
    #[arg(long, value_name = "SAME|VALID|T,B,L,R", default_value = "VALID", value_parser = padding, allow_hyphen_values = true)]
    pub padding: Padding,
}

impl PoolArgs {
    /// As the operator takes them.
    pub fn options(&self) -> Pool2dOptions {
        let ksize = self.ksize.0;
        Pool2dOptions { ksize, strides: self.strides.map_or(ksize, |s| s.0), padding: self.padding }
    }
}

/// `foveal explain`
#[derive(Args, Debug)]
pub struct Explain {
    /// The operator, for arrays.
    #[command(subcommand)]
    pub arrays: Option<ExplainArrays>,
    #[command(flatten)]
    pub layer: Option<ExplainLayer>,
}

/// `foveal explain MODEL INPUT`
#[derive(Args, Debug)]
pub struct ExplainLayer {
    /// A saved model (.safetensors) or a run folder
    #[arg(value_name = "MODEL", required = true)]
    pub model: PathBuf,
    /// A picture, an array, a built-in sample such as mnist:test:7
    #[arg(value_name = "INPUT", required = true)]
    pub input: String,
    /// The layer: conv2d, dense, max_pool, avg_pool, global_avg_pool, global_max_pool
    #[arg(long, value_name = "NAME", required = true)]
    pub layer: String,
    /// The cell of its output: row,column,channel, each from 0
    #[arg(long, value_name = "H,W,C", value_parser = three, required = true, allow_hyphen_values = true)]
    pub at: Three,
    /// Draw it: window, filter, products, sum
    #[arg(short, long, value_name = "OUT.png|OUT.svg")]
    pub output: Option<PathBuf>,
}

/// `foveal explain conv2d` and others
#[derive(Subcommand, Debug)]
pub enum ExplainArrays {
    /// One cell of a convolution
    #[command(after_help = "\
Example:
  foveal explain conv2d X.npy W.npy --at 0,0,0,0 --padding SAME")]
    Conv2d {
        /// Input [n, h, w, c]: a .npy file, rows of numbers in a .txt or .csv file, or a list such as '[[1,2],[3,4]]'
        #[arg(value_name = "X")]
        x: PathBuf,
        /// Filter [h, w, c / groups, o], likewise
        #[arg(value_name = "W")]
        filter: PathBuf,
        /// The output cell: image,row,column,channel, each from 0
        #[arg(long, value_name = "N,H,W,O", value_parser = four, allow_hyphen_values = true)]
        at: Four,
        /// Draw it: window, filter, products, sum
        #[arg(short, long, value_name = "OUT.png|OUT.svg")]
        output: Option<PathBuf>,
        #[command(flatten)]
        options: ConvArgs,
    },
    /// One cell of a maximum pooling
    MaxPool(ExplainPool),
    /// One cell of a mean pooling
    AvgPool(ExplainPool),
}

/// `foveal explain max-pool`, `foveal explain avg-pool`
#[derive(Args, Debug)]
pub struct ExplainPool {
    /// Input [n, h, w, c]: a .npy file, rows of numbers in a .txt or .csv file, or a list such as '[[1,2],[3,4]]'
    #[arg(value_name = "X")]
    pub x: PathBuf,
    /// The output cell: image,row,column,channel, each from 0
    #[arg(long, value_name = "N,H,W,C", value_parser = four, allow_hyphen_values = true)]
    pub at: Four,
    /// Draw it: the window and its largest number or its mean
    #[arg(short, long, value_name = "OUT.png|OUT.svg")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub options: PoolArgs,
}
