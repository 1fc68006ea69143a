use super::fields::fits;
use super::layer::{At, Gradient, Inputs, Layer, MadeOf, ParamSpec, Pass, Passage, Role, Shape, Words};
use crate::Error;
use crate::init::Init;
use crate::ops;
use crate::steps::single::{SinglePlace, SingleStep};
use crate::steps::{self, Placing, StepKind};
use ndarray::{Array4, ArrayView4, Ix2};
use serde::{Deserialize, Serialize};

/// The most rows of an embedding: as many as its numbers, which are `f32`, can tell apart with room to spare.
const MAX_VOCABULARY: usize = 1 << 20;

/// A row of a table for each number of the input, which stands for a word or a character. It comes first, on an
/// input of one channel. Numbers must be whole; in an engine one outside the table has its nearest row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    /// Rows of the table: numbers from 0 to one less.
    pub vocabulary: usize,
    /// Numbers in a row: the output's channels.
    pub size: usize,
    /// How the table begins; for `he`, `fan_in` is `size`.
    #[serde(default, skip_serializing_if = "Init::is_default")]
    pub init: Init,
}

fn first_alone(shape @ [_, w, _]: Shape) -> String {
    format!(
        "it looks up the numbers of the input: let it be the first layer, on an input of one channel such as \
         [1, {w}, 1], not {shape:?}"
    )
}

impl Layer for Embedding {
    fn inputs(&self) -> Inputs {
        Inputs::One
    }

    fn vocabulary(&self) -> Option<usize> {
        Some(self.vocabulary)
    }

    fn misplaced(&self, from: Shape) -> Option<String> {
        Some(first_alone(from))
    }

    fn shape(&self, from: &[Shape]) -> Result<(Shape, u64), String> {
        let ([h, w, c], Self { vocabulary, size, .. }) = (from[0], *self);
        if c != 1 {
            return Err(first_alone([h, w, c]));
        }
        if vocabulary == 0 || vocabulary > MAX_VOCABULARY || size == 0 {
            return Err(format!(
                "a table of {vocabulary} x {size} is empty or too large; at most {MAX_VOCABULARY} rows are taken"
            ));
        }
        fits("output", [h, w, size])?;
        fits("a table of", [1, vocabulary, size])?;
        Ok(([h, w, size], 0))
    }

    fn params(&self, _: &[Shape]) -> Vec<ParamSpec> {
        let Self { vocabulary, size, init } = *self;
        vec![ParamSpec::weights("table", &[vocabulary, size], init, [size, vocabulary])]
    }

    fn forward(&self, at: &At<'_>) -> Result<Array4<f32>, Error> {
        ops::embedding(at.x(), at.param::<Ix2>(0))
    }

    /// What is looked up does not change by little steps of the number.
    fn gradient(&self, at: &At<'_>, _: ArrayView4<f32>, d: ArrayView4<f32>) -> Result<Gradient, Error> {
        let table = ops::embedding_backward(at.x(), self.vocabulary, d)?;
        Ok(Gradient {
            inputs: vec![Array4::zeros(at.extents())],
            params: vec![table.into_raw_vec_and_offset().0],
        })
    }

    fn reads_output(&self) -> bool {
        false
    }

    fn passage(&self, _: &Pass) -> Passage {
        Passage::Step
    }

    fn channels_last(&self) -> bool {
        false
    }

    fn step(&self, place: &mut Placing<'_>) -> StepKind {
        StepKind::Embedding(steps::Embedding::new(place, [self.vocabulary, self.size]))
    }

    fn single(&self, place: &SinglePlace<'_>) -> SingleStep {
        SingleStep::Embedding { table: place.param(0), extents: [self.vocabulary, self.size] }
    }

    fn role(&self) -> Role {
        Role::Follows
    }

    fn words(&self) -> Words {
        let Self { vocabulary, size, .. } = self;
        Words::new(
            format!("a row of {size} for each of {vocabulary} tokens"),
            format!("토큰 {vocabulary}가지마다 수 {size}개"),
        )
    }

    fn made_of(&self) -> MadeOf {
        MadeOf::Many
    }

    fn keeps_places(&self) -> bool {
        false
    }
}
