//! What a command inside another program has instead of streams and signals.

use foveal::data::npz::Arrays;
use foveal::train::Event;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

/// The name of a data set that is given as arrays.
pub const ARRAYS: &str = "arrays";

/// Hears what a command has to say. It may be called from any thread.
pub trait Listener: Send + Sync {
    /// A line that the program would write on stderr.
    fn note(&self, line: &str);
    /// Text that the program would write on stdout.
    fn print(&self, text: &str);
    /// Something has happened in a training.
    fn event(&self, event: &Event);
}

/// Where a command runs.
pub struct Surroundings {
    /// Hears what it has to say.
    pub listener: Arc<dyn Listener>,
    /// Ends a training after the step at hand, once it is true.
    pub stop: Arc<AtomicBool>,
    /// The data set that [`ARRAYS`] names on the command line; it is taken once.
    pub arrays: Mutex<Option<Arrays>>,
}
