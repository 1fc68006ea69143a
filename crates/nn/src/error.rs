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
    /// A model file cannot be read: TOML that is none, an unknown kind or field, a value of the wrong type.
    #[error("model: {}{problem}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
    File {
        /// The line, from 1, where one is to blame.
        line: Option<usize>,
        /// The layer, the field and what is wrong with it.
        problem: String,
    },
    /// The input of a model is empty, or too large for its memory to be counted.
    #[error("model: input shape {shape:?} is empty or too large")]
    InputShape {
        /// Height, width and channels as asked for.
        shape: [usize; 3],
    },
    /// A model without layers.
    #[error("model: there is no layer")]
    NoLayers,
    /// A model with too many layers.
    #[error("model: {layers} layers are more than the {most} that a model may have")]
    Layers {
        /// Layers asked for.
        layers: usize,
        /// How many a model may have.
        most: usize,
    },
    /// A layer that no other reads and that is not the last.
    #[error("model: the output of `{layer}` goes nowhere")]
    Unread {
        /// The layer's name.
        layer: String,
    },
    /// Inputs of another shape than the model's.
    #[error("model: the model takes inputs [n, {}, {}, {}], not {found:?}", wanted[0], wanted[1], wanted[2])]
    Inputs {
        /// Height, width and channels that the model takes.
        wanted: [usize; 3],
        /// The shape given.
        found: Vec<usize>,
    },
    /// No layer of this name has parameters, or there is none of this name.
    #[error("training: there is no layer `{layer}` to freeze; those with parameters are {}", known.join(", "))]
    NoSuchLayer {
        /// The name asked for.
        layer: String,
        /// The layers with parameters.
        known: Vec<String>,
    },
    /// An option of an engine is out of range.
    #[error("training: {option} must be {allowed}, got {value}")]
    Option {
        /// The option, in words.
        option: &'static str,
        /// What is allowed, in words.
        allowed: String,
        /// The value given.
        value: String,
    },
    /// The model cannot be trained: its output has height or width, nothing is left to train, or this build has no
    /// gradients.
    #[error("training: {0}")]
    Untrainable(String),
    /// There is no memory for what training needs.
    #[error(
        "training in batches of {batch_size} needs {bytes} bytes of memory, which cannot be had; make the batches or the \
         pictures smaller"
    )]
    Memory {
        /// Images in a batch.
        batch_size: usize,
        /// Bytes of all that the engine holds.
        bytes: usize,
    },
    /// A parameter has not as many numbers as its shape says.
    #[error("model: the parameter `{name}` has the shape {shape:?} and {found} numbers")]
    Parameter {
        /// The parameter.
        name: String,
        /// Its extents.
        shape: Vec<usize>,
        /// Numbers that it has.
        found: usize,
    },
    /// A layer of the program's own cannot be put into a file.
    #[error(
        "model: the layer `{kind}` is of the program's own and has no form in a file; save the parameters \
             (`Model::params`) and build the model in code again (`Model::with_params`)"
    )]
    CustomSaved {
        /// What the layer is called.
        kind: &'static str,
    },
    /// A layer of the program's own failed, or gave arrays of other shapes than it said.
    #[error("layer `{kind}` (of the program's own): {problem}")]
    CustomLayer {
        /// What the layer is called.
        kind: &'static str,
        /// What it says, or what is wrong with its arrays.
        problem: String,
    },
    /// A loss of the program's own failed, or gave gradients of another shape than the outputs.
    #[error("loss: {0}")]
    Loss(String),
    /// The state of another model, or of another layout.
    #[error("training: the state has {found} numbers, the model needs {wanted}")]
    State {
        /// Numbers that the engine holds.
        wanted: usize,
        /// Numbers given.
        found: usize,
    },
}

impl Error {
    /// An error of an operator.
    pub fn operator(operator: &'static str, problem: impl Into<String>) -> Self {
        GeometryError::new(operator, problem).into()
    }
}
