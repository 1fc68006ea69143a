//! Ring 1: every kernel of every instruction set that this CPU has, against the naive references.
//!
//! Values that decide something (a maximum, a sign) are small multiples of 1/8, whose sums f32 holds exactly:
//! what is equal in f64 is equal in f32, ties too.

mod channels_norm;
mod conv;
mod conv_pool;
mod conv_transpose;
mod dense;
mod elementwise;
mod embedding;
mod frames;
mod image_and_loss;
mod nhwc;
mod norm;
mod optimizer;
mod pool;
mod prepared;
mod trained;
mod winograd;

use foveal_kernels::Isa;
use foveal_testkit::worst_relative;

/// Runs `f` for every instruction set.
pub(crate) fn each(mut f: impl FnMut(Isa)) {
    Isa::available().into_iter().for_each(&mut f);
}

/// The worst error of one instruction set.
pub(crate) struct Worst {
    isa: Isa,
    what: &'static str,
    error: f64,
    checks: usize,
}

impl Worst {
    pub(crate) fn new(isa: Isa, what: &'static str) -> Self {
        Self { isa, what, error: 0.0, checks: 0 }
    }

    /// Compares with the expectation, relative to its largest magnitude.
    pub(crate) fn check<'a>(
        &mut self,
        case: &dyn std::fmt::Debug,
        ours: impl IntoIterator<Item = &'a f32>,
        expected: impl IntoIterator<Item = &'a f64>,
    ) {
        let ours: Vec<f32> = ours.into_iter().copied().collect();
        let expected: Vec<f64> = expected.into_iter().copied().collect();
        let error = worst_relative(&ours, &expected);
        assert!(error <= 1e-5, "{} {}: {error:e} in {case:?}", self.isa.name(), self.what);
        self.error = self.error.max(error);
        self.checks += 1;
    }
}

impl Drop for Worst {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            println!(
                "{:>8} {}: {} arrays, worst {:.1e}",
                self.isa.name(),
                self.what,
                self.checks,
                self.error
            );
        }
    }
}

#[test]
fn which_ran() {
    let names: Vec<&str> = Isa::available().iter().map(|s| s.name()).collect();
    println!("ran: {}", names.join(", "));
    assert_eq!(names.last(), Some(&"portable"));
    #[cfg(target_arch = "x86_64")]
    {
        let detected =
            std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma");
        assert_eq!(names.contains(&"avx2"), detected, "AVX2 must run where the CPU has it");
        if std::env::var_os("CI").is_some() {
            assert!(detected, "CI needs a CPU with AVX2");
        }
        use std::arch::is_x86_feature_detected as has;
        let wide = has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") && has!("fma");
        assert_eq!(names.contains(&"avx512"), wide);
    }
}
