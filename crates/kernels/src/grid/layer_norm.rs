//! Layer normalization: the statistics over the channels of each place.

use super::Grid;
use super::group_norm::inverse_root;

fn moments(g: &Grid, at: usize, x: &[f32], epsilon: f32) -> [f64; 2] {
    let cells = || (0..g.channels).map(|c| f64::from(x[at + c * g.channel]));
    let count = g.channels as f64;
    let mean = cells().sum::<f64>() / count;
    let variance = cells().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
    [mean, inverse_root(variance + f64::from(epsilon))]
}

/// Every place and lane: where its first channel stands in each grid.
pub(super) fn places<const K: usize>(grids: [&Grid; K], mut visit: impl FnMut([usize; K])) {
    for h in 0..grids[0].height {
        for w in 0..grids[0].width {
            (0..grids[0].lanes).for_each(|l| visit(grids.map(|g| g.at(h, w, 0) + l)));
        }
    }
}

pub(super) fn forward(
    epsilon: f32,
    gx: &Grid,
    x: &[f32],
    [gamma, beta]: [&[f32]; 2],
    gy: &Grid,
    y: &mut [f32],
) {
    places([gx, gy], |[i, o]| {
        let [mean, r] = moments(gx, i, x, epsilon);
        for c in 0..gx.channels {
            let normal = (f64::from(x[i + c * gx.channel]) - mean) * r;
            y[o + c * gy.channel] = normal as f32 * gamma[c] + beta[c];
        }
    });
}

pub(super) fn backward_input(
    epsilon: f32,
    gx: &Grid,
    x: &[f32],
    gamma: &[f32],
    gdy: &Grid,
    dy: &[f32],
    gdx: &Grid,
    dx: &mut [f32],
) {
    let count = gx.channels as f64;
    places([gx, gdy, gdx], |[i, o, t]| {
        let [mean, r] = moments(gx, i, x, epsilon);
        let (mut sum, mut product) = (0.0, 0.0);
        for c in 0..gx.channels {
            let d = f64::from(dy[o + c * gdy.channel] * gamma[c]);
            sum += d;
            product += d * (f64::from(x[i + c * gx.channel]) - mean) * r;
        }
        for c in 0..gx.channels {
            let normal = (f64::from(x[i + c * gx.channel]) - mean) * r;
            let d = f64::from(dy[o + c * gdy.channel] * gamma[c]);
            dx[t + c * gdx.channel] += (r * (d - sum / count - normal * product / count)) as f32;
        }
    });
}

pub(super) fn backward_params(
    epsilon: f32,
    gx: &Grid,
    x: &[f32],
    gdy: &Grid,
    dy: &[f32],
    [dgamma, dbeta]: [&mut [f32]; 2],
) {
    places([gx, gdy], |[i, o]| {
        let [mean, r] = moments(gx, i, x, epsilon);
        for c in 0..gx.channels {
            let d = f64::from(dy[o + c * gdy.channel]);
            dgamma[c] += (d * (f64::from(x[i + c * gx.channel]) - mean) * r) as f32;
            dbeta[c] += d as f32;
        }
    });
}
