//! The models that foveal brings.

use crate::init::Init;
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
pub const ALL: [Builtin; 3] = [
    Builtin { name: "fast", about: "the default: 99 % on MNIST as soon as can be" },
    Builtin {
        name: "lab-11-1",
        about: "the course's two convolutions: 3x3x32 and 3x3x64, dense 10, no convolution bias",
    },
    Builtin {
        name: "lab-11-2",
        about: "the course's deep net: 3x3x32, 3x3x64, 3x3x128, dense 625, dropout, dense 10",
    },
];

/// The built-in model `name`, for 28x28 grey images and ten classes.
pub fn spec(name: &str) -> Option<ModelSpec> {
    let layers = match name {
        "fast" => fast(),
        "lab-11-1" => lab_11_1(),
        "lab-11-2" => lab_11_2(),
        _ => return None,
    };
    Some(ModelSpec { input: InputSpec { shape: [28, 28, 1] }, layers })
}

fn conv(filters: usize, kernel: usize, padding: Padding, bias: bool, init: Init) -> LayerKind {
    LayerKind::Conv2d {
        filters,
        kernel: [kernel; 2],
        strides: [1, 1],
        dilations: [1, 1],
        padding,
        groups: 1,
        bias,
        init,
    }
}

fn pool() -> LayerKind {
    LayerKind::MaxPool { ksize: [2, 2], strides: Some([2, 2]), padding: Padding::Same }
}

fn dense(units: usize, init: Init) -> LayerKind {
    LayerKind::Dense { units, bias: true, init }
}

fn chain(kinds: impl IntoIterator<Item = LayerKind>) -> Vec<LayerSpec> {
    kinds.into_iter().map(LayerSpec::from).collect()
}

fn fast() -> Vec<LayerSpec> {
    let block =
        |filters, kernel| [conv(filters, kernel, Padding::Valid, true, Init::He), LayerKind::Relu {}, pool()];
    let blocks = [block(8, 5), block(24, 3)].into_iter().flatten();
    chain(blocks.chain([
        LayerKind::Flatten {},
        dense(64, Init::He),
        LayerKind::Relu {},
        dense(10, Init::Glorot),
    ]))
}

/// The course's convolution block: filters from a normal distribution of deviation 0.01, no bias.
fn course(filters: usize) -> [LayerKind; 3] {
    [conv(filters, 3, Padding::Same, false, Init::Normal(0.01)), LayerKind::Relu {}, pool()]
}

fn lab_11_1() -> Vec<LayerSpec> {
    let blocks = [course(32), course(64)].into_iter().flatten();
    chain(blocks.chain([LayerKind::Flatten {}, dense(10, Init::Glorot)]))
}

fn lab_11_2() -> Vec<LayerSpec> {
    let drop = LayerKind::Dropout { rate: 0.3 };
    let blocks = [32, 64, 128].into_iter().flat_map(|n| {
        let [a, b, c] = course(n);
        [a, b, c, drop.clone()]
    });
    chain(blocks.chain([
        LayerKind::Flatten {},
        dense(625, Init::Glorot),
        LayerKind::Relu {},
        drop.clone(),
        dense(10, Init::Glorot),
    ]))
}
