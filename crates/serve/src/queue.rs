//! The bounded queue between the runtime, which reads requests, and the workers, which answer them.

use crate::body::HeldBody;
use crate::failure::Failure;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::oneshot;

/// The answer to a request.
pub struct Answer {
    pub bytes: Vec<u8>,
    /// How many of the bytes are JSON, where tensors follow it as they lie in memory; all without.
    pub json: Option<usize>,
}

impl From<Vec<u8>> for Answer {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, json: None }
    }
}

/// The answer, or why there is none.
pub type Reply = Result<Answer, Failure>;

/// How a request's body is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// An inference request of the Open Inference Protocol.
    Infer,
    /// One picture, slice, text or array.
    Predict,
}

/// A request that waits.
pub struct Job {
    pub task: Task,
    /// Which model: its place in the list of models.
    pub model: usize,
    pub body: HeldBody,
    /// How many bytes of the body are JSON, where tensors follow it; all without.
    pub json: Option<usize>,
    pub since: Instant,
    pub reply: oneshot::Sender<Reply>,
}

/// The requests that wait, in the order in which they came.
pub struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    most: usize,
    workers: usize,
}

struct State {
    jobs: VecDeque<Job>,
    open: bool,
}

impl Queue {
    /// For at most `most` jobs and so many workers.
    pub fn new(most: usize, workers: usize) -> Self {
        let state = Mutex::new(State { jobs: VecDeque::new(), open: true });
        Self { state, filled: Condvar::new(), most: most.max(1), workers: workers.max(1) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many jobs wait.
    pub fn len(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Puts a job at the end; gives it back when the queue is full.
    pub fn push(&self, job: Job) -> Result<(), Job> {
        let mut state = self.lock();
        if state.jobs.len() >= self.most || !state.open {
            return Err(job);
        }
        state.jobs.push_back(job);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits for the next jobs, all for one model: this worker's share of what waits, at most `most`. `None` once
    /// the queue is closed and empty.
    pub fn take(&self, most: usize) -> Option<Vec<Job>> {
        let mut state = self.lock();
        while state.jobs.is_empty() {
            if !state.open {
                return None;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let share = state.jobs.len().div_ceil(self.workers).clamp(1, most.max(1));
        let model = state.jobs.front()?.model;
        let mut taken = Vec::with_capacity(share);
        while taken.len() < share && state.jobs.front().is_some_and(|job| job.model == model) {
            taken.extend(state.jobs.pop_front());
        }
        if !state.jobs.is_empty() {
            // More waits than this worker takes: another one is woken.
            self.filled.notify_one();
        }
        Some(taken)
    }

    /// Lets no more jobs in; those that wait can still be taken.
    pub fn close(&self) {
        self.lock().open = false;
        self.filled.notify_all();
    }
}
