//! Comparing every record of a sync with its row, both as they really are, and mending what nobody else would.
//!
//! The table is read first, 1,000 records a call, and kept in a temporary table of the state; then the source streams
//! past it. So memory does not grow with either side. What differs is explained where somebody already knows of it:
//! a row that waits, stands in quarantine, or is read by the next run is no drift. Nothing is changed on either side:
//! a repair makes the state forget what it believed and marks the keys, and the next run goes the ordinary way.

mod comparing;
mod dedupe;
mod holding;
mod next_read;
mod repair;
mod report;
mod resolving;
mod sample;
mod table;

use sync_core::state::{CallKind, StateError};
use tokio_util::sync::CancellationToken;

use self::{comparing::Comparing, holding::Broken};
pub use self::{
    dedupe::{Applied, DedupeOptions, DedupeOutcome, DedupeReport, SharedId},
    report::{Comparison, Question, Repaired, VerifyOptions, VerifyOutcome, VerifyReport},
};
use crate::{engine::Engine, run::SyncTask};

impl Engine {
    /// Compares both sides of one sync, holding its lock, so that no run changes them meanwhile; with
    /// [`VerifyOptions::repairs`], prepares the next run to mend what differs.
    ///
    /// # Errors
    /// The state fails, or its rules for changed definitions refuse the sync. Whatever else goes wrong is part of the
    /// report.
    pub async fn verify(
        &self,
        task: &SyncTask,
        options: &VerifyOptions<'_>,
        cancelled: &CancellationToken,
    ) -> Result<VerifyReport, StateError> {
        let report =
            |outcome, calls| VerifyReport { sync: task.definition.name.clone(), outcome, calls };
        let Some(held) = self.hold_aside(task, cancelled).await? else {
            return Ok(report(VerifyOutcome::Busy, 0));
        };
        let mut comparing = Comparing::new(&held, options);
        let outcome = match Box::pin(comparing.compare()).await {
            Ok(outcome) => outcome,
            Err(Broken::State(error)) => return Err(error),
            Err(Broken::Trouble(trouble)) => VerifyOutcome::Failed(trouble),
            Err(Broken::Interrupted) => VerifyOutcome::Interrupted,
        };
        let calls = held.calls.made();
        held.release().await?;
        Ok(report(outcome, calls))
    }
}

/// What reading the table is counted as.
const KIND: CallKind = CallKind::Scan;
