//! The nodes that an output needs, and who reads what.

use crate::proto::{Graph, Node};
use std::collections::{HashMap, HashSet};

/// A node, or several that together do what one operator does.
#[derive(Clone, Debug)]
pub(crate) struct Step<'g> {
    /// The node; the last of several.
    pub node: &'g Node<'g>,
    /// What it does.
    pub operator: &'g str,
    /// Names of values; empty where one is left out.
    pub inputs: Vec<&'g str>,
    /// Names of values.
    pub outputs: Vec<&'g str>,
    /// Of several nodes: numbers that were found in them.
    pub numbers: Vec<f32>,
}

impl<'g> Step<'g> {
    pub fn of(node: &'g Node<'g>) -> Self {
        let names = |list: &'g [String]| list.iter().map(String::as_str).collect();
        Self {
            node,
            operator: &node.operator,
            inputs: names(&node.inputs),
            outputs: names(&node.outputs),
            numbers: Vec::new(),
        }
    }

    /// The name of the node, or of its first output.
    pub fn name(&self) -> &'g str {
        let output = || self.outputs.first().copied().unwrap_or_default();
        if self.node.name.is_empty() { output() } else { &self.node.name }
    }

    /// The name of input `i`.
    pub fn input(&self, i: usize) -> Result<&'g str, String> {
        self.optional(i).ok_or_else(|| format!("its input {i} is missing"))
    }

    /// The name of input `i`, if it has it.
    pub fn optional(&self, i: usize) -> Option<&'g str> {
        self.inputs.get(i).copied().filter(|name| !name.is_empty())
    }
}

/// A graph's nodes as steps.
pub(crate) fn steps<'g>(graph: &'g Graph<'g>) -> Vec<Step<'g>> {
    graph.nodes.iter().map(Step::of).collect()
}

/// The steps that `output` needs, in the file's order.
pub(crate) fn live<'g>(steps: Vec<Step<'g>>, output: &'g str) -> Vec<Step<'g>> {
    let mut needed: HashSet<&str> = HashSet::from([output]);
    let mut live: Vec<Step> = Vec::new();
    for step in steps.into_iter().rev() {
        if step.outputs.iter().any(|o| !o.is_empty() && needed.contains(o)) {
            needed.extend(step.inputs.iter().copied());
            live.push(step);
        }
    }
    live.reverse();
    live
}

/// How many inputs of steps each value is.
pub(crate) fn uses<'g>(steps: &[Step<'g>], output: &'g str) -> HashMap<&'g str, usize> {
    let mut uses = HashMap::from([(output, 1)]);
    for &input in steps.iter().flat_map(|step| &step.inputs) {
        *uses.entry(input).or_insert(0) += 1;
    }
    uses
}

/// The steps that read `value`.
pub(crate) fn readers<'a, 'g>(steps: &'a [Step<'g>], value: &'a str) -> impl Iterator<Item = &'a Step<'g>> {
    steps.iter().filter(move |step| step.inputs.contains(&value))
}
