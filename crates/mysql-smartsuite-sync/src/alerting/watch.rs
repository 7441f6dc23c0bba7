//! What is seen of syncs, budget, copies and configuration.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use sync_core::{
    alert::{LogObservation, Observation, RunObservation, SyncObservation},
    budget::BudgetDefinition,
    config::model::Config,
    freshness::FreshnessGoal,
    state::{RunStatus, StateError},
};
use sync_store::{StateReader, SyncReport};

use crate::budget;

/// Runs that are looked at for what they say.
const RUNS: usize = 50;
/// What a read of every row says where rows are gone that were always there.
const VANISHED: [&str; 2] = ["rows_vanished", "source_shows_nothing"];

/// Troubles of the service itself, that no sync and no state tells of.
#[derive(Debug, Default)]
pub(crate) struct Troubles(Mutex<Known>);

#[derive(Clone, Debug, Default)]
struct Known {
    backup: Option<String>,
    configuration: Option<String>,
}

impl Troubles {
    /// How the last copy of the state went.
    pub(crate) fn set_backup(&self, failure: Option<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).backup = failure;
    }

    /// Whether the mapping file as it is now can be used.
    pub(crate) fn set_configuration(&self, failure: Option<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).configuration = failure;
    }

    fn known(&self) -> Known {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Looks.
pub(crate) struct Watch {
    syncs: Vec<(String, FreshnessGoal)>,
    budget: Option<BudgetDefinition>,
    troubles: Arc<Troubles>,
}

impl Watch {
    /// At the enabled syncs of a configuration.
    pub(crate) fn new(config: &Config, interval_minutes: u32, troubles: Arc<Troubles>) -> Self {
        let enabled = config.syncs.iter().filter(|sync| sync.enabled);
        let goal = |sync| FreshnessGoal::of(sync, interval_minutes);
        Self {
            syncs: enabled.map(|sync| (sync.name.clone(), goal(sync))).collect(),
            budget: config.budget,
            troubles,
        }
    }

    /// What the state says now.
    pub(crate) fn observe(&self, path: &Path, now: Timestamp) -> Result<Observation, StateError> {
        let reader = StateReader::open(path)?;
        let troubles = self.troubles.known();
        let mut seen = Observation {
            syncs: Vec::new(),
            budget: None,
            backup_failure: troubles.backup,
            bad_configuration: troubles.configuration,
        };
        if let Some(definition) = &self.budget {
            seen.budget = Some(budget::ledger(&reader, now)?.report(definition, now));
        }
        let reports = reader.syncs()?;
        for (name, goal) in &self.syncs {
            let Some(report) = reports.iter().find(|report| report.name == *name) else { continue };
            seen.syncs.push(of_sync(&reader, report, goal, now)?);
        }
        Ok(seen)
    }
}

fn of_sync(
    reader: &StateReader,
    report: &SyncReport,
    goal: &FreshnessGoal,
    now: Timestamp,
) -> Result<SyncObservation, StateError> {
    let runs = reader.runs(&report.name, RUNS)?;
    // It holds until every row was read again.
    let vanished = runs.iter().find(|run| {
        let said = run.code.as_deref().is_some_and(|code| VANISHED.contains(&code));
        said && run.completed_at >= report.full_read_at
    });
    let vanished = vanished.and_then(|run| run.error.clone());
    // One that somebody ended early says nothing of the sync.
    let mut ended = runs.into_iter().filter(|run| run.completed_at.is_some());
    let ended = ended.find(|run| run.status != RunStatus::Interrupted.word());
    // One that a person paused is as late as that person wants.
    let is_paused = reader.paused_at(&report.name)?.is_some();
    let deadline = report.fresh_as_of().map(|fresh| goal.deadline(fresh));
    Ok(SyncObservation {
        name: report.name.clone(),
        last_run: ended.map(|run| RunObservation {
            status: run.status,
            code: run.code,
            error: run.error,
        }),
        vanished,
        stopped: report.stopped.clone(),
        late_since: deadline.filter(|deadline| *deadline < now && !is_paused),
        quarantined: report.quarantined.iter().map(|count| count.rows).sum(),
        duplicates: report.shared_ids,
        log: report.stream.as_ref().map(|stream| LogObservation {
            lag: stream.lag(now),
            at_risk: stream.is_in_danger(now),
        }),
    })
}
