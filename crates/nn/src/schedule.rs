//! Learning-rate schedules: a factor for each step of a run.

use crate::Error;
use serde::{Deserialize, Serialize};

/// How the learning rate changes over a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Schedule {
    /// Always the same.
    #[default]
    Constant,
    /// Multiplied by `factor` after every `every` epochs.
    Step {
        /// Epochs between two drops.
        every: usize,
        /// What the rate is multiplied by.
        factor: f32,
    },
    /// Half a cosine from the full rate to `floor` times it.
    Cosine {
        /// Share of the rate that remains at the end.
        #[serde(default)]
        floor: f32,
    },
    /// Up in a straight line to the full rate, then down in a straight line to `end` times it (Smith 2018).
    OneCycle {
        /// Share of the run that goes up.
        warmup: f32,
        /// Share of the rate to begin with.
        start: f32,
        /// Share of the rate to end with.
        end: f32,
    },
}

impl Schedule {
    /// Checks every value.
    ///
    /// # Errors
    /// [`Error::Option`] for the first that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        let share = |v: f32| (0.0..=1.0).contains(&v);
        let of_one = "from 0 to 1";
        let rows: Vec<(&'static str, bool, &'static str, f32)> = match *self {
            Schedule::Constant => Vec::new(),
            Schedule::Step { every, factor } => vec![
                ("the epochs between two steps of the schedule", every > 0, "at least 1", every as f32),
                (
                    "the factor of the schedule",
                    factor > 0.0 && factor <= 1.0,
                    "above 0 and at most 1",
                    factor,
                ),
            ],
            Schedule::Cosine { floor } => vec![("the floor of the schedule", share(floor), of_one, floor)],
            Schedule::OneCycle { warmup, start, end } => vec![
                ("the warmup of the schedule", share(warmup), of_one, warmup),
                ("the start of the schedule", share(start), of_one, start),
                ("the end of the schedule", share(end), of_one, end),
            ],
        };
        match rows.into_iter().find(|row| !row.1) {
            Some((option, _, allowed, value)) => {
                Err(Error::Option { option, allowed: allowed.to_owned(), value: value.to_string() })
            }
            None => Ok(()),
        }
    }

    /// The factor at `step` (from 0) of `total`, with `per_epoch` steps an epoch.
    ///
    /// ```
    /// use foveal_nn::schedule::Schedule;
    /// let s = Schedule::OneCycle { warmup: 0.25, start: 0.1, end: 0.0 };
    /// assert!((s.factor(0, 100, 100) - 0.1).abs() < 1e-6);
    /// assert!((s.factor(25, 100, 100) - 1.0).abs() < 1e-6);
    /// assert!(s.factor(99, 100, 100) < 0.03);
    /// ```
    pub fn factor(&self, step: usize, total: usize, per_epoch: usize) -> f32 {
        let at = step as f32 / total.max(1) as f32;
        match *self {
            Schedule::Constant => 1.0,
            Schedule::Step { every, factor } => {
                let drops = step / (per_epoch.max(1) * every.max(1));
                factor.powi(i32::try_from(drops).unwrap_or(i32::MAX))
            }
            Schedule::Cosine { floor } => {
                floor + (1.0 - floor) * 0.5 * (1.0 + (std::f32::consts::PI * at).cos())
            }
            Schedule::OneCycle { warmup, start, .. } if at < warmup => start + (1.0 - start) * at / warmup,
            Schedule::OneCycle { warmup, end, .. } => {
                1.0 + (end - 1.0) * (at - warmup) / (1.0 - warmup).max(f32::EPSILON)
            }
        }
    }
}
