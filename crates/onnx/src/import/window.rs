//! Windows over pictures: pooling, and how windows are padded.

use super::activation::{Activation, Order, Pad};
use super::attributes::Attributes;
use super::{Importer, input, optional};
use crate::proto::Node;
use foveal_nn::init::Init;
use foveal_nn::layers as kinds;
use foveal_nn::spec::{LayerKind, LayerSpec};
use foveal_nn::{Conv2dGeometry, Conv2dOptions, Padding, Pool2dGeometry, Pool2dOptions};

/// Larger extents of windows, steps and padding are refused.
const LARGEST: i64 = 1 << 30;

/// How a window moves.
pub(super) struct Window {
    pub strides: [i64; 2],
    /// Top, left, bottom, right.
    pads: [i64; 4],
    auto: Auto,
    ceil: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Auto {
    No,
    Valid,
    Upper,
    Lower,
}

pub(super) fn check_picture(x: &Activation) -> Result<(), String> {
    match x.order {
        Order::Chw | Order::Cl => Ok(()),
        Order::Hwc | Order::Lc => {
            Err("its input has channels last; ONNX's windows need channels first".into())
        }
        Order::Flat(_) => Err("its input has two axes; only [n, c, h, w] and [n, c, l] are supported".into()),
    }
}

fn check(what: &str, values: &[i64], least: i64) -> Result<(), String> {
    match values.iter().find(|v| !(least..=LARGEST).contains(*v)) {
        Some(v) => Err(format!("{what} of {v} is not supported, only {least} and above")),
        None => Ok(()),
    }
}

impl Window {
    /// Over pictures, or over a row of places (`line`).
    pub fn new(attributes: &Attributes, line: bool) -> Result<Self, String> {
        let strides = attributes.pair("strides", line)?;
        let pads = match line {
            true => attributes.some("pads", [0; 2]).map(|[before, after]| [0, before, 0, after])?,
            false => attributes.some("pads", [0; 4])?,
        };
        check("a stride", &strides, 1)?;
        check("padding", &pads, 0)?;
        let auto = match attributes.text("auto_pad", "NOTSET")? {
            "NOTSET" | "" => Auto::No,
            "VALID" => Auto::Valid,
            "SAME_UPPER" => Auto::Upper,
            "SAME_LOWER" => Auto::Lower,
            other => return Err(format!("auto_pad = {other} is not supported")),
        };
        Ok(Self { strides, pads, auto, ceil: attributes.int("ceil_mode", 0)? != 0 })
    }

    /// The padding over an image of `shape`, with `cells` (top, bottom, left, right) that stand before it.
    pub fn padding(
        &self,
        shape: [usize; 3],
        kernel: [i64; 2],
        dilations: [i64; 2],
        cells: [i64; 4],
    ) -> Result<Padding, String> {
        check("a window", &kernel, 1)?;
        check("a dilation", &dilations, 1)?;
        if self.auto == Auto::Upper && cells == [0; 4] {
            return Ok(Padding::Same);
        }
        let mut found = [0; 4];
        for axis in 0..2 {
            let (s, reach) = (self.strides[axis], (kernel[axis] - 1).saturating_mul(dilations[axis]) + 1);
            let n = shape[axis] as i64 + cells[2 * axis] + cells[2 * axis + 1];
            let same = ((n + s - 1) / s - 1).saturating_mul(s).saturating_add(reach - n).max(0);
            let (before, after) = match self.auto {
                Auto::No => self.ceiling(axis, n, s, reach),
                Auto::Valid => (0, 0),
                Auto::Upper => (same / 2, same - same / 2),
                Auto::Lower => (same - same / 2, same / 2),
            };
            found[2 * axis] = before + cells[2 * axis];
            found[2 * axis + 1] = after + cells[2 * axis + 1];
        }
        check("padding", &found, 0)?;
        Ok(if found == [0; 4] { Padding::Valid } else { Padding::Explicit(found) })
    }

    /// The given padding, with as many cells more as the last window reaches over with ceil_mode.
    fn ceiling(&self, axis: usize, n: i64, s: i64, reach: i64) -> (i64, i64) {
        let (before, after) = (self.pads[axis], self.pads[axis + 2]);
        let room = n + before + after - reach;
        if !self.ceil || room < 0 {
            return (before, after);
        }
        let steps = (room + s - 1) / s;
        // A window that would begin beyond the image and the padding before it is left out.
        let steps = if steps * s >= n + before { steps - 1 } else { steps };
        (before, after.max(steps * s + reach - n - before))
    }
}

fn some_cells(padding: &Padding, shape: [usize; 3], options: &Pool2dOptions) -> bool {
    match padding {
        Padding::Valid => false,
        Padding::Explicit(cells) => *cells != [0; 4],
        Padding::Same => {
            let g = Pool2dGeometry::new("pool", &[1, shape[0], shape[1], shape[2]], options);
            g.is_ok_and(|g| [g.h, g.w].iter().any(|a| a.before + a.after > 0))
        }
    }
}

impl<'g> Importer<'g> {
    pub(super) fn pool(&mut self, node: &'g Node, attributes: &Attributes) -> Result<Activation, String> {
        let max = node.operator == "MaxPool";
        let x = self.picture(node)?;
        let dilations = attributes.pair("dilations", x.line())?;
        if attributes.ints("kernel_shape")?.is_none() {
            return Err("its kernel_shape is missing".into());
        }
        let ksize = attributes.pair("kernel_shape", x.line())?;
        let given = Window::new(attributes, x.line())?;
        let cells = match x.pad {
            None => [0; 4],
            Some(pad) => self.pooled_pad(&x, pad, ksize, max)?,
        };
        let padding = given.padding(x.shape, ksize, dilations, cells)?;
        let options = Pool2dOptions { ksize, strides: given.strides, padding };
        let counted = attributes.int("count_include_pad", 0)? != 0;
        let cells_count = (counted || cells != [0; 4]) && some_cells(&padding, x.shape, &options);
        if dilations != [1, 1] && max {
            return Err("dilations are not supported in MaxPool".into());
        }
        if !max && (cells_count || dilations != [1, 1]) {
            if !counted && (given.pads != [0; 4] || matches!(given.auto, Auto::Upper | Auto::Lower)) {
                return Err("padding of which only some cells count is not supported in a mean".into());
            }
            return self.mean_of_all(x, &given, ksize, dilations, cells);
        }
        let [h, w, c] = x.shape;
        let geometry = Pool2dGeometry::new("pool", &[1, h, w, c], &options).map_err(|e| e.problem)?;
        let [_, oh, ow, _] = geometry.output_shape();
        let strides = Some(given.strides);
        let kind = match max {
            true => LayerKind::MaxPool(kinds::MaxPool { ksize, strides, padding }),
            false => LayerKind::AvgPool(kinds::AvgPool { ksize, strides, padding }),
        };
        self.push(kind, &[x.layer], [oh, ow, c], x.order)
    }

    /// The cells of a Pad node that a pooling can take in.
    fn pooled_pad(&self, x: &Activation, pad: Pad, ksize: [i64; 2], max: bool) -> Result<[i64; 4], String> {
        // Zeros are like nothing at all where no value is less, and no window has nothing else.
        let inside = (0..4).all(|side| pad.cells[side] < ksize[side / 2]);
        let nothing = pad.value == f32::NEG_INFINITY || (pad.value == 0.0 && inside && self.none_negative(x));
        match max {
            true if nothing => Ok(pad.cells),
            false if pad.value == 0.0 => Ok(pad.cells),
            true => Err(format!(
                "padding with {} before it is not supported, only with -inf, or with 0 where no value is negative",
                pad.value
            )),
            false => Err(format!("padding with {} before it is not supported, only with 0", pad.value)),
        }
    }

    /// Whether the layer that gives `x` can give nothing below 0.
    fn none_negative(&self, x: &Activation) -> bool {
        let mut at = x.layer;
        while let Some(layer) = at {
            let LayerSpec { kind, inputs, .. } = &self.layers[layer].spec;
            match kind {
                LayerKind::Relu(kinds::Relu {})
                | LayerKind::Sigmoid(kinds::Sigmoid {})
                | LayerKind::Softmax(kinds::Softmax {}) => return true,
                LayerKind::Clip(kinds::Clip { min, .. }) => return *min >= 0.0,
                LayerKind::MaxPool(_) | LayerKind::AvgPool(_) | LayerKind::Dropout(_)
                    if inputs.is_empty() =>
                {
                    at = layer.checked_sub(1)
                }
                _ => return false,
            }
        }
        false
    }

    /// A mean in which padding counts: a convolution of each channel by itself with equal weights.
    fn mean_of_all(
        &mut self,
        x: Activation,
        given: &Window,
        ksize: [i64; 2],
        dilations: [i64; 2],
        cells: [i64; 4],
    ) -> Result<Activation, String> {
        let [h, w, c] = x.shape;
        let padding = given.padding(x.shape, ksize, dilations, cells)?;
        let floor = Window { ceil: false, pads: given.pads, auto: given.auto, strides: given.strides };
        let (strides, groups) = (given.strides, c as i64);
        let shape = |padding| {
            let options = Conv2dOptions { strides, dilations, padding, groups };
            let filter = [ksize[0] as usize, ksize[1] as usize, 1, c];
            let geometry = Conv2dGeometry::new("AveragePool", &[1, h, w, c], &filter, &options);
            geometry.map(|g| g.output_shape()).map_err(|e| e.problem)
        };
        let [_, oh, ow, _] = shape(padding)?;
        let padding = floor.padding(x.shape, ksize, dilations, cells)?;
        if shape(padding)? != [1, oh, ow, c] {
            return Err(
                "count_include_pad and ceil_mode with windows that reach beyond the padding are not supported".into()
            );
        }
        let taps = ksize[0].saturating_mul(ksize[1]) as usize;
        let numbers = taps.saturating_mul(c);
        if numbers > self.room {
            return Err(format!(
                "windows of {ksize:?} over {c} channels are too large for a mean with padding"
            ));
        }
        let kernel = ksize.map(|k| k as usize);
        let init = Init::default();
        let kind = LayerKind::Conv2d(kinds::Conv2d {
            filters: c,
            kernel,
            strides,
            dilations,
            padding,
            groups,
            bias: false,
            init,
        });
        let y = self.push(kind, &[x.layer], [oh, ow, c], x.order)?;
        self.param("filter", vec![1.0 / taps as f32; numbers])?;
        Ok(y)
    }

    pub(super) fn global_pool(&mut self, node: &'g Node) -> Result<Activation, String> {
        let x = self.take(input(node, 0)?)?;
        check_picture(&x)?;
        let mean = node.operator == "GlobalAveragePool";
        let kind = if mean {
            LayerKind::GlobalAvgPool(kinds::GlobalAvgPool {})
        } else {
            LayerKind::GlobalMaxPool(kinds::GlobalMaxPool {})
        };
        self.push(kind, &[x.layer], [1, 1, x.shape[2]], x.order)
    }

    /// The mean or the greatest over height and width, as some writers put a global pooling.
    pub(super) fn reduce(&mut self, node: &'g Node, attributes: &Attributes) -> Result<Activation, String> {
        let x = self.take(input(node, 0)?)?;
        let given = match optional(node, 1) {
            Some(name) => self.constant(name)?.to_ints()?,
            None => attributes.ints("axes")?.unwrap_or_default().to_vec(),
        };
        let rank = x.rank() as i64;
        let mut axes: Vec<i64> =
            given.iter().map(|&a| if a < 0 { a.saturating_add(rank) } else { a }).collect();
        axes.sort_unstable();
        let spatial = match x.order {
            Order::Chw => axes == [2, 3],
            Order::Cl => axes == [2],
            Order::Lc => axes == [1],
            Order::Hwc => axes == [1, 2],
            Order::Flat(_) => false,
        };
        let mean = node.operator == "ReduceMean";
        if !spatial {
            let what = if mean { "a mean" } else { "the greatest" };
            return Err(format!(
                "{what} over the axes {given:?} is not supported, only over height and width"
            ));
        }
        let order = if attributes.int("keepdims", 1)? != 0 { x.order } else { Order::Flat(None) };
        let kind = if mean {
            LayerKind::GlobalAvgPool(kinds::GlobalAvgPool {})
        } else {
            LayerKind::GlobalMaxPool(kinds::GlobalMaxPool {})
        };
        self.push(kind, &[x.layer], [1, 1, x.shape[2]], order)
    }

    pub(super) fn pad(&mut self, node: &'g Node, attributes: &Attributes) -> Result<Activation, String> {
        let mut x = self.take(input(node, 0)?)?;
        let mode = attributes.text("mode", "constant")?;
        if mode != "constant" {
            return Err(format!("mode = {mode} is not supported, only constant"));
        }
        if optional(node, 3).is_some() {
            return Err("its input `axes` is not supported".into());
        }
        let pads = match optional(node, 1) {
            Some(name) => self.constant(name)?.to_ints()?,
            None => attributes.ints("pads")?.unwrap_or_default().to_vec(),
        };
        let value = match optional(node, 2) {
            Some(name) => self.constant(name)?.to_floats()?.first().copied().unwrap_or(0.0),
            None => attributes.float("value", 0.0)?,
        };
        if pads.iter().all(|&p| p == 0) && pads.len() == 2 * x.rank() {
            return Ok(x);
        }
        let cells = match (x.order, &pads[..]) {
            (Order::Chw, &[0, 0, t, l, 0, 0, b, r]) | (Order::Hwc, &[0, t, l, 0, 0, b, r, 0]) => [t, b, l, r],
            (Order::Cl, &[0, 0, l, 0, 0, r]) | (Order::Lc, &[0, l, 0, 0, r, 0]) => [0, 0, l, r],
            _ => return Err(format!("pads = {pads:?} is not supported, only height and width of pictures")),
        };
        check("padding", &cells, 0)?;
        x.pad = Some(Pad { cells, value });
        Ok(x)
    }
}
