//! Models for colour pictures of 32 to 224 pixels: plain 3x3 convolutions, residual blocks, and depthwise-separable ones.

use crate::init::Init;
use crate::layers::{Add, BatchNorm, Clip, Conv2d, Dense, GlobalAvgPool, MaxPool, Relu};
use crate::spec::{LayerKind, LayerSpec};
use foveal_kernels::Padding;

/// The longest side that the blocks of residual convolutions begin with.
const LONGEST: usize = 56;
/// Filters of the stem.
const FILTERS: usize = 16;

pub(super) const RELU6: LayerKind = LayerKind::Clip(Clip { min: 0.0, max: 6.0 });

/// A convolution's window.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub kernel: usize,
    pub stride: usize,
    /// Each channel by itself.
    pub depthwise: bool,
}

pub(super) fn window(kernel: usize, stride: usize) -> Window {
    Window { kernel, stride, depthwise: false }
}

/// Layers that grow at their end.
pub(super) struct Net {
    layers: Vec<LayerSpec>,
    /// Height and width of what the last layer gives, and its channels.
    size: [usize; 2],
    channels: usize,
}

impl Net {
    pub fn new([height, width, channels]: [usize; 3]) -> Self {
        Self { layers: Vec::new(), size: [height, width], channels }
    }

    fn side(&self) -> usize {
        self.size[0].max(self.size[1])
    }

    /// Channels of what the last layer gives.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Adds a layer after the last one, or after `inputs`; gives its name.
    pub fn push(&mut self, name: String, inputs: &[&str], kind: LayerKind) -> String {
        let inputs = inputs.iter().map(|&i| i.to_owned()).collect();
        self.layers.push(LayerSpec { name: Some(name.clone()), inputs, kind, line: 0 });
        name
    }

    /// A convolution and its normalization, which has a bias for both.
    pub fn conv(&mut self, name: &str, inputs: &[&str], filters: usize, window: Window) -> String {
        self.conv_alone(name, inputs, filters, window);
        self.norm(name)
    }

    fn conv_alone(&mut self, name: &str, inputs: &[&str], filters: usize, window: Window) {
        let Window { kernel, stride, depthwise } = window;
        let kind = LayerKind::Conv2d(Conv2d {
            filters,
            kernel: [kernel; 2],
            strides: [stride as i64; 2],
            dilations: [1, 1],
            padding: Padding::Same,
            groups: if depthwise { filters as i64 } else { 1 },
            bias: false,
            init: Init::He,
        });
        self.push(format!("{name}_conv"), inputs, kind);
        self.size = self.size.map(|v| v.div_ceil(stride));
        self.channels = filters;
    }

    fn norm(&mut self, name: &str) -> String {
        // Small sets have few steps: the running statistics must follow soon.
        self.push(
            format!("{name}_norm"),
            &[],
            LayerKind::BatchNorm(BatchNorm { momentum: 0.9, epsilon: 1e-3 }),
        )
    }

    /// Halves height and width.
    fn pool(&mut self, name: String, side: i64) -> String {
        let kind =
            LayerKind::MaxPool(MaxPool { ksize: [side; 2], strides: Some([2, 2]), padding: Padding::Same });
        self.size = self.size.map(|v| v.div_ceil(2));
        self.push(name, &[], kind)
    }

    /// Two convolutions, and `from` added to what they give; by a 1x1 convolution where its shape is another.
    fn residual_block(&mut self, name: &str, from: &str, filters: usize, stride: usize) -> String {
        let (size, channels) = (self.size, self.channels);
        self.conv(&format!("{name}_a"), &[from], filters, window(3, stride));
        self.push(format!("{name}_a_relu"), &[], LayerKind::Relu(Relu {}));
        let way = self.conv(&format!("{name}_b"), &[], filters, window(3, 1));
        let mut around = from.to_owned();
        if stride != 1 || channels != filters {
            (self.size, self.channels) = (size, channels);
            around = self.conv(&format!("{name}_around"), &[from], filters, window(1, stride));
        }
        self.push(format!("{name}_add"), &[&way, &around], LayerKind::Add(Add {}));
        self.push(format!("{name}_relu"), &[], LayerKind::Relu(Relu {}))
    }

    /// A convolution of each channel by itself, then one over the channels.
    fn separable_block(&mut self, block: usize, filters: usize, stride: usize) {
        let each = Window { kernel: 3, stride, depthwise: true };
        self.conv(&format!("block{block}_each"), &[], self.channels, each);
        self.push(format!("block{block}_each_relu6"), &[], RELU6);
        self.conv(&format!("block{block}_over"), &[], filters, window(1, 1));
        self.push(format!("block{block}_over_relu6"), &[], RELU6);
    }

    /// The mean of each channel, and the outputs.
    fn head(self, outputs: usize) -> Vec<LayerSpec> {
        self.head_after(outputs, None)
    }

    /// The mean of each channel, a layer that goes between, and the outputs.
    pub fn head_after(mut self, outputs: usize, between: Option<LayerKind>) -> Vec<LayerSpec> {
        self.push("mean".into(), &[], LayerKind::GlobalAvgPool(GlobalAvgPool {}));
        if let Some(kind) = between {
            self.push(kind.name().into(), &[], kind);
        }
        self.push(
            "head".into(),
            &[],
            LayerKind::Dense(Dense { units: outputs, bias: true, init: Init::Glorot }),
        );
        self.layers
    }
}

/// The widths of a [`vgg`]: filters of the convolutions of each stage, and of the last convolution.
pub(super) struct Widths {
    stages: [&'static [usize]; 3],
    last: usize,
}

pub(super) const SMALL: Widths = Widths { stages: [&[24], &[48], &[96]], last: 128 };
pub(super) const WIDE: Widths = Widths { stages: [&[24], &[64], &[128, 128]], last: 256 };

/// Plain 3x3 convolutions in the manner of VGG (Simonyan and Zisserman 2015) with batch norm: stages that end in 2x2
/// pooling until the longer side is at most 7, one convolution more, the mean of each channel, the outputs. A stage's
/// last convolution is pooled before it is normalized, which costs a quarter. The first convolution has a stride of 2
/// above 48 pixels, of 4 above 96.
pub(super) fn vgg(shape: [usize; 3], outputs: usize, widths: &Widths) -> Vec<LayerSpec> {
    let mut net = Net::new(shape);
    let mut first = match net.side() {
        ..=48 => window(3, 1),
        49..=96 => window(5, 2),
        _ => window(7, 4),
    };
    for (stage, filters) in (1..).zip(widths.stages) {
        if stage > 1 && net.side() <= 7 {
            break;
        }
        for (i, &filters) in filters.iter().enumerate() {
            let name = format!("conv{stage}{}", i + 1);
            net.conv_alone(&name, &[], filters, std::mem::replace(&mut first, window(3, 1)));
            if i + 1 == widths.stages[stage - 1].len() {
                net.pool(format!("pool{stage}"), 2);
            }
            net.norm(&name);
            net.push(format!("{name}_relu"), &[], LayerKind::Relu(Relu {}));
        }
    }
    net.conv("last", &[], widths.last, window(3, 1));
    net.push("last_relu".into(), &[], LayerKind::Relu(Relu {}));
    net.head(outputs)
}

/// A residual net (He et al. 2016) in its form for small pictures: a stem, stages of two blocks of two 3x3
/// convolutions each, around which the block's input is added, 16 filters in the first stage and twice as many in each
/// after it, the mean of each channel, the outputs. The stem makes pictures above 48 pixels smaller: to at most 48 by a
/// stride up to 96 pixels, else by a stride and poolings to at most 56.
pub(super) fn residual(shape: [usize; 3], outputs: usize) -> Vec<LayerSpec> {
    let mut net = Net::new(shape);
    let (kernel, stride) = match net.side() {
        ..=48 => (3, 1),
        49..=96 => (3, 2),
        _ => (5, 2),
    };
    net.conv("stem", &[], FILTERS, window(kernel, stride));
    let mut last = net.push("stem_relu".into(), &[], LayerKind::Relu(Relu {}));
    let mut pools = 0;
    while kernel == 5 && (pools == 0 || net.side() > LONGEST) {
        pools += 1;
        last = net.pool(format!("stem_pool{pools}"), 3);
    }
    for stage in 1..=if net.side() > 48 { 4 } else { 3 } {
        let filters = FILTERS << (stage - 1);
        for block in 1..=2 {
            let stride = if stage > 1 && block == 1 { 2 } else { 1 };
            last = net.residual_block(&format!("block{stage}{block}"), &last, filters, stride);
        }
    }
    net.head(outputs)
}

/// A depthwise-separable net (Howard et al. 2017, MobileNet, with narrow layers): a stem, blocks of a 3x3 convolution
/// of each channel by itself and a 1x1 convolution over the channels, both normalized and followed by ReLU6, 32 filters
/// and twice as many with each stride up to 256, until the longer side is at most 8; the mean of each channel, the
/// outputs. The stem has a stride of 2 above 48 pixels.
pub(super) fn separable(shape: [usize; 3], outputs: usize) -> Vec<LayerSpec> {
    let mut net = Net::new(shape);
    let stride = if net.side() > 48 { 2 } else { 1 };
    net.conv("stem", &[], FILTERS, window(3, stride));
    net.push("stem_relu6".into(), &[], RELU6);
    let mut filters = 2 * FILTERS;
    let mut block = 1;
    net.separable_block(block, filters, 1);
    while net.side() > 8 {
        filters = (2 * filters).min(256);
        for stride in [2, 1] {
            block += 1;
            net.separable_block(block, filters, stride);
        }
    }
    net.head(outputs)
}
