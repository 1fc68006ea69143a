//! Each place divided by the Euclidean norm of its channels.

use super::Grid;
use super::layer_norm::places;

fn norm(g: &Grid, at: usize, x: &[f32]) -> f64 {
    (0..g.channels).map(|c| f64::from(x[at + c * g.channel]).powi(2)).sum::<f64>().sqrt()
}

pub(super) fn forward(epsilon: f32, gx: &Grid, x: &[f32], gy: &Grid, y: &mut [f32]) {
    places([gx, gy], |[i, o]| {
        let size = norm(gx, i, x).max(f64::from(epsilon));
        let k = if size == 0.0 { 0.0 } else { 1.0 / size };
        for c in 0..gx.channels {
            y[o + c * gy.channel] = (f64::from(x[i + c * gx.channel]) * k) as f32;
        }
    });
}

/// `(dy - y sum(y dy)) / norm`, or `dy / epsilon` where the norm is below epsilon.
pub(super) fn backward(
    epsilon: f32,
    gx: &Grid,
    x: &[f32],
    gdy: &Grid,
    dy: &[f32],
    gdx: &Grid,
    dx: &mut [f32],
) {
    places([gx, gdy, gdx], |[i, o, t]| {
        let own = norm(gx, i, x);
        let size = own.max(f64::from(epsilon));
        let k = if size == 0.0 { 0.0 } else { 1.0 / size };
        let at = |c: usize| [x[i + c * gx.channel], dy[o + c * gdy.channel]].map(f64::from);
        let mut dot: f64 = (0..gx.channels).map(|c| at(c)[0] * at(c)[1]).sum();
        if own < f64::from(epsilon) {
            dot = 0.0;
        }
        for c in 0..gx.channels {
            let [x, d] = at(c);
            dx[t + c * gdx.channel] += (k * (d - x * k * dot * k)) as f32;
        }
    });
}
