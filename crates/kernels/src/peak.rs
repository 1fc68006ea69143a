//! The peak that everything else is a share of: multiply-adds that touch nothing but registers.

use crate::dispatch::Isa;
use crate::simd::{Kernel, Simd};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The time is cut in slices so short that some fall between the interruptions of a shared machine; the best
/// one counts.
const SLICE: Duration = Duration::from_millis(5);

/// Turns of the loop between two looks at the clock.
const TURNS: usize = 1_000;

/// Multiply-adds a turn does to each sum.
const UNROLLED: usize = 4;

/// Billions of floating-point operations a second (a multiply-add counted as two) that `isa` reaches on
/// `threads` threads at once when all numbers stay in registers, measured for some `seconds`, at least once.
pub fn fma_gflops(isa: Isa, threads: usize, seconds: f64) -> f64 {
    let total = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let begin = Instant::now();
    let mut best = together(isa, threads);
    while begin.elapsed() < total {
        best = best.max(together(isa, threads));
    }
    best
}

/// What all threads reach in one slice.
fn together(isa: Isa, threads: usize) -> f64 {
    // Everyone begins at the same time, late enough for the last thread to be there.
    let others = threads.max(1) - 1;
    let start = Instant::now() + Duration::from_micros(200) * others.min(100) as u32;
    let parts = std::thread::scope(|scope| {
        let others: Vec<_> = (0..others)
            .map_while(|_| std::thread::Builder::new().spawn_scoped(scope, || alone(isa, start)).ok())
            .collect();
        let own = alone(isa, start);
        let others = others.into_iter().filter_map(|other| other.join().ok());
        std::iter::once(own).chain(others).collect::<Vec<_>>()
    });
    let flops: u64 = parts.iter().map(|(flops, _)| flops).sum();
    let longest = parts.iter().map(|(_, end)| end.saturating_duration_since(start)).max();
    flops as f64 / longest.unwrap_or(SLICE).as_secs_f64() / 1e9
}

/// What this thread does from `start` on for a slice, and when it ended.
fn alone(isa: Isa, start: Instant) -> (u64, Instant) {
    while Instant::now() < start {
        std::hint::spin_loop();
    }
    let mut flops = 0;
    loop {
        flops += isa.run(Loop { turns: TURNS });
        let now = Instant::now();
        if now.saturating_duration_since(start) >= SLICE {
            return (flops, now);
        }
    }
}

struct Loop {
    turns: usize,
}

impl Kernel for Loop {
    /// Floating-point operations done.
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> u64 {
        // Enough sums for two units of latency four, few enough for two operands to stay beside them.
        if S::REGISTERS >= 32 { sums::<S, 24>(s, self.turns) } else { sums::<S, 10>(s, self.turns) }
    }
}

#[inline(always)]
fn sums<S: Simd, const N: usize>(s: S, turns: usize) -> u64 {
    // Every sum goes towards 1: nothing overflows and nothing becomes subnormal, which would be slow.
    let (keep, add) = (s.splat(black_box(0.75)), s.splat(black_box(0.25)));
    let mut sums: [S::V; N] = std::array::from_fn(|i| s.splat(i as f32));
    for _ in 0..turns {
        for _ in 0..UNROLLED {
            for sum in &mut sums {
                *sum = s.mul_add(*sum, keep, add);
            }
        }
    }
    let total = sums.iter().fold(s.splat(0.0), |total, &sum| s.add(total, sum));
    black_box(s.sum(total));
    (turns * UNROLLED * N * S::LANES * 2) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_counted_for_every_instruction_set() {
        for isa in Isa::available() {
            let flops = isa.run(Loop { turns: 3 });
            let a_sum = (3 * UNROLLED * isa.lanes() * 2) as u64;
            assert!([10, 24].map(|sums| sums * a_sum).contains(&flops), "{}: {flops}", isa.name());
        }
    }

    #[test]
    fn a_peak_is_measured_whatever_the_arguments() {
        for (threads, seconds) in [(0, 0.0), (1, 0.01), (3, 0.005), (1, -1.0), (1, f64::NAN)] {
            let gflops = fma_gflops(Isa::best(), threads, seconds);
            assert!(gflops.is_finite() && gflops > 0.0, "{threads} threads, {seconds} s: {gflops}");
        }
    }
}
