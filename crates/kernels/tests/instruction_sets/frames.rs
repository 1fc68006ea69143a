//! Random convolutions, and images in and out of frames.

use foveal_kernels::lanes::Frame;
use foveal_kernels::{Conv2dGeometry, Conv2dOptions, Isa, Padding};
use foveal_testkit::{Pad, Random};
use ndarray::Array4;

/// What stands in halos of outputs, to be found there afterwards.
pub const UNTOUCHED: f32 = 7.0;

/// A convolution that fits.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub x: [usize; 4],
    pub w: [usize; 4],
    pub strides: [usize; 2],
    pub dilations: [usize; 2],
    pub pad: Pad,
    pub groups: usize,
}

pub fn signed(v: [usize; 2]) -> [i64; 2] {
    v.map(|v| v as i64)
}

pub fn padding(pad: Pad) -> Padding {
    match pad {
        Pad::Valid => Padding::Valid,
        Pad::Same => Padding::Same,
        Pad::Explicit(p) => Padding::Explicit(p.map(|v| v as i64)),
    }
}

pub fn random_pad(r: &mut Random, most: usize) -> Pad {
    match r.int(0, 2) {
        0 => Pad::Valid,
        1 => Pad::Same,
        _ => Pad::Explicit([0; 4].map(|_: usize| r.int(0, most))),
    }
}

impl Case {
    /// A random convolution of `batch` images.
    pub fn random(r: &mut Random, batch: usize) -> Case {
        loop {
            let [h, w] = [r.int(1, 13), r.int(1, 13)];
            let (c, o, groups) = match r.int(0, 5) {
                0 => (1, r.int(1, 20), 1),
                1 => {
                    let c = r.int(1, 9);
                    (c, c * r.int(1, 3), c)
                }
                2 => {
                    let g = r.int(2, 3);
                    (g * r.int(1, 7), g * r.int(1, 11), g)
                }
                3 => (r.int(12, 27), r.int(1, 40), 1),
                _ => (r.int(1, 9), r.int(1, 19), 1),
            };
            let k = match r.int(0, 4) {
                0 => [1, 1],
                1 => [h, w],
                _ => [r.int(1, 5), r.int(1, 5)],
            };
            let case = Case {
                x: [batch, h, w, c],
                w: [k[0], k[1], c / groups, o],
                strides: [r.int(1, 3), r.int(1, 3)].map(|s| if r.int(0, 6) == 0 { s + 4 } else { s }),
                dilations: if r.int(0, 1) == 0 { [1, 1] } else { [r.int(1, 3), r.int(1, 3)] },
                pad: random_pad(r, 3),
                groups,
            };
            if case.try_geometry().is_ok() {
                return case;
            }
        }
    }

    fn try_geometry(&self) -> Result<Conv2dGeometry, foveal_kernels::GeometryError> {
        let options = Conv2dOptions {
            strides: signed(self.strides),
            dilations: signed(self.dilations),
            padding: padding(self.pad),
            groups: self.groups as i64,
        };
        Conv2dGeometry::new("conv2d", &self.x, &self.w, &options)
    }

    pub fn geometry(&self) -> Conv2dGeometry {
        self.try_geometry().expect("the case fits")
    }

    /// The same for one image, as the kernels on lanes take it.
    pub fn of_one(&self) -> Conv2dGeometry {
        Conv2dGeometry { batch: 1, ..self.geometry() }
    }
}

/// A frame of these channels and extents with at least this halo.
pub fn frame(r: &mut Random, [channels, height, width]: [usize; 3], halo: [usize; 4]) -> Frame {
    let extra = if r.int(0, 1) == 0 { 0 } else { 2 };
    Frame { channels, height, width, halo: halo.map(|v| v + r.int(0, extra)) }
}

fn place(f: &Frame, c: usize, h: usize, w: usize) -> usize {
    c * f.plane() + f.origin() + h * f.row() + w
}

/// Images `[n, h, w, c]`, at most one a lane, in a frame; halos and lanes without an image are `rest`.
pub fn pack(isa: Isa, f: &Frame, x: &Array4<f32>, rest: f32) -> Vec<f32> {
    let lanes = isa.lanes();
    assert!(x.dim().0 <= lanes);
    assert_eq!((x.dim().1, x.dim().2, x.dim().3), (f.height, f.width, f.channels));
    let mut out = vec![rest; f.vectors() * lanes];
    for ((n, h, w, c), &v) in x.indexed_iter() {
        out[place(f, c, h, w) * lanes + n] = v;
    }
    out
}

/// The first `n` images of a frame, `[n, h, w, c]`.
pub fn unpack(isa: Isa, f: &Frame, numbers: &[f32], n: usize) -> Array4<f32> {
    Array4::from_shape_fn((n, f.height, f.width, f.channels), |(n, h, w, c)| {
        numbers[place(f, c, h, w) * isa.lanes() + n]
    })
}

/// Asserts that halos still hold [`UNTOUCHED`].
pub fn assert_halo_untouched(isa: Isa, f: &Frame, numbers: &[f32]) {
    let mut halo = vec![true; f.vectors()];
    for c in 0..f.channels {
        for h in 0..f.height {
            (0..f.width).for_each(|w| halo[place(f, c, h, w)] = false);
        }
    }
    for (vector, _) in numbers.chunks_exact(isa.lanes()).zip(halo).filter(|(_, halo)| *halo) {
        assert!(vector.iter().all(|&v| v == UNTOUCHED), "{}: a halo was written: {f:?}", isa.name());
    }
}

/// Multiples of 1/8 from -2 to 2, in both types.
pub fn eighths(r: &mut Random, shape: [usize; 4]) -> (Array4<f32>, Array4<f64>) {
    let wide = Array4::from_shape_simple_fn(shape, || r.int(0, 32) as f64 / 8.0 - 2.0);
    (wide.mapv(|v| v as f32), wide)
}

pub fn wide(x: &Array4<f32>) -> Array4<f64> {
    x.mapv(f64::from)
}
