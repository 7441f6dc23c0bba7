//! Every call to the destination passes here: the gate first, then the wire, then the count.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use sync_core::{
    error::{CallError, CallErrorKind, Scope},
    mutation::{self, Mutation},
    pace::{Rate, is_missed},
    port::{Clock, Dice},
    slug::Slug,
    state::{Call, CallKind, StateError, Stop, SyncId, Writer},
    table::Choice,
};

use tokio_util::sync::CancellationToken;

use crate::{
    engine::StructureTurns, event::Event, event::Observer, gate::Gate, governor::Governor,
    overseer::Overseer, run::Trouble, state::State,
};

/// A 429 that outlasts this many pauses is no burst: the month's calls may be used up.
const PAUSES_MAX: u64 = 2;
/// Jitter on top of a pause, so that processes do not return together.
const PAUSE_JITTER_MS: u64 = 2_000;
/// How often a run says that it lives.
const HEARTBEAT_SECONDS: u64 = 10;

/// What stands between a sync's tasks and the wire. Clones share the count.
#[derive(Clone)]
pub(crate) struct Calls {
    pub(crate) state: State,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) dice: Arc<dyn Dice>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) overseer: Option<Arc<dyn Overseer>>,
    pub(crate) governor: Option<Arc<dyn Governor>>,
    pub(crate) sync_name: Arc<str>,
    pub(crate) sync: SyncId,
    pub(crate) key_digest: Arc<str>,
    pub(crate) rate: Rate,
    pub(crate) structure_turns: StructureTurns,
    /// Somebody asked for the end: nothing more leaves, and nothing is waited for.
    pub(crate) cancelled: CancellationToken,
    pub(crate) made: Arc<AtomicU64>,
    /// Seconds on the engine's clock when the lease's heartbeat was last written.
    pub(crate) beaten: Arc<AtomicU64>,
    pub(crate) pauses: Arc<Pauses>,
}

/// The pauses that 429s have brought since a call was last answered otherwise.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    count: AtomicU64,
    /// The end of the newest, in milliseconds since 1970: calls that left before it say nothing of what comes after.
    until: AtomicI64,
}

impl Pauses {
    /// A call that left at `left_at` brought a pause until `until`.
    fn add(&self, left_at: Timestamp, until: Timestamp) {
        let before = self.until.fetch_max(until.as_millisecond(), Ordering::Relaxed);
        if left_at.as_millisecond() >= before {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Calls {
    pub(crate) fn observe(&self, event: &Event) {
        self.observer.observe(&self.sync_name, event);
    }

    /// Whether nobody objects to this call.
    pub(crate) fn may_leave(&self, call: &Call) -> bool {
        self.overseer.as_ref().is_none_or(|overseer| overseer.may_leave(&self.sync_name, call))
    }

    /// Whether nobody objects to these choices being added to a field.
    pub(crate) fn may_add(&self, slug: &Slug, choices: &[Choice]) -> bool {
        self.overseer
            .as_ref()
            .is_none_or(|overseer| overseer.may_add(&self.sync_name, slug, choices))
    }

    /// Whether the month's calls allow this sync's next writing call; with `entries`, a delivery of so many begins.
    pub(crate) fn may_spend(&self, entries: Option<u64>) -> Result<(), Trouble> {
        let Some(governor) = &self.governor else { return Ok(()) };
        let now = self.clock.now();
        match entries {
            Some(entries) => governor.begins(&self.sync_name, entries, now),
            None => governor.may_send(&self.sync_name, now),
        }
    }

    /// How fast calls may leave now.
    fn rate_at(&self, now: Timestamp) -> Rate {
        self.governor.as_ref().map_or(self.rate, |governor| governor.rate(self.rate, now))
    }

    /// Calls made in this run.
    pub(crate) fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// Whether 429s go on after several pauses.
    pub(crate) fn quota_seems_used_up(&self) -> bool {
        self.pauses.count.load(Ordering::Relaxed) > PAUSES_MAX
    }

    fn is_parked_after(&self, kind: CallErrorKind) -> bool {
        matches!(kind, CallErrorKind::Throttled { .. }) && self.quota_seems_used_up()
    }

    /// The stop that a failure asks for: about the table or the account, or one that outlasts what it should; `None` for
    /// any other.
    pub(crate) fn stop_for(&self, kind: CallErrorKind) -> Option<Stop> {
        let of = |key| {
            let length = kind.stops_for();
            Stop {
                code: kind.code().to_owned(),
                message: kind.to_string(),
                remedy: kind.remedy().to_owned(),
                key,
                until: length.and_then(|length| self.clock.now().checked_add(length).ok()),
                only_creates: false,
            }
        };
        let key = || Some(self.key_digest.to_string());
        match kind.scope() {
            Scope::Account => Some(of(key())),
            Scope::Table => Some(of(None)),
            Scope::Moment if self.is_parked_after(kind) => Some(Stop {
                code: "smartsuite_quota_spent_perhaps".into(),
                message: "SmartSuite goes on answering 429 after two pauses: monthly quota?".into(),
                remedy:
                    "look at the workspace's API usage; nothing is lost: what waits is sent later"
                        .into(),
                ..of(key())
            }),
            Scope::Rows | Scope::Moment => None,
        }
    }

    /// Says now and then that the holder of the lease lives.
    pub(crate) async fn heartbeat(&self, writer: Writer) -> Result<(), StateError> {
        let elapsed = self.clock.elapsed().as_secs();
        if elapsed < self.beaten.load(Ordering::Relaxed) + HEARTBEAT_SECONDS {
            return Ok(());
        }
        self.beaten.store(elapsed, Ordering::Relaxed);
        let now = self.clock.now();
        self.state.run(move |state| state.heartbeat(&writer, now)).await
    }

    /// Waits for the next departure and answers its time. A call whose kind is known is counted; bulk writes are counted
    /// by dispatch. `None`: the call may not leave, as the end was asked for while it waited.
    pub(crate) async fn pass(
        &self,
        kind: Option<CallKind>,
    ) -> Result<Option<Timestamp>, StateError> {
        if mutation::is_on(Mutation::GateOff) {
            return Ok((!self.cancelled.is_cancelled()).then(|| self.clock.now()));
        }
        let gate = Gate {
            state: self.state.clone(),
            clock: Arc::clone(&self.clock),
            sync: self.sync,
            key_digest: Arc::clone(&self.key_digest),
        };
        gate.pass(kind, |now| self.rate_at(now), &self.cancelled).await
    }

    /// Whether a departure was missed since.
    pub(crate) fn has_missed(&self, departure: Timestamp) -> bool {
        let now = self.clock.now();
        is_missed(departure, now, self.rate_at(now))
    }

    pub(crate) async fn sleep_until(&self, at: Timestamp) {
        let wait = Duration::try_from(at.duration_since(self.clock.now())).unwrap_or_default();
        if !wait.is_zero() {
            self.sleep(wait).await;
        }
    }

    /// Waits, but not past the end that somebody asks for.
    async fn sleep(&self, length: Duration) {
        tokio::select! {
            biased;
            () = self.cancelled.cancelled() => {}
            () = self.clock.sleep(length) => {}
        }
    }

    /// Sends a call that has passed the gate, and says what became of it.
    pub(crate) async fn send<T>(
        &self,
        kind: CallKind,
        items: usize,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<Result<T, CallError>, StateError> {
        self.send_numbered(kind, items, None, call).await
    }

    /// The same for a call that may have a number: one that writes.
    pub(crate) async fn send_numbered<T>(
        &self,
        kind: CallKind,
        items: usize,
        number: Option<i64>,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<Result<T, CallError>, StateError> {
        self.made.fetch_add(1, Ordering::Relaxed);
        if let Some(governor) = &self.governor {
            governor.count(&self.sync_name, self.clock.now());
        }
        self.observe(&Event::CallLeft { kind, items, number });
        let (began, left_at) = (self.clock.elapsed(), self.clock.now());
        let answer = call.await;
        let took = self.clock.elapsed().saturating_sub(began);
        let error = answer.as_ref().err().map(|error| error.kind);
        self.observe(&Event::CallEnded { kind, took, error });
        match error {
            Some(CallErrorKind::Throttled { retry_after }) => {
                if let Some(until) = self.close_gate(retry_after).await? {
                    self.pauses.add(left_at, until);
                }
            }
            Some(CallErrorKind::Challenge) => drop(self.close_gate(None).await?),
            // What is said of the call's content is not said in a month that is spent.
            None | Some(CallErrorKind::Refused { .. } | CallErrorKind::NotFound) => {
                self.pauses.count.store(0, Ordering::Relaxed);
            }
            Some(_) => {}
        }
        Ok(answer)
    }

    /// Closes the gate for everyone who uses the key, and answers until when.
    async fn close_gate(
        &self,
        retry_after: Option<Duration>,
    ) -> Result<Option<Timestamp>, StateError> {
        if mutation::is_on(Mutation::GateStaysOpen) {
            return Ok(None);
        }
        let jitter = Duration::from_millis(self.dice.below(PAUSE_JITTER_MS));
        let (now, digest) = (self.clock.now(), Arc::clone(&self.key_digest));
        let until = self
            .state
            .run(move |state| {
                state.close_gate(&digest, retry_after, jitter, now)?;
                state.gate_closed_until(&digest, now)
            })
            .await?;
        if let Some(until) = until {
            self.observe(&Event::Paused { until });
        }
        Ok(until)
    }

    /// Makes a call that may be repeated, again after a passing failure, three times at most. One that may not leave
    /// any more is answered as not sent.
    pub(crate) async fn repeatable<T, F>(
        &self,
        kind: CallKind,
        mut call: impl FnMut() -> F,
    ) -> Result<Result<T, CallError>, StateError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let mut delay = Duration::from_secs(1);
        for attempt in 0.. {
            if self.pass(Some(kind)).await?.is_none() {
                return Ok(Err(CallErrorKind::NotSent.into()));
            }
            let answer = self.send(kind, 0, call()).await?;
            let passing = matches!(
                &answer,
                Err(error) if error.kind.scope() == Scope::Moment
            );
            if !passing || attempt >= 3 || self.quota_seems_used_up() {
                return Ok(answer);
            }
            let jitter = Duration::from_millis(self.dice.below(500));
            self.sleep(delay + jitter).await;
            delay *= 2;
        }
        Err(StateError::Other("unreachable: the loop above returns".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_one_moment_bring_one_pause() {
        let at =
            |second: i64| Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(1_000 + second);
        let pauses = Pauses::default();
        let count = || pauses.count.load(Ordering::Relaxed);
        pauses.add(at(0), at(31));
        assert_eq!(count(), 1);
        // Four were under way, and each of them is answered 429.
        for _ in 0..3 {
            pauses.add(at(1), at(32));
        }
        assert_eq!(count(), 1);
        pauses.add(at(32), at(63));
        pauses.add(at(62), at(63));
        assert_eq!(count(), 2, "one that left after the pause");
    }
}
