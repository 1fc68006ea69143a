/// Why a model cannot be read or asked.
///
/// The variants tell causes apart: the file ([`Error::NotWhole`], [`Error::Foreign`], [`Error::Version`],
/// [`Error::Inconsistent`]), the model ([`Error::Model`]), what was asked ([`Error::Sample`], [`Error::Token`],
/// [`Error::NoClasses`], [`Error::Digits`]).
///
/// ```
/// use foveal_infer::{Error, Predictor};
///
/// let error = Predictor::from_bytes(b"GIF89a..", "cat.safetensors").unwrap_err();
/// assert!(matches!(error, Error::NotWhole { .. }));
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model's layers do not fit, or its output is not flat.
    #[error(transparent)]
    Model(#[from] foveal_nn::Error),
    /// The bytes are not a whole `.safetensors` file.
    #[error("{file}: this is not a whole .safetensors file ({problem})")]
    NotWhole {
        /// Where the bytes come from.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// The file holds something else than a model of foveal's.
    #[error("{file}: {problem}")]
    Foreign {
        /// Where the bytes come from.
        file: String,
        /// What it lacks, and what to do.
        problem: String,
    },
    /// The file was written by a version of foveal that this one does not know.
    #[error("{file}: it is of version {found}, this foveal reads {known}")]
    Version {
        /// Where the bytes come from.
        file: String,
        /// The version of the file.
        found: u32,
        /// The version that is read.
        known: u32,
    },
    /// Parts of the file, or what a predictor is made of, contradict each other.
    #[error("{file}: {problem}")]
    Inconsistent {
        /// Where they come from.
        file: String,
        /// Which, and how.
        problem: String,
    },
    /// The numbers given are not samples of the model's shape.
    #[error(
        "predict: the model takes samples of {} numbers ([{}, {}, {}]: height, width, channels), got {found}",
        wanted.iter().product::<usize>(), wanted[0], wanted[1], wanted[2]
    )]
    Sample {
        /// Height, width and channels that the model takes.
        wanted: [usize; 3],
        /// Numbers given.
        found: usize,
    },
    /// A number that is no token of the model's vocabulary.
    #[error("predict: {value} is not the number of a token; those are whole numbers from 0 to {last}")]
    Token {
        /// The number given.
        value: f32,
        /// The last token.
        last: usize,
    },
    /// A class is asked of a model that has none.
    #[error(
        "predict: the model has no classes, its outputs are values; ask `predict` for them, or name classes"
    )]
    NoClasses,
    /// Values that are no 32-bit floats.
    #[error("predict: the model's values have more digits than 32-bit floats; ask `values` for them")]
    Digits,
    /// A slice for the outputs of another length.
    #[error("predict: the model has {wanted} outputs, the slice for them {found}")]
    Outputs {
        /// Outputs of the model.
        wanted: usize,
        /// Numbers that the slice holds.
        found: usize,
    },
}
