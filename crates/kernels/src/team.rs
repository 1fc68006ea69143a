//! Workers that live as long as a training run: a step costs two barriers, not two thread starts.
//!
//! Between jobs the workers spin for a short while, since the next job is usually microseconds away; then they
//! give way to whoever else wants the CPU, and at last they sleep. Which worker takes which item is left to chance; the results must not depend on it.

use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

/// Turns of the spin loop (some ten microseconds) before a waiting worker gives way to others.
const SPINS: u32 = 1_000;

/// Turns of giving way before it sleeps.
const YIELDS: u32 = 4_000;

/// One turn of waiting; `turn` counts them.
fn wait_a_turn(turn: &mut u32) {
    *turn += 1;
    if *turn < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
}

type Job = *const (dyn Fn(usize) + Sync);

struct Shared {
    job: UnsafeCell<Option<Job>>,
    /// Counts the jobs; a worker runs when it changes.
    epoch: AtomicUsize,
    /// Workers still at the present job.
    pending: AtomicUsize,
    sleepers: AtomicUsize,
    stop: AtomicBool,
    panicked: AtomicBool,
    lock: Mutex<()>,
    wake: Condvar,
}

// SAFETY: `job` is written only while no worker is at work (`pending` is 0) and read only after `epoch` has
// changed, which orders the two; the job itself is `Sync`.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

/// A slice whose elements are dealt out to workers, each to one.
struct Shares<P>(*mut P);
// SAFETY: each element is touched by one worker only, and goes to it as `&mut`.
unsafe impl<P: Send> Sync for Shares<P> {}

impl<P> Shares<P> {
    /// Elements `start..end`.
    ///
    /// # Safety
    /// They lie inside the slice and nobody else holds any of them.
    #[allow(clippy::mut_from_ref)]
    unsafe fn part(&self, start: usize, end: usize) -> &mut [P] {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(start), end - start) }
    }

    /// Element `i`.
    ///
    /// # Safety
    /// As [`Shares::part`].
    #[allow(clippy::mut_from_ref)]
    unsafe fn at(&self, i: usize) -> &mut P {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.0.add(i) }
    }
}

/// A fixed number of workers, the caller among them.
pub struct Team {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

impl Team {
    /// A team of `threads` workers (at least one: the caller).
    pub fn new(threads: usize) -> Self {
        let shared = Arc::new(Shared {
            job: UnsafeCell::new(None),
            epoch: AtomicUsize::new(0),
            pending: AtomicUsize::new(0),
            sleepers: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            panicked: AtomicBool::new(false),
            lock: Mutex::new(()),
            wake: Condvar::new(),
        });
        let workers = (1..threads)
            .map_while(|i| {
                let shared = Arc::clone(&shared);
                // A thread that cannot be had is done without: the results are the same.
                std::thread::Builder::new().name(format!("foveal-{i}")).spawn(move || shared.work(i)).ok()
            })
            .collect();
        Self { shared, workers }
    }

    /// Workers, the caller included.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `f` once with each item, on whichever worker is free, with that worker's context.
    ///
    /// # Panics
    /// When there are fewer contexts than workers, or when `f` panics.
    pub fn for_each<C: Send, T: Send>(
        &mut self,
        contexts: &mut [C],
        items: &mut [T],
        f: impl Fn(&mut C, usize, &mut T) + Sync,
    ) {
        assert!(contexts.len() >= self.threads(), "a context for each worker");
        if self.workers.is_empty() || items.len() < 2 {
            for (i, item) in items.iter_mut().enumerate() {
                f(&mut contexts[0], i, item);
            }
            return;
        }
        let next = AtomicUsize::new(0);
        let count = items.len();
        let (contexts, items) = (Shares(contexts.as_mut_ptr()), Shares(items.as_mut_ptr()));
        self.run(&|worker| {
            // SAFETY: the worker's own context.
            let context = unsafe { contexts.at(worker) };
            loop {
                let i = next.fetch_add(1, Relaxed);
                if i >= count {
                    return;
                }
                // SAFETY: `fetch_add` hands out each index once.
                f(context, i, unsafe { items.at(i) });
            }
        });
    }

    /// Calls `f` once with each part `bounds[i]..bounds[i + 1]` of all `arrays`, on whichever worker is free.
    ///
    /// # Panics
    /// When `bounds` go down or beyond an array's end, there are fewer contexts than workers, or `f` panics.
    pub fn for_each_part<C: Send, const N: usize>(
        &mut self,
        contexts: &mut [C],
        bounds: &[usize],
        arrays: [&mut [f32]; N],
        f: impl Fn(&mut C, usize, [&mut [f32]; N]) + Sync,
    ) {
        assert!(contexts.len() >= self.threads(), "a context for each worker");
        assert!(bounds.is_sorted());
        let last = bounds.last().copied().unwrap_or(0);
        assert!(arrays.iter().all(|a| a.len() >= last), "a part lies beyond the end");
        let arrays = arrays.map(|a| Shares(a.as_mut_ptr()));
        let contexts = Shares(contexts.as_mut_ptr());
        let (next, count) = (AtomicUsize::new(0), bounds.len().saturating_sub(1));
        let work = |worker: usize| {
            // SAFETY: the worker's own context.
            let context = unsafe { contexts.at(worker) };
            loop {
                let i = next.fetch_add(1, Relaxed);
                if i >= count {
                    return;
                }
                // SAFETY: `fetch_add` hands out each index once, and sorted bounds make the parts disjoint.
                let parts = arrays.each_ref().map(|a| unsafe { a.part(bounds[i], bounds[i + 1]) });
                f(context, i, parts);
            }
        };
        if self.workers.is_empty() { work(0) } else { self.run(&work) }
    }

    /// Calls `f` on every worker with its number, and returns when all are done.
    pub(crate) fn run(&mut self, f: &(dyn Fn(usize) + Sync)) {
        /// Waits for the workers even when the caller's own part panics.
        struct Wait<'a>(&'a Shared);
        impl Drop for Wait<'_> {
            fn drop(&mut self) {
                let mut turn = 0;
                while self.0.pending.load(Acquire) != 0 {
                    wait_a_turn(&mut turn);
                }
            }
        }
        let shared = &*self.shared;
        // SAFETY: only the lifetime changes; `Wait` keeps `f` borrowed until no worker can call it.
        let job: Job = unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), Job>(f) };
        // SAFETY: `pending` is 0, so no worker reads the job now.
        unsafe { *shared.job.get() = Some(job) };
        shared.pending.store(self.workers.len(), Relaxed);
        shared.epoch.fetch_add(1, SeqCst);
        if shared.sleepers.load(SeqCst) > 0 {
            drop(shared.lock.lock());
            shared.wake.notify_all();
        }
        let wait = Wait(shared);
        f(0);
        drop(wait);
        assert!(!shared.panicked.swap(false, Relaxed), "a worker of the team panicked");
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.stop.store(true, SeqCst);
        self.shared.epoch.fetch_add(1, SeqCst);
        drop(self.shared.lock.lock());
        self.shared.wake.notify_all();
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

impl Shared {
    fn work(&self, worker: usize) {
        let mut seen = 0;
        loop {
            seen = self.next(seen);
            if self.stop.load(SeqCst) {
                return;
            }
            // SAFETY: the epoch has changed, so the caller has written the job and waits for `pending`.
            let job = unsafe { (*self.job.get()).map(|job| &*job) };
            if let Some(job) = job
                && catch_unwind(AssertUnwindSafe(|| job(worker))).is_err()
            {
                self.panicked.store(true, Relaxed);
            }
            self.pending.fetch_sub(1, Release);
        }
    }

    /// Waits until the epoch is no longer `seen`: spins, gives way, then sleeps.
    fn next(&self, seen: usize) -> usize {
        let mut turn = 0;
        while turn < SPINS + YIELDS {
            let now = self.epoch.load(Acquire);
            if now != seen {
                return now;
            }
            wait_a_turn(&mut turn);
        }
        let mut guard = self.lock.lock().unwrap_or_else(|e| e.into_inner());
        self.sleepers.fetch_add(1, SeqCst);
        while self.epoch.load(SeqCst) == seen {
            guard = self.wake.wait(guard).unwrap_or_else(|e| e.into_inner());
        }
        self.sleepers.fetch_sub(1, SeqCst);
        self.epoch.load(SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_done_once_by_any_number_of_workers() {
        for threads in [1, 2, 5] {
            let mut team = Team::new(threads);
            let mut contexts = vec![0usize; threads];
            let mut items = vec![0usize; 100];
            for _ in 0..50 {
                team.for_each(&mut contexts, &mut items, |c, i, item| {
                    *c += 1;
                    *item += i;
                });
            }
            assert_eq!(contexts.iter().sum::<usize>(), 5000);
            assert!(items.iter().enumerate().all(|(i, &v)| v == 50 * i));
        }
    }

    #[test]
    fn sleeping_workers_wake() {
        let mut team = Team::new(3);
        let mut contexts = [(); 3];
        for _ in 0..3 {
            std::thread::sleep(std::time::Duration::from_millis(30));
            let mut items = [0; 64];
            team.for_each(&mut contexts, &mut items, |_, _, item| *item = 1);
            assert_eq!(items.iter().sum::<i32>(), 64);
        }
    }

    #[test]
    fn a_panic_in_a_worker_reaches_the_caller_and_the_team_lives_on() {
        let mut team = Team::new(2);
        let mut contexts = [(); 2];
        let mut items = [0; 8];
        let caught = catch_unwind(AssertUnwindSafe(|| {
            team.for_each(&mut contexts, &mut items, |_, i, _| assert_ne!(i, 5));
        }));
        assert!(caught.is_err());
        team.for_each(&mut contexts, &mut items, |_, _, item| *item = 7);
        assert_eq!(items, [7; 8]);
    }
}
