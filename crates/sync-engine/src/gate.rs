//! The gate as whoever calls passes it: a departure is reserved in the state, waited for, and given up if it was missed.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use sync_core::{
    pace::{Rate, is_missed},
    port::Clock,
    state::{CallKind, StateError, SyncId},
};
use tokio_util::sync::CancellationToken;

use crate::state::State;

/// A departure that is due within this is not slept for: timers are no finer.
const NO_WAIT: Duration = Duration::from_micros(500);
/// Departures missed one after another after which a call leaves all the same: a machine so slow sends little.
const MISSED_MAX: u32 = 8;

/// The gate of one API key, for one who makes calls. Clones are the same gate.
#[derive(Clone)]
pub struct Gate {
    /// Where it is kept, for everybody who uses the key.
    pub state: State,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Whose calls are counted.
    pub sync: SyncId,
    /// The API key.
    pub key_digest: Arc<str>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("sync", &self.sync).finish_non_exhaustive()
    }
}

impl Gate {
    /// Waits for the next departure, at the rate that holds when it is reserved, and answers its time: the call must
    /// leave now. A call whose kind is known is counted. `None` if the end was asked for meanwhile.
    ///
    /// # Errors
    /// The state's.
    pub async fn pass(
        &self,
        kind: Option<CallKind>,
        rate: impl Fn(Timestamp) -> Rate,
        cancelled: &CancellationToken,
    ) -> Result<Option<Timestamp>, StateError> {
        let (mut counted, mut missed) = (kind, 0);
        loop {
            let now = self.clock.now();
            let rate = rate(now);
            let at = self.reserve(counted.take(), rate, now).await?;
            self.sleep_until(at, cancelled).await;
            // Somebody's 429 may have closed the gate while this task waited for its turn.
            let (now, digest) = (self.clock.now(), Arc::clone(&self.key_digest));
            let closed = self.state.run(move |state| state.gate_closed_until(&digest, now)).await?;
            if cancelled.is_cancelled() {
                return Ok(None);
            }
            if closed.is_some() {
                continue;
            }
            // After a stall all who waited would leave at once.
            if is_missed(at, self.clock.now(), rate) && missed < MISSED_MAX {
                missed += 1;
                continue;
            }
            return Ok(Some(at));
        }
    }

    /// Reserves a departure, which is not waited for.
    ///
    /// # Errors
    /// The state's.
    pub async fn reserve(
        &self,
        kind: Option<CallKind>,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Timestamp, StateError> {
        let (sync, digest) = (self.sync, Arc::clone(&self.key_digest));
        self.state.run(move |state| state.depart(sync, &digest, kind, rate, now)).await
    }

    /// Waits, but not past the end that somebody asks for.
    async fn sleep_until(&self, at: Timestamp, cancelled: &CancellationToken) {
        let wait = Duration::try_from(at.duration_since(self.clock.now())).unwrap_or_default();
        if wait > NO_WAIT {
            tokio::select! {
                biased;
                () = cancelled.cancelled() => {}
                () = self.clock.sleep(wait) => {}
            }
        }
    }
}
