//! Operators as layers: which operators become a layer, and how.

mod activations;
mod affine;
mod arithmetic;
mod arrange;
mod batch_norm;
mod binary;
mod concat;
mod conv;
mod conv_transpose;
mod cut;
mod dense;
mod depth;
mod dropout;
mod embedding;
mod expand;
mod gather;
mod joined;
mod norms;
mod pad;
mod pool;
mod prelu;
mod reduce;
mod reshape;
mod resize;
mod slice;
mod softmax;
mod window;

pub(crate) use arrange::row;

use crate::activation::Activation;
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;

/// What a step gives, an activation for each output that is used; one for the first.
type Given = Result<Vec<Activation>, String>;

/// Takes a step in.
type Import = for<'a, 'g> fn(&'a mut Importer<'g>, &'a Step<'g>, &'a Attributes<'g>) -> Given;

/// The operators of a kind of layer.
struct Row {
    operators: &'static [&'static str],
    import: Import,
}

/// All operators.
static ROWS: &[Row] = &[
    activations::ROW,
    arithmetic::ROW,
    batch_norm::ROW,
    concat::ROW,
    conv::ROW,
    conv_transpose::ROW,
    dense::ROW,
    depth::ROW,
    dropout::ROW,
    expand::ROW,
    gather::ROW,
    joined::ROW,
    norms::ROW,
    pad::ROW,
    pool::ROW,
    pool::GLOBAL,
    prelu::ROW,
    reduce::ROW,
    reshape::ROW,
    resize::ROW,
    slice::ROW,
    softmax::ROW,
];

fn row_of(operator: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.operators.contains(&operator))
}

/// The operators that become layers, in the order of the alphabet.
pub(crate) fn operators() -> Vec<&'static str> {
    let mut all: Vec<&str> = ROWS.iter().flat_map(|row| row.operators.iter().copied()).collect();
    all.retain(|name| name.starts_with(|c: char| c.is_ascii_uppercase()));
    all.sort_unstable();
    all
}

/// Whether an operator may become a layer.
pub(crate) fn known(operator: &str) -> bool {
    row_of(operator).is_some()
}

/// A step as layers.
///
/// # Errors
/// Says what is not supported, and what is.
pub(crate) fn import<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    match row_of(step.operator) {
        Some(row) => (row.import)(importer, step, attributes),
        None => Err("this operator is not supported".into()),
    }
}
