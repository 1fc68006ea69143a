/// What can be wrong with an ONNX file, or with a model that is to become one.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are no ONNX file, or not a whole one.
    #[error("this is not a whole .onnx file ({0})")]
    Broken(String),
    /// A sound file that foveal cannot take in; says why and what to do.
    #[error("{0}")]
    Refused(String),
    /// A node that foveal cannot take in; names it, its operator and what is supported.
    #[error("node `{node}` ({operator}): {problem}")]
    Node {
        /// The node's name, or its first output's.
        node: String,
        /// Its operator.
        operator: String,
        /// What is not supported, and what is.
        problem: String,
    },
    /// The layers do not fit each other.
    #[error(transparent)]
    Model(#[from] foveal_nn::Error),
    /// The model cannot be described.
    #[error(transparent)]
    Saved(#[from] foveal_train::Error),
}

impl Error {
    pub(crate) fn broken(problem: impl Into<String>) -> Self {
        Error::Broken(problem.into())
    }
}
