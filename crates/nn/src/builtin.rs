//! The models that foveal brings.

mod colour;
mod lite;

use crate::init::Init;
use crate::layers::{
    BatchNorm, Concat, Conv2d, Dense, Dropout, Embedding, Flatten, GlobalAvgPool, GlobalMaxPool, MaxPool,
    Relu,
};
use crate::spec::{InputSpec, LayerKind, LayerSpec, ModelSpec};
use foveal_kernels::Padding;

/// A built-in model's name and what it is.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// The name to ask for.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
}

/// All built-in models.
pub const ALL: [Builtin; 5] = [
    Builtin { name: "fast", about: "the default: 99 % on MNIST as soon as can be" },
    Builtin {
        name: "balanced",
        about: "four convolutions with batch normalization: 99.5 % on MNIST in seconds",
    },
    Builtin {
        name: "best",
        about: "five wide convolutions with batch normalization: 99.7 % on MNIST in minutes",
    },
    Builtin {
        name: "lab-11-1",
        about: "the course's two convolutions: 3x3x32 and 3x3x64, dense 10, no convolution bias",
    },
    Builtin {
        name: "lab-11-2",
        about: "the course's deep net: 3x3x32, 3x3x64, 3x3x128, dense 625, dropout, dense 10",
    },
];

/// The model that is scaled to the data.
pub const STACK: Builtin = Builtin {
    name: "stack",
    about: "scaled to the data: 3x3 convolutions and pooling until 8x8 is left, dense 64",
};

/// The models that are scaled to the data.
pub const SCALED: [Builtin; 5] = [
    STACK,
    Builtin {
        name: "vgg-small",
        about: "scaled to the data: four 3x3 convolutions with batch norm and pooling, for colour of 16 to 224 pixels",
    },
    Builtin { name: "vgg", about: "scaled to the data: as vgg-small, with five convolutions, wider" },
    Builtin {
        name: "residual",
        about: "scaled to the data: residual blocks of 3x3 convolutions with batch norm, for colour of 32 to 224 pixels",
    },
    Builtin {
        name: "separable",
        about: "scaled to the data: depthwise 3x3 and 1x1 convolutions with batch norm and ReLU6 (MobileNet-like), small",
    },
];

/// The model whose weights, learnt from ImageNet's photographs, the program brings.
pub const PRETRAINED: Builtin = Builtin {
    name: "efficientnet-lite0",
    about: "EfficientNet-Lite0, which has learnt from a million photographs: for colour pictures from 32 pixels on",
};

pub use lite::FEATURES;

/// Whether `name` is a built-in model that is scaled to the data.
pub fn is_scaled(name: &str) -> bool {
    SCALED.iter().any(|b| b.name == name)
}

/// The model for texts, scaled to the data.
pub const TEXT: Builtin = Builtin {
    name: "text-cnn",
    about: "for texts, scaled to the data: embedding 64, filters of 3, 4 and 5 tokens, 64 of each, their maxima",
};

/// Kim's network for sentences (2014, arXiv 1408.5882) for texts of `shape`, `[1, length, 1]` or `[length, 1, 1]`,
/// with numbers below `vocabulary`: an embedding of 64, 64 filters each of 3, 4 and 5 tokens with ReLU, the
/// maximum of each over the text, dropout 0.5, dense. A text shorter than 5 tokens has narrower filters alone.
pub fn text_cnn(shape: [usize; 3], vocabulary: usize, outputs: usize) -> ModelSpec {
    const SIZE: usize = 64;
    let named = |name: &str, kind, inputs: &[&str]| LayerSpec {
        name: Some(name.into()),
        inputs: inputs.iter().map(|&i| i.to_owned()).collect(),
        kind,
        line: 0,
    };
    let mut layers = vec![named(
        "embedding",
        LayerKind::Embedding(Embedding { vocabulary, size: SIZE, init: Init::default() }),
        &[],
    )];
    let length = shape[0].max(shape[1]);
    let widths = [3, 4, 5].map(|width| width.min(length));
    for (i, &width) in widths.iter().enumerate() {
        if widths[..i].contains(&width) {
            continue;
        }
        let kernel = if shape[0] > 1 { [width, 1] } else { [1, width] };
        let convolution = convolution(SIZE, kernel, Padding::Valid, true, Init::He);
        layers.push(named(&format!("width_{width}"), convolution, &["embedding"]));
        layers.push(LayerKind::Relu(Relu {}).into());
        layers.push(named(&format!("maximum_{width}"), LayerKind::GlobalMaxPool(GlobalMaxPool {}), &[]));
    }
    let maxima: Vec<String> =
        layers.iter().filter_map(|l| l.name.clone().filter(|n| n.starts_with("maximum"))).collect();
    if maxima.len() > 1 {
        layers.push(LayerSpec { inputs: maxima, ..LayerKind::Concat(Concat {}).into() });
    }
    layers.extend(chain([LayerKind::Dropout(Dropout { rate: 0.5 }), dense(outputs, Init::Glorot)]));
    ModelSpec { input: InputSpec { shape }, layers }
}

/// The built-in model that suits samples of `shape` (height, width, channels): `fast` for 28x28x1, `vgg-small` for
/// the classes of colour pictures from 16x16 on, else `stack`.
pub fn suited_to(shape: [usize; 3], classes: bool) -> &'static str {
    match shape {
        MNIST => "fast",
        [h, w, 3] if classes && h.min(w) >= 16 => "vgg-small",
        _ => STACK.name,
    }
}

/// The built-in model `name` for samples of `shape` and `outputs` classes or values.
///
/// Those of [`SCALED`] fit any shape, and `fast`, `balanced` and `best` any number of outputs for 28x28x1; others are
/// as [`spec`] has them.
pub fn fitted(name: &str, shape: [usize; 3], outputs: usize) -> Option<ModelSpec> {
    let layers = match name {
        "fast" if shape == MNIST => fast(outputs),
        "balanced" if shape == MNIST => balanced(outputs),
        "best" if shape == MNIST => best(outputs),
        "stack" => stack(shape, outputs),
        "vgg-small" => colour::vgg(shape, outputs, &colour::SMALL),
        "vgg" => colour::vgg(shape, outputs, &colour::WIDE),
        "residual" => colour::residual(shape, outputs),
        "separable" => colour::separable(shape, outputs),
        "efficientnet-lite0" => lite::efficientnet_lite0(shape, outputs),
        _ => return spec(name),
    };
    Some(ModelSpec { input: InputSpec { shape }, layers })
}

const MNIST: [usize; 3] = [28, 28, 1];

/// The built-in model `name`, for 28x28 grey images and ten classes.
pub fn spec(name: &str) -> Option<ModelSpec> {
    let layers = match name {
        "fast" => fast(10),
        "balanced" => balanced(10),
        "best" => best(10),
        "lab-11-1" => lab_11_1(),
        "lab-11-2" => lab_11_2(),
        _ => return None,
    };
    Some(ModelSpec { input: InputSpec { shape: MNIST }, layers })
}

fn conv(filters: usize, kernel: usize, padding: Padding, bias: bool, init: Init) -> LayerKind {
    convolution(filters, [kernel; 2], padding, bias, init)
}

fn convolution(filters: usize, kernel: [usize; 2], padding: Padding, bias: bool, init: Init) -> LayerKind {
    LayerKind::Conv2d(Conv2d {
        filters,
        kernel,
        strides: [1, 1],
        dilations: [1, 1],
        padding,
        groups: 1,
        bias,
        init,
    })
}

fn pool() -> LayerKind {
    LayerKind::MaxPool(MaxPool { ksize: [2, 2], strides: Some([2, 2]), padding: Padding::Same })
}

fn dense(units: usize, init: Init) -> LayerKind {
    LayerKind::Dense(Dense { units, bias: true, init })
}

fn chain(kinds: impl IntoIterator<Item = LayerKind>) -> Vec<LayerSpec> {
    kinds.into_iter().map(LayerSpec::from).collect()
}

fn fast(outputs: usize) -> Vec<LayerSpec> {
    let block = |filters, kernel| {
        [conv(filters, kernel, Padding::Valid, true, Init::He), LayerKind::Relu(Relu {}), pool()]
    };
    let blocks = [block(8, 5), block(24, 3)].into_iter().flatten();
    chain(blocks.chain([
        LayerKind::Flatten(Flatten {}),
        dense(64, Init::He),
        LayerKind::Relu(Relu {}),
        dense(outputs, Init::Glorot),
    ]))
}

/// Batch normalization whose moving statistics follow a short run.
const NORM: LayerKind = LayerKind::BatchNorm(BatchNorm { momentum: 0.95, epsilon: 1e-3 });

/// Convolution, ReLU, pooling where wanted, batch normalization: in this order convolution and pooling are one step.
fn normed(filters: usize, kernel: usize, pooled: bool) -> Vec<LayerKind> {
    let mut block = vec![conv(filters, kernel, Padding::Valid, true, Init::He), LayerKind::Relu(Relu {})];
    if pooled {
        block.push(pool());
    }
    block.push(NORM);
    block
}

/// 28x28 to 12, 10, 4 and 2 cells a side.
fn balanced(outputs: usize) -> Vec<LayerSpec> {
    let blocks = [normed(16, 5, true), normed(32, 3, false), normed(32, 3, true), normed(64, 3, false)];
    let end = [LayerKind::Flatten(Flatten {}), dense(outputs, Init::Glorot)];
    chain(blocks.into_iter().flatten().chain(end))
}

/// 28x28 to 26, 12, 10, 4 and 2 cells a side.
fn best(outputs: usize) -> Vec<LayerSpec> {
    let blocks = [(24, false), (32, true), (64, false), (64, true), (128, false)];
    let blocks = blocks.into_iter().flat_map(|(filters, pooled)| normed(filters, 3, pooled));
    let end = [
        LayerKind::Flatten(Flatten {}),
        LayerKind::Dropout(Dropout { rate: 0.4 }),
        dense(outputs, Init::Glorot),
    ];
    chain(blocks.chain(end))
}

/// Blocks of 3x3 convolution, ReLU and 2x2 pooling, 16, 32, 64, 64 and 128 filters, until the longer side is at
/// most 8; then a dense layer of 64.
fn stack([height, width, _]: [usize; 3], outputs: usize) -> Vec<LayerSpec> {
    let mut side = height.max(width);
    let mut blocks = Vec::new();
    for filters in [16, 32, 64, 64, 128] {
        blocks.extend([conv(filters, 3, Padding::Same, true, Init::He), LayerKind::Relu(Relu {}), pool()]);
        side = side.div_ceil(2);
        if side <= 8 {
            break;
        }
    }
    // What is left of a very large image is averaged.
    if side > 16 {
        blocks.push(LayerKind::GlobalAvgPool(GlobalAvgPool {}));
    }
    chain(blocks.into_iter().chain([
        LayerKind::Flatten(Flatten {}),
        dense(64, Init::He),
        LayerKind::Relu(Relu {}),
        dense(outputs, Init::Glorot),
    ]))
}

/// The course's convolution block: filters from a normal distribution of deviation 0.01, no bias.
fn course(filters: usize) -> [LayerKind; 3] {
    [conv(filters, 3, Padding::Same, false, Init::Normal(0.01)), LayerKind::Relu(Relu {}), pool()]
}

fn lab_11_1() -> Vec<LayerSpec> {
    let blocks = [course(32), course(64)].into_iter().flatten();
    chain(blocks.chain([LayerKind::Flatten(Flatten {}), dense(10, Init::Glorot)]))
}

fn lab_11_2() -> Vec<LayerSpec> {
    let drop = LayerKind::Dropout(Dropout { rate: 0.3 });
    let blocks = [32, 64, 128].into_iter().flat_map(|n| {
        let [a, b, c] = course(n);
        [a, b, c, drop.clone()]
    });
    chain(blocks.chain([
        LayerKind::Flatten(Flatten {}),
        dense(625, Init::Glorot),
        LayerKind::Relu(Relu {}),
        drop.clone(),
        dense(10, Init::Glorot),
    ]))
}
