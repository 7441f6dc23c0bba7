//! Rows that are gone: found by a sweep, asked for again as dirty keys, and their records held back until a person
//! says yes where they are many.

use sync_core::{deletes::GonePolicy, schedule::Schedule, state::StateError};

use super::{Trouble, running::Running};
use crate::{capture::Broken, event::Event};

/// How often a service sweeps, in minutes, where the sync does not say.
const SWEEP_MINUTES: u32 = 60;
/// Candidates marked in one write, so that others who write are not kept waiting.
const MARKS: usize = 5_000;

impl Running<'_> {
    /// Reads all keys, if it is time for it, and marks those that are missing as suspected. What goes wrong with it
    /// keeps nothing else from being done.
    pub(super) async fn sweep_if_due(&mut self) -> Result<(), Broken> {
        if !self.sweep_is_due() {
            return Ok(());
        }
        match self.sweep().await {
            Err(Broken::Source(error)) => self.unswept = Some(Trouble::from(&error)),
            done => return done,
        }
        Ok(())
    }

    fn policy(&self) -> GonePolicy {
        self.task.definition.destination.on_delete.policy()
    }

    fn sweep_is_due(&self) -> bool {
        let definition = &self.task.definition;
        if !definition.is_swept() {
            return false;
        }
        if self.options.reconcile || self.options.allow_deletes.is_some() {
            return true;
        }
        let usual = if self.options.serves {
            Schedule::every(SWEEP_MINUTES)
        } else {
            // Each run that a person begins.
            Schedule::every(0)
        };
        self.is_due(definition.sweep.as_ref(), Some(usual), self.opened.swept_at)
    }

    /// One sweep. Only a read that came to its end counts.
    async fn sweep(&mut self) -> Result<(), Broken> {
        let (writer, state, now) = (self.writer, &self.engine.state, self.engine.clock.now());
        let ticket = state.run(move |state| state.begin_sweep(&writer, now)).await?;
        let key_columns = &self.task.definition.source.primary_key;
        self.capturing()
            .live_keys(key_columns, |keys| state.run(move |state| state.sweep(&writer, &keys)))
            .await?;
        let allowed = self.options.allow_deletes;
        let now = self.engine.clock.now();
        let end = state.run(move |state| state.end_sweep(&writer, ticket, allowed, now)).await?;
        self.calls.observe(&Event::Swept { shown: end.shown, candidates: end.going.records });
        self.source_was_empty = end.shown == 0 && end.going.of > 0;
        self.asks = end.asks.then_some(end.going).filter(|_| !self.source_was_empty);
        if self.source_was_empty || end.asks {
            return Ok(());
        }
        while state.run(move |state| state.mark_candidates(&writer, ticket, MARKS, now)).await? {
            self.calls.heartbeat(writer).await?;
        }
        Ok(())
    }

    /// Whether the table must be read before a sweep counts: the state may lack records that it should know
    /// (`protocol.md` D8).
    pub(super) async fn audit_is_due(&self) -> Result<bool, StateError> {
        let writer = self.writer;
        if self.only_updates() {
            // Records of rows that had none may be there by now.
            return Ok(self.looks
                && !self.has_looked
                && self.engine.state.run(move |state| state.recordless(&writer)).await? > 0);
        }
        if self.policy() == GonePolicy::Leave || self.engine.is_audited(self.writer) {
            return Ok(false);
        }
        let mark = self.engine.state.run(move |state| state.mark(&writer)).await?;
        // An older state has none, whatever else everything is read for.
        Ok(mark.is_none())
    }
}
