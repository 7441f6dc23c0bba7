//! One run of one sync: lock, capture, deliver, balance the books, say honestly how it went.

mod choices;
mod drifting;
mod following;
mod reading;
mod report;
mod running;
mod sweeping;
mod task;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::AtomicU64},
};

use sync_core::{
    deletes::Going,
    state::{Books, RunEnd, StateError, SyncId},
};
use tokio_util::sync::CancellationToken;

use self::running::Running;
pub(crate) use self::{choices::LABELS_MAX, task::link_fields};
pub use self::{
    report::{RunOutcome, RunReport, Trouble},
    task::{RunOptions, SyncTask, TaskDrift},
};
use crate::{calls::Calls, engine::Engine, event::Event};

impl Engine {
    /// Runs one sync once.
    ///
    /// # Errors
    /// The state fails. Whatever else goes wrong is part of the report and stored with the run.
    pub async fn run(
        &self,
        task: &SyncTask,
        options: RunOptions,
        cancelled: &CancellationToken,
    ) -> Result<RunReport, StateError> {
        let identity = task.identity(options.accept_key_change);
        let place = identity.clone();
        let (sync, _) = self.state.run(move |state| state.place(&place)).await?;
        let report = |outcome, books, calls| RunReport {
            sync: task.definition.name.clone(),
            outcome,
            books,
            calls,
        };
        let Some(lock) = self.locks.try_lock(sync, &identity.name)? else {
            return Ok(report(RunOutcome::Busy, Books::default(), 0));
        };
        // Under the lock: what another run left when it ended must be seen.
        let now = self.clock.now();
        let opened = self.state.run(move |state| state.open_sync(&identity, now)).await?;
        let stop = opened.stopped.as_ref().filter(|stop| stop.holds_for(&self.key_digest, now));
        let stop = stop.filter(|_| !options.retry);
        if let Some(stop) = stop.filter(|stop| !stop.only_creates) {
            return Ok(report(RunOutcome::Stopped(stop.clone()), Books::default(), 0));
        }
        let (holder, held, stands) = (self.holder.clone(), opened.clone(), stop.is_some());
        let (writer, run, waiting_before, links) = self
            .state
            .run(move |state| {
                let writer = state.hold(&held, &holder, now)?;
                if held.stopped.is_some() && !stands {
                    state.set_stop(&writer, None)?;
                }
                let run = state.begin_run(&writer, now)?;
                let links = if held.candidates > 0 { state.link_count(&writer)? } else { 0 };
                Ok((writer, run, state.backlog(&writer)?.0, links))
            })
            .await?;
        let calls = self.calls(task, opened.id, cancelled);
        calls.observe(&Event::RunBegan { run, waiting: waiting_before });
        // What an earlier sweep has found waits for its yes until another shows otherwise.
        let asked = Going { records: opened.candidates, of: links };
        let asks = (opened.candidates > 0 && task.definition.is_swept()).then_some(asked);
        let mut running = Running {
            engine: self,
            task,
            calls: &calls,
            cancelled,
            writer,
            opened,
            options,
            books: Books { waiting_before, ..Books::default() },
            keyless: None,
            next_page: None,
            columns: Vec::new(),
            wanted: BTreeMap::new(),
            asked_for: BTreeSet::new(),
            has_looked: false,
            looks: false,
            asks,
            held: None,
            is_redefined: false,
            source_was_empty: false,
            unread: false,
            unswept: None,
            rows_read: 0,
            vanished: None,
            deferred: None,
        };
        let (status, trouble) = match running.finish().await {
            Ok(ended) => ended,
            Err(error) => {
                // A state that fails may fail this too: then the next start says that the run was interrupted.
                let (cause, now) = (error.clone(), self.clock.now());
                let named = self.state.run(move |state| state.fail_run(&writer, run, &cause, now));
                drop(named.await);
                return Err(error);
            }
        };
        let (books, made) = (running.books, calls.made());
        calls.observe(&Event::RunEnded { run, status, books, calls: made });
        let end = RunEnd {
            status,
            books,
            calls: made,
            error: trouble.as_ref().map(|trouble| trouble.message.clone()),
            code: trouble.as_ref().map(|trouble| trouble.code.clone()),
        };
        let now = self.clock.now();
        self.state
            .run(move |state| {
                state.end_run(&writer, run, &end, now)?;
                state.release(&writer)
            })
            .await?;
        drop(lock);
        Ok(report(RunOutcome::Ran { status, trouble }, books, made))
    }

    pub(crate) fn calls(
        &self,
        task: &SyncTask,
        sync: SyncId,
        cancelled: &CancellationToken,
    ) -> Calls {
        Calls {
            state: self.state.clone(),
            clock: Arc::clone(&self.clock),
            dice: Arc::clone(&self.dice),
            observer: Arc::clone(&self.observer),
            overseer: self.overseer.clone(),
            governor: self.governor.clone(),
            sync_name: Arc::from(task.definition.name.as_str()),
            sync,
            key_digest: Arc::clone(&self.key_digest),
            rate: self.rate,
            structure_turns: self.structure_turns.clone(),
            cancelled: cancelled.clone(),
            made: Arc::new(AtomicU64::new(0)),
            beaten: Arc::new(AtomicU64::new(self.clock.elapsed().as_secs())),
            pauses: Arc::default(),
        }
    }
}
