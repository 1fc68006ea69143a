/// What can go wrong in training, evaluating and reading models.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model or an operator refuses.
    #[error(transparent)]
    Model(#[from] foveal_nn::Error),
    /// The data set refuses.
    #[error(transparent)]
    Data(#[from] foveal_data::Error),
    /// The data do not fit the model: names both.
    #[error("{0}")]
    Mismatch(String),
    /// A recipe's value is out of range.
    #[error("recipe: {0}")]
    Recipe(String),
    /// A model file cannot be understood; names the file.
    #[error("{file}: {problem}")]
    File {
        /// Where the bytes come from.
        file: String,
        /// What is wrong with them.
        problem: String,
    },
    /// A checkpoint is of another run: what differs.
    #[error("the checkpoint is of another run: {0}")]
    OtherRun(String),
    /// The loss of a step was not a number.
    #[error("epoch {epoch}, step {batch}: the loss is not a number; train with a lower learning rate")]
    NonFinite {
        /// The epoch, from 1 on.
        epoch: usize,
        /// The step in the epoch, from 1 on.
        batch: usize,
    },
    /// A checkpoint cannot be kept: what its keeper says.
    #[error("{0}")]
    Save(String),
}
