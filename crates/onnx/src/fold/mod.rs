//! Constants, and what nodes make of constants alone: shapes, padding, statistics of weights.
//!
//! A node of [`OPERATORS`] whose inputs are all constants is computed here as ONNX Runtime would: 32-bit floats in
//! 32 bits, sums of many in 64; whole numbers with a check for overflow. Sizes are checked before memory is taken.

mod cast;
mod constant;
mod elementwise;
mod make;
mod movement;
mod normalize;
mod reduce;
mod walk;

pub(crate) use constant::Constant;
pub(crate) use make::of_shape;
pub(crate) use movement::{Slices, cuts, new_extents, sliced};

use crate::attributes::Attributes;
use crate::proto::Node;

/// The operators that are computed of constants.
pub(crate) const OPERATORS: [&str; 55] = [
    "Abs",
    "Add",
    "And",
    "BatchNormalization",
    "Cast",
    "CastLike",
    "Ceil",
    "Clip",
    "Concat",
    "Constant",
    "ConstantOfShape",
    "Div",
    "Equal",
    "Exp",
    "Expand",
    "Flatten",
    "Floor",
    "Gather",
    "Greater",
    "GreaterOrEqual",
    "Identity",
    "Less",
    "LessOrEqual",
    "Log",
    "Max",
    "Mean",
    "Min",
    "Mod",
    "Mul",
    "Neg",
    "Not",
    "Or",
    "Pow",
    "Range",
    "Reciprocal",
    "ReduceL1",
    "ReduceL2",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "ReduceSumSquare",
    "Reshape",
    "Round",
    "Shape",
    "Size",
    "Slice",
    "Split",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Sum",
    "Tile",
    "Transpose",
];

/// Operators that are computed too, beside those above.
pub(crate) const MORE: [&str; 5] = ["Sigmoid", "Sign", "Tanh", "Unsqueeze", "Where"];

/// Whether a node is computed where its inputs are constants.
pub(crate) fn known(operator: &str) -> bool {
    OPERATORS.contains(&operator) || MORE.contains(&operator)
}

/// What stands for the extent of a batch that is not fixed: a prime larger than any extent that is read, so that
/// arithmetic on shapes goes its way, and what depends on the batch is told by its size.
pub(crate) const OPEN: i64 = (1 << 40) + 15;

/// Numbers of this size depend on the batch. Those at the ends of 64 bits stand for "to the end".
fn of_batch(v: i64) -> bool {
    let size = v.unsigned_abs();
    (1 << 31..1 << 61).contains(&size)
}

/// How many numbers may be computed.
pub(crate) struct Room {
    /// Those of one constant.
    pub largest: usize,
    /// Those of all that are computed.
    pub left: usize,
}

impl Room {
    /// For a file of so many bytes: weights may be computed of weights, step by step.
    pub fn of(bytes: usize) -> Self {
        let largest = (bytes / 2).saturating_add(1 << 16);
        Self { largest, left: largest.saturating_mul(64) }
    }

    /// The product of extents, if it may be computed.
    pub fn take(&mut self, dims: &[usize]) -> Result<usize, String> {
        let size = dims.iter().try_fold(1usize, |a, &d| a.checked_mul(d)).filter(|&n| n <= self.largest);
        let left = size.and_then(|n| self.left.checked_sub(n));
        let (Some(size), Some(left)) = (size, left) else {
            return Err(format!(
                "computes a constant of {dims:?}; at most {} numbers are computed for a file of this size",
                self.largest
            ));
        };
        self.left = left;
        Ok(size)
    }
}

/// A node whose inputs are constants, or left out.
pub(crate) struct Call<'c, 'g> {
    pub node: &'g Node<'g>,
    pub attributes: &'c Attributes<'g>,
    pub inputs: Vec<Option<Constant<'g>>>,
}

impl<'g> Call<'_, 'g> {
    /// Input `i`.
    fn input(&self, i: usize) -> Result<&Constant<'g>, String> {
        self.optional(i).ok_or_else(|| format!("its input {i} is missing"))
    }

    fn optional(&self, i: usize) -> Option<&Constant<'g>> {
        self.inputs.get(i).and_then(Option::as_ref)
    }

    /// The whole numbers of input `i`, or of an attribute that older operator sets have in its place.
    fn ints(&self, i: usize, attribute: &str) -> Result<Option<Vec<i64>>, String> {
        match self.optional(i) {
            Some(list) => list.ints().map(Some),
            None => Ok(self.attributes.ints(attribute)?.map(<[i64]>::to_vec)),
        }
    }
}

/// What a node of [`OPERATORS`] gives.
///
/// # Errors
/// Says what of it is not computed.
pub(crate) fn compute<'g>(call: &Call<'_, 'g>, room: &mut Room) -> Result<Vec<Constant<'g>>, String> {
    let operator = call.node.operator.as_str();
    let one = match operator {
        "Identity" => call.input(0)?.clone(),
        "Cast" | "CastLike" => cast::cast(call, room)?,
        "Constant" => make::constant(call)?,
        "ConstantOfShape" => make::filled(call, room)?,
        "Range" => make::range(call, room)?,
        "Shape" | "Size" => make::shape(call)?,
        "Reshape" => movement::reshape(call)?,
        "Flatten" => movement::flatten(call)?,
        "Squeeze" | "Unsqueeze" => movement::squeeze(call)?,
        "Transpose" => movement::transpose(call, room)?,
        "Expand" => movement::expand(call, room)?,
        "Tile" => movement::tile(call, room)?,
        "Slice" => movement::slice(call, room)?,
        "Gather" => movement::gather(call, room)?,
        "Concat" => movement::concat(call, room)?,
        "Split" => return movement::split(call, room),
        "BatchNormalization" => normalize::batch_norm(call, room)?,
        _ if operator.starts_with("Reduce") => reduce::reduce(call, room)?,
        _ => elementwise::compute(call, room)?,
    };
    Ok(vec![one])
}

/// An axis counted from the start, of `rank` axes.
fn axis(axis: i64, rank: usize) -> Result<usize, String> {
    let from_start = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
    let found = usize::try_from(from_start).ok().filter(|&a| a < rank);
    found.ok_or_else(|| format!("there is no axis {axis} among {rank}"))
}
