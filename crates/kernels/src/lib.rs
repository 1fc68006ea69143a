//! Arithmetic of foveal on slices.
