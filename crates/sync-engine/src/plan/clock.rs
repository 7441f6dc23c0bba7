//! A clock that waits for nothing.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use sync_core::port::{Boxed, Clock};

/// Turns that others get before the clock leaps: calls that are answered at once are settled before time passes.
const TURNS: u32 = 64;

/// Runs as another clock does, but leaps over every wait. Clones share the leaps.
#[derive(Clone)]
pub struct LeapingClock {
    real: Arc<dyn Clock>,
    ahead: Arc<Mutex<Duration>>,
}

impl std::fmt::Debug for LeapingClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LeapingClock").field("ahead", &self.ahead()).finish_non_exhaustive()
    }
}

impl LeapingClock {
    /// A clock that has not leapt yet. To be used on a runtime of one thread, where others get their turn.
    pub fn new(real: Arc<dyn Clock>) -> Self {
        Self { real, ahead: Arc::default() }
    }

    fn ahead(&self) -> Duration {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for LeapingClock {
    fn now(&self) -> Timestamp {
        let now = self.real.now();
        now.saturating_add(self.ahead()).unwrap_or(now)
    }

    fn elapsed(&self) -> Duration {
        self.real.elapsed().saturating_add(self.ahead())
    }

    fn sleep(&self, length: Duration) -> Boxed<'static, ()> {
        let (clock, until) = (self.clone(), self.elapsed().saturating_add(length));
        Box::pin(async move {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            let ahead = until.saturating_sub(clock.real.elapsed());
            let mut leapt = clock.ahead.lock().unwrap_or_else(PoisonError::into_inner);
            *leapt = ahead.max(*leapt);
        })
    }
}
