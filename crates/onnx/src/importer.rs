//! What is known while a graph is read: values, layers, parameters.

use crate::activation::{Activation, Pad};
use crate::fold::Constant;
use crate::proto::{Numbers, Side, Tensor, kind};
use crate::side::{SideFiles, plain};
use crate::view::View;
use crate::{Error, Note};
use foveal_nn::layers as kinds;
use foveal_nn::spec::{LayerKind, LayerSpec};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// Channels that one value may have; more than any network has, and little enough for a list of them.
pub(crate) const MOST_CHANNELS: usize = 1 << 20;

/// A layer that has been made.
pub(crate) struct Made {
    pub spec: LayerSpec,
    pub name: String,
    /// The layers whose outputs go in; none for the model's input.
    pub from: Vec<Option<usize>>,
}

/// A value of the graph.
#[derive(Clone)]
pub(crate) enum Value<'g> {
    Constant(Constant<'g>),
    Activation(Activation),
    /// What a node would give that is not supported.
    Unknown,
}

/// What is known while a graph is read.
pub(crate) struct Importer<'g> {
    pub opset: i64,
    /// The extent of the batch, or what stands for it.
    pub batch: i64,
    /// How many inputs of nodes each value is.
    pub uses: HashMap<&'g str, usize>,
    pub values: HashMap<&'g str, Value<'g>>,
    pub layers: Vec<Made>,
    pub params: HashMap<String, Vec<f32>>,
    /// Height, width, channels of the input, and what each channel is multiplied with and added to.
    pub input: [usize; 3],
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
    pub notes: BTreeMap<Note, usize>,
    counts: HashMap<&'static str, usize>,
    /// Numbers that parameters may still have: a few times what the file holds.
    room: usize,
    side: &'g mut dyn SideFiles,
    /// What went wrong with a file beside the model's.
    pub lost: Option<Error>,
}

impl<'g> Importer<'g> {
    /// For a file of so many `bytes`, with an input of this shape.
    pub fn new(opset: i64, batch: i64, input: [usize; 3], bytes: usize, side: &'g mut dyn SideFiles) -> Self {
        Self {
            opset,
            batch,
            uses: HashMap::new(),
            values: HashMap::new(),
            layers: Vec::new(),
            params: HashMap::new(),
            input,
            scale: vec![1.0; input[2]],
            shift: vec![0.0; input[2]],
            notes: BTreeMap::new(),
            counts: HashMap::new(),
            room: bytes.saturating_add(1 << 16),
            side,
            lost: None,
        }
    }

    /// The value called `name`, padded by a layer if it is to be.
    pub fn take(&mut self, name: &str) -> Result<Activation, String> {
        let value = self.take_padded(name)?;
        let Some(pad) = value.pad else { return Ok(value) };
        let shared = value.shared;
        let padded = self.padded(value, pad)?;
        if let Some(Value::Activation(kept)) = self.values.get_mut(name) {
            *kept = padded.clone();
        }
        Ok(Activation { shared, ..padded })
    }

    /// A value with a layer that pads it.
    pub fn padded(&mut self, x: Activation, pad: Pad) -> Result<Activation, String> {
        if !pad.value.is_finite() {
            return Err(format!("padding with {} before it is supported in MaxPool alone", pad.value));
        }
        let axes = x.view.axes(x.shape).ok_or("padding of axes that are joined is not supported")?;
        let cells = pad.cells.map(|n| n.max(0) as usize);
        let mut shape = x.shape;
        (0..2).for_each(|axis| shape[axis] += cells[2 * axis] + cells[2 * axis + 1]);
        let whole = |axis: Option<usize>| axis.map_or(vec![], |axis| View::of(&[axis], shape).dims.concat());
        let dims = axes.into_iter().map(whole).collect();
        let kind = kinds::Pad { cells, value: pad.value, ..kinds::Pad::default() };
        self.push(kind, &[x.layer], shape, View { dims })
    }

    /// The value called `name`, with padding that has not been used up.
    pub fn take_padded(&self, name: &str) -> Result<Activation, String> {
        match self.values.get(name) {
            Some(Value::Activation(value)) => {
                let mut value = value.clone();
                value.shared |= self.uses.get(name).is_some_and(|&n| n > 1);
                Ok(value)
            }
            Some(Value::Constant(_)) => {
                Err(format!("`{name}` is a constant where foveal takes what comes from the input"))
            }
            Some(Value::Unknown) => Err(format!("`{name}` comes from what is not supported")),
            None => Err(format!("no node before it gives `{name}`")),
        }
    }

    /// Whether the value called `name` is a constant.
    pub fn is_constant(&self, name: &str) -> bool {
        matches!(self.values.get(name), Some(Value::Constant(_)))
    }

    /// The constant called `name`.
    pub fn constant(&mut self, name: &str) -> Result<Constant<'g>, String> {
        match self.values.get(name).cloned() {
            Some(Value::Constant(constant)) => self.read(constant),
            Some(_) => Err(format!("`{name}` must be a constant; it is computed")),
            None => Err(format!("no node before it gives `{name}`")),
        }
    }

    /// A constant whose numbers are at hand, read from the file beside the model's if they are there.
    fn read(&mut self, constant: Constant<'g>) -> Result<Constant<'g>, String> {
        let Some(tensor) = constant.tensor() else { return Ok(constant) };
        match tensor.kind {
            kind::FLOAT16 | kind::BFLOAT16 => *self.notes.entry(Note::Widened).or_insert(0) += 1,
            kind::DOUBLE => *self.notes.entry(Note::Narrowed).or_insert(0) += 1,
            _ => {}
        }
        let Numbers::Side(place) = &tensor.numbers else { return Ok(constant) };
        let bytes = self.numbers_of(tensor, place).map_err(|problem| {
            let said = format!("the file of numbers `{}`: {problem}", place.location);
            self.lost.get_or_insert(Error::Side { file: place.location.clone(), problem });
            said
        })?;
        self.room = self.room.saturating_add(bytes.len());
        let numbers = Numbers::Raw(Cow::Owned(bytes));
        let read =
            Rc::new(Tensor { numbers, dims: tensor.dims.clone(), name: tensor.name.clone(), ..**tensor });
        Ok(Constant::stored(read)?.with_dims(constant.dims().to_vec()))
    }

    fn numbers_of(&mut self, tensor: &Tensor, place: &Side) -> Result<Vec<u8>, String> {
        if !plain(&place.location) {
            return Err("it must be a plain name, of a file in the folder of the model".into());
        }
        let size = tensor.shape()?.iter().product::<usize>() * tensor.width()?;
        if let Some(length) = place.length.filter(|&length| length != size as u64) {
            return Err(format!("{:?} takes {size} bytes, not {length}", tensor.dims));
        }
        let bytes = self.side.read(&place.location, place.offset, Some(size as u64))?;
        if bytes.len() != size {
            return Err(format!("{} bytes were read, not {size}", bytes.len()));
        }
        Ok(bytes)
    }

    /// Adds a layer.
    pub fn push(
        &mut self,
        kind: impl Into<LayerKind>,
        from: &[Option<usize>],
        shape: [usize; 3],
        view: View,
    ) -> Result<Activation, String> {
        let kind = kind.into();
        if shape[2] > MOST_CHANNELS {
            return Err(format!("makes {} channels; at most {MOST_CHANNELS} are read", shape[2]));
        }
        let before = self.layers.len().checked_sub(1);
        let called = |at: &Option<usize>| at.map_or("input".to_owned(), |i| self.layers[i].name.clone());
        let inputs = if from == [before] { Vec::new() } else { from.iter().map(called).collect() };
        let count = self.counts.entry(kind.name()).or_insert(0);
        *count += 1;
        let name = format!("{}_{count}", kind.name());
        let spec = LayerSpec { name: None, inputs, kind, line: 0 };
        self.layers.push(Made { spec, name, from: from.to_vec() });
        Ok(Activation { layer: Some(self.layers.len() - 1), shape, view, pad: None, shared: false })
    }

    /// Takes away the layer made last, which has no parameters.
    pub fn pop(&mut self) {
        if let Some(made) = self.layers.pop() {
            *self.counts.entry(made.spec.kind.name()).or_insert(1) -= 1;
        }
    }

    /// Adds a layer that keeps the shape and the order of `x`.
    pub fn keep(&mut self, kind: impl Into<LayerKind>, x: Activation) -> Result<Activation, String> {
        self.push(kind, &[x.layer], x.shape, x.view)
    }

    /// Gives the layer made last a parameter.
    pub fn param(&mut self, what: &str, values: Vec<f32>) -> Result<(), String> {
        let name = self.layers.last().map(|l| format!("{}.{what}", l.name)).unwrap_or_default();
        self.named_param(name, values)
    }

    /// Gives a layer a parameter by its whole name.
    pub fn named_param(&mut self, name: String, values: Vec<f32>) -> Result<(), String> {
        self.room = self.room.checked_sub(values.len()).ok_or_else(|| {
            "the parameters are many times what the file holds; foveal gives each layer its own".to_owned()
        })?;
        self.params.insert(name, values);
        Ok(())
    }

    /// How many numbers parameters may still have.
    pub fn room(&self) -> usize {
        self.room
    }

    /// The extents of a value in the graph, with the batch.
    pub fn extents(&mut self, name: &str) -> Result<Vec<i64>, String> {
        if let Some(Value::Constant(constant)) = self.values.get(name) {
            return Ok(constant.dims().iter().map(|&d| d as i64).collect());
        }
        let value = self.take(name)?;
        Ok(std::iter::once(self.batch).chain(value.dims().iter().map(|&d| d as i64)).collect())
    }
}
