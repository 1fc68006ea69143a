//! Samples that are read from where they are stored each time they are needed, for data larger than memory.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::Error;

/// Reads samples of one kind, from several threads at a time.
pub trait Load: Send + Sync {
    /// Puts the pixels of sample `index`, height x width x channels bytes, into `pixels`.
    ///
    /// # Errors
    /// When the sample cannot be read any more.
    fn load(&self, index: usize, pixels: &mut [u8]) -> Result<(), Error>;
}

/// Samples that a [`Load`] reads.
///
/// [`Stored::ahead`] says which samples will be needed next; a thread then reads them ahead of their use, up to a
/// limited number of bytes. A sample that can no longer be read is black, and from then on [`Stored::fault`] says why.
#[derive(Clone)]
pub struct Stored(Arc<Inner>);

struct Inner {
    load: Box<dyn Load>,
    samples: usize,
    size: usize,
    checksum: u32,
    state: Mutex<State>,
    room: Condvar,
}

#[derive(Default)]
struct State {
    /// Samples that were read ahead and have not been asked for yet.
    ready: HashMap<u32, Vec<u8>>,
    /// Samples that were asked for before they were read ahead.
    missed: HashSet<u32>,
    /// The samples to read, in order, and which of them is next.
    order: Vec<u32>,
    next: usize,
    /// Counts the calls of `ahead`: the thread of an earlier call ends when it sees a newer one.
    turn: u64,
    fault: Option<Error>,
}

/// The most bytes that are read ahead.
const AHEAD: usize = 64 << 20;

impl Stored {
    /// `samples` samples of `size` bytes each. `checksum` tells these samples from others. It should be the CRC-32 over
    /// the CRC-32 of each sample (4 bytes, little-endian): samples in memory have the same, so that a training may go on
    /// from a checkpoint of either.
    pub fn new(load: Box<dyn Load>, samples: usize, size: usize, checksum: u32) -> Self {
        let (state, room) = (Mutex::default(), Condvar::new());
        Self(Arc::new(Inner { load, samples, size, checksum, state, room }))
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.0.samples
    }

    /// Bytes in a sample.
    pub fn size(&self) -> usize {
        self.0.size
    }

    /// A checksum that tells these samples from others.
    pub fn checksum(&self) -> u32 {
        self.0.checksum
    }

    /// The pixels of sample `index`; read now, unless they were read ahead.
    pub fn sample(&self, index: usize) -> Vec<u8> {
        let mut state = self.0.state();
        let ready = state.ready.remove(&(index as u32));
        if ready.is_none() && state.next < state.order.len() {
            state.missed.insert(index as u32);
        }
        drop(state);
        self.0.room.notify_one();
        ready.unwrap_or_else(|| self.0.read(index))
    }

    /// Begins to read the samples at `indices`, in this order, before they are asked for. Samples of an earlier call
    /// that are still unread are forgotten.
    pub fn ahead(&self, indices: &[u32]) {
        let mut state = self.0.state();
        state.ready.clear();
        state.missed.clear();
        (state.order, state.next) = (indices.to_vec(), 0);
        state.turn += 1;
        let turn = state.turn;
        drop(state);
        self.0.room.notify_all();
        let inner = Arc::clone(&self.0);
        // If the system gives no thread, samples are read when they are asked for.
        let _ = std::thread::Builder::new().name("read ahead".into()).spawn(move || inner.read_ahead(turn));
    }

    /// The first error in reading a sample, if there was one.
    pub fn fault(&self) -> Option<Error> {
        self.0.state().fault.clone()
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        // Only this value and the thread hold the samples: nobody will ask again.
        if Arc::strong_count(&self.0) <= 2 {
            self.0.state().turn += 1;
            self.0.room.notify_all();
        }
    }
}

impl Inner {
    /// After a panic of another thread the state is still sound.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, index: usize) -> Vec<u8> {
        let mut pixels = vec![0; self.size];
        if let Err(error) = self.load.load(index, &mut pixels) {
            pixels.fill(0);
            self.state().fault.get_or_insert(error);
        }
        pixels
    }

    fn read_ahead(&self, turn: u64) {
        let most = (AHEAD / self.size.max(1)).max(1);
        loop {
            let mut state = self.state();
            while state.turn == turn && state.ready.len() >= most {
                state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.turn != turn {
                return;
            }
            let Some(&index) = state.order.get(state.next) else { return };
            state.next += 1;
            if state.missed.contains(&index) {
                continue;
            }
            drop(state);
            let pixels = self.read(index as usize);
            let mut state = self.state();
            if state.turn == turn && !state.missed.contains(&index) {
                state.ready.insert(index, pixels);
            }
        }
    }
}

impl PartialEq for Stored {
    fn eq(&self, other: &Self) -> bool {
        let of = |s: &Self| (s.samples(), s.size(), s.checksum());
        of(self) == of(other)
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stored({} samples of {} bytes)", self.samples(), self.size())
    }
}
