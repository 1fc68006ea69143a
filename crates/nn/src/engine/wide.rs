//! Whether a model's channels fill vectors.

use crate::model::Model;
use crate::spec::LayerKind;
use foveal_kernels::Isa;

/// Whether many images, too, are best taken one at a time: channels side by side give at least nine tenths of a
/// vector's lanes work, and what dense layers read for every image stays in the cache or is little beside the rest.
pub(super) fn wide(model: &Model, isa: Isa) -> bool {
    let (mut useful, mut all, mut dense, mut dense_flops) = (0.0, 0.0, 0, 0.0);
    for node in model.nodes() {
        let groups = match &node.kind {
            // Of a depthwise convolution neighbouring channels lie side by side.
            LayerKind::Conv2d(conv) if conv.groups as usize == node.shape[2] => 1,
            LayerKind::Conv2d(conv) => conv.groups.max(1) as usize,
            LayerKind::Dense(_) => {
                dense += model.params()[node.params[0]].values.len() * 4;
                dense_flops += node.flops as f64;
                1
            }
            _ => continue,
        };
        let channels = node.shape[2] / groups;
        useful += node.flops as f64;
        all += node.flops as f64 * channels.next_multiple_of(isa.lanes()) as f64 / channels as f64;
    }
    useful >= 0.9 * all && (dense <= 512 << 10 || dense_flops <= 0.02 * useful)
}
