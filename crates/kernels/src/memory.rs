//! Memory that cannot be had is told in one line, like any other error: Rust's own answer is to abort the process.
//!
//! A program names [`Telling`] as its allocator and says with [`tell`] what is done then. Code that asks for much, and
//! can do without, asks by [`vec()`] and gets an answer instead.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::OnceLock;

/// What is done when bytes cannot be had. It must not allocate much, and ends the program.
type Tell = fn(bytes: usize);

static TELL: OnceLock<Tell> = OnceLock::new();

thread_local! {
    /// Whether whoever asks for memory takes no for an answer.
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// Calls `f` with the number of bytes when memory cannot be had, where the program has [`Telling`] as its allocator.
/// The first call counts.
pub fn tell(f: Tell) {
    let _ = TELL.set(f);
}

/// A vector of `n` times `value`, or `None` where there is no memory for it.
pub fn vec<T: Clone>(n: usize, value: T) -> Option<Vec<T>> {
    let mut all = empty(n)?;
    all.resize(n, value);
    Some(all)
}

/// An empty vector with room for `n`, or `None` where there is no memory for it.
pub fn empty<T>(n: usize) -> Option<Vec<T>> {
    let mut all = Vec::new();
    ASKING.with(|asking| asking.set(true));
    let reserved = all.try_reserve_exact(n);
    ASKING.with(|asking| asking.set(false));
    reserved.ok().map(|()| all)
}

/// Makes the most of an address space that is limited (`ulimit -v`): glibc's allocator keeps 64 MiB of it for every
/// thread, and what a thread's end needs of it can then not be had, which glibc answers by an abort that nobody can
/// tell of. Where there is a limit below 4 GiB all threads share one such stretch; elsewhere this does nothing.
pub fn spare_addresses() {
    #[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
    {
        /// `RLIMIT_AS` of Linux and `M_ARENA_MAX` of glibc.
        const ADDRESS_SPACE: i32 = 9;
        const ARENAS: i32 = -8;
        const LITTLE: u64 = 4 << 30;
        unsafe extern "C" {
            fn getrlimit(resource: i32, limits: *mut [u64; 2]) -> i32;
            fn mallopt(parameter: i32, value: i32) -> i32;
        }
        let mut limits = [u64::MAX; 2];
        // SAFETY: the C library's functions with the arguments that it declares; the limits are two numbers of 64 bits.
        unsafe {
            if getrlimit(ADDRESS_SPACE, &mut limits) == 0 && limits[0] < LITTLE {
                mallopt(ARENAS, 1);
            }
        }
    }
}

/// The system's allocator, which tells when it has no more.
pub struct Telling;

impl Telling {
    fn told(block: *mut u8, bytes: usize) -> *mut u8 {
        let asking = || ASKING.try_with(Cell::get).unwrap_or(false);
        if block.is_null()
            && !asking()
            && let Some(tell) = TELL.get()
        {
            tell(bytes);
        }
        block
    }
}

// SAFETY: every call goes to the system's allocator with the caller's own arguments, and its answer comes back as it is.
unsafe impl GlobalAlloc for Telling {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        Self::told(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        Self::told(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        Self::told(unsafe { System.realloc(block, layout, size) }, size)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_cannot_be_had_is_none() {
        assert_eq!(super::vec(3, 1.5f32), Some(vec![1.5; 3]));
        assert_eq!(super::vec(usize::MAX / 8, 0u32), None);
        assert!(super::empty::<u8>(isize::MAX as usize).is_none());
    }
}
