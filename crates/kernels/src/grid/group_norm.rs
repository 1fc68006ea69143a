//! Group normalization: the statistics of one image over height, width and the channels of a group.

use super::Grid;

/// Every number of one group and lane, with its channel.
fn group(g: &Grid, groups: usize, k: usize, mut visit: impl FnMut([usize; 3])) {
    let size = g.channels / groups;
    for c in k * size..(k + 1) * size {
        for h in 0..g.height {
            (0..g.width).for_each(|w| visit([h, w, c]));
        }
    }
}

/// Mean and `1 / sqrt(variance + epsilon)`, 0 where that is infinite.
fn moments(g: &Grid, groups: usize, k: usize, l: usize, x: &[f32], epsilon: f32) -> [f64; 2] {
    let count = (g.height * g.width * (g.channels / groups)) as f64;
    let (mut sum, mut squares) = (0.0, 0.0);
    group(g, groups, k, |[h, w, c]| sum += f64::from(x[g.at(h, w, c) + l]));
    let mean = sum / count;
    group(g, groups, k, |[h, w, c]| squares += (f64::from(x[g.at(h, w, c) + l]) - mean).powi(2));
    [mean, inverse_root(squares / count + f64::from(epsilon))]
}

/// `1 / sqrt(v)`; 0 for 0, so that an image of equal numbers is normalized to zeros also where epsilon is 0.
pub(super) fn inverse_root(v: f64) -> f64 {
    if v == 0.0 { 0.0 } else { 1.0 / v.sqrt() }
}

pub(super) fn forward(
    [groups, _]: [usize; 2],
    epsilon: f32,
    gx: &Grid,
    x: &[f32],
    [gamma, beta]: [&[f32]; 2],
    gy: &Grid,
    y: &mut [f32],
) {
    for k in 0..groups {
        for l in 0..gx.lanes {
            let [mean, r] = moments(gx, groups, k, l, x, epsilon);
            group(gx, groups, k, |[h, w, c]| {
                let normal = (f64::from(x[gx.at(h, w, c) + l]) - mean) * r;
                y[gy.at(h, w, c) + l] = normal as f32 * gamma[c] + beta[c];
            });
        }
    }
}

pub(super) fn backward_input(
    groups: usize,
    epsilon: f32,
    gx: &Grid,
    x: &[f32],
    gamma: &[f32],
    gdy: &Grid,
    dy: &[f32],
    gdx: &Grid,
    dx: &mut [f32],
) {
    let count = (gx.height * gx.width * (gx.channels / groups)) as f64;
    for k in 0..groups {
        for l in 0..gx.lanes {
            let [mean, r] = moments(gx, groups, k, l, x, epsilon);
            let (mut sum, mut product) = (0.0, 0.0);
            group(gx, groups, k, |[h, w, c]| {
                let d = f64::from(dy[gdy.at(h, w, c) + l] * gamma[c]);
                sum += d;
                product += d * (f64::from(x[gx.at(h, w, c) + l]) - mean) * r;
            });
            group(gx, groups, k, |[h, w, c]| {
                let normal = (f64::from(x[gx.at(h, w, c) + l]) - mean) * r;
                let d = f64::from(dy[gdy.at(h, w, c) + l] * gamma[c]);
                dx[gdx.at(h, w, c) + l] += (r * (d - sum / count - normal * product / count)) as f32;
            });
        }
    }
}

pub(super) fn backward_params(
    groups: usize,
    epsilon: f32,
    gx: &Grid,
    x: &[f32],
    gdy: &Grid,
    dy: &[f32],
    [dgamma, dbeta]: [&mut [f32]; 2],
) {
    for k in 0..groups {
        for l in 0..gx.lanes {
            let [mean, r] = moments(gx, groups, k, l, x, epsilon);
            group(gx, groups, k, |[h, w, c]| {
                let d = f64::from(dy[gdy.at(h, w, c) + l]);
                dgamma[c] += (d * (f64::from(x[gx.at(h, w, c) + l]) - mean) * r) as f32;
                dbeta[c] += d as f32;
            });
        }
    }
}
