//! EfficientNet-Lite0, whose weights are built into the program.

use super::colour::{Net, RELU6, Window, window};
use crate::layers::{Add, Dropout};
use crate::spec::{LayerKind, LayerSpec};

/// A stage of blocks of one kind.
struct Stage {
    blocks: usize,
    kernel: usize,
    /// Of the first block; the others have 1.
    stride: usize,
    /// How many times the channels are widened inside a block.
    expand: usize,
    filters: usize,
}

const fn stage(blocks: usize, kernel: usize, stride: usize, expand: usize, filters: usize) -> Stage {
    Stage { blocks, kernel, stride, expand, filters }
}

const STAGES: [Stage; 7] = [
    stage(1, 3, 1, 1, 16),
    stage(2, 3, 2, 6, 24),
    stage(2, 5, 2, 6, 40),
    stage(3, 3, 2, 6, 80),
    stage(3, 5, 1, 6, 112),
    stage(4, 5, 2, 6, 192),
    stage(1, 3, 1, 6, 320),
];

/// The layer whose output is a picture's features: the mean of each of 1280 maps.
pub const FEATURES: &str = "mean";

/// EfficientNet-Lite0 (Tan and Le 2019; "Lite": ReLU6, no squeeze-and-excite) as TensorFlow has it: SAME padding, batch
/// norm with epsilon 1e-3. A block widens the channels, convolves each by itself, and narrows them again without an
/// activation; where neither size nor channels change, the block's input is added.
pub(super) fn efficientnet_lite0(shape: [usize; 3], outputs: usize) -> Vec<LayerSpec> {
    let mut net = Net::new(shape);
    net.conv("stem", &[], 32, window(3, 2));
    let mut last = net.push("stem_relu6".into(), &[], RELU6);
    let mut number = 0;
    for stage in &STAGES {
        for i in 0..stage.blocks {
            number += 1;
            let stride = if i == 0 { stage.stride } else { 1 };
            last = block(&mut net, &format!("block{number}"), &last, stage, stride);
        }
    }
    net.conv("top", &[], 1280, window(1, 1));
    net.push("top_relu6".into(), &[], RELU6);
    net.head_after(outputs, Some(LayerKind::Dropout(Dropout { rate: 0.2 })))
}

/// Adds a block after the layer `from`; gives the name of its last layer.
fn block(net: &mut Net, name: &str, from: &str, stage: &Stage, stride: usize) -> String {
    let channels = net.channels();
    if stage.expand > 1 {
        net.conv(&format!("{name}_expand"), &[], channels * stage.expand, window(1, 1));
        net.push(format!("{name}_expand_relu6"), &[], RELU6);
    }
    let each = Window { kernel: stage.kernel, stride, depthwise: true };
    net.conv(&format!("{name}_each"), &[], net.channels(), each);
    net.push(format!("{name}_each_relu6"), &[], RELU6);
    let narrow = net.conv(&format!("{name}_narrow"), &[], stage.filters, window(1, 1));
    if stride != 1 || channels != stage.filters {
        return narrow;
    }
    net.push(format!("{name}_add"), &[&narrow, from], LayerKind::Add(Add {}))
}
