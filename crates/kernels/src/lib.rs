//! Arithmetic of foveal on slices: convolution, pooling, dense layers and activations, forward and
//! backward, for every instruction set.
//!
//! Three things live here and nowhere else:
//!
//! - [`geometry`]: the one place where shapes are checked and extents computed. A value of
//!   [`Conv2dGeometry`] or [`Pool2dGeometry`] is the proof that the shapes fit.
//! - [`simd`] and `arch`: a kernel is written once, generic over [`simd::Simd`], and run by
//!   [`Isa::run`] with the instruction set that the CPU has.
//! - the kernels themselves, in two layouts: [`nhwc`] (channels side by side, for wide layers and single
//!   images) and [`lanes`] (images side by side, for training in cache).
//!
//! This is the only crate with hand-written `unsafe`; every kernel's public face takes slices, checks
//! their lengths once, and is safe.

// Register tiles are arrays walked by index, and a kernel's arguments are what it computes with.
#![allow(clippy::needless_range_loop, clippy::too_many_arguments)]

pub mod aligned;
pub mod arch;
pub mod dispatch;
pub mod geometry;
pub mod grid;
pub mod lanes;
pub mod memory;
pub mod nhwc;
pub mod optimizer;
pub mod peak;
pub mod simd;
pub mod team;
pub mod winograd;

pub use aligned::Aligned;
pub use dispatch::Isa;
pub use geometry::{
    Axis, Conv2dGeometry, Conv2dOptions, Conv2dTransposeGeometry, Conv2dTransposeOptions, GeometryError,
    Padding, Pool2dGeometry, Pool2dOptions,
};
