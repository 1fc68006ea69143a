//! Resizing `[n, h, w, c]`, as ONNX's Resize defines it.

use ndarray::{Array2, Array4};

/// How to resize; the names are ONNX's, such as `half_pixel`, and `linear` or a nearest mode such as `floor`.
#[derive(Clone, Copy, Debug)]
pub struct Resizing<'a> {
    /// Output rows and columns.
    pub size: [usize; 2],
    /// Given scales, if any.
    pub scales: Option<[f32; 2]>,
    /// The coordinate transformation mode.
    pub coordinates: &'a str,
    /// `linear` or the nearest mode.
    pub mode: &'a str,
}

impl Resizing<'_> {
    /// Where output cell `i` lies. Given scales are counted in f32, as ONNX Runtime does.
    fn coordinate(&self, axis: usize, i: usize, n: usize) -> f64 {
        let m = self.size[axis];
        if self.coordinates == "align_corners" || (self.coordinates == "pytorch_half_pixel" && m == 1) {
            let steps = (m.max(2) - 1) as f64;
            return if m == 1 { 0.0 } else { (n - 1) as f64 * i as f64 / steps };
        }
        let [shift, back] = match self.coordinates {
            "half_pixel" | "pytorch_half_pixel" => [0.5, 0.5],
            "tf_half_pixel_for_nn" => [0.5, 0.0],
            "asymmetric" => [0.0, 0.0],
            other => panic!("no coordinates {other}"),
        };
        match self.scales {
            Some(scales) => f64::from((i as f32 + shift) / scales[axis] - back),
            // One division: a whole quotient is exact.
            None => {
                let [shift, back] = [shift, back].map(|v| f64::from(2.0 * v));
                ((2.0 * i as f64 + shift) * n as f64 - back * m as f64) / (2.0 * m as f64)
            }
        }
    }

    /// The weight of each input cell (columns) in each output cell (rows).
    fn weights(&self, axis: usize, n: usize) -> Array2<f64> {
        Array2::from_shape_fn((self.size[axis], n), |(i, j)| {
            let at = self.coordinate(axis, i, n);
            // Halves by a given scale, which is rounded, count as halves also when they are missed by 1e-6.
            let (low, high) = if self.scales.is_some() { (0.5 - 1e-6, 0.5 + 1e-6) } else { (0.5, 0.5) };
            let nearest = match self.mode {
                "linear" => {
                    let at = at.clamp(0.0, (n - 1) as f64);
                    return (1.0 - (at - j as f64).abs()).max(0.0);
                }
                "floor" => at.floor(),
                "ceil" => at.ceil(),
                _ if at - at.floor() < low => at.floor(),
                _ if at - at.floor() > high => at.ceil(),
                "round_prefer_floor" => at.floor(),
                "round_prefer_ceil" => at.floor() + 1.0,
                other => panic!("no mode {other}"),
            };
            f64::from(u8::from(nearest.clamp(0.0, (n - 1) as f64) == j as f64))
        })
    }
}

/// Each output cell as the weighted sum of all input cells.
#[must_use]
pub fn resize(x: &Array4<f64>, how: &Resizing<'_>) -> Array4<f64> {
    let (n, h, w, c) = x.dim();
    let (rows, columns) = (how.weights(0, h), how.weights(1, w));
    spread(x, [n, how.size[0], how.size[1], c], |[i, j], [k, l]| rows[[i, k]] * columns[[j, l]])
}

/// The gradient of an input `[n, h, w, c]`.
#[must_use]
pub fn resize_backward(d_y: &Array4<f64>, x: [usize; 4], how: &Resizing<'_>) -> Array4<f64> {
    let (rows, columns) = (how.weights(0, x[1]), how.weights(1, x[2]));
    spread(d_y, x, |[k, l], [i, j]| rows[[i, k]] * columns[[j, l]])
}

fn spread(from: &Array4<f64>, to: [usize; 4], weight: impl Fn([usize; 2], [usize; 2]) -> f64) -> Array4<f64> {
    let mut y = Array4::zeros(to);
    for i in 0..to[1] {
        for j in 0..to[2] {
            for k in 0..from.dim().1 {
                for l in 0..from.dim().2 {
                    let q = weight([i, j], [k, l]);
                    if q != 0.0 {
                        for n in 0..to[0] {
                            (0..to[3]).for_each(|c| y[[n, i, j, c]] += q * from[[n, k, l, c]]);
                        }
                    }
                }
            }
        }
    }
    y
}
