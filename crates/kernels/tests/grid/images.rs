//! Images in random grids, and out of them.

use foveal_kernels::grid::Grid;
use foveal_kernels::lanes::Frame;
use foveal_kernels::nhwc::Layout;
use foveal_testkit::Random;
use ndarray::Array4;

/// What stands around inside cells of outputs, to be found there afterwards.
pub const UNTOUCHED: f32 = 7.0;

/// How images lie: so many side by side in planes, or one with its channels side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    Lanes(usize),
    Nhwc,
}

pub const LIES: [Lie; 6] =
    [Lie::Lanes(1), Lie::Lanes(3), Lie::Lanes(4), Lie::Lanes(8), Lie::Lanes(16), Lie::Nhwc];

impl Lie {
    pub fn lanes(self) -> usize {
        match self {
            Lie::Lanes(n) => n,
            Lie::Nhwc => 1,
        }
    }

    /// A grid of this shape with a random halo or none; of images with channels side by side, a part of more
    /// channels at times.
    pub fn grid(self, r: &mut Random, shape: [usize; 3]) -> Grid {
        let most = r.pick(&[0, 0, 2]);
        let halo = [0; 4].map(|_: usize| r.int(0, most));
        let [height, width, channels] = shape;
        match self {
            Lie::Lanes(n) => Grid::of_frame(&Frame { channels, height, width, halo }, n),
            Lie::Nhwc => {
                let more = r.pick(&[0, 0, 3]);
                let whole = Grid::of_layout(&Layout { shape: [height, width, channels + more], halo });
                Grid { channels, origin: whole.origin + r.int(0, more), ..whole }
            }
        }
    }
}

/// Images `[n, h, w, c]`, at most one a lane; lanes without an image are 0, and everything else is `rest`.
pub fn pack(g: &Grid, x: &Array4<f32>, rest: f32) -> Vec<f32> {
    assert_eq!([x.dim().1, x.dim().2, x.dim().3], g.shape());
    let mut out = vec![rest; g.end() + 5];
    for ((n, h, w, c), &v) in x.indexed_iter() {
        let at = g.at(h, w, c);
        if n == 0 {
            out[at..at + g.lanes].fill(0.0);
        }
        out[at + n] = v;
    }
    out
}

/// The first `n` images of a grid.
pub fn unpack(g: &Grid, numbers: &[f32], n: usize) -> Array4<f32> {
    let [h, w, c] = g.shape();
    Array4::from_shape_fn((n, h, w, c), |(n, h, w, c)| numbers[g.at(h, w, c) + n])
}

/// Asserts that only inside cells were written.
pub fn assert_rest_untouched(what: &dyn std::fmt::Debug, g: &Grid, numbers: &[f32]) {
    let mut rest = vec![true; numbers.len()];
    for h in 0..g.height {
        for w in 0..g.width {
            for c in 0..g.channels {
                rest[g.at(h, w, c)..][..g.lanes].fill(false);
            }
        }
    }
    for (i, (&v, rest)) in numbers.iter().zip(rest).enumerate() {
        assert!(!rest || v == UNTOUCHED, "{v} was written at {i}, outside {g:?}: {what:?}");
    }
}
