//! Random numbers with names: each is computed from its key and its name, so that it does not depend on which others
//! were drawn before.

use crate::shuffle::splitmix;

/// Which picture, in which epoch of which run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u64);

/// What a random number is for. New purposes are added at the end: then the numbers of the others stay the same.
#[derive(Clone, Copy)]
pub(super) enum Slot {
    ShiftRow,
    ShiftColumn,
    Rotate,
    Scale,
    Shear,
    Flip,
    Crop,
    CropRow,
    CropColumn,
    Brightness,
    Contrast,
    CutRow,
    CutColumn,
    Partner,
    /// Mixing needs this number and those after it.
    Share,
}

/// The most pairs of numbers that are tried for a Beta distribution: each pair is good with a chance of at least 1/2.
const TRIES: u64 = 64;

impl Key {
    /// The key of picture `index` in `epoch` of the run with `seed`.
    pub fn new(seed: u64, epoch: u64, index: u64) -> Self {
        Self(splitmix(splitmix(splitmix(seed) ^ epoch) ^ index))
    }

    /// The key of the same picture when it comes up again in the epoch; turn 0 is the first time, with this very key.
    pub fn turn(self, turn: u64) -> Self {
        if turn == 0 { self } else { Self(splitmix(self.0 ^ splitmix(turn))) }
    }

    fn bits(self, number: u64) -> u64 {
        splitmix(self.0 ^ splitmix(number))
    }

    /// From 0 to 1, both excluded.
    fn number(self, number: u64) -> f64 {
        ((self.bits(number) >> 12) as f64 + 0.5) / (1u64 << 52) as f64
    }

    /// From 0 to 1, both excluded.
    pub(super) fn unit(self, slot: Slot) -> f64 {
        self.number(slot as u64)
    }

    /// From -1 to 1.
    pub(super) fn both(self, slot: Slot) -> f64 {
        2.0 * self.unit(slot) - 1.0
    }

    /// From 0 to `count - 1`; 0 if there are none.
    pub(super) fn below(self, slot: Slot, count: usize) -> usize {
        ((u128::from(self.bits(slot as u64)) * count as u128) >> 64) as usize
    }

    /// A number from the distribution Beta(a, a), `a` at most 1, by Jöhnk's method (1964).
    pub(super) fn beta(self, a: f64) -> f64 {
        let first = Slot::Share as u64;
        for i in 0..TRIES {
            let power = |k| libm::pow(self.number(first + 2 * i + k), 1.0 / a);
            let (x, y) = (power(0), power(1));
            if x + y <= 1.0 && x + y > 0.0 {
                return x / (x + y);
            }
        }
        1.0
    }
}
