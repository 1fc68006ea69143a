//! Engines that many callers share.

use foveal_nn::engine::{Engine, Options};
use foveal_nn::{Error, Model};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A model of so many operations a sample, or so many parameters, has one engine at work at a time.
const LARGE_FLOPS: u64 = 50_000_000;
const LARGE_PARAMETERS: usize = 4_000_000;

/// Engines of one model: a caller has one for itself while it asks.
pub struct Pool {
    model: Model,
    options: Options,
    most: usize,
    engines: Mutex<Engines>,
    returned: Condvar,
}

struct Engines {
    idle: Vec<Engine>,
    made: usize,
}

impl Pool {
    /// Makes the first engine.
    pub fn new(model: &Model, options: Options) -> Result<Self, Error> {
        let first = Engine::new(model, options.clone())?;
        let flops = model.nodes().iter().fold(0u64, |sum, n| sum.saturating_add(n.flops));
        let parameters: usize = model.params().iter().map(|p| p.values.len()).sum();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let small = flops < LARGE_FLOPS && parameters < LARGE_PARAMETERS;
        let most = if small { (cores / options.threads.max(1)).max(1) } else { 1 };
        let engines = Mutex::new(Engines { idle: vec![first], made: 1 });
        Ok(Self { model: model.clone(), options, most, engines, returned: Condvar::new() })
    }

    pub fn model(&self) -> &Model {
        &self.model
    }

    pub fn options(&self) -> &Options {
        &self.options
    }

    fn lock(&self) -> MutexGuard<'_, Engines> {
        // After a panic of another thread the list of engines is still sound.
        self.engines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `f` with an engine: an idle one, a new one, or one that has come back.
    pub fn with<T>(&self, f: impl FnOnce(&mut Engine) -> T) -> Result<T, Error> {
        let mut lent = Lent { pool: self, engine: Some(self.take()?) };
        Ok(f(lent.engine.as_mut().expect("it was just taken")))
    }

    fn take(&self) -> Result<Engine, Error> {
        let mut engines = self.lock();
        loop {
            if let Some(engine) = engines.idle.pop() {
                return Ok(engine);
            }
            if engines.made < self.most {
                engines.made += 1;
                drop(engines);
                return Engine::new(&self.model, self.options.clone()).inspect_err(|_| self.gone());
            }
            engines = self.returned.wait(engines).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn gone(&self) {
        self.lock().made -= 1;
        self.returned.notify_one();
    }
}

/// An engine that comes back to its pool when this is dropped; after a panic it is given up instead.
struct Lent<'a> {
    pool: &'a Pool,
    engine: Option<Engine>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        match self.engine.take().filter(|_| !std::thread::panicking()) {
            Some(engine) => {
                self.pool.lock().idle.push(engine);
                self.pool.returned.notify_one();
            }
            None => self.pool.gone(),
        }
    }
}
