//! What moves numbers, as nodes.

use super::Writer;
use crate::Error;
use crate::proto::{Attribute, Tensor};
use foveal_nn::layers::{
    Coordinates, DepthToSpaceOrder, Pad, PadMode, Resize, ResizeMethod, Round, Slice, SpaceToDepth,
};
use foveal_nn::model::Node as Layer;

/// ONNX's name for an order of channels.
pub(super) fn mode(order: DepthToSpaceOrder) -> &'static str {
    match order {
        DepthToSpaceOrder::BlockFirst => "DCR",
        DepthToSpaceOrder::ChannelFirst => "CRD",
    }
}

impl Writer<'_> {
    pub(super) fn slice(&mut self, layer: &Layer, slice: &Slice) -> Result<String, Error> {
        let (name, from) = (layer.name.as_str(), layer.inputs[0]);
        let fail = |problem| Error::Layer { layer: layer.name.clone(), problem };
        let spans = slice.spans(self.model.value_shape(from)).map_err(fail)?;
        let x = self.spatial(from, name);
        let lists: [Vec<i64>; 4] = [
            spans.iter().map(|s| s[0] as i64).collect(),
            spans
                .iter()
                .zip(slice.steps)
                .map(|(s, step)| s[0] as i64 + (s[1] as i64 - 1) * step + 1)
                .collect(),
            vec![2, 3, 1],
            slice.steps.to_vec(),
        ];
        let names = ["starts", "ends", "axes", "steps"];
        let lists: Vec<String> = names
            .iter()
            .zip(lists)
            .map(|(what, list)| self.tensor(Tensor::ints(&format!("{name}.{what}"), &list)))
            .collect();
        let inputs: Vec<&str> = std::iter::once(&x).chain(&lists).map(String::as_str).collect();
        Ok(self.node("Slice", name, &inputs, vec![]))
    }

    pub(super) fn padding(&mut self, layer: &Layer, pad: &Pad) -> String {
        let name = layer.name.as_str();
        let mode = match pad.mode {
            PadMode::Constant => "constant",
            PadMode::Reflect => "reflect",
            PadMode::Edge => "edge",
            PadMode::Wrap => "wrap",
        };
        let ([top, bottom, left, right], [before, after]) = (pad.cells, pad.channels);
        let cells = [0, before, top, left, 0, after, bottom, right].map(|v| v as i64);
        let x = self.spatial(layer.inputs[0], name);
        let cells = self.tensor(Tensor::ints(&format!("{name}.pads"), &cells));
        let value = self.tensor(Tensor::floats(&format!("{name}.value"), &[], vec![pad.value]));
        self.node("Pad", name, &[&x, &cells, &value], vec![("mode", Attribute::Text(mode.into()))])
    }

    pub(super) fn resize(&mut self, layer: &Layer, resize: &Resize) -> Result<String, Error> {
        let name = layer.name.as_str();
        let fail = |problem: &str| Error::Layer { layer: layer.name.clone(), problem: problem.into() };
        let nearest = resize.method == ResizeMethod::Nearest;
        let usual = if nearest { Coordinates::Asymmetric } else { Coordinates::HalfPixel };
        let coordinates = match resize.coordinates.unwrap_or(usual) {
            Coordinates::HalfPixel => "half_pixel",
            Coordinates::PytorchHalfPixel => "pytorch_half_pixel",
            Coordinates::AlignCorners => "align_corners",
            Coordinates::Asymmetric => "asymmetric",
            Coordinates::TfHalfPixelForNn => {
                return Err(fail("reads by tf_half_pixel_for_nn, which newer ONNX has not"));
            }
        };
        let round = match resize.round.unwrap_or(Round::Floor) {
            Round::RoundPreferFloor => "round_prefer_floor",
            Round::RoundPreferCeil => "round_prefer_ceil",
            Round::Floor => "floor",
            Round::Ceil => "ceil",
        };
        let texts = [
            ("mode", if nearest { "nearest" } else { "linear" }),
            ("coordinate_transformation_mode", coordinates),
            ("nearest_mode", round),
        ];
        let mut attributes = texts.map(|(n, v)| (n, Attribute::Text(v.into()))).to_vec();
        let x = self.spatial(layer.inputs[0], name);
        // Between corners only the extents count, and ONNX is clear about these alone.
        let corners = (coordinates == "align_corners").then_some([layer.shape[0], layer.shape[1]]);
        match (resize.size.or(corners), resize.scale.filter(|_| corners.is_none())) {
            (Some(_), Some(_)) => {
                Err(fail("has a size and places by another scale, which ONNX cannot say; give one of them"))
            }
            (Some(size), None) => {
                attributes.push(("axes", Attribute::Ints(vec![2, 3])));
                let size = self.tensor(Tensor::ints(&format!("{name}.sizes"), &size.map(|v| v as i64)));
                Ok(self.node("Resize", name, &[&x, "", "", &size], attributes))
            }
            (None, scale) => {
                let [a, b] = scale.unwrap_or([1.0, 1.0]);
                let scales = Tensor::floats(&format!("{name}.scales"), &[4], vec![1.0, 1.0, a, b]);
                let scales = self.tensor(scales);
                Ok(self.node("Resize", name, &[&x, "", &scales], attributes))
            }
        }
    }

    pub(super) fn shuffle(&mut self, layer: &Layer, groups: usize) -> String {
        let (name, from) = (layer.name.as_str(), layer.inputs[0]);
        let [h, w, c] = self.model.value_shape(from).map(|v| v as i64);
        let groups = groups as i64;
        let x = self.spatial(from, name);
        let x = self.reshaped(&format!("{name}/groups"), &x, &[0, groups, c / groups, h, w]);
        let perm = vec![("perm", Attribute::Ints(vec![0, 2, 1, 3, 4]))];
        let x = self.node("Transpose", &format!("{name}/turned"), &[&x], perm);
        self.reshaped(name, &x, &[0, c, h, w])
    }

    /// ONNX's own operator knows one order of channels; the other is written out.
    pub(super) fn space_to_depth(&mut self, layer: &Layer, kind: &SpaceToDepth) -> String {
        let (name, from) = (layer.name.as_str(), layer.inputs[0]);
        let block = kind.block as i64;
        let x = self.spatial(from, name);
        if kind.order == DepthToSpaceOrder::BlockFirst {
            return self.node("SpaceToDepth", name, &[&x], vec![("blocksize", Attribute::Int(block))]);
        }
        let [h, w, c] = self.model.value_shape(from).map(|v| v as i64);
        let (rows, columns) = (h / block, w / block);
        let x = self.reshaped(&format!("{name}/blocks"), &x, &[0, c, rows, block, columns, block]);
        let perm = vec![("perm", Attribute::Ints(vec![0, 1, 3, 5, 2, 4]))];
        let x = self.node("Transpose", &format!("{name}/turned"), &[&x], perm);
        self.reshaped(name, &x, &[0, c * block * block, rows, columns])
    }
}
