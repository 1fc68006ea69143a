//! How a server is asked to stop, from any thread.

use std::sync::Arc;
use tokio::sync::watch;

/// How far a server has come with its end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    /// Not ready, and no connection lives beyond its next answer.
    Asked,
    /// Connections end as soon as they have been answered.
    Finishing,
}

/// Stops a server, from any thread: readiness fails at once, accepted requests are answered, then
/// [`Server::run`](crate::Server::run) comes back.
#[derive(Clone)]
pub struct Stop(Arc<watch::Sender<Phase>>);

impl Stop {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Phase::Running)))
    }

    /// Asks the server to stop.
    pub fn stop(&self) {
        self.raise(Phase::Asked);
    }

    fn raise(&self, to: Phase) {
        self.0.send_if_modified(|phase| {
            let later = to > *phase;
            *phase = to.max(*phase);
            later
        });
    }

    pub(crate) fn asked(&self) -> bool {
        *self.0.borrow() != Phase::Running
    }

    pub(crate) fn finish(&self) {
        self.raise(Phase::Finishing);
    }

    /// Comes back when the server is asked to stop.
    pub(crate) fn wait(&self) -> impl Future<Output = ()> + use<> {
        self.wait_until(Phase::Asked)
    }

    /// Comes back when connections are to end.
    pub(crate) fn wait_for_finish(&self) -> impl Future<Output = ()> + use<> {
        self.wait_until(Phase::Finishing)
    }

    fn wait_until(&self, wanted: Phase) -> impl Future<Output = ()> + use<> {
        let mut phase = self.0.subscribe();
        async move {
            // The sender lives in the server's state; were it gone, there would be nobody to serve.
            let _ = phase.wait_for(|phase| *phase >= wanted).await;
        }
    }
}
