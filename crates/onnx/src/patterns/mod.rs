//! Several nodes that together do what one operator does, as exporters write out what their operator set has not.

mod gelu;
mod length;
mod log_sigmoid;
mod normalize;
mod strided;

use crate::fold::Constant;
use crate::graph::{Step, live};
use std::collections::HashMap;

/// How far a constant may be from what it stands for.
const NEAR: f32 = 1e-5;

/// Finds what ends with a step.
type Ending = for<'a, 'b, 'c, 'g> fn(&'a Look<'b, 'g>, &'c Step<'g>) -> Option<Step<'g>>;

/// The steps with those of known patterns put together.
pub(crate) fn joined<'g>(
    steps: Vec<Step<'g>>,
    constants: &HashMap<&'g str, Constant<'g>>,
    output: &'g str,
) -> Vec<Step<'g>> {
    let look = Look::new(&steps, constants);
    let known: [Ending; 6] = [
        gelu::ending_with,
        length::ending_with,
        log_sigmoid::ending_with,
        strided::ending_with,
        normalize::layer,
        normalize::response,
    ];
    let found: Vec<Option<Step<'g>>> =
        steps.iter().map(|step| known.iter().find_map(|ending| ending(&look, step))).collect();
    if found.iter().all(Option::is_none) {
        return steps;
    }
    let steps = steps.into_iter().zip(found).map(|(step, found)| found.unwrap_or(step)).collect();
    live(steps, output)
}

/// Who makes which value.
struct Look<'a, 'g> {
    steps: &'a [Step<'g>],
    makers: HashMap<&'g str, usize>,
    constants: &'a HashMap<&'g str, Constant<'g>>,
}

impl<'a, 'g> Look<'a, 'g> {
    fn new(steps: &'a [Step<'g>], constants: &'a HashMap<&'g str, Constant<'g>>) -> Self {
        let makers = steps.iter().enumerate().flat_map(|(i, s)| s.outputs.iter().map(move |&o| (o, i)));
        Self { steps, makers: makers.collect(), constants }
    }

    /// The step that gives `value`, if it is an `operator` of ONNX's own.
    fn made_by(&self, value: &str, operator: &str) -> Option<&'a Step<'g>> {
        let step = &self.steps[*self.makers.get(value)?];
        let own = matches!(&*step.node.domain, "" | "ai.onnx") && step.outputs.first() == Some(&value);
        (own && step.operator == operator).then_some(step)
    }

    /// The number that `value` is, if it is one number.
    fn number(&self, value: &str) -> Option<f32> {
        self.constants.get(value)?.one_float().ok()
    }

    /// Whether `value` is a constant near `wanted`.
    fn is(&self, value: &str, wanted: f32) -> bool {
        self.number(value).is_some_and(|v| (v - wanted).abs() <= NEAR * wanted.abs().max(1.0))
    }

    /// The inputs of a step of two, in both orders.
    fn both(step: &Step<'g>) -> [[&'g str; 2]; 2] {
        match step.inputs[..] {
            [a, b] => [[a, b], [b, a]],
            _ => [[""; 2]; 2],
        }
    }
}
