use foveal::nn::spec::LayerKind;
use foveal::nn::{Model, Padding, Pool2dOptions};
use foveal::train::{PictureFit, SavedModel};
use serde::{Deserialize, Serialize};
use tsify::Tsify;

/// A model without its numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
pub struct Description {
    /// The name of the model's spec.
    pub name: String,
    /// The data set that it learnt from.
    pub dataset: String,
    /// Epochs that it learnt for.
    pub epochs: usize,
    /// Accuracy on the validation images.
    pub accuracy: Option<f64>,
    /// Height, width and channels of the input.
    pub input: [usize; 3],
    /// Whether pictures are fitted as MNIST's digits were.
    pub digit: bool,
    /// The classes; none for a regression.
    pub classes: Vec<String>,
    /// Where a picture may have several of the classes or none: the probability from which it has each.
    pub thresholds: Vec<f32>,
    /// Numbers that it has learnt.
    pub parameters: usize,
    /// The layers in order.
    pub layers: Vec<Layer>,
}

/// A layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// Its kind, as in a model file.
    pub kind: String,
    /// Height, width and channels of its output.
    pub shape: [usize; 3],
    /// The values that go in: 0 is the input, `i + 1` layer `i`.
    pub inputs: Vec<usize>,
    /// Its window, if it has one.
    pub window: Option<LayerWindow>,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
}

/// A filter's or pooling's window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
pub struct LayerWindow {
    /// Height and width.
    pub kernel: [usize; 2],
    /// Step between windows.
    pub strides: [i64; 2],
    /// Step between the filter's cells.
    pub dilations: [i64; 2],
    /// `VALID`, `SAME`, or cells at the top, bottom, left and right.
    pub padding: String,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
pub struct Parameter {
    /// Its name: `conv2d_1.filter`.
    pub name: String,
    /// Its extents.
    pub shape: Vec<usize>,
    /// Its place in the model.
    pub index: usize,
}

/// Describes a model.
pub fn describe(saved: &SavedModel) -> Description {
    let model = &saved.model;
    let input = model.input_shape();
    let layer = |node: &foveal::nn::model::Node| Layer {
        name: node.name.clone(),
        kind: node.kind.name().into(),
        shape: node.shape,
        inputs: node.inputs.clone(),
        window: window(&node.kind),
        parameters: node.params.iter().map(|&p| parameter(model, p)).collect(),
    };
    Description {
        name: saved.training.model.clone(),
        dataset: saved.training.dataset.clone(),
        epochs: saved.training.epochs,
        accuracy: saved.training.validation_accuracy,
        input,
        digit: saved.preprocess.fit == PictureFit::Digit && input[0] == input[1] && input[2] == 1,
        classes: saved.classes.clone(),
        thresholds: saved.training.thresholds.clone(),
        parameters: model.params().iter().map(|p| p.values.len()).sum(),
        layers: model.nodes().iter().map(layer).collect(),
    }
}

fn parameter(model: &Model, index: usize) -> Parameter {
    let p = &model.params()[index];
    Parameter { name: p.name.clone(), shape: p.shape.clone(), index }
}

fn window(kind: &LayerKind) -> Option<LayerWindow> {
    let border = |padding: &Padding| match padding {
        Padding::Valid => "VALID".to_owned(),
        Padding::Same => "SAME".to_owned(),
        Padding::Explicit(cells) => format!("{cells:?}"),
    };
    let pool = |options: Pool2dOptions| LayerWindow {
        kernel: options.ksize.map(|k| usize::try_from(k).unwrap_or(0)),
        strides: options.strides,
        dilations: [1, 1],
        padding: border(&options.padding),
    };
    match kind {
        LayerKind::Conv2d(layer) => Some(LayerWindow {
            kernel: layer.kernel,
            strides: layer.strides,
            dilations: layer.dilations,
            padding: border(&layer.padding),
        }),
        LayerKind::MaxPool(layer) => Some(pool(layer.options())),
        LayerKind::AvgPool(layer) => Some(pool(layer.options())),
        _ => None,
    }
}
