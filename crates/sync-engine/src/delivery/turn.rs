//! How long a delivery goes on while others wait for its run.

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How long a delivery may go on.
pub(crate) struct Turn {
    /// Calls in flight finish and nothing new leaves, once this is cancelled.
    pub(crate) over: CancellationToken,
    begun: Notify,
}

impl Turn {
    pub(crate) fn new(over: CancellationToken) -> Self {
        Self { over, begun: Notify::new() }
    }

    /// Until the delivery does something that another one need not do again: what it finds out before takes long where millions
    /// of entries wait, and a turn that ended with it would end so each time.
    pub(crate) async fn begun(&self) {
        self.begun.notified().await;
    }

    /// The delivery sends, looks or waits.
    pub(crate) fn begin(&self) {
        self.begun.notify_one();
    }
}
