//! What a model is made of: layers, shapes, parameters, operations.

use crate::model::Model;

/// One row of a summary.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The layer's name.
    pub name: String,
    /// The layer's kind.
    pub kind: &'static str,
    /// Height, width, channels of the output.
    pub output_shape: [usize; 3],
    /// Numbers that training changes, and moving statistics.
    pub parameters: usize,
    /// Floating-point operations for one image, a multiply-add counted as two.
    pub flops: u64,
}

/// A model's rows and totals.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// A row for each layer.
    pub rows: Vec<Row>,
    /// All parameters.
    pub parameters: usize,
    /// All operations for one image.
    pub flops: u64,
}

/// The summary of `model`.
pub fn summary(model: &Model) -> Summary {
    let rows: Vec<Row> = model
        .nodes()
        .iter()
        .map(|node| Row {
            name: node.name.clone(),
            kind: node.kind.name(),
            output_shape: node.shape,
            parameters: node.params.iter().map(|&p| model.params()[p].values.len()).sum(),
            flops: node.flops,
        })
        .collect();
    Summary {
        parameters: rows.iter().map(|r| r.parameters).sum(),
        flops: rows.iter().map(|r| r.flops).sum(),
        rows,
    }
}
