//! What can be wrong with an ONNX file, or with a model that is to become one.

use std::fmt;

/// Why a file did not become a model, or a model a file.
///
/// ```
/// let error = foveal_onnx::import(b"no model", "x").unwrap_err();
/// assert!(matches!(error, foveal_onnx::Error::Broken { .. }));
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are no ONNX file, or not a whole one.
    #[error("this is not a whole .onnx file ({problem})")]
    Broken {
        /// What is wrong with them.
        problem: String,
    },
    /// The file has more of something than is read.
    #[error("the file has more than {most} {what}; foveal reads smaller ones")]
    TooMany {
        /// Of what.
        what: String,
        /// How many are read.
        most: usize,
    },
    /// The file is for an operator set that is not read.
    #[error(
        "its operator set is {version}; foveal reads {least} and newer: convert it with onnx.version_converter"
    )]
    OperatorSet {
        /// The operator set.
        version: i64,
        /// The oldest that is read.
        least: i64,
    },
    /// The file has something that is not read.
    #[error("{what}; {remedy}")]
    Unsupported {
        /// What it has.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// The graph has no input that foveal's models could have.
    #[error("the graph's inputs: {problem}")]
    Input {
        /// What they are, and what to do.
        problem: String,
    },
    /// The graph has an input whose height and width are open.
    #[error(
        "the input `{input}` {dims} has an open extent; say its height and width ({option}), or fix it in the file"
    )]
    Open {
        /// The input.
        input: String,
        /// Its extents, with names for those that are open.
        dims: String,
        /// How to say it.
        option: &'static str,
    },
    /// The graph has several outputs, or not the one that is wanted.
    #[error("{problem}; it has {}", there.join(", "))]
    Output {
        /// What is wanted.
        problem: String,
        /// The outputs that there are.
        there: Vec<String>,
    },
    /// Numbers in another file that cannot be read.
    #[error("the file of numbers `{file}`: {problem}")]
    Side {
        /// Its name, as the model's file has it.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// Nodes that foveal cannot take in; each is named, with its operator and what is not supported.
    #[error("{}", Listed(.0))]
    Nodes(Vec<Obstacle>),
    /// A layer that cannot be written.
    #[error("layer `{layer}` {problem}")]
    Layer {
        /// The layer's name.
        layer: String,
        /// Why, and what to do.
        problem: String,
    },
    /// The layers do not fit each other.
    #[error(transparent)]
    Model(#[from] foveal_nn::Error),
    /// The model cannot be described.
    #[error(transparent)]
    Saved(#[from] foveal_train::Error),
}

/// A node that foveal cannot take in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The node's name, or its first output's.
    pub node: String,
    /// Its operator.
    pub operator: String,
    /// Whether foveal does not know the operator at all.
    pub unknown: bool,
    /// What is not supported, and what is.
    pub problem: String,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node `{}` ({}): {}", self.node, self.operator, self.problem)
    }
}

/// The most nodes that a message names.
const MOST_NAMED: usize = 20;

/// Obstacles as a message has them.
struct Listed<'a>(&'a [Obstacle]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [one] = self.0 {
            return one.fmt(f);
        }
        write!(f, "{} nodes cannot be taken in:", self.0.len())?;
        for obstacle in self.0.iter().take(MOST_NAMED) {
            write!(f, "\n  {obstacle}")?;
        }
        match self.0.len().saturating_sub(MOST_NAMED) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

impl Error {
    pub(crate) fn broken(problem: impl Into<String>) -> Self {
        Error::Broken { problem: problem.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_nodes_are_named_and_the_others_counted() {
        let obstacle = |i: usize| Obstacle {
            node: format!("n{i}"),
            operator: "Cosh".into(),
            unknown: true,
            problem: "this operator is not supported".into(),
        };
        let one = Error::Nodes(vec![obstacle(1)]).to_string();
        assert_eq!(one, "node `n1` (Cosh): this operator is not supported");
        let many = Error::Nodes((0..23).map(obstacle).collect()).to_string();
        assert_eq!(many.lines().count(), 22);
        assert!(many.starts_with("23 nodes cannot be taken in:\n  node `n0` (Cosh)"), "{many}");
        assert!(many.ends_with("`n19` (Cosh): this operator is not supported\n  and 3 more"), "{many}");
        assert!(Error::Nodes((0..20).map(obstacle).collect()).to_string().ends_with("supported"));
    }
}
