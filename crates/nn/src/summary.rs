//! What a model is made of: layers, shapes, parameters, operations.

use crate::model::Model;
use crate::{Error, ModelSpec};

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
    /// The shape of each array of them; the product of its extents is how many it has.
    pub shapes: Vec<Vec<usize>>,
    /// Floating-point operations for one image, a multiply-add counted as two.
    pub flops: u64,
}

impl Row {
    /// Why there are so many parameters: `5·5·1·32 + 32`; empty where there are none.
    pub fn formula(&self) -> String {
        let product = |shape: &Vec<usize>| shape.iter().map(usize::to_string).collect::<Vec<_>>().join("·");
        self.shapes.iter().map(product).collect::<Vec<_>>().join(" + ")
    }
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

/// The summary of the model that `spec` describes. No weights are made for it.
///
/// # Errors
/// As [`Model::new`].
pub fn summary_of(spec: &ModelSpec) -> Result<Summary, Error> {
    Ok(summary(&Model::outlined(spec)?))
}

fn numbers(shape: &[usize]) -> usize {
    shape.iter().product()
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
            parameters: node.params.iter().map(|&p| numbers(&model.params()[p].shape)).sum(),
            shapes: node.params.iter().map(|&p| model.params()[p].shape.clone()).collect(),
            flops: node.flops,
        })
        .collect();
    Summary {
        parameters: rows.iter().map(|r| r.parameters).sum(),
        flops: rows.iter().map(|r| r.flops).sum(),
        rows,
    }
}
