/// Why a server cannot be made or cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A model's name cannot stand in a path, or stands for two models.
    #[error("the model name `{name}` {problem}; name it otherwise with NAME=FILE")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A model cannot answer requests.
    #[error("{name}: {problem}")]
    Model {
        /// The model's name.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// One of the origins that may read answers is not written as an origin.
    #[error("`{0}` is not an origin; write it as http://host:port, or `*` for all")]
    Origin(String),
    /// The system refuses threads or sockets.
    #[error("cannot serve: {0}")]
    System(#[from] std::io::Error),
}
