use foveal_kernels::GeometryError;

/// What can be wrong with an operator's arguments, a model or a training run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An operator's arguments do not fit; names the operator, the argument and the shapes.
    #[error(transparent)]
    Geometry(#[from] GeometryError),
    /// A layer of a model does not fit; names the layer, its line in the model file and the shapes.
    #[error("{place}layer `{layer}` ({kind}): {problem}")]
    Layer {
        /// `line 12: `, or nothing for a model that does not come from a file.
        place: String,
        /// The layer's name.
        layer: String,
        /// The layer's kind.
        kind: &'static str,
        /// The problem, with shapes.
        problem: String,
    },
    /// A model file cannot be read.
    #[error("model: {0}")]
    Spec(String),
    /// A training run cannot be made as asked.
    #[error("training: {0}")]
    Training(String),
}

impl Error {
    /// An error of an operator.
    pub fn operator(operator: &'static str, problem: impl Into<String>) -> Self {
        GeometryError::new(operator, problem).into()
    }
}
