//! What predicting images one by one needs.

use super::options::Options;
use super::single::{Buffers, Single};
use crate::model::Model;
use foveal_kernels::team::Team;

/// Images that a worker takes at a time where they go one by one.
pub(super) const IMAGES: usize = 8;

/// The net for single images, and what each worker computes in.
pub(super) struct Singly {
    pub net: Single,
    /// For each worker.
    pub buffers: Vec<Buffers>,
    pub bounds: Vec<usize>,
}

impl Singly {
    pub fn new(model: &Model, options: &Options, team: &Team) -> Self {
        let net = Single::new(model, options.isa, options.loss);
        // The first worker's are for an image that all share, too.
        let buffers =
            (0..team.threads()).map(|i| net.buffers(if i == 0 { team.threads() } else { 1 })).collect();
        Self { net, buffers, bounds: Vec::new() }
    }
}
