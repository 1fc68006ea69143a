//! The command line: every command, option and help text.

mod data;
mod exchange;
mod operators;
#[cfg(test)]
mod remedies;
#[cfg(feature = "serve")]
mod serve;
mod train;
pub mod values;

use crate::graphics::Protocol;
use crate::language::Language;
use clap::{Args, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
pub use data::{Data, Reading, ShowData, Tables};
pub use exchange::{Export, Import, Layout, Pixels, Pixelwise};
pub use operators::{Conv2d, ConvArgs, Explain, ExplainArrays, ExplainLayer, ExplainPool, Pool};
#[cfg(feature = "serve")]
pub use serve::Serve;
use std::ffi::OsString;
use std::path::PathBuf;
pub use train::{Fit, Given, Keep, LossName, OptimizerName, Preset, Train, YesNo};

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
    /// The options of every command.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads a command line, the program's name first.
    ///
    /// # Errors
    /// What clap says about wrong usage, or the help that was asked for.
    pub fn read(command_line: &[OsString]) -> Result<Self, clap::Error> {
        let plain = command_line.iter().any(|a| a == "--no-color");
        let command = Cli::command().color(if plain { ColorChoice::Never } else { ColorChoice::Auto });
        let mut cli = Cli::from_arg_matches(&command.try_get_matches_from(command_line)?)?;
        if let Command::Train(train) = &mut cli.command {
            train.settle().map_err(|option| {
                let problem = format!("--from MODEL cannot be used with {option}; leave one of them out");
                Cli::command().error(clap::error::ErrorKind::ArgumentConflict, problem)
            })?;
        }
        Ok(cli)
    }
}

/// The options of every command.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Threads to work with; results do not depend on it [default: all cores]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Seed for everything random
    #[arg(long, global = true, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Print one JSON object on stdout (numbers that are not finite as "NaN", "inf", "-inf")
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing on stderr but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// No colours (like the environment variable NO_COLOR)
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
#[allow(clippy::large_enum_variant, reason = "there is one, and it lives as long as the program")]
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
Without -o the result goes to the terminal, with pictures if the terminal can show them. INPUT is
what predict takes.

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
  foveal summary vgg --shape 64,64,3
  foveal summary fast --plan --profile --threads 1")]
    Summary(Summary),
    /// What is in a data set, and what is wrong with it
    #[command(subcommand, arg_required_else_help = true)]
    Data(Data),
    /// The lecture "CNN Basics", step by step, every number and every figure
    #[command(after_help = "\
Examples:
  foveal lab --lang ko
  foveal lab --step 3
  foveal lab --out figures")]
    Lab(Lab),
    /// Train a model
    #[command(after_help = "\
Examples:
  foveal train mnist
  foveal train mnist --model lab-11-1 --epochs 15 --out runs/lab
  foveal train digits/ --model net.toml --lr 0.001
  foveal train mnist --preset best --out runs/best --resume
  foveal train pets/ --preset balanced
  foveal train pets/ --from scratch --image-size 64 --class-weights
  foveal train pets/ --from runs/animals --freeze all-but-head
  foveal train angles.csv --loss huber
  foveal train scans/ --labels labels.csv --window lung
  foveal train pets/ --from scratch --augment photos
  foveal train mnist --preset balanced --ensemble 3 --out runs/three
  foveal train reviews.tsv --tokens words
  foveal train pets/ --validation 0.2 --test 0.1 --group prefix
  foveal train scans/ --folds 5 --test 0

A folder holds one folder of pictures for each class, or train, val and test with class folders
in each. A .csv table has rows of path,target; a heading may name the columns, and one headed
split may hold train, val or test (--images, --path-column, --target say otherwise). Words, numbers
that count up from 0 or 1 and one-hot columns are classes; other numbers, and several columns, are
values to learn (regression). What was told is said; --task overrules it. A .npz has x_train,
y_train, x_test and y_test. A .tsv has lines of label<TAB>text in UTF-8; its first line may name the columns, of which
one headed split may hold train, val or test. A folder may hold train.tsv, val.tsv and test.tsv.

CT is a folder of DICOM slices, in class folders or with --labels. Slices are seen through --window,
in square pixels, and all slices of a patient stay in one part. Unless folders or a split column say
otherwise, a tenth of the patients is for validation and a tenth for the test, class by class and by
the seed. Not a medical device.

Parts are drawn by the seed, class by class; --group keeps together what belongs together, and equal
samples stay in one part. eval finds the test that a training drew from the same data. --folds N
judges N models on parts of the data that they have not seen: a table, folds.csv, and an ensemble.

Colour pictures with classes, of 24 pixels and more, are learnt on the network that is built in
(efficientnet-lite0, which has learnt from ImageNet's photographs), read at 224x224: by default
only its last layer is trained, on what the network says about each picture; with --preset balanced
its last blocks are trained too, with best all of it. --from scratch goes without.

Without --model otherwise: text-cnn for texts (embedding, filters over 3, 4 and 5 tokens, the
largest of each over the text, dropout); for 28x28 grey pictures the preset's own, fast, balanced or
best; for colour pictures of 16 pixels and more vgg-small, with --preset balanced or best vgg; else
stack: 3x3 convolutions with ReLU and 2x2 pooling (16, 32, 64, 64, 128 filters) until the longer
side is at most 8, a dense layer of 64, the output. The models balanced and best are trained with
augmentation (see foveal data show --help), unless --augment none.

Leaves a run folder with model.safetensors, config.toml, metrics.csv and report.html, and the last
epoch's checkpoint.safetensors, from which --resume goes on.
^C ends the training early and keeps what has been learnt.")]
    Train(Box<Train>),
    /// Score a model on the test part of a data set
    #[command(after_help = "\
Accuracy comes with its 95 % interval (Wilson) and with that of always answering the most frequent
class; AUC and average precision (AP) are of each class against the rest. --json has the points of
the curves, for up to 20 classes.

Examples:
  foveal eval runs/lab mnist
  foveal eval runs/pets holiday/ --mistakes wrong")]
    Eval(Eval),
    /// Two runs side by side: figures, recipes, and which is better on the samples that both were judged by
    #[command(after_help = "\
Which is better is told by an exact test on the samples that only one of them gets right (McNemar;
for values: on which of them one comes nearer). It needs runs that were judged by the same samples.

Example:
  foveal compare runs/lab runs/best")]
    Compare(Compare),
    /// What a model makes of pictures, arrays or texts
    #[command(after_help = "\
An INPUT is a picture (PNG, JPEG, BMP, WebP, TIFF), a DICOM slice, a folder of them, a .npy
array ([h, w], [h, w, c] or [n, h, w, c], with numbers on the scale of the training data: 0 to 255
for pictures), or a built-in sample such as mnist:test:7. For a model of texts it is a text, a
.txt file with one text on each line, or - for lines from stdin.

Examples:
  foveal predict runs/lab digit.png mnist:test:7
  foveal predict imagenet cat.jpg --top 3
  foveal predict runs/pets holiday/ --csv holiday.csv
  foveal predict runs/reviews \"Well made, if a little long.\"")]
    Predict(Predict),
    /// Write a trained model as ONNX, for other runtimes
    #[command(after_help = "\
The file takes raw pixels, bytes [n, h, w, c], as `image`; the preprocessing is inside. `--input
float` and `--layout nchw` are for programs that have pixels otherwise. It gives
the classes' probabilities [n, classes] as `probabilities`, or a regression's values as `values`.
The class names are in its metadata as `classes`, a JSON list. Operator set 17 (20 with gelu).

A model of CT takes Hounsfield units in square pixels, floats [n, h, w, c], as `hounsfield`; its
window is inside, and in the metadata as `window_center` and `window_width`. A model of texts takes
the numbers of tokens, int64 [n, 1, length], as `tokens`; the metadata say how texts are cut
(`tokens`: words, chars or ngrams) and hold the `vocabulary`, a JSON list of the tokens, each at
its number: 0 fills up, 1 stands for unknown ones.

Example:
  foveal export runs/lab lab.onnx")]
    Export(Export),
    /// Read an ONNX file of a plain convolutional network, to predict with and to train further
    #[command(after_help = "\
What foveal has no layer for is refused, each node with its operator. Weights may be in a file
beside the model, as PyTorch writes them.

Examples:
  foveal import net.onnx net.safetensors
  foveal import net.onnx net.safetensors --classes cat,dog
  foveal import net.onnx net.safetensors --input-size 224 --output logits
  foveal import resnet.onnx resnet.safetensors --preprocess imagenet --softmax --classes @classes.txt

How pixels are prepared travels with the model: to predict, serve, show, the page and export.")]
    Import(Import),
    /// The page and a prediction API on this machine
    #[cfg(feature = "serve")]
    #[command(after_help = serve::EXAMPLES)]
    Serve(Serve),
    /// Not built into this program
    #[cfg(not(feature = "serve"))]
    #[command(hide = true, disable_help_flag = true)]
    Serve {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        any: Vec<OsString>,
    },
    /// How near convolutions and training come to what this machine can do
    #[command(after_help = "\
The peak is measured in the same run: multiply-adds on registers alone. Shares are of the peak
with the same number of threads. Let the machine do nothing else meanwhile.

Example:
  foveal bench --quick")]
    Bench(Bench),
    /// Print completions for a shell
    #[command(after_help = "\
Example:
  foveal completions bash > ~/.local/share/bash-completion/completions/foveal")]
    Completions(Completions),
}

/// `foveal show`
#[derive(Args, Debug)]
pub struct Show {
    /// A saved model (.safetensors), a run folder, or imagenet, the trained network that is built in
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// A picture, a DICOM slice, an array of one sample, a built-in sample such as mnist:test:7, a text
    #[arg(value_name = "INPUT")]
    pub input: String,
    /// Show this layer only; Grad-CAM looks at its feature maps
    #[arg(long, value_name = "NAME")]
    pub layer: Option<String>,
    /// Write it as a picture or as a page that opens offline
    #[arg(short, long, value_name = "OUT.png|OUT.svg|OUT.html")]
    pub output: Option<PathBuf>,
}

/// `foveal summary`
#[derive(Args, Debug)]
pub struct Summary {
    /// A built-in model (fast, balanced, best, lab-11-1, lab-11-2, stack, vgg-small, vgg,
    /// residual, separable), a model file (.toml), a saved model or a run folder
    #[arg(value_name = "MODEL|NAME", value_parser = values::Known(values::models), hide_possible_values = true)]
    pub model: String,
    /// Print it as a model file instead, to change and to train
    #[arg(long, conflicts_with = "plan")]
    pub toml: bool,
    /// The samples' shape, for the models that fit any (stack to separable): height, width, channels
    /// [default: 32,32,3]
    #[arg(long, value_name = "H,W,C", value_parser = values::shape)]
    pub shape: Option<values::Three>,
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
    /// Measure for a few seconds only; the figures are less reliable
    #[arg(long)]
    pub quick: bool,
}

/// `foveal lab`
#[derive(Args, Debug)]
pub struct Lab {
    /// Show this step alone, from 1
    #[arg(long, value_name = "N")]
    pub step: Option<u16>,
    /// Write every figure there, as PNG
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write the lecture there as Markdown, in English (lab.md) and Korean (lab.ko.md), with its figures
    #[arg(long, value_name = "DIR")]
    pub document: Option<PathBuf>,
}

/// `foveal eval`
#[derive(Args, Debug)]
pub struct Eval {
    /// A saved model (.safetensors) or a run folder
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// `mnist`, a folder (class folders, DICOM slices, IDX files, train.tsv), a .csv table, a .npz file or a .tsv
    /// of texts
    #[arg(value_name = "DATA")]
    pub data: String,
    /// Refuse a broken picture or row instead of leaving it out
    #[arg(long)]
    pub strict: bool,
    /// The order of the axes of arrays: channels last or first [default: told by the extents]
    #[arg(long, value_name = "nhwc|nchw", value_enum, hide_possible_values = true)]
    pub layout: Option<data::AxesName>,
    /// What black and white are in arrays: bytes, unit, signed, 16-bit or other [default: told by the numbers]
    #[arg(long, value_name = "SCALE", value_parser = values::scale)]
    pub scale: Option<foveal::data::Scale>,
    /// For DICOM slices: the table of their targets, as for train
    #[arg(long, value_name = "LABELS.csv")]
    pub labels: Option<PathBuf>,
    /// Count an answer as right if the true class is among the K likeliest [default: 5 where there are more than 5]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub top_k: Option<u16>,
    /// Write what the model gets wrong there: mistakes.csv, and the surest of them as mistakes.png
    #[arg(long, value_name = "DIR")]
    pub mistakes: Option<PathBuf>,
    #[command(flatten)]
    pub tables: data::Tables,
}

/// `foveal compare`
#[derive(Args, Debug)]
pub struct Compare {
    /// A run folder
    #[arg(value_name = "RUN")]
    pub first: PathBuf,
    /// Another run folder
    #[arg(value_name = "RUN")]
    pub second: PathBuf,
}

/// `foveal predict`
#[derive(Args, Debug)]
pub struct Predict {
    /// A saved model (.safetensors), a run folder, or imagenet, the trained network that is built in
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// Pictures, DICOM slices, arrays, built-in samples; texts for a model of texts
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<String>,
    /// Show this many of the likeliest classes [default: 5; of more than 8 inputs only the likeliest, a line each]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub top: Option<u16>,
    /// Also write a table: each input, its class and the classes' probabilities or its values, and the error of those
    /// that cannot be read
    #[arg(long, value_name = "OUT.csv")]
    pub csv: Option<PathBuf>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
