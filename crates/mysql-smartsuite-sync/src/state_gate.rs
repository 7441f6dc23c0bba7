//! The gate and the counts that syncs of this state have, for commands that call SmartSuite without being a sync.

use std::{path::Path, sync::Arc, time::Duration};

use sync_core::{
    error::{CallError, CallErrorKind},
    pace::Rate,
    port::{Boxed, Clock, Dice as _},
    state::{CallKind, StateError, SyncIdentity},
};
use sync_engine::{gate, state::State};
use sync_smartsuite::{Address, ClientOptions, probe::Gate};
use sync_store::SqliteStore;
use tokio_util::sync::CancellationToken;

use crate::{dice::SystemDice, failure::Failure, wire};

/// Jitter on top of a pause after a 429, so that processes do not return together.
const PAUSE_JITTER_MS: u64 = 2_000;

/// Lets calls pass the gate of a state, and counts them under a name of its own, such as `(probe)`.
pub(crate) struct StateGate {
    gate: gate::Gate,
    dice: SystemDice,
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
        let key_digest = wire::key_digest(options, address).into();
        let gate = gate::Gate { state, clock, sync, key_digest };
        Ok(Self { gate, dice: SystemDice::new(), rate })
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
}

impl Gate for StateGate {
    fn pass(&self, kind: CallKind) -> Boxed<'_, Result<(), StateError>> {
        Box::pin(async move {
            let never = CancellationToken::new();
            self.gate.pass(Some(kind), |_| self.rate, &never).await.map(drop)
        })
    }

    fn count(&self, kind: CallKind) -> Boxed<'_, Result<(), StateError>> {
        Box::pin(async move {
            self.gate.reserve(Some(kind), self.rate, self.gate.clock.now()).await.map(drop)
        })
    }

    fn close(&self, retry_after: Option<Duration>) -> Boxed<'_, Result<(), StateError>> {
        let jitter = Duration::from_millis(self.dice.below(PAUSE_JITTER_MS));
        let (now, digest) = (self.gate.clock.now(), Arc::clone(&self.gate.key_digest));
        Box::pin(
            self.gate.state.run(move |state| state.close_gate(&digest, retry_after, jitter, now)),
        )
    }
}
