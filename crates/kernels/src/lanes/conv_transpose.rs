//! Transposed convolution on lanes: the walks of [`Correlation`] the other way round.
//!
//! Its forward pass is the input gradient of a convolution, its input gradient that convolution's forward pass, and
//! its filter gradient that convolution's with input and output gradient exchanged.

use super::{Correlation, Finish, Frame};
use crate::dispatch::Isa;
use crate::geometry::Conv2dTransposeGeometry;

/// The checked walks of a transposed convolution.
#[derive(Clone, Debug)]
pub struct ConvTranspose {
    geometry: Conv2dTransposeGeometry,
    x: Frame,
    /// A walk for each cell of the stride.
    forward: Vec<Correlation>,
    /// From the gradient of the output to that of the input.
    backward: Option<Correlation>,
}

impl ConvTranspose {
    /// The halo of zeros that the input needs, above, below, left and right, for the forward pass.
    pub fn input_halo(g: &Conv2dTransposeGeometry) -> [usize; 4] {
        Correlation::backward_halo(&g.convolution)
    }

    /// The halo of zeros that the output's gradient needs for the gradients.
    pub fn gradient_halo(g: &Conv2dTransposeGeometry) -> [usize; 4] {
        Frame::halo_for(&g.convolution.h, &g.convolution.w)
    }

    /// The forward pass from planes of `x` to planes of `y`.
    ///
    /// # Panics
    /// When a frame does not have the geometry's extents or too small a halo: the planner's mistake.
    pub fn new(g: &Conv2dTransposeGeometry, x: &Frame, y: &Frame) -> Self {
        assert_halo(x, Self::input_halo(g));
        assert_extents(x, g.input_shape());
        assert_extents(y, g.output_shape());
        let forward = Correlation::backward_input(&g.convolution, x, y);
        Self { geometry: *g, x: *x, forward, backward: None }
    }

    /// The same with the gradients, from planes of `dy` to planes of `dx`; where no input gradient is wanted, `dx` may
    /// be any frame of the input's extents.
    ///
    /// # Panics
    /// As [`ConvTranspose::new`].
    pub fn gradients(mut self, dy: &Frame, dx: &Frame) -> Self {
        assert_extents(dy, self.geometry.output_shape());
        assert_extents(dx, self.geometry.input_shape());
        self.backward = Some(Correlation::forward(&self.geometry.convolution, dy, dx));
        self
    }

    /// `y = conv2d_transpose(x, filter) + bias`, with `filter` `[kh, kw, o / groups, c]`: all of `y`'s inside is
    /// written, its halo never.
    ///
    /// # Panics
    /// When a slice is shorter than its frame.
    pub fn forward(&self, isa: Isa, x: &[f32], filter: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
        for walk in &self.forward {
            walk.run(isa, x, filter, bias, y, Finish::Store);
        }
    }

    /// The gradient of the input from that of the output.
    ///
    /// # Panics
    /// When a slice is shorter than its frame, or made without [`ConvTranspose::gradients`].
    pub fn backward_input(&self, isa: Isa, dy: &[f32], filter: &[f32], dx: &mut [f32], finish: Finish) {
        self.backward().run(isa, dy, filter, None, dx, finish);
    }

    /// Adds the gradient of the filter to `d_filter`. `x` stands in the frame of the forward pass.
    ///
    /// # Panics
    /// As [`ConvTranspose::backward_input`].
    pub fn backward_filter(&self, isa: Isa, x: &[f32], dy: &[f32], d_filter: &mut [f32]) {
        self.backward().backward_weights(isa, dy, x, &self.x, d_filter);
    }

    /// Multiply-adds of the forward pass for one image.
    pub fn multiply_adds(&self) -> u64 {
        self.forward.iter().map(Correlation::multiply_adds).sum()
    }

    fn backward(&self) -> &Correlation {
        self.backward.as_ref().expect("gradients need `ConvTranspose::gradients`")
    }
}

fn assert_extents(frame: &Frame, [_, h, w, c]: [usize; 4]) {
    assert_eq!([frame.channels, frame.height, frame.width], [c, h, w], "a frame of other extents");
}

fn assert_halo(frame: &Frame, need: [usize; 4]) {
    assert!(frame.halo.iter().zip(need).all(|(&have, need)| have >= need), "halo too small");
}
