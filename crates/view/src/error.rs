/// Why there is no picture or no explanation.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An operator refuses its arguments.
    #[error(transparent)]
    Operator(#[from] foveal_nn::Error),
    /// A cell that the output does not have.
    #[error("{operator}: the output has shape {shape:?} and no cell {at:?}; each coordinate counts from 0")]
    OutOfRange {
        /// The operator.
        operator: &'static str,
        /// The cell asked for.
        at: [i64; 4],
        /// The output's shape.
        shape: [usize; 4],
    },
    /// A layer or class that a model does not have, or a layer that has no feature maps.
    #[error("{0}")]
    Inside(String),
    /// A figure that cannot be drawn.
    #[error("figure: {0}")]
    Figure(String),
}
