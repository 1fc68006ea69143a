//! The window of a model of CT as nodes of a graph.

use crate::proto::{Graph, Tensor};
use foveal_train::Window;
use std::collections::HashMap;
use std::rc::Rc;

/// A node: its operator, and its constants by name.
type Step = (&'static str, Vec<(&'static str, f32)>);

/// What is done to Hounsfield units, one node after the other: as `Window::grey`, and rounded to whole numbers.
pub(crate) fn steps(window: &Window) -> [Step; 7] {
    [
        ("Sub", vec![("window_center", window.centre())]),
        ("Div", vec![("window_width", window.width())]),
        ("Add", vec![("middle", 0.5)]),
        ("Mul", vec![("white", 255.0)]),
        ("Clip", vec![("least", 0.0), ("most", 255.0)]),
        ("Add", vec![("half", 0.5)]),
        ("Floor", vec![]),
    ]
}

/// A window that stands at the beginning of a graph.
pub(crate) struct Found<'g> {
    pub window: Window,
    /// The value that holds the greys.
    pub greys: &'g str,
    /// Its nodes.
    pub nodes: Vec<usize>,
}

/// The window that the input goes through, if the graph begins with one as [`steps`] has it.
pub(crate) fn find<'g>(graph: &'g Graph<'g>, live: &[usize], input: &'g str) -> Option<Found<'g>> {
    let constants: HashMap<&str, &Rc<Tensor>> = graph.tensors.iter().map(|t| (t.name.as_str(), t)).collect();
    let number = |name: &String| match constants.get(name.as_str())?.to_floats().ok()?[..] {
        [value] => Some(value),
        _ => None,
    };
    let (mut at, mut nodes, mut numbers) = (input, Vec::new(), Vec::new());
    for (operator, _) in steps(&Window::SOFT) {
        let mut readers = live.iter().filter(|&&i| graph.nodes[i].inputs.iter().any(|name| name == at));
        let (&i, None) = (readers.next()?, readers.next()) else { return None };
        let node = &graph.nodes[i];
        let (first, rest) = node.inputs.split_first()?;
        if node.operator != operator || first != at || !node.attributes.is_empty() {
            return None;
        }
        numbers.push(rest.iter().map(number).collect::<Option<Vec<f32>>>()?);
        nodes.push(i);
        at = node.outputs.first()?;
    }
    let ([centre], [width]) = (&numbers[0][..], &numbers[1][..]) else { return None };
    let window = Window::new(*centre, *width).ok()?;
    let whole = steps(&window).map(|(_, constants)| constants.iter().map(|(_, v)| *v).collect::<Vec<_>>());
    (numbers == whole).then_some(Found { window, greys: at, nodes })
}
