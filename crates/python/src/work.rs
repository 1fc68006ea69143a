//! Where the arithmetic runs.
//!
//! Little work is done by the calling thread alone, as the only worker of a pool of its own: nothing is handed over, and
//! nothing is left behind by a fork. More goes to a pool that belongs to this process; a forked child, which has none of
//! its parent's threads, makes one for itself.

use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::cell::OnceCell;
use std::sync::{Arc, Mutex, PoisonError};

/// Operations that one thread does as fast as several.
const SMALL: u64 = 1 << 17;
/// Operations during which other Python threads may have to wait: some tens of milliseconds. Beyond, the GIL is
/// released, and inputs are copied first, since then anyone could change them.
const LONG: u64 = 1 << 31;

/// How work is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// By the calling thread.
    Small,
    /// By all workers.
    Large,
    /// By all workers, without the GIL, on copies.
    Long,
}

impl Size {
    /// The size of so many operations.
    pub fn of(operations: u64) -> Self {
        match operations {
            ..SMALL => Self::Small,
            SMALL..LONG => Self::Large,
            _ => Self::Long,
        }
    }
}

/// The pool, and the process that it belongs to.
static POOL: Mutex<Option<(u32, Arc<ThreadPool>)>> = Mutex::new(None);

thread_local! {
    /// Makes the thread the only worker of a pool.
    static ALONE: OnceCell<Option<ThreadPool>> = const { OnceCell::new() };
}

/// This process's pool. `None` if no thread can be had.
fn pool() -> Option<Arc<ThreadPool>> {
    let process = std::process::id();
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    match &*pool {
        Some((owner, own)) if *owner == process => Some(Arc::clone(own)),
        _ => {
            let own = Arc::new(ThreadPoolBuilder::new().num_threads(threads()).build().ok()?);
            // A parent's pool has no threads here that could be waited for.
            std::mem::forget(pool.replace((process, Arc::clone(&own))));
            Some(own)
        }
    }
}

/// Threads that work.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Does work of a size.
pub fn run<T: Send>(py: Python<'_>, size: Size, work: impl FnOnce() -> T + Send) -> T {
    ALONE.with(|own| {
        own.get_or_init(|| ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().ok());
    });
    match size {
        Size::Small => work(),
        Size::Large => everyone(work),
        Size::Long => py.detach(|| everyone(work)),
    }
}

/// Does work on the pool of this process.
pub fn everyone<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match pool() {
        Some(pool) => pool.install(work),
        None => work(),
    }
}
