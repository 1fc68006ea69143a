//! The Gelu that exporters to operator sets before 20 write out: `x * (erf(x / sqrt 2) + 1) * 0.5`.

use super::attributes::Attributes;
use crate::proto::{Graph, Node, Tensor};
use std::collections::HashMap;

/// How far a constant may be from what it stands for.
const NEAR: f32 = 1e-5;

/// A Gelu in several nodes.
pub(super) struct Written<'g> {
    /// What goes in.
    pub x: &'g str,
    /// Its nodes before the last.
    pub inner: [usize; 4],
}

/// The Gelus among the live nodes, by their last node.
pub(super) fn find<'g>(graph: &'g Graph<'g>, live: &[usize]) -> HashMap<usize, Written<'g>> {
    let erfs: Vec<usize> = live.iter().copied().filter(|&i| graph.nodes[i].operator == "Erf").collect();
    if erfs.is_empty() {
        return HashMap::new();
    }
    let mut look = Look { graph, makers: HashMap::new(), readers: HashMap::new(), tensors: HashMap::new() };
    look.tensors.extend(graph.tensors.iter().map(|t| (t.name.as_str(), &**t)));
    for &i in live {
        let Node { inputs, outputs, .. } = &graph.nodes[i];
        look.makers.extend(outputs.iter().map(|name| (name.as_str(), i)));
        for name in inputs {
            look.readers.entry(name).and_modify(|reader| *reader = None).or_insert(Some(i));
        }
    }
    erfs.into_iter().filter_map(|erf| look.around(erf)).collect()
}

struct Look<'g> {
    graph: &'g Graph<'g>,
    /// The node that makes each value.
    makers: HashMap<&'g str, usize>,
    /// The node that reads each value; none where several do.
    readers: HashMap<&'g str, Option<usize>>,
    tensors: HashMap<&'g str, &'g Tensor<'g>>,
}

impl<'g> Look<'g> {
    fn around(&self, erf: usize) -> Option<(usize, Written<'g>)> {
        let before = self.graph.nodes[erf].inputs.first()?;
        let &div = self.makers.get(before.as_str())?;
        let [x, root] = &self.graph.nodes[div].inputs[..] else { return None };
        self.is(div, "Div")?;
        self.number(root, std::f32::consts::SQRT_2)?;
        if self.only_reader(before)? != erf {
            return None;
        }
        let add = self.next(erf, "Add", |other| self.number(other, 1.0))?;
        let times = self.next(add, "Mul", |other| (other == x).then_some(()))?;
        let last = self.next(times, "Mul", |other| self.number(other, 0.5))?;
        Some((last, Written { x, inner: [div, erf, add, times] }))
    }

    fn output(&self, node: usize) -> Option<&'g String> {
        self.graph.nodes[node].outputs.first()
    }

    fn is(&self, node: usize, operator: &str) -> Option<()> {
        let Node { operator: own, domain, .. } = &self.graph.nodes[node];
        (own == operator && (domain.is_empty() || domain == "ai.onnx")).then_some(())
    }

    /// The one node that reads a value.
    fn only_reader(&self, value: &str) -> Option<usize> {
        *self.readers.get(value)?
    }

    /// The one node that reads what `node` gives, if it is an `operator` whose other input is as wanted.
    fn next(&self, node: usize, operator: &str, other: impl Fn(&'g String) -> Option<()>) -> Option<usize> {
        let value = self.output(node)?;
        let reader = self.only_reader(value)?;
        self.is(reader, operator)?;
        match &self.graph.nodes[reader].inputs[..] {
            [a, b] if a == value => other(b)?,
            [a, b] if b == value => other(a)?,
            _ => return None,
        }
        Some(reader)
    }

    /// Whether a constant is one number, and this.
    fn number(&self, name: &'g str, wanted: f32) -> Option<()> {
        let values = match self.tensors.get(name) {
            Some(tensor) => tensor.to_floats().ok()?,
            None => {
                let made = &self.graph.nodes[*self.makers.get(name)?];
                if made.operator != "Constant" {
                    return None;
                }
                Attributes::new(made).ok()?.constant().ok()?.to_floats().ok()?
            }
        };
        let [value] = values[..] else { return None };
        ((value - wanted).abs() <= NEAR).then_some(())
    }
}
