//! The wide nets that are trained: torchvision's resnet18 and mobilenet_v2 for 224x224, and for 32x32 a ResNet-9 and
//! the built-in vgg-small. The peers' are in `peers/torch_wide.py`, with the same shapes.

use foveal_kernels::Padding;
use foveal_nn::ModelSpec;
use foveal_nn::builtin;
use foveal_nn::init::Init;
use foveal_nn::layers::{
    Add, BatchNorm, Clip, Conv2d, Dense, Dropout, GlobalAvgPool, GlobalMaxPool, LayerKind, MaxPool, Relu,
};
use foveal_nn::spec::{InputSpec, LayerSpec};

pub fn spec(name: &str) -> Result<ModelSpec, String> {
    let (side, layers) = match name {
        "resnet18" => (224, resnet18()),
        "mobilenet_v2" => (224, mobilenet_v2()),
        "resnet9" => (32, resnet9()),
        "vgg-small" => return builtin::fitted(name, [32, 32, 3], 10).ok_or_else(|| "no vgg-small".into()),
        _ => return Err(format!("no wide net {name}")),
    };
    Ok(ModelSpec { input: InputSpec { shape: [side, side, 3] }, layers })
}

#[derive(Default)]
struct Net {
    layers: Vec<LayerSpec>,
}

impl Net {
    fn push(&mut self, inputs: &[&str], kind: impl Into<LayerKind>) -> String {
        let name = format!("layer{}", self.layers.len());
        let inputs = inputs.iter().map(|&i| i.to_owned()).collect();
        self.layers.push(LayerSpec { name: Some(name.clone()), inputs, kind: kind.into(), line: 0 });
        name
    }

    fn conv(&mut self, inputs: &[&str], filters: usize, kernel: usize, stride: i64, groups: usize) -> String {
        self.push(
            inputs,
            Conv2d {
                filters,
                kernel: [kernel; 2],
                strides: [stride; 2],
                dilations: [1, 1],
                padding: Padding::Explicit([(kernel / 2) as i64; 4]),
                groups: groups as i64,
                bias: false,
                init: Init::He,
            },
        );
        self.push(&[], BatchNorm { momentum: 0.9, epsilon: 1e-5 })
    }

    fn conv_relu(&mut self, filters: usize, kernel: usize, stride: i64) -> String {
        self.conv(&[], filters, kernel, stride, 1);
        self.push(&[], Relu {})
    }

    fn halve(&mut self) -> String {
        self.push(&[], MaxPool { ksize: [2, 2], strides: Some([2, 2]), padding: Padding::Valid })
    }

    fn head(mut self, mean: bool, units: usize) -> Vec<LayerSpec> {
        match mean {
            true => self.push(&[], GlobalAvgPool {}),
            false => self.push(&[], GlobalMaxPool {}),
        };
        self.push(&[], Dense { units, bias: true, init: Init::Glorot });
        self.layers
    }
}

/// He et al. 2016, as torchvision has it.
fn resnet18() -> Vec<LayerSpec> {
    let mut net = Net::default();
    net.conv_relu(64, 7, 2);
    let padding = Padding::Explicit([1; 4]);
    let mut last = net.push(&[], MaxPool { ksize: [3, 3], strides: Some([2, 2]), padding });
    for (stage, filters) in [64, 128, 256, 512].into_iter().enumerate() {
        for block in 0..2 {
            let narrows = stage > 0 && block == 0;
            let stride = 1 + i64::from(narrows);
            net.conv(&[&last], filters, 3, stride, 1);
            net.push(&[], Relu {});
            let way = net.conv(&[], filters, 3, 1, 1);
            let around = if narrows { net.conv(&[&last], filters, 1, stride, 1) } else { last };
            net.push(&[&way, &around], Add {});
            last = net.push(&[], Relu {});
        }
    }
    net.head(true, 1000)
}

/// Sandler et al. 2018, as torchvision has it.
fn mobilenet_v2() -> Vec<LayerSpec> {
    let relu6 = Clip { min: 0.0, max: 6.0 };
    let mut net = Net::default();
    net.conv(&[], 32, 3, 2, 1);
    let mut last = net.push(&[], relu6);
    let mut channels = 32;
    let stages = [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ];
    for (expand, filters, blocks, first) in stages {
        for block in 0..blocks {
            let stride = if block == 0 { first } else { 1 };
            let wide = channels * expand;
            let from = last.clone();
            if expand > 1 {
                net.conv(&[], wide, 1, 1, 1);
                net.push(&[], relu6);
            }
            net.conv(&[], wide, 3, stride, wide);
            net.push(&[], relu6);
            last = net.conv(&[], filters, 1, 1, 1);
            if stride == 1 && channels == filters {
                last = net.push(&[&last, &from], Add {});
            }
            channels = filters;
        }
    }
    net.conv(&[], 1280, 1, 1, 1);
    net.push(&[], relu6);
    net.push(&[], GlobalAvgPool {});
    net.push(&[], Dropout { rate: 0.2 });
    net.push(&[], Dense { units: 1000, bias: true, init: Init::Glorot });
    net.layers
}

/// The small residual net of the DAWNBench entries for CIFAR-10, here with 64 to 256 filters.
fn resnet9() -> Vec<LayerSpec> {
    let mut net = Net::default();
    net.conv_relu(64, 3, 1);
    for (filters, residual) in [(128, true), (256, false), (256, true)] {
        net.conv_relu(filters, 3, 1);
        let last = net.halve();
        if residual {
            net.conv_relu(filters, 3, 1);
            let way = net.conv_relu(filters, 3, 1);
            net.push(&[&way, &last], Add {});
        }
    }
    net.head(false, 10)
}
