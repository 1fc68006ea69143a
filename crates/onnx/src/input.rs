//! The input of a graph as that of a model.

use crate::Error;
use crate::fold::OPEN;
use crate::graph::{Step, readers};
use crate::importer::MOST_CHANNELS;
use crate::proto::{Attribute, Dim, Graph, Node, Value};
use crate::view::{CHANNELS, HEIGHT, View, WIDTH};
use std::collections::HashSet;

/// An input as foveal has it.
pub(crate) struct Input {
    /// Height, width, channels.
    pub shape: [usize; 3],
    /// How the graph's axes lie in these.
    pub view: View,
    /// The extent of the batch, or what stands for it.
    pub batch: i64,
}

/// The one input of the graph that is no constant.
pub(crate) fn of_graph<'g>(graph: &'g Graph) -> Result<&'g Value, Error> {
    let constant: HashSet<&str> = graph.tensors.iter().map(|t| t.name.as_str()).collect();
    let inputs: Vec<&Value> = graph.inputs.iter().filter(|i| !constant.contains(i.name.as_str())).collect();
    match inputs[..] {
        [input] => Ok(input),
        [] => Err(Error::Input { problem: "there are none; foveal's models have one".into() }),
        _ => {
            let names: Vec<String> = inputs.iter().map(|i| format!("`{}`", i.name)).collect();
            let problem =
                format!("there are {} ({}); foveal's models have one", inputs.len(), names.join(", "));
            Err(Error::Input { problem })
        }
    }
}

/// What is done first to an input.
struct First {
    /// A transpose to channels first.
    to_channels_first: bool,
    /// It is looked up in tables, and nothing else happens to it.
    looked_up: bool,
    /// Only numbers of one axis, or of a whole picture in its order, are read first, so that it is a picture.
    grey: bool,
    /// Windows go over it.
    windows: bool,
}

/// Height, width and channels of an input, how its axes lie, and the size of a batch if that is fixed. `size` is the
/// height and width of an input that leaves them open; `first` is the value whose readers show what it is.
pub(crate) fn read(
    input: &Value,
    steps: &[Step],
    first: &str,
    size: Option<[usize; 2]>,
) -> Result<Input, Error> {
    let fail = |problem: String| Err(Error::Input { problem: format!("`{}` {problem}", input.name) });
    let Some(dims) = &input.dims else {
        return fail("has no shape; run onnx.shape_inference first".into());
    };
    let first = First::of(steps, first);
    let axes: &[usize] = match dims.len() {
        2 if first.looked_up => &[WIDTH],
        2 => &[CHANNELS],
        3 if first.looked_up || first.grey => &[HEIGHT, WIDTH],
        3 if first.to_channels_first => &[WIDTH, CHANNELS],
        3 => &[CHANNELS, WIDTH],
        4 if first.to_channels_first || !first.windows && last_is_colour(dims) => &[HEIGHT, WIDTH, CHANNELS],
        4 => &[CHANNELS, HEIGHT, WIDTH],
        n => {
            return fail(format!(
                "has {n} axes; foveal takes [n, c, h, w], [n, h, w, c], [n, h, w], [n, c, l] or [n, c]"
            ));
        }
    };
    let mut shape = [1; 3];
    for (dim, &axis) in dims[1..].iter().zip(axes) {
        shape[axis] = match (dim, size) {
            (Dim::Known(n), _) if *n > 0 && *n <= i64::from(i32::MAX) => *n as usize,
            (Dim::Known(n), None) if *n != -1 => return fail(format!("has an axis of {n}")),
            (_, Some(size)) if axis != CHANNELS && size[axis] > 0 => size[axis],
            _ => {
                let option = "--input-size HEIGHTxWIDTH";
                return Err(Error::Open { input: input.name.clone(), dims: told(dims), option });
            }
        };
    }
    let other = |size: &[usize; 2]| axes.iter().any(|&a| a != CHANNELS && size[a] != shape[a]);
    if let Some([h, w]) = size.filter(other) {
        return fail(format!(
            "is {}, which {h}x{w} does not fit: leave the size out, or say that of the file",
            told(dims)
        ));
    }
    if shape[CHANNELS] > MOST_CHANNELS {
        return fail(format!("has {} channels; at most {MOST_CHANNELS} are read", shape[CHANNELS]));
    }
    let batch = match dims.first() {
        Some(Dim::Known(n)) if *n > 0 => *n,
        _ => OPEN,
    };
    Ok(Input { shape, view: View::of(axes, shape), batch })
}

/// Extents as a message has them.
fn told(dims: &[Dim]) -> String {
    let dim = |dim: &Dim| match dim {
        Dim::Known(n) => n.to_string(),
        Dim::Open(name) if name.is_empty() => "?".to_owned(),
        Dim::Open(name) => name.clone(),
    };
    format!("[{}]", dims.iter().map(dim).collect::<Vec<_>>().join(", "))
}

/// Whether the last axis is as long as grey, colour or transparent pixels have channels, and the first is not.
fn last_is_colour(dims: &[Dim]) -> bool {
    let colour = |dim: &Dim| matches!(dim, Dim::Known(1 | 3 | 4));
    colour(&dims[3]) && !colour(&dims[1])
}

impl First {
    fn of(steps: &[Step], input: &str) -> Self {
        let gather =
            |s: &Step| s.operator == "Gather" && s.inputs.iter().position(|&i| i == input) == Some(1);
        let mut all = readers(steps, input).peekable();
        let looked_up = all.peek().is_some() && all.all(gather);
        let mut at = input;
        let mut found = Self { to_channels_first: false, looked_up, grey: false, windows: false };
        for step in steps {
            if !step.inputs.contains(&at) {
                continue;
            }
            match step.operator {
                // These do not say which axis is which.
                "Cast" | "Clip" | "Identity" | "Mul" | "Add" | "Sub" | "Div" | "Pad" | "Relu" | "Slice" => {
                    at = step.outputs.first().copied().unwrap_or_default();
                }
                "Transpose" => {
                    found.to_channels_first =
                        [&[0, 3, 1, 2][..], &[0, 2, 1]].iter().any(|order| has_order(step.node, order));
                    return found;
                }
                // A Shape is read beside what is done.
                "Shape" | "Size" => {}
                operator => {
                    found.grey = matches!(operator, "Flatten" | "Reshape" | "Unsqueeze");
                    found.windows = !matches!(operator, "Flatten" | "Reshape" | "MatMul" | "Gemm");
                    return found;
                }
            }
        }
        found
    }
}

fn has_order(node: &Node, order: &[i64]) -> bool {
    node.attributes.iter().any(|(name, a)| name == "perm" && *a == Attribute::Ints(order.to_vec()))
}
