//! Whether a simulated process may go on: a stopped one (SIGSTOP, a suspended machine) neither computes nor sends,
//! until somebody lets it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use sync_core::port::{Boxed, Clock};
use tokio::sync::Notify;

use crate::clock::SimClock;

/// The breath of one process. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Breath(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    is_held: AtomicBool,
    goes_on: Notify,
}

impl Breath {
    /// The process stops.
    pub fn hold(&self) {
        self.0.is_held.store(true, Ordering::SeqCst);
    }

    /// The process goes on.
    pub fn let_go(&self) {
        self.0.is_held.store(false, Ordering::SeqCst);
        self.0.goes_on.notify_waiters();
    }

    /// Whether the process is stopped.
    pub fn is_held(&self) -> bool {
        self.0.is_held.load(Ordering::SeqCst)
    }

    /// Returns when the process may go on.
    pub async fn taken(&self) {
        loop {
            let goes_on = self.0.goes_on.notified();
            if !self.is_held() {
                return;
            }
            goes_on.await;
        }
    }
}

/// The clock as a process sees it: while it is stopped, no wait ends.
#[derive(Clone, Debug)]
pub(crate) struct ProcessClock {
    pub(crate) clock: SimClock,
    pub(crate) breath: Breath,
}

impl Clock for ProcessClock {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    fn sleep(&self, length: Duration) -> Boxed<'static, ()> {
        let (wait, breath) = (self.clock.sleep(length), self.breath.clone());
        Box::pin(async move {
            wait.await;
            breath.taken().await;
        })
    }
}
