//! What a step reads and writes.

/// The values that go in and the one that comes out.
#[derive(Clone, Debug)]
pub struct Wires {
    /// The values that go in; for each, whether its gradient is added to what later steps left there, or stored.
    /// The model's input has no gradient.
    pub inputs: Vec<Input>,
    /// The value that comes out.
    pub y: usize,
}

/// A value that a step reads.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    pub value: usize,
    /// Whether its gradient is added to another; nothing where it has none.
    pub gradient: Option<bool>,
}

impl Wires {
    /// The first input's value.
    pub fn x(&self) -> usize {
        self.inputs[0].value
    }

    /// Whether the output overwrites the input.
    pub fn in_place(&self) -> bool {
        self.x() == self.y
    }
}
