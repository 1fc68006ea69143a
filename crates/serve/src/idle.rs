//! Connections that wait for a request of their client. When there are as many connections as there may be, the one that
//! has waited longest gives way to a new one: clients that are silent cannot lock others out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// All that wait, in the order in which they began to.
#[derive(Clone, Default)]
pub struct Idle(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    next: u64,
    /// How many have been told to end and have not yet.
    leaving: usize,
    waiting: BTreeMap<u64, Arc<Notify>>,
}

impl Idle {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the connection that has waited longest to end; `false` where none waits and none is about to end.
    pub fn give_way(&self) -> bool {
        let mut state = self.lock();
        let first = state.waiting.pop_first();
        state.leaving += usize::from(first.is_some());
        let some = state.leaving > 0;
        drop(state);
        if let Some((_, gone)) = first {
            gone.notify_one();
        }
        some
    }

    /// A new connection, which waits.
    pub fn connection(&self) -> Connection {
        let connection =
            Connection { idle: self.clone(), gone: Arc::new(Notify::new()), place: Mutex::new(None) };
        connection.waits();
        connection
    }
}

/// One connection; dropped, it waits no more.
pub struct Connection {
    idle: Idle,
    gone: Arc<Notify>,
    place: Mutex<Option<u64>>,
}

impl Connection {
    fn place(&self) -> MutexGuard<'_, Option<u64>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It waits for a request from now on.
    pub fn waits(&self) {
        let mut state = self.idle.lock();
        let place = state.next;
        state.next += 1;
        state.waiting.insert(place, Arc::clone(&self.gone));
        drop(state);
        *self.place() = Some(place);
    }

    /// A request has come.
    pub fn works(&self) {
        let Some(place) = self.place().take() else { return };
        let mut state = self.idle.lock();
        if state.waiting.remove(&place).is_none() {
            // It had been told to end, and now answers first.
            state.leaving -= 1;
        }
    }

    /// Whether a request is being answered.
    pub fn is_working(&self) -> bool {
        self.place().is_none()
    }

    /// Returns when it is to give way.
    pub async fn gives_way(&self) {
        self.gone.notified().await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.works();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_waited_longest_gives_way_and_who_works_does_not() {
        let idle = Idle::default();
        assert!(!idle.give_way());
        let (a, b, c) = (idle.connection(), idle.connection(), idle.connection());
        a.works();
        assert!(a.is_working() && !b.is_working());
        let waiting = || idle.lock().waiting.len();
        assert_eq!(waiting(), 2);
        // b goes; then a, which began to wait again after c, would be the last.
        assert!(idle.give_way());
        assert_eq!(idle.lock().leaving, 1);
        a.waits();
        let first = idle.lock().waiting.values().next().map(|gone| Arc::ptr_eq(gone, &c.gone));
        assert_eq!(first, Some(true));
        drop((b, c));
        assert_eq!(waiting(), 1);
        drop(a);
        assert_eq!(idle.lock().leaving, 0);
        assert!(!idle.give_way());
    }
}
