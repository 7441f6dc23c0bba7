//! The gate and the counts that syncs of this state have, for commands that call SmartSuite without being a sync.

use std::{path::Path, sync::Arc, time::Duration};

use sync_core::{
    error::{CallError, CallErrorKind},
    pace::Rate,
    port::{Boxed, Clock, Dice as _},
    state::{CallKind, StateError, SyncId, SyncIdentity},
};
use sync_engine::state::State;
use sync_smartsuite::{Address, ClientOptions, probe::Gate};
use sync_store::SqliteStore;

use crate::{dice::SystemDice, failure::Failure, wire};

/// Jitter on top of a pause after a 429, so that processes do not return together.
const PAUSE_JITTER_MS: u64 = 2_000;

/// Lets calls pass the gate of a state, and counts them under a name of its own, such as `(probe)`.
pub(crate) struct StateGate {
    state: State,
    clock: Arc<dyn Clock>,
    dice: SystemDice,
    sync: SyncId,
    key_digest: String,
    rate: Rate,
}

impl StateGate {
    /// Opens the state at `path`. `name` is who calls, `table` the table that it is about, if any.
    pub(crate) async fn open(
        (name, table): (&str, &str),
        path: &Path,
        options: &ClientOptions,
        address: &Address,
        rate: Rate,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let store = SqliteStore::open(path)?;
        let state = State::on_thread(Box::new(store)).map_err(|error| {
            Failure::world(format!("no thread could be started: {error}"), "end other programs")
        })?;
        let identity = SyncIdentity {
            name: name.to_owned(),
            previously: None,
            host: address.host.clone(),
            account: options.account_id.clone(),
            table: table.to_owned(),
            external_id_field: String::new(),
            values_hash: String::new(),
            key_hash: None,
            only_updates: false,
            accept_key_change: false,
        };
        let (sync, _) = state.run(move |state| state.place(&identity)).await?;
        let key_digest = wire::key_digest(options, address);
        Ok(Self { state, clock, dice: SystemDice::new(), sync, key_digest, rate })
    }

    /// Makes one call: gate, count, wire. A 429 closes the gate for everybody.
    pub(crate) async fn call<T>(
        &self,
        kind: CallKind,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<Result<T, CallError>, StateError> {
        self.pass(kind).await?;
        let answer = call.await;
        match answer.as_ref().err().map(|error| error.kind) {
            Some(CallErrorKind::Throttled { retry_after }) => self.close(retry_after).await?,
            Some(CallErrorKind::Challenge) => self.close(None).await?,
            Some(_) | None => {}
        }
        Ok(answer)
    }

    async fn depart(&self, kind: Option<CallKind>) -> Result<jiff::Timestamp, StateError> {
        let (sync, digest, rate) = (self.sync, self.key_digest.clone(), self.rate);
        let now = self.clock.now();
        self.state.run(move |state| state.depart(sync, &digest, kind, rate, now)).await
    }
}

impl Gate for StateGate {
    fn pass(&self, kind: CallKind) -> Boxed<'_, Result<(), StateError>> {
        Box::pin(async move {
            let mut counted = Some(kind);
            loop {
                let at = self.depart(counted.take()).await?;
                let wait = at.duration_since(self.clock.now());
                self.clock.sleep(Duration::try_from(wait).unwrap_or_default()).await;
                // Somebody's 429 may have closed the gate in the meantime.
                let (now, digest) = (self.clock.now(), self.key_digest.clone());
                let closed =
                    self.state.run(move |state| state.gate_closed_until(&digest, now)).await?;
                if closed.is_none() {
                    return Ok(());
                }
            }
        })
    }

    fn count(&self, kind: CallKind) -> Boxed<'_, Result<(), StateError>> {
        Box::pin(async move { self.depart(Some(kind)).await.map(|_| ()) })
    }

    fn close(&self, retry_after: Option<Duration>) -> Boxed<'_, Result<(), StateError>> {
        let jitter = Duration::from_millis(self.dice.below(PAUSE_JITTER_MS));
        let (now, digest) = (self.clock.now(), self.key_digest.clone());
        Box::pin(self.state.run(move |state| state.close_gate(&digest, retry_after, jitter, now)))
    }
}
