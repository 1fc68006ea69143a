//! Which instruction set runs.

#[cfg(target_arch = "aarch64")]
use crate::arch::neon::Neon;
use crate::arch::portable::Portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use crate::arch::wasm::Simd128;
#[cfg(target_arch = "x86_64")]
use crate::arch::x86::{Avx2, Avx512};
use crate::simd::{Kernel, Simd};
use std::sync::OnceLock;

/// An instruction set that this CPU has; a value can be made only where it does.
#[derive(Clone, Copy, Debug)]
pub struct Isa(Kind);

#[derive(Clone, Copy, Debug)]
enum Kind {
    Portable(Portable),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128(Simd128),
}

impl Isa {
    /// The sets that this CPU has, the best first.
    pub fn available() -> Vec<Isa> {
        let mut sets = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            sets.extend(Avx512::new().map(|s| Isa(Kind::Avx512(s))));
            sets.extend(Avx2::new().map(|s| Isa(Kind::Avx2(s))));
        }
        #[cfg(target_arch = "aarch64")]
        sets.extend(Neon::new().map(|s| Isa(Kind::Neon(s))));
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        sets.push(Isa(Kind::Simd128(Simd128)));
        sets.push(Isa(Kind::Portable(Portable)));
        sets
    }

    /// The best set, or the one that the environment variable `FOVEAL_ISA` names (`avx512`, `avx2`, `neon`,
    /// `simd128`, `portable`) if the CPU has it. Decided once.
    pub fn best() -> Isa {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            let sets = Isa::available();
            let wanted = std::env::var("FOVEAL_ISA").unwrap_or_default();
            sets.iter().copied().find(|s| s.name() == wanted).unwrap_or(sets[0])
        })
    }

    /// `avx512`, `avx2`, `neon`, `simd128` or `portable`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable(_) => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(_) => "avx512",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon(_) => "neon",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Kind::Simd128(_) => "simd128",
        }
    }

    /// Numbers in a vector.
    pub fn lanes(self) -> usize {
        match self.0 {
            Kind::Portable(_) => Portable::LANES,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(_) => Avx2::LANES,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(_) => Avx512::LANES,
            #[cfg(target_arch = "aarch64")]
            Kind::Neon(_) => Neon::LANES,
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Kind::Simd128(_) => Simd128::LANES,
        }
    }

    /// Runs `kernel` with this instruction set.
    #[inline]
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Kind::Portable(s) => kernel.run(s),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(s) => s.run(kernel),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(s) => s.run(kernel),
            #[cfg(target_arch = "aarch64")]
            Kind::Neon(s) => s.run(kernel),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Kind::Simd128(s) => s.run(kernel),
        }
    }

    /// [`Isa::run`] for kernels that only training needs: gradients, statistics of a batch, losses, updates. Without the
    /// feature `training` they are not compiled at all, for any instruction set.
    ///
    /// # Panics
    /// Without that feature. What calls it says so, or asks [`TRAINING`] first.
    #[inline]
    pub fn train<K: Kernel>(self, kernel: K) -> K::Output {
        if TRAINING { self.run(kernel) } else { panic!("{WITHOUT}") }
    }
}

/// Whether gradients can be computed: the feature `training`.
pub const TRAINING: bool = cfg!(feature = "training");

/// What is said where they are asked for all the same.
pub(crate) const WITHOUT: &str = "foveal was built without the feature `training`";
