//! Who reads what in a model: computed once, for every plan and for the report.

use crate::Model;

/// The readers of each value of a model. Value 0 is the input, value `i + 1` the output of node `i`.
pub struct Graph {
    readers: Vec<Vec<usize>>,
}

impl Graph {
    /// The readers in `model`.
    pub fn new(model: &Model) -> Self {
        let mut readers = vec![Vec::new(); model.nodes().len() + 1];
        for (i, node) in model.nodes().iter().enumerate() {
            node.inputs.iter().for_each(|&v| readers[v].push(i));
        }
        Self { readers }
    }

    /// The only reader of value `v`, if there is just one.
    pub fn only_reader(&self, v: usize) -> Option<usize> {
        match self.readers[v][..] {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Values in all.
    pub fn values(&self) -> usize {
        self.readers.len()
    }
}
