//! The command line: every command, option and help text.

pub use crate::data_args::{Learning, LossName, Reading};
use crate::graphics::Protocol;
use crate::language::Language;
use clap::{Args, Parser, Subcommand, ValueEnum};
use foveal::nn::{Conv2dOptions, Padding, Pool2dOptions};
use std::path::PathBuf;

/// See, train and ship convolutional networks, with TensorFlow's exact operators, on this machine alone.
#[derive(Parser, Debug)]
#[command(name = "foveal", version, propagate_version = true, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  foveal lab                            the lecture, step by step
  foveal train mnist                    99 % on handwritten digits
  foveal explain conv2d X.npy W.npy --at 0,0,0,0

Results go to stdout, everything else to stderr.
Exit status: 0 done; 1 could not be done, with one `error:` line; 2 wrong usage; 130 interrupted.")]
pub struct Cli {
    /// What every command understands.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command understands.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Threads to work with; results do not depend on it [default: all cores]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Seed of everything random
    #[arg(long, global = true, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Print one JSON object on stdout (numbers that are not finite as "NaN", "inf", "-inf")
    #[arg(long, global = true)]
    pub json: bool,
    /// Say nothing on stderr but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// No colours (as the environment variable NO_COLOR)
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Pictures on the terminal: auto, kitty, iterm, sixel, blocks or none [default: auto]
    #[arg(
        long,
        global = true,
        value_name = "HOW",
        value_enum,
        default_value = "auto",
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub graphics: Protocol,
    /// Language of results [default: from LC_ALL, LC_MESSAGES, LANG]
    #[arg(long, global = true, value_name = "en|ko", value_enum, hide_possible_values = true)]
    pub lang: Option<Language>,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Two-dimensional convolution (cross-correlation), as tf.nn.conv2d
    #[command(after_help = "\
Example:
  foveal conv2d X.npy W.npy --padding SAME --strides 2,2 -o Y.npy")]
    Conv2d(Conv2d),
    /// The largest number of each window, as tf.nn.max_pool
    #[command(after_help = "\
Padding counts as minus infinity, never as 0.

Example:
  foveal max-pool X.npy --ksize 2,2 --padding SAME")]
    MaxPool(Pool),
    /// The mean of each window, as tf.nn.avg_pool
    #[command(after_help = "\
Padding does not count: the mean is over the cells inside the image.

Example:
  foveal avg-pool X.npy --ksize 2,2")]
    AvgPool(Pool),
    /// The arithmetic of one output cell, term by term
    #[command(
        arg_required_else_help = true,
        args_conflicts_with_subcommands = true,
        subcommand_negates_reqs = true,
        after_help = "\
Examples:
  foveal explain conv2d X.npy W.npy --at 0,0,0,0
  foveal explain runs/lab mnist:test:7 --layer conv2d_2 --at 5,5,0 -o cell.png"
    )]
    Explain(Explain),
    /// What a model makes of one input: feature maps, filters, probabilities, Grad-CAM
    #[command(after_help = "\
Without -o it is shown on the terminal, with pictures where the terminal can. An INPUT is as that of predict.

Examples:
  foveal show runs/lab mnist:test:7
  foveal show runs/lab digit.png -o digit.html
  foveal show runs/lab mnist:test:7 --layer conv2d_2 -o maps.svg")]
    Show(Show),
    /// Layers, shapes, parameters and operations of a model
    #[command(after_help = "\
Examples:
  foveal summary lab-11-1
  foveal summary net.toml --plan
  foveal summary fast --plan --profile --threads 1")]
    Summary(Summary),
    /// What is in a data set, and what is wrong with it
    #[command(subcommand, arg_required_else_help = true)]
    Data(Data),
    /// The lecture "CNN Basics", step by step, every number and every figure
    #[command(after_help = "\
Examples:
  foveal lab --lang ko
  foveal lab --out figures")]
    Lab(Lab),
    /// Train a model
    #[command(after_help = "\
Examples:
  foveal train mnist
  foveal train mnist --model lab-11-1 --epochs 15 --out runs/lab
  foveal train pets/ --image-size 64 --class-weights
  foveal train angles.csv --loss huber

A folder holds one folder of pictures for each class, or train, val and test with class folders in each.
A .csv table has rows of path,target (paths from its own folder; a column headed split may hold train,
val or test). Words and whole numbers are classes; numbers of which one is not whole, and several
columns, are values to learn (regression); --task decides otherwise. A .npz file has x_train, y_train,
x_test and y_test.

Without --model: fast for 28x28 grey pictures, else stack: 3x3 convolutions with ReLU and 2x2 pooling
(16, 32, 64, 64, 128 filters) until the longer side is at most 8, a dense layer of 64, the output.

Leaves a run folder with model.safetensors, config.toml, metrics.csv and report.html.
^C ends the training early and keeps what has been learnt.")]
    Train(Train),
    /// How well a model does on the test part of a data set
    #[command(after_help = "\
Example:
  foveal eval runs/lab mnist")]
    Eval(Eval),
    /// What a model makes of pictures or arrays
    #[command(after_help = "\
An INPUT is a picture (PNG, JPEG, BMP, WebP, TIFF), a folder of them, a .npy array ([h, w], [h, w, c] or [n, h, w, c], with numbers on the
scale of the training data: 0 to 255 for pictures), or a built-in sample such as mnist:test:7.

Example:
  foveal predict runs/lab digit.png mnist:test:7")]
    Predict(Predict),
    /// How near convolutions and training come to what this machine can do
    #[command(after_help = "\
The peak is measured in the same run: multiply-adds that touch nothing but registers. Shares
are of the peak of as many threads. Let the machine do nothing else meanwhile.

Example:
  foveal bench --quick")]
    Bench(Bench),
    /// Print completions for a shell
    #[command(after_help = "\
Example:
  foveal completions bash > ~/.local/share/bash-completion/completions/foveal")]
    Completions(Completions),
}

/// `foveal conv2d`
#[derive(Args, Debug)]
pub struct Conv2d {
    /// Input [n, h, w, c]
    #[arg(value_name = "X.npy")]
    pub x: PathBuf,
    /// Filter [h, w, c / groups, o]
    #[arg(value_name = "W.npy")]
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
    /// Input [n, h, w, c]
    #[arg(value_name = "X.npy")]
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
    /// Of arrays.
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
    /// The layer: conv2d, dense, max_pool, avg_pool, global_avg_pool
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
        /// Input [n, h, w, c]
        #[arg(value_name = "X.npy")]
        x: PathBuf,
        /// Filter [h, w, c / groups, o]
        #[arg(value_name = "W.npy")]
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
    /// Input [n, h, w, c]
    #[arg(value_name = "X.npy")]
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

/// `foveal show`
#[derive(Args, Debug)]
pub struct Show {
    /// A saved model (.safetensors) or a run folder
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// A picture, an array of one sample, a built-in sample such as mnist:test:7
    #[arg(value_name = "INPUT")]
    pub input: String,
    /// This layer alone; Grad-CAM looks at its feature maps
    #[arg(long, value_name = "NAME")]
    pub layer: Option<String>,
    /// Write it as a picture or as a page that opens offline
    #[arg(short, long, value_name = "OUT.png|OUT.svg|OUT.html")]
    pub output: Option<PathBuf>,
}

/// `foveal summary`
#[derive(Args, Debug)]
pub struct Summary {
    /// A built-in model (fast, lab-11-1, lab-11-2), a model file (.toml), a saved model or a run folder
    #[arg(value_name = "MODEL|NAME")]
    pub model: String,
    /// Show what the engine makes of it instead: steps, kernels, memory, operations
    #[arg(long)]
    pub plan: bool,
    /// The plan for predicting, not for training
    #[arg(long, requires = "plan")]
    pub inference: bool,
    /// Images in a batch of the plan [default: 128]
    #[arg(long, value_name = "N", requires = "plan", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub batch_size: Option<u32>,
    /// Run the plan on random images and time each step
    #[arg(long, requires = "plan")]
    pub profile: bool,
}

/// `foveal bench`
#[derive(Args, Debug)]
pub struct Bench {
    /// A few seconds, and figures that are worth less
    #[arg(long)]
    pub quick: bool,
}

/// `foveal data`
#[derive(Subcommand, Debug)]
pub enum Data {
    /// The data sets that foveal brings, and the kinds it reads
    List,
    /// Counts, statistics and what deserves a look
    #[command(after_help = "\
Examples:
  foveal data check mnist
  foveal data check pets/
  foveal data check angles.csv

Between training, validation and test parts, samples that are the same are counted, and of pictures
those that are nearly so: the same one saved again, scaled or brightened.")]
    Check {
        /// `mnist`, a folder (class folders or IDX files), a .csv table or a .npz file
        #[arg(value_name = "DATA")]
        data: String,
        #[command(flatten)]
        reading: Reading,
    },
}

/// `foveal lab`
#[derive(Args, Debug)]
pub struct Lab {
    /// Write every figure there, as PNG
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write the lecture there as Markdown, in English (lab.md) and Korean (lab.ko.md), with its figures
    #[arg(long, value_name = "DIR")]
    pub document: Option<PathBuf>,
}

/// How much time to spend.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// As soon as can be
    Fast,
    /// A few minutes
    Balanced,
    /// As good as can be
    Best,
}

/// `foveal train`
#[derive(Args, Debug, Clone)]
pub struct Train {
    /// `mnist`, a folder (class folders or IDX files), a .csv table or a .npz file
    #[arg(value_name = "DATA")]
    pub data: String,
    /// A built-in model or a model file [default: fast for 28x28 grey, else stack]
    #[arg(long, value_name = "NAME|FILE.toml")]
    pub model: Option<String>,
    /// How much time to spend
    #[arg(long, value_enum, default_value = "fast")]
    pub preset: Preset,
    /// Times to go through the training data [default: the preset's; more for small sets, up to 1000 steps]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub epochs: Option<u32>,
    /// Samples a step [default: the preset's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub batch_size: Option<u32>,
    /// Learning rate [default: the preset's]
    #[arg(long, value_name = "X", value_parser = positive)]
    pub lr: Option<f32>,
    /// The run folder [default: runs/<data>-<time>]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Training samples set aside to guide the training; 0 trains on all [default: 5000 of mnist, a tenth
    /// of others]
    #[arg(long, value_name = "N")]
    pub validation: Option<usize>,
    /// Write no report.html
    #[arg(long)]
    pub no_report: bool,
    /// Also write an event file that TensorBoard reads, as the training goes
    #[arg(long)]
    pub tensorboard: bool,
    #[command(flatten)]
    pub learning: Learning,
    #[command(flatten)]
    pub reading: Reading,
}

impl Train {
    /// The model's name.
    pub fn model(&self) -> &str {
        self.model.as_deref().unwrap_or("fast")
    }
}

/// `foveal eval`
#[derive(Args, Debug)]
pub struct Eval {
    /// A saved model (.safetensors) or a run folder
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// `mnist`, a folder (class folders or IDX files), a .csv table or a .npz file
    #[arg(value_name = "DATA")]
    pub data: String,
    /// Refuse a broken picture instead of skipping it
    #[arg(long)]
    pub strict: bool,
}

/// `foveal predict`
#[derive(Args, Debug)]
pub struct Predict {
    /// A saved model (.safetensors) or a run folder
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// Pictures, arrays, built-in samples
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<String>,
}

/// `foveal completions`
#[derive(Args, Debug)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// A shell with completions.
#[derive(ValueEnum, Debug, Clone, Copy)]
pub enum Shell {
    /// GNU bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
    /// PowerShell
    Powershell,
}

/// Height and width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair(pub [i64; 2]);

impl std::fmt::Display for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{},{}", self.0[0], self.0[1])
    }
}

/// A cell `[n, h, w, c]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Four(pub [i64; 4]);

/// A cell `[h, w, c]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Three(pub [i64; 3]);

fn numbers(text: &str) -> Result<Vec<i64>, String> {
    let one = |part: &str| part.trim().parse().map_err(|_| format!("`{}` is no whole number", part.trim()));
    text.split(',').map(one).collect()
}

pub(crate) fn pair(text: &str) -> Result<Pair, String> {
    match numbers(text)?[..] {
        [both] => Ok(Pair([both, both])),
        [height, width] => Ok(Pair([height, width])),
        _ => Err("it must be one number or two: height,width".into()),
    }
}

fn four(text: &str) -> Result<Four, String> {
    match numbers(text)?[..] {
        [n, h, w, c] => Ok(Four([n, h, w, c])),
        _ => Err("it must be four numbers: image,row,column,channel".into()),
    }
}

fn three(text: &str) -> Result<Three, String> {
    match numbers(text)?[..] {
        [h, w, c] => Ok(Three([h, w, c])),
        _ => Err("it must be three numbers: row,column,channel".into()),
    }
}

fn padding(text: &str) -> Result<Padding, String> {
    const WORDS: &str = "it must be SAME, VALID or four numbers: top,bottom,left,right";
    match text.to_ascii_uppercase().as_str() {
        "SAME" => Ok(Padding::Same),
        "VALID" => Ok(Padding::Valid),
        _ => match numbers(text).map_err(|_| WORDS.to_owned())?[..] {
            [top, bottom, left, right] => Ok(Padding::Explicit([top, bottom, left, right])),
            _ => Err(WORDS.into()),
        },
    }
}

fn positive(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(v) if v > 0.0 && v.is_finite() => Ok(v),
        _ => Err("it must be a number above 0".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn numbers_of_any_size_reach_the_geometry() {
        assert_eq!(pair("2"), Ok(Pair([2, 2])));
        assert_eq!(pair("0,-1"), Ok(Pair([0, -1])));
        assert_eq!(padding("4611686018427387904,0,0,0"), Ok(Padding::Explicit([1 << 62, 0, 0, 0])));
        assert_eq!(padding("same"), Ok(Padding::Same));
        assert!(pair("1,2,3").is_err() && four("1,2,3").is_err() && padding("FULL").is_err());
    }
}
