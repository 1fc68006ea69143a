//! What goes into a training step, and what comes out.

pub use foveal_kernels::lanes::image::Pixels;

/// One image and what should come out.
#[derive(Clone, Copy, Debug)]
pub struct Example<'a> {
    /// The raw samples, `[height][width][channel]`.
    pub pixels: Pixels<'a>,
    /// What should come out.
    pub target: Target<'a>,
    /// How much the image counts in the loss.
    pub weight: f32,
}

/// What should come out.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// A class.
    Class(u32),
    /// Two classes, as of a mixture of two images.
    Mixed {
        /// The class of the larger part and of the other.
        classes: [u32; 2],
        /// How much is of the first, from a half to 1.
        share: f32,
    },
    /// The values of a regression.
    Values(&'a [f32]),
}

/// What a batch gave.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepReport {
    /// The weighted mean loss.
    pub loss: f64,
    /// The same without label smoothing.
    pub plain: f64,
    /// Images whose largest output was the right class.
    pub correct: usize,
    /// Images in the batch.
    pub count: usize,
}
