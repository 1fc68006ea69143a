//! A convolution on lanes, forward and backward, by whichever way is faster: directly or by Winograd's transforms.

use super::Frame;
use super::conv::{Correlation, Finish};
use super::winograd::{Winograd, WinogradFilter};
use crate::dispatch::Isa;
use crate::geometry::Conv2dGeometry;

/// The plan of a convolution.
#[derive(Clone, Debug)]
pub struct Convolution {
    isa: Isa,
    gradient: Frame,
    way: Way,
}

// Plans are few, and boxed where they are kept.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
enum Way {
    Direct { forward: Correlation, inputs: Vec<Correlation> },
    Winograd { forward: Winograd, inputs: Option<Winograd>, filter: WinogradFilter },
}

impl Convolution {
    /// The plan from planes of `input` to planes of `output`. The gradients have frames of their own: `d_output`, and
    /// `d_input` where the input's is wanted.
    ///
    /// # Panics
    /// When a frame does not have the geometry's extents or too small a halo: the planner's mistake.
    pub fn new(
        isa: Isa,
        g: &Conv2dGeometry,
        input: &Frame,
        output: &Frame,
        d_output: &Frame,
        d_input: Option<&Frame>,
    ) -> Self {
        let way = if Winograd::faster(g) {
            Way::Winograd {
                forward: Winograd::forward(g, input, output),
                inputs: d_input.map(|d_input| Winograd::backward_input(g, d_output, d_input)),
                filter: WinogradFilter::new(g, input, d_output),
            }
        } else {
            let inputs = d_input.map(|d_input| Correlation::backward_input(g, d_output, d_input));
            let forward = Correlation::forward(g, input, output);
            Way::Direct { forward, inputs: inputs.unwrap_or_default() }
        };
        Self { isa, gradient: *d_output, way }
    }

    /// The zeros that are needed around the input, and around the output's gradient.
    pub fn halos(g: &Conv2dGeometry) -> [[usize; 4]; 2] {
        if Winograd::faster(g) {
            return Winograd::halos(g);
        }
        [Frame::halo_for(&g.h, &g.w), Correlation::backward_halo(g)]
    }

    /// The name of the way that was chosen, as plans are told.
    pub fn name(&self) -> &'static str {
        match &self.way {
            Way::Direct { .. } => "lanes::conv",
            Way::Winograd { .. } => "lanes::winograd",
        }
    }

    /// Numbers of scratch that a pass needs.
    pub fn scratch(&self) -> usize {
        match &self.way {
            Way::Direct { .. } => 0,
            Way::Winograd { forward, inputs, filter } => {
                let inputs = inputs.as_ref().map_or(0, |inputs| inputs.scratch(self.isa));
                forward.scratch(self.isa).max(inputs).max(filter.scratch(self.isa))
            }
        }
    }

    /// `output = conv2d(input, filter) + bias`.
    ///
    /// # Panics
    /// When a slice is shorter than its frame, as in all that follow.
    pub fn forward(
        &self,
        input: &[f32],
        filter: &[f32],
        bias: Option<&[f32]>,
        output: &mut [f32],
        scratch: &mut [f32],
    ) {
        match &self.way {
            Way::Direct { forward, .. } => {
                forward.run(self.isa, input, filter, bias, output, Finish::Store);
            }
            Way::Winograd { forward, .. } => {
                forward.run(self.isa, input, filter, bias, output, Finish::Store, scratch);
            }
        }
    }

    /// The input's gradient, stored or added to what stands there.
    pub fn backward_input(
        &self,
        d_output: &[f32],
        filter: &[f32],
        d_input: &mut [f32],
        accumulate: bool,
        scratch: &mut [f32],
    ) {
        let finish = if accumulate { Finish::Accumulate } else { Finish::Store };
        match &self.way {
            Way::Direct { inputs, .. } => {
                inputs.iter().for_each(|walk| walk.run(self.isa, d_output, filter, None, d_input, finish));
            }
            Way::Winograd { inputs, .. } => {
                let inputs = inputs.as_ref().expect("a plan made with the input's gradient");
                inputs.run(self.isa, d_output, filter, None, d_input, finish, scratch);
            }
        }
    }

    /// Adds the filter's gradient.
    pub fn backward_filter(
        &self,
        input: &[f32],
        d_output: &[f32],
        d_filter: &mut [f32],
        scratch: &mut [f32],
    ) {
        match &self.way {
            Way::Direct { forward, .. } => {
                forward.backward_weights(self.isa, input, d_output, &self.gradient, d_filter);
            }
            Way::Winograd { filter, .. } => filter.run(self.isa, input, d_output, d_filter, scratch),
        }
    }
}
