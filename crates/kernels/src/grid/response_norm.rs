//! Local response normalization over neighbouring channels.

use super::Grid;
use super::layer_norm::places;

/// The operation's numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Response {
    pub size: usize,
    pub alpha: f32,
    pub beta: f32,
    pub bias: f32,
}

impl Response {
    /// The sum under the power, for a channel.
    fn sum(&self, g: &Grid, at: usize, x: &[f32], c: usize) -> f64 {
        let first = c.saturating_sub((self.size - 1) / 2);
        let last = (c + self.size / 2).min(g.channels - 1);
        let squares: f64 = (first..=last).map(|j| f64::from(x[at + j * g.channel]).powi(2)).sum();
        f64::from(self.bias) + f64::from(self.alpha) / self.size as f64 * squares
    }

    pub(super) fn forward(&self, gx: &Grid, x: &[f32], gy: &Grid, y: &mut [f32]) {
        places([gx, gy], |[i, o]| {
            for c in 0..gx.channels {
                let power = self.sum(gx, i, x, c).powf(-f64::from(self.beta));
                y[o + c * gy.channel] = (f64::from(x[i + c * gx.channel]) * power) as f32;
            }
        });
    }

    /// `dy_j s_j^-beta - 2 alpha beta / size x_j sum(dy_c x_c s_c^(-beta - 1))` over the channels c whose window
    /// holds j.
    pub(super) fn backward(&self, gx: &Grid, x: &[f32], gdy: &Grid, dy: &[f32], gdx: &Grid, dx: &mut [f32]) {
        let beta = f64::from(self.beta);
        let k = 2.0 * f64::from(self.alpha) * beta / self.size as f64;
        places([gx, gdy, gdx], |[i, o, t]| {
            for j in 0..gx.channels {
                let first = j.saturating_sub(self.size / 2);
                let last = (j + (self.size - 1) / 2).min(gx.channels - 1);
                let term = |c: usize| {
                    let [d, v] = [dy[o + c * gdy.channel], x[i + c * gx.channel]].map(f64::from);
                    d * v * self.sum(gx, i, x, c).powf(-beta - 1.0)
                };
                let sum: f64 = (first..=last).map(term).sum();
                let own = f64::from(dy[o + j * gdy.channel]) * self.sum(gx, i, x, j).powf(-beta);
                dx[t + j * gdx.channel] += (own - k * f64::from(x[i + j * gx.channel]) * sum) as f32;
            }
        });
    }
}
