//! Softmax and its logarithm over the channels of each place.

use super::Grid;
use super::layer_norm::places;

pub(super) fn forward(log: bool, gx: &Grid, x: &[f32], gy: &Grid, y: &mut [f32]) {
    places([gx, gy], |[i, o]| {
        let cells = || (0..gx.channels).map(|c| f64::from(x[i + c * gx.channel]));
        let top = cells().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = cells().map(|v| (v - top).exp()).sum();
        for (c, v) in cells().enumerate() {
            let v = v - top;
            y[o + c * gy.channel] = (if log { v - sum.ln() } else { v.exp() / sum }) as f32;
        }
    });
}

/// `y (dy - sum(y dy))`, or `dy - e^y sum(dy)` for the logarithm.
pub(super) fn backward(log: bool, gy: &Grid, y: &[f32], gdy: &Grid, dy: &[f32], gdx: &Grid, dx: &mut [f32]) {
    places([gy, gdy, gdx], |[i, o, t]| {
        let at = |c: usize| [y[i + c * gy.channel], dy[o + c * gdy.channel]].map(f64::from);
        let sum: f64 = (0..gy.channels).map(|c| if log { at(c)[1] } else { at(c)[0] * at(c)[1] }).sum();
        for c in 0..gy.channels {
            let [y, d] = at(c);
            dx[t + c * gdx.channel] += (if log { d - y.exp() * sum } else { y * (d - sum) }) as f32;
        }
    });
}
