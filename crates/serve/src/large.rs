//! Large pictures and slices take turns.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// From more pixels than this a picture is large: decoding it may take some hundred megabytes.
const LARGE: usize = 1 << 20;

static TURN: Mutex<()> = Mutex::new(());

/// Waits until no other large picture is being decoded, if this one is large; the turn lasts while the guard lives.
pub fn turn(pixels: usize) -> Option<MutexGuard<'static, ()>> {
    (pixels > LARGE).then(|| TURN.lock().unwrap_or_else(PoisonError::into_inner))
}
