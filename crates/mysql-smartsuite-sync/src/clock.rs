//! The real clock: the one place that asks for the time.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use sync_core::port::{Boxed, Clock};

/// The system's clock and tokio's timers.
#[derive(Debug)]
pub(crate) struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock that starts now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else takes")]
    pub(crate) fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else takes")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else takes")]
    fn sleep(&self, length: Duration) -> Boxed<'static, ()> {
        Box::pin(tokio::time::sleep(length))
    }
}
