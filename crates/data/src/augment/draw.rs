//! Random numbers by counter: each has a name, and none depends on which others were drawn.

use crate::shuffle::splitmix;

/// Which picture, in which epoch of which run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u64);

/// What a number is for. The numbers of a picture stay the same when more kinds are added at the end.
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
    /// The first of all that mixing may need.
    Share,
}

/// Pairs of numbers tried for a Beta distribution: each is taken at least one time in two.
const TRIES: u64 = 64;

impl Key {
    /// Of picture `index` in `epoch` of the run with `seed`.
    pub fn new(seed: u64, epoch: u64, index: u64) -> Self {
        Self(splitmix(splitmix(splitmix(seed) ^ epoch) ^ index))
    }

    /// Of the same picture when it comes up the `turn`-th time in the epoch; the same key for the turn 0.
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

    /// From Beta(a, a), `a` at most 1: Jöhnk's method (1964).
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
