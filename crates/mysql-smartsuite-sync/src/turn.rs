//! One turn of one sync, for `run` and `schedule` alike: from its definition to what there is to say about it.

use std::{sync::Arc, time::Duration};

use sync_core::{
    config::model::{OnDrift, SyncDefinition},
    state::{Books, RunStatus, StateError},
};
use sync_engine::run::{RunOptions, RunOutcome, RunReport, SyncTask, Trouble};
use sync_store::StateReader;
use tokio_util::sync::CancellationToken;

use crate::{report::run::Finished, wire::Wire};

/// How often a sync that is busy elsewhere is asked for again.
pub(crate) const WAIT: Duration = Duration::from_millis(500);

/// One turn.
#[derive(Clone)]
pub(crate) struct Turn {
    /// The ports.
    pub(crate) wire: Arc<Wire>,
    /// The sync.
    pub(crate) definition: SyncDefinition,
    /// What a person asked for.
    pub(crate) options: RunOptions,
    /// Whether a sync that another process runs is waited for.
    pub(crate) waits: bool,
    /// Whether such a sync counts as a failure.
    pub(crate) busy_fails: bool,
}

/// Whether a run came to nothing because a mapping that fitted fits no more.
fn fits_no_more(report: &RunReport) -> bool {
    matches!(
        &report.outcome,
        RunOutcome::Ran { trouble: Some(trouble), .. } if trouble.code == "schema_drift" || trouble.code == "table_changed"
    )
}

impl Turn {
    /// Runs the sync once. Whatever goes wrong is part of the answer, and in the log.
    pub(crate) async fn take(&self, ending: &CancellationToken) -> Finished {
        let began = self.wire.clock.elapsed();
        let task = self.wire.task_to_run(&self.definition).await;
        let mut report = self
            .run(&task, ending)
            .await
            .unwrap_or_else(|error| self.failed(Trouble::from(&error)));
        if self.definition.on_drift != OnDrift::Freeze && fits_no_more(&report) {
            // The run has looked at the table anew: what fits it is known now.
            let fitted = self.wire.task_to_run(&self.definition).await;
            if fitted.digest() != task.digest() {
                report = self
                    .run(&fitted, ending)
                    .await
                    .unwrap_or_else(|error| self.failed(Trouble::from(&error)));
            }
        }
        let took = self.wire.clock.elapsed().saturating_sub(began);
        let mut finished = Finished {
            report,
            took,
            quarantined: Vec::new(),
            holder: None,
            busy_fails: self.busy_fails,
        };
        if let Some(state) = self.state() {
            finished.quarantined = state.quarantined;
            finished.holder = state.holder.map(|holder| holder.name);
        }
        finished.log();
        finished
    }

    async fn run(
        &self,
        task: &SyncTask,
        ending: &CancellationToken,
    ) -> Result<RunReport, StateError> {
        let mut told = false;
        loop {
            let report = Box::pin(self.wire.engine.run(task, self.options, ending)).await?;
            let busy = matches!(report.outcome, RunOutcome::Busy);
            if !busy || !self.waits || ending.is_cancelled() {
                return Ok(report);
            }
            if !std::mem::replace(&mut told, true) {
                let holder = self.state().and_then(|state| state.holder);
                let holder = holder.map_or("another process".to_owned(), |holder| holder.name);
                tracing::warn!(sync.name = self.definition.name, "waits: {holder} is running it");
            }
            tokio::select! {
                biased;
                () = ending.cancelled() => {}
                () = self.wire.clock.sleep(WAIT) => {}
            }
        }
    }

    /// Whether keys of the sync are to be read again.
    pub(crate) fn has_dirty_keys(&self) -> bool {
        self.state().is_some_and(|state| state.dirty > 0)
    }

    fn state(&self) -> Option<sync_store::SyncReport> {
        let reader = StateReader::open(&self.wire.state_path).ok()?;
        reader.sync(&self.definition.name).ok()?
    }

    fn failed(&self, trouble: Trouble) -> RunReport {
        RunReport {
            sync: self.definition.name.clone(),
            outcome: RunOutcome::Ran { status: RunStatus::Failed, trouble: Some(trouble) },
            books: Books::default(),
            calls: 0,
        }
    }
}
