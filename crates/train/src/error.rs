use foveal_data::augment::OutOfRange;

/// What can go wrong in training, evaluating and reading models. Each message is one line that says what to change.
///
/// ```
/// use foveal_train::{Error, SavedModel};
///
/// let error = SavedModel::from_bytes(b"GIF89a..", "cat.safetensors").unwrap_err();
/// assert!(matches!(error, Error::NotWhole { .. }));
/// assert!(error.to_string().starts_with("cat.safetensors: this is not a whole .safetensors file"));
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model or an operator refuses.
    #[error(transparent)]
    Model(#[from] foveal_nn::Error),
    /// A predictor refuses.
    #[error(transparent)]
    Predictor(#[from] foveal_infer::Error),
    /// The data set refuses.
    #[error(transparent)]
    Data(#[from] foveal_data::Error),

    /// The model takes samples of another shape.
    #[error("{data}: the model takes inputs {wanted:?} (h, w, c), the data set has {found:?}")]
    InputShape {
        /// Name of the data set.
        data: String,
        /// Height, width and channels that the model takes.
        wanted: [usize; 3],
        /// Height, width and channels of the samples.
        found: [usize; 3],
    },
    /// The model has another number of outputs than there are targets.
    #[error("{data}: the model has {outputs} outputs, the data set {targets} {kind}")]
    Outputs {
        /// Name of the data set.
        data: String,
        /// Outputs of the model.
        outputs: usize,
        /// Classes, or values of a sample.
        targets: usize,
        /// What the targets are, in words.
        kind: &'static str,
    },
    /// The loss is for other targets.
    #[error("{data}: {targets} need the loss {wanted}")]
    Loss {
        /// Name of the data set.
        data: String,
        /// What the targets are: `classes` or `values`.
        targets: &'static str,
        /// The losses for these, in words.
        wanted: &'static str,
    },
    /// A split does not fit the data set.
    #[error("{data}: sample {sample} {problem}; the split needs indices below {samples}, each in one part")]
    Split {
        /// Name of the data set.
        data: String,
        /// The index.
        sample: u32,
        /// Samples of the data set.
        samples: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A sample holds something else than finite numbers.
    #[error("{data}: {what} {sample} holds {value}, which is not a finite number; clean it or leave it out")]
    NotFinite {
        /// Name of the data set.
        data: String,
        /// What holds it.
        what: &'static str,
        /// The index of the sample.
        sample: usize,
        /// The number.
        value: f64,
    },
    /// There are no images where some are needed.
    #[error("{data}: there are no images {purpose}")]
    NoImages {
        /// Name of the data set.
        data: String,
        /// What they are needed for.
        purpose: &'static str,
    },
    /// Targets that are no classes where classes are needed.
    #[error("{data}: its targets are values; classes are needed here")]
    NoClasses {
        /// Name of the data set.
        data: String,
    },
    /// Outputs that are not a row for each image.
    #[error("{data}: {images} images and {outputs} outputs each are not {found} numbers")]
    Predictions {
        /// Name of the data set.
        data: String,
        /// Images that are judged.
        images: usize,
        /// Outputs of the model for each.
        outputs: usize,
        /// Numbers given.
        found: usize,
    },

    /// A setting of the recipe is out of range.
    #[error("recipe: {setting} must be {allowed}, got {value}")]
    Recipe {
        /// Name of the setting.
        setting: &'static str,
        /// What is allowed, in words.
        allowed: &'static str,
        /// The value given.
        value: String,
    },
    /// A setting of the recipe's augmentation is out of range.
    #[error("recipe: augmentation: {0}")]
    Augmentation(#[from] OutOfRange),
    /// There is not one class weight for each class.
    #[error("recipe: {classes} classes need as many class weights, got {weights}")]
    ClassWeights {
        /// Classes of the data set.
        classes: usize,
        /// Weights given.
        weights: usize,
    },
    /// More layers are to be frozen than the model has.
    #[error("{count} layers cannot be frozen: the model has {layers}")]
    TooManyFrozen {
        /// Layers to be frozen.
        count: usize,
        /// Layers of the model.
        layers: usize,
    },
    /// The text that names the layers to be frozen cannot be read.
    #[error("{0}")]
    FreezeText(&'static str),
    /// The new last layer of a model is to be frozen.
    #[error("`{head}` is new, for {outputs} outputs, and cannot be frozen: it has learnt nothing yet")]
    NewHeadFrozen {
        /// Name of the layer.
        head: String,
        /// Outputs that the data need.
        outputs: usize,
    },
    /// A model cannot be cut after a layer.
    #[error(
        "there is no layer `{layer}` with others after it; name one that `foveal summary` lists before the last"
    )]
    NoCut {
        /// The layer.
        layer: String,
    },

    /// The model has no last dense layer that could be new.
    #[error("the model ends in {last}, not in a dense layer: it has no head that could be new")]
    NoHead {
        /// The last layer, by name and kind.
        last: String,
    },

    /// The bytes are not a whole file of their format.
    #[error("{file}: this is not a whole {format} ({problem})")]
    NotWhole {
        /// Where the bytes come from.
        file: String,
        /// The format.
        format: &'static str,
        /// What the reader says.
        problem: String,
    },
    /// The contents of the file have changed since it was written.
    #[error("{file}: it is damaged: its checksum does not fit its contents")]
    Checksum {
        /// Where the bytes come from.
        file: String,
    },
    /// The file holds something else than a model or checkpoint of foveal's.
    #[error("{file}: {problem}")]
    Foreign {
        /// Where the bytes come from.
        file: String,
        /// What it holds or lacks, and what to do.
        problem: String,
    },
    /// The file's metadata are not as foveal writes them.
    #[error("{file}: its metadata cannot be read: {problem}")]
    Metadata {
        /// Where the bytes come from.
        file: String,
        /// What the reader says.
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
    /// Parts of the file contradict each other.
    #[error("{file}: {problem}")]
    Inconsistent {
        /// Where the bytes come from.
        file: String,
        /// Which, and how.
        problem: String,
    },
    /// A model, checkpoint or recipe cannot be put into its format.
    #[error("{what}: {problem}")]
    Unwritable {
        /// What was to be written.
        what: &'static str,
        /// What the writer says.
        problem: String,
    },

    /// A checkpoint is of another run.
    #[error("the checkpoint is of another run: {}", .differences.join(", "))]
    OtherRun {
        /// What differs, in words; at least one difference.
        differences: Vec<String>,
    },
    /// A checkpoint cannot be kept: what its keeper says.
    #[error("{0}")]
    Save(String),
    /// A loss of the program's own, or its gradient, was not a finite number.
    #[error(
        "the loss is {value} and its gradient is not finite; train with a lower learning rate, or look at the loss"
    )]
    NotFiniteLoss {
        /// The loss.
        value: f64,
    },
    /// The weights of samples are not one for each, or one of them is below 0 or no finite number.
    #[error("{data}: {problem}; each of the {samples} samples needs a weight of 0 or above")]
    SampleWeights {
        /// Name of the data set.
        data: String,
        /// Samples of the data set.
        samples: usize,
        /// What is wrong.
        problem: String,
    },
    /// The loss of a step was not a number.
    #[error("epoch {epoch}, step {batch}: the loss is not a number; train with a lower learning rate")]
    NonFinite {
        /// The epoch, from 1 on.
        epoch: usize,
        /// The step in the epoch, from 1 on.
        batch: usize,
    },
}
