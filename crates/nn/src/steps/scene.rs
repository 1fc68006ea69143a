//! One group at work.

use super::norm_state::NormState;
use super::places::{Parameter, Places};
use foveal_kernels::Isa;
use foveal_kernels::lanes::norm::Moments;
use std::ops::Range;

/// Whether a pass is part of training.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Forward {
    Training,
    Inference,
}

/// As many lanes as the widest instruction set has.
pub const MOST_LANES: usize = 16;

/// What one group of images leaves for the rest of a training step.
pub struct Kept {
    /// Sums of the parameters' gradients.
    pub gradients: Vec<f32>,
    /// What dense layers and embeddings need when the parameters are changed.
    pub saved: Vec<f32>,
    /// Images in the group.
    pub count: usize,
    /// 1 for each lane with an image, else 0.
    pub mask: [f32; MOST_LANES],
    /// For the batch normalization whose statistics are gathered now.
    pub moments: Vec<Moments>,
    pub norm_sums: Vec<[f64; 2]>,
}

impl Kept {
    /// Room for what `places` says.
    pub fn new(places: &Places) -> Self {
        let channels = places.norms.iter().map(|n| n.channels).max().unwrap_or(0);
        Self {
            gradients: vec![0.0; places.gradient_numbers],
            saved: vec![0.0; places.saved],
            count: 0,
            mask: [0.0; MOST_LANES],
            moments: vec![Moments::default(); channels],
            norm_sums: vec![[0.0; 2]; channels],
        }
    }

    /// Takes note of how many of the lanes have an image.
    pub fn fill(&mut self, count: usize, lanes: usize) {
        self.count = count;
        for (lane, mask) in self.mask[..lanes].iter_mut().enumerate() {
            *mask = f32::from(u8::from(lane < count));
        }
    }
}

/// A group at work: the places, the memory it runs in, the parameters.
pub struct Scene<'a> {
    pub places: &'a Places,
    pub arena: &'a mut [f32],
    pub bytes: &'a mut [u8],
    pub scratch: &'a mut [f32],
    pub kept: &'a mut Kept,
    /// All parameters, where [`Places::offsets`] says.
    pub values: &'a [f32],
    pub norms: &'a [NormState],
    /// Seeds dropout.
    pub seed: Option<u64>,
}

impl<'a> Scene<'a> {
    /// The instruction set.
    pub fn isa(&self) -> Isa {
        self.places.isa
    }

    /// Images of a group.
    pub fn images(&self) -> usize {
        self.places.images
    }

    /// The numbers of a parameter, and what follows them.
    pub fn param(&self, index: usize) -> &'a [f32] {
        &self.values[self.places.offsets[index]..]
    }

    /// The numbers of a parameter.
    pub fn numbers(&self, param: &Parameter) -> &'a [f32] {
        &self.param(param.index)[..param.count]
    }

    /// Where a group's gradient of a parameter lies.
    pub fn gradient(&self, param: &Parameter) -> Option<Range<usize>> {
        self.places.gradients[param.index].map(|at| at..at + param.count)
    }
}
