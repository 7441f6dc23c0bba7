//! What is seen of syncs, budget, copies and configuration.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use sync_core::{
    alert::{LogObservation, Observation, RunObservation, Sighting, SyncObservation},
    budget::BudgetDefinition,
    config::model::Config,
    freshness::FreshnessGoal,
    state::{RunStatus, StateError},
};
use sync_store::{RunReport, StateReader, SyncReport};

use crate::budget;

/// Runs among which the last one is sought that came to its end.
const RUNS: usize = 50;
/// What a run says whose sweep showed nothing at all. Of what keeps a run from success without a failure it comes first.
const SHOWS_NOTHING: &str = "source_shows_nothing";
/// What a run says whose read of every row yielded far fewer than the one before, unless it says one of the next.
const VANISHED: &str = "rows_vanished";
const BEFORE_VANISHED: [&str; 2] = [SHOWS_NOTHING, "deletes_need_a_yes"];

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
    syncs: Vec<Watched>,
    budget: Option<BudgetDefinition>,
    keeps_copies: bool,
    troubles: Arc<Troubles>,
}

/// What is expected of one sync.
struct Watched {
    name: String,
    goal: FreshnessGoal,
    is_swept: bool,
}

impl Watch {
    /// At the enabled syncs of a configuration.
    pub(crate) fn new(config: &Config, interval_minutes: u32, troubles: Arc<Troubles>) -> Self {
        let enabled = config.syncs.iter().filter(|sync| sync.enabled);
        let watched = enabled.map(|sync| Watched {
            name: sync.name.clone(),
            goal: FreshnessGoal::of(sync, interval_minutes),
            is_swept: sync.is_swept(),
        });
        let keeps_copies = config.state.keeps_copies();
        Self { syncs: watched.collect(), budget: config.budget, keeps_copies, troubles }
    }

    /// What the state says now.
    pub(crate) fn observe(&self, path: &Path, now: Timestamp) -> Result<Observation, StateError> {
        let reader = StateReader::open(path)?;
        let troubles = self.troubles.known();
        let mut seen = Observation {
            syncs: Vec::new(),
            budget: None,
            backup_failure: troubles.backup,
            copy_age: None,
            bad_configuration: troubles.configuration,
        };
        if let Some(definition) = &self.budget {
            seen.budget = Some(budget::ledger(&reader, now)?.report(definition, now));
        }
        if self.keeps_copies {
            seen.copy_age = reader.uncopied_since(now)?.map(|since| now.duration_since(since));
        }
        let reports = reader.syncs()?;
        for watched in &self.syncs {
            let report = reports.iter().find(|report| report.name == watched.name);
            if let Some(report) = report {
                seen.syncs.push(of_sync(&reader, report, watched, now)?);
            }
        }
        Ok(seen)
    }
}

fn of_sync(
    reader: &StateReader,
    report: &SyncReport,
    watched: &Watched,
    now: Timestamp,
) -> Result<SyncObservation, StateError> {
    let runs = reader.runs(&report.name, RUNS)?;
    let is_under_way = runs.first().is_some_and(|run| run.completed_at.is_none());
    // One that somebody ended early says nothing of the sync.
    let mut ended = runs.into_iter().filter(|run| run.completed_at.is_some());
    let ended = ended.find(|run| run.status != RunStatus::Interrupted.word());
    // One that a person paused is as late as that person wants.
    let is_paused = reader.paused_at(&report.name)?.is_some();
    let deadline = report.aged_from().map(|from| watched.goal.deadline(from));
    // What was found before the sync was told to let records be waits for nobody.
    let candidates = if watched.is_swept { report.candidates } else { 0 };
    Ok(SyncObservation {
        name: report.name.clone(),
        last_run: ended.map(|run| RunObservation {
            status: run.status,
            code: run.code,
            error: run.error,
        }),
        is_under_way,
        sighting: sighting(reader, report, watched)?,
        awaiting_yes: report.held + candidates,
        stopped: report.stopped.clone(),
        late_since: deadline.filter(|deadline| *deadline < now && !is_paused),
        quarantined: report.quarantined.iter().map(|count| count.rows).sum(),
        waiting: report.waiting + report.sending,
        duplicates: report.shared_ids,
        log: report.stream.as_ref().map(|stream| LogObservation {
            lag: stream.lag(now),
            at_risk: stream.is_in_danger(now),
        }),
    })
}

/// What the last read of every row says, and the last sweep: it holds until the next of its kind.
fn sighting(
    reader: &StateReader,
    report: &SyncReport,
    watched: &Watched,
) -> Result<Sighting, StateError> {
    let run_at = |at: Option<Timestamp>| match at {
        Some(at) => reader.run_at(&report.name, at),
        None => Ok(None),
    };
    let sweep = match report.swept_at {
        // There is none to speak of, unless it is to be done again.
        None if report.full_read.is_none() => Sighting::Seen,
        _ if !watched.is_swept => Sighting::Seen,
        at => said(run_at(at)?, SHOWS_NOTHING, &[]),
    };
    let read = said(run_at(report.full_read_at)?, VANISHED, &BEFORE_VANISHED);
    Ok(match (sweep, read) {
        (vanished @ Sighting::Vanished(_), _) | (_, vanished @ Sighting::Vanished(_)) => vanished,
        (Sighting::Seen, Sighting::Seen) => Sighting::Seen,
        (Sighting::Unknown, _) | (_, Sighting::Unknown) => Sighting::Unknown,
    })
}

/// Whether a run said `code`. One that says something of `before` may have kept it to itself, like one that failed.
fn said(run: Option<RunReport>, code: &str, before: &[&str]) -> Sighting {
    let Some(run) = run else { return Sighting::Unknown };
    let said = run.code.as_deref().unwrap_or_default();
    if said == code {
        return Sighting::Vanished(run.error.unwrap_or_default());
    }
    let came_to_it =
        [RunStatus::Success, RunStatus::Partial].iter().any(|status| status.word() == run.status);
    if came_to_it && !before.contains(&said) { Sighting::Seen } else { Sighting::Unknown }
}
