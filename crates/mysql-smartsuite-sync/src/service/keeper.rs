//! Keeps one sync: runs it at its times and when somebody asks, and does between two turns what others want of it.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use sync_core::{
    schedule::Schedule,
    state::{RunStatus, StateError},
};
use sync_engine::run::{RunOptions, RunOutcome};
use sync_store::{SqliteStore, StateReader};
use tokio_util::sync::CancellationToken;

use super::post::{Change, Letter, Post};
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

/// Keeps one sync.
pub(super) struct Keeper {
    pub(super) turn: Turn,
    pub(super) rhythm: Rhythm,
    pub(super) post: Arc<Post>,
    pub(super) precedence: Arc<Precedence>,
    pub(super) place: usize,
}

impl Keeper {
    /// Runs the sync at `start`, if there is one, and at its times, until the end is asked for.
    pub(super) async fn keep(self, start: Option<Timestamp>, ending: CancellationToken) {
        let _last = LastTurn::of(&self.precedence, self.place);
        let mut last_start = last_start(&self.turn);
        let mut start = start;
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
            if !self.wait(due, &ending).await {
                continue;
            }
            let Some((wish, token)) = self.post.begin(&ending) else { continue };
            start = None;
            last_start = Some(self.turn.wire.clock.now());
            let finished = self.take(wish.retry, &token).await;
            self.post.end();
            failures = if is_well(&finished) { 0 } else { failures + 1 };
            if matches!(self.rhythm, Rhythm::Always) && failures > 0 && !token.is_cancelled() {
                let pause = PAUSE_FIRST * 2_u32.saturating_pow(failures - 1);
                tokio::select! {
                    biased;
                    () = ending.cancelled() => return,
                    () = self.post.rung() => {}
                    () = self.turn.wire.clock.sleep(pause.min(PAUSE_MAX)) => {}
                }
            }
        }
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

    async fn take(&self, retry: bool, ending: &CancellationToken) -> Finished {
        let follow = matches!(self.rhythm, Rhythm::Always).then_some(RUN_LENGTH);
        let options =
            RunOptions { retry: self.turn.options.retry || retry, follow, ..self.turn.options };
        Turn { options, ..self.turn.clone() }.take(ending).await
    }

    /// Does what the letters say. Nobody of this process runs the sync now; another process may.
    async fn answer_letters(&self) {
        for letter in self.post.letters() {
            let Letter { change, answer } = letter;
            let changed = self.change(&change).await;
            let is_retry = matches!(change, Change::Retry(_));
            if is_retry && matches!(changed, Ok(1..)) && !self.post.is_paused() {
                self.post.ask(false);
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

/// When the sync last began, here or in another process: a time that was missed since is made up for once.
fn last_start(turn: &Turn) -> Option<Timestamp> {
    let reader = StateReader::open(&turn.wire.state_path).ok()?;
    Some(reader.runs(&turn.definition.name, 1).ok()?.first()?.started_at)
}
