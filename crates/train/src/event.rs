use foveal_nn::Model;

/// What happens while a model is trained.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The run begins.
    Started {
        /// Epochs planned.
        epochs: usize,
        /// Steps in an epoch.
        batches: usize,
        /// Training and validation images.
        images: [usize; 2],
    },
    /// The run goes on from a checkpoint. This event comes before [`Event::Started`].
    Resumed {
        /// Epochs that are done.
        epoch: usize,
        /// Steps in an epoch.
        batches: usize,
    },
    /// A step is done.
    Batch {
        /// The epoch, from 1 on.
        epoch: usize,
        /// Epochs planned.
        epochs: usize,
        /// The step in the epoch, from 1 on.
        batch: usize,
        /// Steps in an epoch.
        batches: usize,
        /// Images a second since the epoch began.
        images_per_second: f64,
        /// Mean loss of the epoch so far, without label smoothing.
        loss: f64,
        /// Accuracy of the epoch so far, on the images as they were when trained on; `None` for regressions.
        accuracy: Option<f64>,
        /// Mean loss of this step's images, without label smoothing.
        step_loss: f64,
        /// Accuracy of this step's images; `None` for regressions.
        step_accuracy: Option<f64>,
        /// Learning rate of the step.
        lr: f32,
    },
    /// Figures of the program's own after an epoch, before [`Event::Epoch`]: see [`crate::Fit::metric`].
    Metrics {
        /// The epoch, from 1 on.
        epoch: usize,
        /// Names and figures.
        values: Vec<(String, f64)>,
    },
    /// An epoch is done.
    Epoch(EpochReport),
    /// The run is over.
    Finished(Status),
}

/// An epoch's figures.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EpochReport {
    /// The epoch, from 1 on.
    pub epoch: usize,
    /// Epochs planned.
    pub epochs: usize,
    /// Mean loss over the epoch's images, as they were when trained on. Like the validation loss it is without label
    /// smoothing, so that the two can be compared.
    pub train_loss: f64,
    /// Accuracy over the epoch's images, as they were when trained on; `None` for regressions.
    pub train_accuracy: Option<f64>,
    /// Mean loss over the validation images at the epoch's end; classes count as in training.
    pub validation_loss: Option<f64>,
    /// Accuracy over the validation images at the epoch's end; `None` for regressions.
    pub validation_accuracy: Option<f64>,
    /// Seconds the epoch's steps took.
    pub seconds: f64,
    /// Images a second in the epoch's steps.
    pub images_per_second: f64,
    /// Learning rate of the last step.
    pub lr: f32,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All epochs are done.
    Finished,
    /// The validation loss did not get better any more.
    EarlyStopped,
    /// The caller asked to stop.
    Interrupted,
    /// The loss or a weight was not a finite number; the weights are those of the last good epoch.
    NonFinite {
        /// The epoch, from 1 on.
        epoch: usize,
        /// The step in the epoch, from 1 on.
        batch: usize,
    },
}

/// The result of a run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The model with the weights to keep.
    pub model: Model,
    /// Each epoch's figures.
    pub history: Vec<EpochReport>,
    /// The program's own figures of each epoch: see [`crate::Fit::metric`].
    pub metrics: Vec<Vec<(String, f64)>>,
    /// How the run ended.
    pub status: Status,
    /// The epoch at whose end the weights to keep were as they are; `None` where a run was stopped within an epoch.
    pub epoch: Option<usize>,
    /// Seconds in training steps, without validation, reading and writing.
    pub train_seconds: f64,
    /// Images a second in training steps.
    pub images_per_second: f64,
    /// Validation accuracy of the weights to keep.
    pub validation_accuracy: Option<f64>,
    /// Validation loss of the weights to keep.
    pub validation_loss: Option<f64>,
}
