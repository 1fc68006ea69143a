//! A few of the samples that were trained on, kept for the report when the others are let go.

use crate::args::Train;
use foveal::data::{Dataset, Sample, Samples, Targets};
use foveal::view::report::LEARNT;

/// Numbers of all of them together, at most.
const NUMBERS: usize = 1 << 23;

/// Pictures evenly from the first to the last of `indices`; `None` where no report is wanted or samples are texts.
pub fn excerpt(args: &Train, data: &Dataset, indices: &[u32]) -> Option<Dataset> {
    if args.no_report || data.vocabulary().is_some() {
        return None;
    }
    let size: usize = data.shape().iter().product();
    let n = indices.len().min(LEARNT).min((NUMBERS / size.max(1)).max(1));
    let at = |k: usize| indices[k * indices.len() / n] as usize;
    let bytes = (0..n).map(|k| match data.sample(at(k)) {
        Sample::U8(pixels) => Some(pixels.to_vec()),
        Sample::F32(_) => None,
    });
    let samples = match bytes.collect::<Option<Vec<Vec<u8>>>>() {
        Some(bytes) => Samples::U8(bytes.concat()),
        None => Samples::F32((0..n).flat_map(|k| data.sample(at(k)).numbers()).collect()),
    };
    // What they should give is not asked.
    let targets = Targets::Values { values: vec![0.0; n], names: vec![String::new()] };
    Dataset::new(data.name(), data.shape(), samples, targets).ok()
}
