//! What ends the program from outside: ^C, a request to end (SIGTERM, SIGHUP), a limit on the size of files.

use crate::parts;
use anyhow::{Result, anyhow};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// What the first interrupt does, instead of ending the program.
type Action = Box<dyn FnOnce() + Send>;

/// Whether the process is the program's own: inside another one interrupts are not its business.
static OWN: AtomicBool = AtomicBool::new(false);
static FIRST: Mutex<Option<Action>> = Mutex::new(None);
static WATCHED: OnceLock<Result<(), String>> = OnceLock::new();

/// The process is the program's own, so that [`watch`] has an effect.
pub fn listen() {
    OWN.store(true, Ordering::Relaxed);
}

/// From now on an interrupt removes half-written files before it ends the program, with status 130.
pub fn watch() -> Result<()> {
    if !OWN.load(Ordering::Relaxed) {
        return Ok(());
    }
    let begin = || {
        ctrlc::set_handler(|| {
            let first = FIRST.lock().unwrap_or_else(PoisonError::into_inner).take();
            match first {
                Some(action) => action(),
                None => {
                    parts::remove_all();
                    std::process::exit(130);
                }
            }
        })
        .map_err(|e| e.to_string())
    };
    WATCHED.get_or_init(begin).clone().map_err(|e| anyhow!("cannot listen for ^C: {e}"))
}

/// The first interrupt does this; the second ends the program at once.
pub fn first(action: impl FnOnce() + Send + 'static) -> Result<()> {
    *FIRST.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(action));
    watch()
}

/// Lets a limit on the size of files be an error of the write that passes it, which is told, not the end of the
/// program.
pub fn survive_limits() {
    #[cfg(unix)]
    {
        let passed = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        // Where it cannot be caught, the program ends as it would have.
        let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, passed);
    }
}
