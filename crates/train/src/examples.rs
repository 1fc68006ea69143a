//! What the engine is given of a data set.

use crate::units::Units;
use foveal_data::{Dataset, Sample, Targets};
use foveal_nn::engine::{Example, Pixels, Target};

/// The training pictures with their targets and weights.
#[derive(Clone, Copy)]
pub(crate) struct Examples<'a> {
    pub data: &'a Dataset,
    /// Who is trained on.
    pub train: &'a [u32],
    /// The values of a regression in units that suit training.
    pub units: Option<&'a Units>,
    /// How much the images of each class count.
    pub weights: Option<&'a [f32]>,
}

impl<'a> Examples<'a> {
    /// Sample `i` of the data set.
    pub fn at(&self, i: usize) -> Example<'a> {
        let (target, weight) = match self.data.targets() {
            Targets::Classes { labels, .. } => {
                let label = labels[i];
                (Target::Class(label), self.weights.map_or(1.0, |w| w[label as usize]))
            }
            Targets::Values { values, names } => {
                let values = self.units.map_or(values, |units| &units.values);
                (Target::Values(&values[i * names.len()..(i + 1) * names.len()]), 1.0)
            }
        };
        Example { pixels: pixels(self.data, i), target, weight }
    }
}

/// The pixels of sample `i`.
pub(crate) fn pixels(data: &Dataset, i: usize) -> Pixels<'_> {
    match data.sample(i) {
        Sample::U8(v) => Pixels::U8(v),
        Sample::F32(v) => Pixels::F32(v),
    }
}
