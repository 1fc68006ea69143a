//! Samples of a data set, in the form that the engine takes.

use crate::Error;
use crate::units::Units;
use foveal_data::{Dataset, Samples, Targets};
use foveal_nn::engine::{Engine, Example, Pixels, Target};

/// So many stored samples are read, then given to the engine together.
const READ: usize = 512;

/// The training pictures with their targets and weights.
#[derive(Clone, Copy)]
pub(crate) struct Examples<'a> {
    pub data: &'a Dataset,
    /// The samples that are trained on.
    pub train: &'a [u32],
    /// The values of a regression in units that suit training; always there for a regression.
    pub units: Option<&'a Units>,
    /// How much the images of each class count.
    pub weights: Option<&'a [f32]>,
    /// How much each sample counts besides.
    pub own: Option<&'a [f32]>,
}

impl<'a> Examples<'a> {
    /// Sample `i` of the data set, which must be in memory.
    pub fn at(&self, i: usize) -> Example<'a> {
        let (target, weight) = self.target(i);
        Example { pixels: pixels(self.data, i), target, weight }
    }

    /// The target of sample `i` and how much it counts.
    pub fn target(&self, i: usize) -> (Target<'a>, f32) {
        let own = self.own.map_or(1.0, |own| own[i]);
        let (target, weight) = match self.data.targets() {
            Targets::Classes { labels, .. } => {
                let label = labels[i];
                (Target::Class(label), self.weights.map_or(1.0, |w| w[label as usize]) * own)
            }
            Targets::Values { names, .. } | Targets::Labels { names, .. } => {
                let values = self.units.map_or(&[][..], |units| &units.values);
                (Target::Values(&values[i * names.len()..(i + 1) * names.len()]), own)
            }
        };
        (target, weight)
    }
}

/// The pixels of sample `i`, which must be in memory.
fn pixels(data: &Dataset, i: usize) -> Pixels<'_> {
    match data.samples() {
        Samples::U8(all) => Pixels::U8(&all[i * data.sample_len()..(i + 1) * data.sample_len()]),
        Samples::F32(all) => Pixels::F32(&all[i * data.sample_len()..(i + 1) * data.sample_len()]),
        Samples::Stored(_) => Pixels::U8(&[]),
    }
}

/// Refuses indices that the data set does not have.
pub(crate) fn indices_fit(data: &Dataset, indices: &[u32]) -> Result<(), Error> {
    let samples = data.len();
    match indices.iter().find(|&&i| i as usize >= samples) {
        Some(&sample) => {
            let (data, problem) = (data.name().to_owned(), "is not in the data set");
            Err(Error::Split { data, sample, samples, problem })
        }
        None => Ok(()),
    }
}

/// The outputs of the engine's model for `count` samples, `[sample][output]`; `index` gives the place of each in the
/// data set.
pub(crate) fn outputs(
    engine: &mut Engine,
    data: &Dataset,
    count: usize,
    index: impl Fn(usize) -> usize + Sync,
) -> Vec<f32> {
    let each = is_large(engine.plan().group_bytes());
    let Some(stored) = data.stored() else {
        return predict(engine, each, count, |i| pixels(data, index(i)));
    };
    stored.ahead(&(0..count).map(|i| index(i) as u32).collect::<Vec<_>>());
    let mut rows = vec![Vec::new(); READ.min(count)];
    let mut contexts = vec![(); engine.threads()];
    let mut all = Vec::new();
    for first in (0..count).step_by(READ) {
        let rows = &mut rows[..READ.min(count - first)];
        engine.for_each(&mut contexts, rows, |(), i, row| *row = stored.sample(index(first + i)));
        all.extend(predict(engine, each, rows.len(), |i| Pixels::U8(&rows[i])));
    }
    all
}

/// Whether images go through a net one at a time because side by side they would need too much memory.
pub(crate) fn is_large(group_bytes: usize) -> bool {
    const MOST: usize = 128 << 20;
    group_bytes > MOST
}

/// The outputs of `count` samples, one at a time or side by side.
pub(crate) fn predict<'a>(
    engine: &mut Engine,
    each: bool,
    count: usize,
    pixels: impl Fn(usize) -> Pixels<'a> + Sync,
) -> Vec<f32> {
    if each { engine.predict_each(count, pixels) } else { engine.predict(count, pixels) }
}
