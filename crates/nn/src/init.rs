//! How parameters begin: seeded, the same numbers on every machine.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// How a layer's weights begin. Biases begin at 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// Normal with variance `2 / fan_in` (He et al. 2015): for ReLU nets.
    #[default]
    He,
    /// Uniform within `sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio 2010).
    Glorot,
    /// Normal with this standard deviation.
    Normal(f32),
    /// This number everywhere.
    Constant(f32),
}

impl Init {
    pub(crate) fn is_default(&self) -> bool {
        *self == Init::He
    }

    /// `count` numbers for a layer with `fan_in` inputs and `fan_out` outputs to each number.
    pub fn values(self, count: usize, fan_in: usize, fan_out: usize, rng: &mut Random) -> Vec<f32> {
        match self {
            Init::He => rng.normals(count, (2.0 / fan_in as f64).sqrt() as f32),
            Init::Glorot => {
                let limit = (6.0 / (fan_in + fan_out) as f64).sqrt() as f32;
                (0..count).map(|_| (rng.uniform() * 2.0 - 1.0) * limit).collect()
            }
            Init::Normal(sd) => rng.normals(count, sd),
            Init::Constant(v) => vec![v; count],
        }
    }
}

/// Seeded random numbers (PCG XSL RR 128/64).
#[derive(Clone, Debug)]
pub struct Random(Pcg64);

impl Random {
    /// The stream of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Pcg64::seed_from_u64(seed))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// From 0 to 1, 1 excluded.
    pub fn uniform(&mut self) -> f32 {
        // 24 bits, as many as an f32 holds.
        (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// The same with 53 bits.
    fn uniform_f64(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Normal with standard deviation `sd` (Box and Muller 1958).
    pub fn normals(&mut self, count: usize, sd: f32) -> Vec<f32> {
        (0..count)
            .map(|_| {
                let radius = (-2.0 * (1.0 - self.uniform_f64()).ln()).sqrt();
                let angle = std::f64::consts::TAU * self.uniform_f64();
                (radius * angle.cos()) as f32 * sd
            })
            .collect()
    }
}
