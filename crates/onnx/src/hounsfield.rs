//! The window of a model of CT as nodes of a graph.

use crate::fold::Constant;
use crate::graph::{Step, readers};
use foveal_train::Window;
use std::collections::HashMap;

/// A node as it is written: its operator, and its constants by name.
type Written = (&'static str, Vec<(&'static str, f32)>);

/// What is done to Hounsfield units, one node after the other: as `Window::grey`, and rounded to whole numbers.
pub(crate) fn steps(window: &Window) -> [Written; 7] {
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
}

/// The window that the input goes through, if the graph begins with one as [`steps`] has it.
pub(crate) fn find<'g>(
    nodes: &[Step<'g>],
    constants: &HashMap<&'g str, Constant<'g>>,
    input: &'g str,
) -> Option<Found<'g>> {
    let number = |name: &&str| constants.get(name)?.one_float().ok();
    let (mut at, mut numbers) = (input, Vec::new());
    for (operator, _) in steps(&Window::SOFT) {
        let mut readers = readers(nodes, at);
        let (step, None) = (readers.next()?, readers.next()) else { return None };
        let (&first, rest) = step.inputs.split_first()?;
        if step.operator != operator || first != at || !step.node.attributes.is_empty() {
            return None;
        }
        numbers.push(rest.iter().map(number).collect::<Option<Vec<f32>>>()?);
        at = step.outputs.first()?;
    }
    let ([centre], [width]) = (&numbers[0][..], &numbers[1][..]) else { return None };
    let window = Window::new(*centre, *width).ok()?;
    let whole = steps(&window).map(|(_, constants)| constants.iter().map(|(_, v)| *v).collect::<Vec<_>>());
    (numbers == whole).then_some(Found { window, greys: at })
}
