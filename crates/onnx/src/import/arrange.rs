//! Nodes without parameters: activations, and those that arrange numbers anew.

use super::activation::{Activation, Order};
use super::attributes::Attributes;
use super::constants::OPEN;
use super::{Importer, input, optional};
use crate::proto::{Node, kind};
use foveal_nn::layers as kinds;
use foveal_nn::spec::LayerKind;

impl<'g> Importer<'g> {
    pub(super) fn activate(&mut self, node: &'g Node, attributes: &Attributes) -> Result<Activation, String> {
        let x = self.take(input(node, 0)?)?;
        let kind = match node.operator.as_str() {
            "Relu" => LayerKind::Relu(kinds::Relu {}),
            "LeakyRelu" => LayerKind::LeakyRelu(kinds::LeakyRelu { alpha: attributes.float("alpha", 0.01)? }),
            "Sigmoid" => LayerKind::Sigmoid(kinds::Sigmoid {}),
            "Tanh" => LayerKind::Tanh(kinds::Tanh {}),
            "Gelu" => match attributes.text("approximate", "none")? {
                "none" => LayerKind::Gelu(kinds::Gelu::default()),
                other => return Err(format!("approximate = {other} is not supported, only none")),
            },
            _ => match self.bounds(node, attributes)? {
                (f32::NEG_INFINITY, f32::INFINITY) => return Ok(x),
                (0.0, f32::INFINITY) => LayerKind::Relu(kinds::Relu {}),
                (low, high) if low < high => {
                    LayerKind::Clip(kinds::Clip { min: low.max(f32::MIN), max: high.min(f32::MAX) })
                }
                (low, high) => {
                    return Err(format!("clipping to {low}..{high} is not supported: one number is left"));
                }
            },
        };
        self.push(kind, &[x.layer], x.shape, x.order)
    }

    /// What a Clip node clips to; infinite where it does not.
    fn bounds(&self, node: &'g Node, attributes: &Attributes) -> Result<(f32, f32), String> {
        let bound = |i: usize, name: &str, without: f32| match optional(node, i) {
            Some(constant) => match self.constant(constant)?.to_floats()?[..] {
                [v] => Ok(v),
                _ => Err(format!("its bound `{constant}` is not one number")),
            },
            None => attributes.float(name, without),
        };
        let low = bound(1, "min", f32::NEG_INFINITY)?;
        let high = bound(2, "max", f32::INFINITY)?;
        let low = if low <= f32::MIN { f32::NEG_INFINITY } else { low };
        Ok((low, if high >= f32::MAX { f32::INFINITY } else { high }))
    }

    pub(super) fn softmax(&mut self, node: &'g Node, attributes: &Attributes) -> Result<Activation, String> {
        let x = self.take(input(node, 0)?)?;
        let since_13 = self.opset >= 13;
        let axis = attributes.int("axis", if since_13 { -1 } else { 1 })?;
        let from_start = if axis < 0 { axis.saturating_add(x.rank() as i64) } else { axis };
        // Before operator set 13 it went over all axes from that one on.
        let channels =
            from_start == x.channel_axis() && (since_13 || x.rank() == 2 || x.size() == x.shape[2]);
        if !channels {
            return Err(format!("a softmax over axis {axis} is not supported, only over the channels"));
        }
        let x = self.flat(x)?;
        self.push(LayerKind::Softmax(kinds::Softmax {}), &[x.layer], x.shape, x.order)
    }

    pub(super) fn dropout(&mut self, node: &'g Node, attributes: &Attributes) -> Result<Activation, String> {
        let x = self.take_padded(input(node, 0)?)?;
        if let Some(name) = optional(node, 2)
            && self.constant(name)?.to_ints()?.iter().any(|&v| v != 0)
        {
            return Err("training_mode is not supported: export the model for inference".into());
        }
        let rate = match optional(node, 1) {
            Some(name) => self.constant(name)?.to_floats()?.first().copied().unwrap_or(0.0),
            None => attributes.float("ratio", 0.5)?,
        };
        // Dropout does nothing while predicting; it becomes a layer for the sake of training.
        if rate == 0.0 || x.pad.is_some() {
            return Ok(x);
        }
        self.push(LayerKind::Dropout(kinds::Dropout { rate }), &[x.layer], x.shape, x.order)
    }

    pub(super) fn cast(&mut self, node: &'g Node, attributes: &Attributes) -> Result<Activation, String> {
        match attributes.int("to", 0)? {
            kind::FLOAT => self.take_padded(input(node, 0)?),
            to => Err(format!("a cast to type {to} is not supported, only to 32-bit floats (type 1)")),
        }
    }

    pub(super) fn concat(&mut self, node: &'g Node, attributes: &Attributes) -> Result<Activation, String> {
        let mut values = Vec::new();
        for i in 0..node.inputs.len() {
            let x = self.take(input(node, i)?)?;
            values.push(self.flat(x)?);
        }
        let first = values.first().cloned().ok_or("it has no inputs")?;
        let axis = attributes.int("axis", 1)?;
        let from_start = if axis < 0 { axis.saturating_add(first.rank() as i64) } else { axis };
        if from_start != first.channel_axis() {
            return Err(format!("joining axis {axis} is not supported, only channels"));
        }
        if let Some(other) =
            values.iter().find(|v| v.order != first.order || v.shape[..2] != first.shape[..2])
        {
            return Err(format!("values of [n, {:?}] and [n, {:?}] do not join", first.dims(), other.dims()));
        }
        if matches!(first.order, Order::Flat(Some(_))) {
            return Err("joining flattened pictures is not supported; join them before the Flatten".into());
        }
        if values.len() == 1 {
            return Ok(first);
        }
        let channels = values.iter().fold(0, |a: usize, v| a.saturating_add(v.shape[2]));
        let from: Vec<Option<usize>> = values.iter().map(|v| v.layer).collect();
        let [h, w, _] = first.shape;
        self.push(LayerKind::Concat(kinds::Concat {}), &from, [h, w, channels], first.order)
    }

    pub(super) fn flatten(&mut self, node: &'g Node, attributes: &Attributes) -> Result<Activation, String> {
        let mut x = self.take(input(node, 0)?)?;
        let axis = attributes.int("axis", 1)?;
        if axis != 1 && axis != 1 - x.rank() as i64 {
            return Err(format!("axis = {axis} is not supported, only 1: the batch stays"));
        }
        x.order = x.flattened();
        Ok(x)
    }

    pub(super) fn reshape(&mut self, node: &'g Node, attributes: &Attributes) -> Result<Activation, String> {
        let mut x = self.take(input(node, 0)?)?;
        let shape = self.constant(input(node, 1)?)?.to_ints()?;
        let (dims, size) = (x.dims(), x.size());
        let fail = || {
            format!(
                "from [n, {dims:?}] to {shape:?} is not supported, only to one axis beside the batch and back"
            )
        };
        if attributes.int("allowzero", 0)? != 0 && shape.contains(&0) {
            return Err("allowzero is not supported".into());
        }
        let Some((&batch, rest)) = shape.split_first() else { return Err(fail()) };
        if ![0, -1, OPEN].contains(&batch) && Some(batch) != self.batch {
            return Err(fail());
        }
        let mut target = Vec::new();
        for (i, &extent) in rest.iter().enumerate() {
            target.push(match extent {
                0 => *dims.get(i).ok_or_else(fail)?,
                -1 if batch != -1 => 0,
                extent => usize::try_from(extent).map_err(|_| fail())?,
            });
        }
        let known = target.iter().filter(|&&v| v != 0).try_fold(1usize, |a, &v| a.checked_mul(v));
        let known = known.ok_or_else(fail)?;
        let open = target.iter().filter(|&&v| v == 0).count();
        if open > 1 || size % known != 0 || (open == 0 && known != size) {
            return Err(fail());
        }
        target.iter_mut().filter(|v| **v == 0).for_each(|v| *v = size / known);
        let [h, w, c] = x.shape;
        x.order = match (&target[..], x.order) {
            (t, order) if t == dims => order,
            ([_], _) => x.flattened(),
            (t, Order::Flat(Some(_))) if *t == [c, h, w] && h * w > 1 => Order::Chw,
            (t, Order::Flat(None)) if *t == [c, h, w] && (c == 1 || h * w == 1) => Order::Chw,
            (t, Order::Flat(None)) if *t == [h, w, c] => Order::Hwc,
            (t, Order::Flat(Some(_))) if *t == [c, w] && h == 1 && w > 1 => Order::Cl,
            (t, Order::Flat(None)) if *t == [c, w] && h == 1 && (c == 1 || w == 1) => Order::Cl,
            _ => return Err(fail()),
        };
        Ok(x)
    }

    /// Axes of extent 1 taken out or put in.
    pub(super) fn squeeze(&mut self, node: &'g Node, attributes: &Attributes) -> Result<Activation, String> {
        let mut x = self.take(input(node, 0)?)?;
        let out = node.operator == "Squeeze";
        let given = match optional(node, 1) {
            Some(name) => Some(self.constant(name)?.to_ints()?),
            None => attributes.ints("axes")?.map(<[i64]>::to_vec),
        };
        let given = given.ok_or("its axes must be said: without them the batch may go too")?;
        let rank = x.rank() as i64 + if out { 0 } else { given.len() as i64 };
        let mut axes: Vec<i64> =
            given.iter().map(|&a| if a < 0 { a.saturating_add(rank) } else { a }).collect();
        axes.sort_unstable();
        let [h, w, _] = x.shape;
        x.order = match (out, x.order, &axes[..]) {
            (true, Order::Chw, [2, 3]) | (true, Order::Hwc, [1, 2]) if h == 1 && w == 1 => Order::Flat(None),
            (true, Order::Cl, [2]) | (true, Order::Lc, [1]) if w == 1 => Order::Flat(None),
            (true, Order::Chw, [2]) if h == 1 => Order::Cl,
            (true, Order::Chw, [3]) if h == 1 && w == 1 => Order::Cl,
            (true, Order::Hwc, [1]) if h == 1 => Order::Lc,
            (true, Order::Hwc, [2]) if h == 1 && w == 1 => Order::Lc,
            (false, Order::Flat(None), [2, 3]) if h == 1 && w == 1 => Order::Chw,
            (false, Order::Flat(None), [2]) if h == 1 && w == 1 => Order::Cl,
            (false, Order::Cl, [2]) => Order::Chw,
            (false, Order::Lc, [1]) => Order::Hwc,
            _ => {
                let dims = x.dims();
                return Err(format!(
                    "axes {given:?} of [n, {dims:?}] are not supported, only height and width of extent 1"
                ));
            }
        };
        Ok(x)
    }

    /// `clip(alpha x + beta, 0, 1)`.
    pub(super) fn hard_sigmoid(
        &mut self,
        node: &'g Node,
        attributes: &Attributes,
    ) -> Result<Activation, String> {
        let x = self.take(input(node, 0)?)?;
        let (alpha, beta) = (attributes.float("alpha", 0.2)?, attributes.float("beta", 0.5)?);
        let x = self.flat(x)?;
        let channels = x.shape[2];
        let x = self.affine(x, vec![alpha; channels], vec![beta; channels])?;
        self.push(LayerKind::Clip(kinds::Clip { min: 0.0, max: 1.0 }), &[x.layer], x.shape, x.order)
    }

    pub(super) fn transpose(
        &mut self,
        node: &'g Node,
        attributes: &Attributes,
    ) -> Result<Activation, String> {
        let mut x = self.take(input(node, 0)?)?;
        let perm = attributes.ints("perm")?.unwrap_or_default();
        x.order = match (x.order, perm) {
            (Order::Chw, [0, 2, 3, 1]) => Order::Hwc,
            (Order::Hwc, [0, 3, 1, 2]) => Order::Chw,
            (Order::Cl, [0, 2, 1]) => Order::Lc,
            (Order::Lc, [0, 2, 1]) => Order::Cl,
            (order @ (Order::Chw | Order::Hwc), [0, 1, 2, 3])
            | (order @ (Order::Cl | Order::Lc), [0, 1, 2])
            | (order @ Order::Flat(_), [0, 1]) => order,
            _ => {
                return Err(format!(
                    "perm = {perm:?} of [n, {:?}] is not supported, only channels first to last and back",
                    x.dims()
                ));
            }
        };
        Ok(x)
    }
}
