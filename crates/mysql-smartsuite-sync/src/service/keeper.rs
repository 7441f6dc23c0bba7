//! Keeps one sync: runs it at its times and when somebody asks, and does between two turns what others want of it.

use std::{path::Path, sync::Arc, time::Duration};

use jiff::Timestamp;
use sync_core::{
    schedule::Schedule,
    state::{RunStatus, StateError},
};
use sync_engine::run::{RunOptions, RunOutcome};
use sync_store::{Promise, SqliteStore, StateReader};
use tokio_util::sync::CancellationToken;

use super::{
    past::{self, Past},
    post::{Change, Letter, Post, Wish},
};
use crate::{
    precedence::{LastTurn, PATIENCE, Precedence},
    report::run::Finished,
    turn::Turn,
    wire,
};

/// A run that follows ends after this time, and the next begins: each has its books.
const RUN_LENGTH: Duration = Duration::from_hours(1);
/// Between a run that failed and the next, at first and at most.
const PAUSE_FIRST: Duration = Duration::from_secs(5);
const PAUSE_MAX: Duration = Duration::from_mins(5);

/// Before a state that did not answer is asked again.
const AGAIN: Duration = Duration::from_secs(5);

/// The longest sleep at once: timers stand still while a machine sleeps, the wall clock does not.
const NAP: Duration = Duration::from_secs(30);

/// When a sync runs by itself.
#[derive(Clone, Debug)]
pub(crate) enum Rhythm {
    /// At its times.
    Times(Schedule),
    /// Always: it follows the database's log.
    Always,
}

/// How a shift begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    /// When it did.
    pub(super) at: Timestamp,
    /// Whether every sync has a turn at once; else only those whose last run was broken off.
    pub(super) immediately: bool,
}

/// Keeps one sync.
pub(super) struct Keeper {
    pub(super) turn: Turn,
    pub(super) rhythm: Rhythm,
    pub(super) post: Arc<Post>,
    pub(super) precedence: Arc<Precedence>,
    pub(super) place: usize,
}

impl Keeper {
    /// Runs the sync at `start`, if there is one or its last run was broken off, and at its times, until the end is asked
    /// for. What was left for it by then is done, or stays for the next shift.
    pub(super) async fn keep(self, start: Start, ending: CancellationToken) {
        let _last = LastTurn::of(&self.precedence, self.place);
        if let Some(past) = self.known(Past::read, &ending).await {
            self.take_turns(start, past, &ending).await;
        }
        self.answer_letters().await;
    }

    async fn take_turns(&self, start: Start, past: Past, ending: &CancellationToken) {
        for (number, promise) in past.promises {
            self.take_up(number, promise);
        }
        let mut last_start = past.last_start;
        let mut start = (start.immediately || past.is_broken_off).then_some(start.at);
        let mut failures = 0;
        if matches!(self.rhythm, Rhythm::Always) {
            // It is always under way: nobody waits for the end of its turn.
            self.precedence.set_due(self.place, None);
        }
        while !ending.is_cancelled() {
            self.answer_letters().await;
            let due = match &self.rhythm {
                _ if self.post.is_paused() => None,
                Rhythm::Always => Some(self.turn.wire.clock.now()),
                Rhythm::Times(schedule) => {
                    let now = self.turn.wire.clock.now();
                    start.or_else(|| schedule.next_after(now, last_start))
                }
            };
            if !self.wait(due, ending).await {
                continue;
            }
            // The state is asked before each turn: whoever paused the sync may have told another shift.
            let Some(is_paused) = self.known(past::is_paused, ending).await else { continue };
            if is_paused {
                // A closed post is one of a shift that ends.
                drop(self.post.pause());
                continue;
            }
            let Some((wish, token)) = self.post.begin(ending) else { continue };
            start = None;
            last_start = Some(self.turn.wire.clock.now());
            let finished = self.take(wish, &token).await;
            let is_broken_off = token.is_cancelled() && !has_ended(&finished);
            self.post.end(is_broken_off.then(|| wish.unwrap_or_default()));
            if let (Some(promise), false) = (wish.and_then(|wish| wish.promise), is_broken_off) {
                let name = self.turn.definition.name.clone();
                self.forget(move |store| store.forget_promised_turns(&name, promise)).await;
            }
            failures = if is_well(&finished) { 0 } else { failures + 1 };
            if matches!(self.rhythm, Rhythm::Always) && failures > 0 && !token.is_cancelled() {
                let pause = PAUSE_FIRST * 2_u32.saturating_pow(failures - 1);
                tokio::select! {
                    biased;
                    () = ending.cancelled() => {}
                    () = self.post.rung() => {}
                    () = self.turn.wire.clock.sleep(pause.min(PAUSE_MAX)) => {}
                }
            }
        }
    }

    /// Does in time what was promised before this shift. Whoever was told does not wait for an answer any more.
    fn take_up(&self, number: i64, promise: Promise) {
        let change = match promise {
            Promise::Run { retry } => {
                // A paused sync goes when it is resumed.
                drop(self.post.ask(Wish { retry, promise: Some(number) }));
                return;
            }
            Promise::Retry(filter) => Change::Retry(filter),
            Promise::Drop(filter) => Change::Drop(filter),
        };
        self.post.find(change, number);
    }

    /// Forgets what was promised and is done. If that fails it is done once more by the next start, which harms nobody.
    async fn forget(
        &self,
        forget: impl FnOnce(&mut SqliteStore) -> Result<(), StateError> + Send + 'static,
    ) {
        let path = self.turn.wire.state_path.clone();
        let forgetting =
            tokio::task::spawn_blocking(move || forget(&mut SqliteStore::open(&path)?));
        let forgotten = forgetting.await;
        if let Err(error) =
            forgotten.unwrap_or_else(|error| Err(StateError::Other(error.to_string())))
        {
            let (name, code) = (&self.turn.definition.name, error.code());
            tracing::warn!(sync.name = name, code, "that it is done could not be stored: {error}");
        }
    }

    /// What the state says of the sync. It is asked until it answers; `None`: the end was asked for meanwhile.
    async fn known<T: Send + 'static>(
        &self,
        ask: fn(&Path, &str) -> Result<T, StateError>,
        ending: &CancellationToken,
    ) -> Option<T> {
        let mut told = false;
        while !ending.is_cancelled() {
            let (path, name) =
                (self.turn.wire.state_path.clone(), self.turn.definition.name.clone());
            let answer = tokio::task::spawn_blocking(move || ask(&path, &name)).await;
            match answer.unwrap_or_else(|error| Err(StateError::Other(error.to_string()))) {
                Ok(known) => return Some(known),
                Err(error) if !std::mem::replace(&mut told, true) => {
                    let (name, code) = (&self.turn.definition.name, error.code());
                    let hint = error.remedy();
                    tracing::warn!(
                        sync.name = name,
                        code,
                        hint,
                        "waits, as the state cannot be read: {error}"
                    );
                }
                Err(_) => {}
            }
            tokio::select! {
                biased;
                () = ending.cancelled() => {}
                () = self.turn.wire.clock.sleep(AGAIN) => {}
            }
        }
        None
    }

    /// Waits until the sync is due or somebody asks for it; `false`: there is something else to do first.
    async fn wait(&self, due: Option<Timestamp>, ending: &CancellationToken) -> bool {
        let clock = &self.turn.wire.clock;
        let name = &self.turn.definition.name;
        self.post.set_next(due);
        if let Rhythm::Times(schedule) = &self.rhythm {
            self.precedence.set_due(self.place, due);
            match due {
                Some(due) => {
                    tracing::info!(sync.name = name, "next run at {}", schedule.in_words(due));
                }
                None if self.post.is_paused() => tracing::info!(sync.name = name, "paused"),
                None => tracing::info!(sync.name = name, "its schedule has no next time"),
            }
        }
        let mut asked = self.post.has_wish();
        let mut before = clock.now();
        while !asked && due.is_none_or(|due| clock.now() < due) {
            let now = clock.now();
            if now < before {
                // It was set back. What was due then may be days away now: the next time is found anew.
                return false;
            }
            before = now;
            let left = due.map(|due| due.duration_since(now));
            let left = left.and_then(|left| Duration::try_from(left).ok()).unwrap_or(NAP);
            tokio::select! {
                biased;
                () = ending.cancelled() => return false,
                () = self.post.rung() => {
                    asked = self.post.has_wish();
                    if !asked {
                        return false;
                    }
                }
                () = clock.sleep(left.min(NAP)) => {}
            }
        }
        let now = clock.now();
        if let Rhythm::Times(_) = self.rhythm {
            // Syncs whose times were missed are due at once, whichever time it was; so is one that is asked for.
            let due = due.filter(|_| !asked).map_or(now, |due| due.max(now));
            self.precedence.set_due(self.place, Some(due));
            self.precedence.wait(self.place, due, clock.sleep(PATIENCE), ending).await;
        }
        !ending.is_cancelled()
    }

    async fn take(&self, wish: Option<Wish>, ending: &CancellationToken) -> Finished {
        let follow = matches!(self.rhythm, Rhythm::Always).then_some(RUN_LENGTH);
        let retry = self.turn.options.retry || wish.is_some_and(|wish| wish.retry);
        let options = RunOptions { retry, follow, ..self.turn.options };
        // A run of another process may have read already what this one was asked for.
        let waits = self.turn.waits || wish.is_some();
        Turn { options, waits, ..self.turn.clone() }.take(ending).await
    }

    /// Does what the letters say. Nobody of this process runs the sync now; another process may.
    async fn answer_letters(&self) {
        for letter in self.post.letters() {
            let Letter { change, answer, promise } = letter;
            let changed = self.change(&change).await;
            self.forget(move |store| store.forget_promise(promise)).await;
            if let Err(error) = &changed {
                let (name, code) = (&self.turn.definition.name, error.code());
                tracing::warn!(
                    sync.name = name,
                    code,
                    "rows in quarantine could not be changed: {error}"
                );
            }
            let is_retry = matches!(change, Change::Retry(_));
            if is_retry && matches!(changed, Ok(1..)) {
                // Of a paused sync they wait.
                drop(self.post.ask(Wish::default()));
            }
            // The one who asked may have gone.
            drop(answer.send(changed));
        }
    }

    async fn change(&self, change: &Change) -> Result<u64, StateError> {
        let (path, name) = (self.turn.wire.state_path.clone(), self.turn.definition.name.clone());
        let (change, now) = (change.clone(), self.turn.wire.clock.now());
        let changing = tokio::task::spawn_blocking(move || {
            let mut store = SqliteStore::open(&path)?;
            if StateReader::open(&path)?.sync_id(&name)?.is_none() {
                return Ok(0);
            }
            let custody = store.take_custody(&name, &wire::holder(), now)?;
            let Some(custody) = custody else {
                return Err(StateError::Other("another process is running the sync".to_owned()));
            };
            let rows = match &change {
                Change::Retry(filter) => store.retry_quarantined(&custody, filter, now)?,
                Change::Drop(filter) => store.drop_quarantined(&custody, filter)?,
            };
            store.release_custody(custody)?;
            Ok(rows)
        });
        changing.await.unwrap_or_else(|error| Err(StateError::Other(error.to_string())))
    }
}

fn is_well(finished: &Finished) -> bool {
    matches!(
        finished.report.outcome,
        RunOutcome::Ran { status: RunStatus::Success | RunStatus::Partial, .. }
    )
}

/// Whether it came to an end of its own, well or not.
fn has_ended(finished: &Finished) -> bool {
    !matches!(
        finished.report.outcome,
        RunOutcome::Ran { status: RunStatus::Interrupted, .. } | RunOutcome::Busy
    )
}
