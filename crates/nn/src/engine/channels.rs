//! When images of a group stand one after the other, channels side by side, for training: where a batch is too small to
//! fill the vectors of several workers with images.

use super::graph::Graph;
use super::options::{GroupLayout, Options};
use super::wide::wide;
use crate::model::Model;
use crate::spec::LayerKind;
use foveal_kernels::Isa;
use foveal_kernels::nhwc::Trained;

/// Numbers of a group's maps, images side by side, from which on no cache holds them: 64 MiB.
const LARGE: usize = 16 << 20;

/// The better layout, by what was measured: channels side by side where half of a vector of images would stand empty,
/// and for large maps where a batch fills less than two groups of images, so that a single worker would do all of it.
/// It depends on model, batch and instruction set alone, never on the number of workers.
pub(super) fn suited(model: &Model, options: &Options) -> GroupLayout {
    let (lanes, batch) = (options.isa.lanes(), options.batch_size);
    let convolves = model.nodes().iter().any(|node| matches!(node.kind, LayerKind::Conv2d(_)));
    let numbers: usize = model.nodes().iter().map(|node| node.shape.iter().product::<usize>()).sum();
    let large = 2 * numbers * lanes >= LARGE && wide(model, options.isa);
    let few = 2 * batch <= lanes || (batch < 2 * lanes && large);
    match options.loss.is_some() && convolves && few && known(model) {
        true => GroupLayout::Channels,
        false => GroupLayout::Images,
    }
}

/// Whether every layer has a step with channels side by side.
pub(super) fn known(model: &Model) -> bool {
    model.nodes().iter().all(|node| node.kind.layer().channels_last())
}

/// Images in a group: few, as each group has gradient sums of its own that all must be added up; more where there are
/// so many parameters that this costs more than it brings.
pub(super) fn images(parameters: usize, isa: Isa) -> usize {
    let images = match parameters >> 20 {
        0..16 => 4,
        16..32 => 8,
        _ => 16,
    };
    images.min(isa.lanes())
}

/// The zeros that the images' only reader would like to have around them.
pub(super) fn halo_of_images(model: &Model, graph: &Graph) -> [usize; 4] {
    let Some(reader) = graph.only_reader(0) else { return [0; 4] };
    match (&model.nodes()[reader].kind, model.conv_geometry(reader, 1)) {
        (LayerKind::Conv2d(_), Some(geometry)) => Trained::halo(&geometry),
        _ => [0; 4],
    }
}
