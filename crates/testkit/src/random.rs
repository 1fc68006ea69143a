//! Seeded random arrays: the same on every machine.

use ndarray::{Array, Dimension, IntoDimension};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// A seeded source of numbers and arrays.
#[derive(Clone, Debug)]
pub struct Random(Pcg64Mcg);

impl Random {
    /// The source of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Random {
        Random(Pcg64Mcg::seed_from_u64(seed))
    }

    /// Uniform in `[0, 1)`, 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in `low..=high`.
    pub fn int(&mut self, low: usize, high: usize) -> usize {
        low + (self.unit() * (high - low + 1) as f64) as usize
    }

    /// One of the values.
    pub fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.int(0, values.len() - 1)]
    }

    /// Normal, mean 0, variance 1 (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// An array of normal numbers.
    pub fn array<I: IntoDimension>(&mut self, shape: I) -> Array<f64, I::Dim> {
        Array::from_shape_simple_fn(shape.into_dimension(), || self.normal())
    }

    /// An array of normal numbers that f32 represents exactly, in both types.
    pub fn array_f32<I: IntoDimension>(&mut self, shape: I) -> (Array<f32, I::Dim>, Array<f64, I::Dim>) {
        let narrow = self.array(shape).mapv(|v| v as f32);
        let wide = narrow.mapv(f64::from);
        (narrow, wide)
    }

    /// An array of normal numbers at least `gap` from each other, so that no
    /// step smaller than that changes which is the largest, or (with `gap`
    /// around zero kept free too) a sign.
    pub fn distinct<I: IntoDimension>(&mut self, shape: I, gap: f64) -> Array<f64, I::Dim> {
        let shape = shape.into_dimension();
        let count = shape.size();
        let mut values: Vec<f64> =
            (0..count).map(|i| (i as f64 - (count as f64) / 2.0 + 0.25) * gap * 2.0).collect();
        for i in (1..count).rev() {
            values.swap(i, self.int(0, i));
        }
        Array::from_shape_vec(shape, values).expect("as many values as cells")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_sequence() {
        assert_eq!(Random::new(3).array((4, 5)), Random::new(3).array((4, 5)));
        assert_ne!(Random::new(3).array((4, 5)), Random::new(4).array((4, 5)));
    }

    #[test]
    fn normal_numbers_have_their_moments() {
        let a = Random::new(1).array(20_000);
        assert!(a.mean().unwrap().abs() < 0.03);
        assert!((a.var(0.0) - 1.0).abs() < 0.05);
    }

    #[test]
    fn int_reaches_both_ends() {
        let mut r = Random::new(2);
        let seen: std::collections::BTreeSet<_> = (0..200).map(|_| r.int(2, 5)).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [2, 3, 4, 5]);
    }
}
