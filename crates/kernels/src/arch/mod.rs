//! The instruction sets. Each module holds one type that implements [`crate::simd::Simd`].

pub mod portable;
#[cfg(target_arch = "x86_64")]
pub mod x86;
