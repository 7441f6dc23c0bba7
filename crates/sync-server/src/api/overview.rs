//! How every sync stands.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use schemars::JsonSchema;
use serde::Serialize;
use sync_core::state::StateError;
use sync_store::{RunReport, StateReader, SyncReport};

use crate::{caller::Looking, desk::RosterEntry, problem::Problem, router::Server};

/// Runs shown of each sync.
const RUNS: usize = 40;

/// How every sync stands.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Overview {
    /// When it was asked.
    pub(crate) now: Timestamp,
    /// The program's version.
    version: &'static str,
    /// When the service began.
    started_at: Timestamp,
    /// Every sync of the mapping file, in its order.
    pub(crate) syncs: Vec<SyncSummary>,
    /// Calls of all syncs together today, UTC.
    pub(crate) calls_today: u64,
    /// The same since the first of the month, UTC.
    pub(crate) calls_this_month: u64,
    /// Calls by kind since the first of the month, UTC.
    pub(crate) calls_by_kind: BTreeMap<&'static str, u64>,
    /// Until when every call waits, after a 429.
    pub(crate) paused_until: Option<Timestamp>,
    /// Seconds since the state was last copied, or first used where it never was; `null` where no copies are to be made, and
    /// before the first run.
    pub(crate) copy_age_seconds: Option<i64>,
    /// What is wrong, as alerts tell it.
    alerts: Vec<AlertView>,
    /// Alerts that could not be sent.
    unsent: Vec<UnsentView>,
}

/// What is wrong.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct AlertView {
    /// Stable word for what it is.
    kind: &'static str,
    /// The sync; empty for what concerns all.
    subject: String,
    /// What happened.
    message: String,
    /// What to do next.
    hint: String,
    /// Since when.
    since: Timestamp,
}

/// An alert that could not be sent.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct UnsentView {
    /// The way: `email`, `slack`, `teams` or `webhook`.
    channel: String,
    /// When it was decided.
    at: Timestamp,
    /// How often it was tried.
    attempts: u64,
    /// Why it could not be sent.
    error: String,
}

/// How a sync stands.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct SyncSummary {
    /// Its name.
    pub(crate) name: String,
    /// What the mapping file says about it, for people.
    description: Option<String>,
    /// How it stands.
    pub(crate) standing: Standing,
    /// The same in words.
    in_words: String,
    /// When it runs, in words.
    schedule: String,
    /// When it runs next by itself, where that is known.
    next_run: Option<Timestamp>,
    /// Since when a person has paused it.
    pub(crate) paused_at: Option<Timestamp>,
    /// Everything committed before this is in SmartSuite or in quarantine; `null` until a read has ended.
    fresh_as_of: Option<Timestamp>,
    /// Seconds since then.
    pub(crate) age_seconds: Option<i64>,
    /// How many seconds that may be.
    pub(crate) goal_seconds: i64,
    /// Whether it is more, and nobody paused or disabled it; where no read has ended yet, since its first run.
    pub(crate) is_late: bool,
    /// When a run last succeeded.
    pub(crate) last_success: Option<Timestamp>,
    /// Records that rows are linked to.
    pub(crate) linked: u64,
    /// Entries waiting to be sent or on their way.
    pub(crate) waiting: u64,
    /// Creates that no answer accounts for, to be looked up.
    pub(crate) in_doubt: u64,
    /// Rows in quarantine.
    pub(crate) quarantined: u64,
    /// Records that would go with their rows, and wait for a person's yes.
    held: u64,
    /// Keys to be read again.
    to_read_again: u64,
    /// Calls since the first of the month, UTC.
    pub(crate) calls_this_month: u64,
    /// Why the breaker stopped it, if it did.
    stopped: Option<StopView>,
    /// How far the database's log was followed, if it is.
    pub(crate) binlog: Option<BinlogView>,
    /// Its newest runs, newest first.
    pub(crate) runs: Vec<RunView>,
}

/// How a sync stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// Everything is as it should be.
    Good,
    /// A run is under way.
    Running,
    /// It has not run yet.
    New,
    /// It goes on, but rows were left behind, or it is late.
    Warning,
    /// Its newest run failed.
    Failed,
    /// The breaker stopped it.
    Stopped,
    /// A person paused it.
    Paused,
    /// The mapping file disables it.
    Disabled,
}

/// Why the breaker stopped a sync.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct StopView {
    /// Stable code.
    code: String,
    /// What happened.
    message: String,
    /// What to do.
    hint: String,
    /// Whether only creates are stopped: rows that have no record wait, and all else goes on.
    only_creates: bool,
}

/// How far the database's log was followed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct BinlogView {
    /// The position in words.
    position: String,
    /// How far it is behind, in seconds.
    pub(crate) lag_seconds: i64,
    /// How long the database keeps its log, in seconds, where known.
    pub(crate) kept_seconds: Option<i64>,
    /// Whether half of that time has passed.
    pub(crate) is_in_danger: bool,
}

/// A run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct RunView {
    /// Its number.
    id: i64,
    /// When it began.
    started_at: Timestamp,
    /// How long it took, in milliseconds; `null` while it runs.
    duration_ms: Option<i64>,
    /// `running`, `success`, `partial`, `interrupted` or `failed`.
    status: String,
    /// Rows read.
    read: u64,
    /// Rows that were as intended already.
    unchanged: u64,
    /// Records created.
    created: u64,
    /// Records updated.
    updated: u64,
    /// Records deleted or archived.
    removed: u64,
    /// Rows refused.
    refused: u64,
    /// Entries still waiting when it ended.
    waiting: u64,
    /// API calls it made.
    calls: u64,
    /// Stable code of what went wrong.
    code: Option<String>,
    /// What went wrong, in one line.
    message: Option<String>,
}

pub(crate) async fn overview(Looking(server): Looking) -> Result<Response, Problem> {
    let overview = read(&server).await?;
    Ok(Json(overview.as_ref()).into_response())
}

/// The overview; the same for all who ask within a second.
pub(crate) async fn read(server: &Server) -> Result<Arc<Overview>, Problem> {
    let version = server.live.version();
    server.overview.get(server.clock.as_ref(), version, make(server)).await
}

async fn make(server: &Server) -> Result<Overview, Problem> {
    let (now, roster) = (server.clock.now(), server.desk.roster());
    let entries = roster.clone();
    let counting = server.clone();
    let from_state = move |reader: &StateReader| FromState::read(reader, &entries, now, &counting);
    let state = server.reading.read(from_state).await?.unwrap_or_default();
    let syncs = roster.iter().zip(state.syncs.iter().map(Some).chain(std::iter::repeat(None)));
    let empty = OfSync::default();
    Ok(Overview {
        now,
        version: server.version,
        started_at: server.began,
        syncs: syncs
            .map(|(entry, of_sync)| SyncSummary::new(entry, of_sync.unwrap_or(&empty), now))
            .collect(),
        calls_today: state.today,
        calls_this_month: state.by_kind.values().sum(),
        calls_by_kind: state.by_kind,
        paused_until: state.paused_until,
        copy_age_seconds: state.copy_age.filter(|_| server.desk.keeps_copies()),
        alerts: state.alerts,
        unsent: state.unsent,
    })
}

/// What the state says for an overview.
#[derive(Default)]
struct FromState {
    syncs: Vec<OfSync>,
    today: u64,
    by_kind: BTreeMap<&'static str, u64>,
    paused_until: Option<Timestamp>,
    copy_age: Option<i64>,
    alerts: Vec<AlertView>,
    unsent: Vec<UnsentView>,
}

/// What the state says of one sync.
#[derive(Clone, Default)]
pub(super) struct OfSync {
    pub(super) report: Option<SyncReport>,
    linked: u64,
    runs: Vec<RunReport>,
    paused_at: Option<Timestamp>,
    pub(super) calls_this_month: u64,
}

impl OfSync {
    /// The state may still know a sync by its older name.
    pub(super) fn read(
        reader: &StateReader,
        entry: &RosterEntry,
        runs: usize,
        server: &Server,
    ) -> Result<Self, StateError> {
        let mut name = entry.definition.name.as_str();
        let mut found = reader.sync(name)?;
        if let (None, Some(previous)) = (&found, &entry.definition.previously) {
            name = previous;
            found = reader.sync(name)?;
        }
        Ok(Self {
            linked: server.links.of(name, server.clock.as_ref(), || reader.links(name))?,
            runs: reader.runs(name, runs)?,
            paused_at: reader.paused_at(&entry.definition.name)?,
            report: found,
            calls_this_month: 0,
        })
    }
}

impl FromState {
    fn read(
        reader: &StateReader,
        roster: &[RosterEntry],
        now: Timestamp,
        server: &Server,
    ) -> Result<Self, StateError> {
        let today = now.to_zoned(TimeZone::UTC).date();
        let calls = reader.calls(today.first_of_month())?;
        let alerts = reader.alerts()?.into_iter().map(|alert| AlertView {
            kind: alert.condition.kind.word(),
            subject: alert.condition.subject,
            message: alert.condition.text,
            hint: alert.condition.hint,
            since: alert.since,
        });
        let unsent = reader.unsent_alerts()?.into_iter().map(|message| UnsentView {
            channel: message.channel,
            at: message.message.at,
            attempts: message.attempts,
            error: message.error.unwrap_or_default(),
        });
        let mut state = Self {
            paused_until: reader.gate_closed_until(now)?,
            copy_age: reader.uncopied_since(now)?.map(|since| now.duration_since(since).as_secs()),
            alerts: alerts.collect(),
            unsent: unsent.collect(),
            ..Self::default()
        };
        for count in &calls {
            *state.by_kind.entry(count.kind.word()).or_default() += count.calls;
            if count.day == today {
                state.today += count.calls;
            }
        }
        for entry in roster {
            let mut of_sync = OfSync::read(reader, entry, RUNS, server)?;
            let own = calls.iter().filter(|count| count.sync == entry.definition.name);
            of_sync.calls_this_month = own.map(|count| count.calls).sum();
            state.syncs.push(of_sync);
        }
        Ok(state)
    }
}

impl SyncSummary {
    pub(super) fn new(entry: &RosterEntry, state: &OfSync, now: Timestamp) -> Self {
        let report = state.report.as_ref();
        let count = |of: fn(&SyncReport) -> u64| report.map_or(0, of);
        let fresh_as_of = report.and_then(SyncReport::fresh_as_of);
        let age = fresh_as_of.map(|at| now.duration_since(at).max(SignedDuration::ZERO));
        // As alerts have it: what was never read to its end is as old as its first attempt.
        let aged_from = report.and_then(SyncReport::aged_from);
        let deadline = aged_from.map(|at| entry.goal.deadline(at));
        // One that a person paused or disabled is as late as that person wants.
        let is_paused = state.paused_at.is_some() || entry.is_paused;
        let is_kept = entry.definition.enabled && !is_paused;
        let is_late = deadline.is_some_and(|deadline| deadline < now && is_kept);
        // Of a schedule by cron pattern it depends on the day.
        let goal = aged_from
            .map_or(entry.goal.length(now), |at| entry.goal.deadline(at).duration_since(at));
        let mut summary = Self {
            name: entry.definition.name.clone(),
            description: entry.definition.description.clone(),
            standing: Standing::Good,
            in_words: String::new(),
            schedule: entry.schedule.clone(),
            next_run: entry.next_run,
            paused_at: state.paused_at.or(entry.is_paused.then_some(now)),
            fresh_as_of,
            age_seconds: age.map(|age| age.as_secs()),
            goal_seconds: goal.as_secs(),
            is_late,
            last_success: report.and_then(|report| report.last_success),
            linked: state.linked,
            waiting: count(|report| report.waiting + report.sending),
            in_doubt: count(|report| report.in_doubt + report.in_doubt_elsewhere),
            quarantined: count(|report| report.quarantined.iter().map(|one| one.rows).sum()),
            held: count(|report| report.held + report.candidates),
            to_read_again: count(|report| report.dirty),
            calls_this_month: state.calls_this_month,
            stopped: report.and_then(|report| report.stopped.as_ref()).map(|stop| StopView {
                code: stop.code.clone(),
                message: stop.message.clone(),
                hint: stop.remedy.clone(),
                only_creates: stop.only_creates,
            }),
            binlog: report.and_then(|report| report.stream.as_ref()).map(|stream| BinlogView {
                position: stream.place(),
                lag_seconds: stream.lag(now).as_secs(),
                kept_seconds: stream.retention.map(|kept| kept.as_secs()),
                is_in_danger: stream.is_in_danger(now),
            }),
            runs: state.runs.iter().map(RunView::of).collect(),
        };
        (summary.standing, summary.in_words) = summary.stands(entry, report.is_some());
        summary
    }

    fn stands(&self, entry: &RosterEntry, is_known: bool) -> (Standing, String) {
        let newest = self.runs.iter().find(|run| run.status != "running");
        let newest_status = newest.map_or("", |run| run.status.as_str());
        if !entry.definition.enabled {
            return (Standing::Disabled, "disabled in the mapping file".to_owned());
        }
        if let Some(stop) = self.stopped.as_ref().filter(|stop| !stop.only_creates) {
            return (Standing::Stopped, stop.message.clone());
        }
        if self.paused_at.is_some() {
            return (Standing::Paused, "paused by a person".to_owned());
        }
        if newest_status == "failed" {
            let message = newest.and_then(|run| run.message.clone());
            return (Standing::Failed, message.unwrap_or("its last run failed".to_owned()));
        }
        // One that follows the binlog is always under way, and worth a word only until its first read has ended.
        let was_read = self.fresh_as_of.is_some() || self.last_success.is_some();
        if entry.is_under_way && (self.binlog.is_none() || !was_read) {
            return (Standing::Running, "a run is under way".to_owned());
        }
        if !is_known || (self.last_success.is_none() && self.runs.is_empty()) {
            return (Standing::New, "it has not run yet".to_owned());
        }
        let rows =
            |count: u64| if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
        let warnings = [
            (self.stopped.is_some(), "no record is created".to_owned()),
            (!was_read, "no read has come to its end yet".to_owned()),
            (self.is_late, "older than it may be".to_owned()),
            (self.quarantined > 0, format!("{} in quarantine", rows(self.quarantined))),
            (self.held > 0, format!("{} to be removed wait for a yes", rows(self.held))),
            (
                self.binlog.as_ref().is_some_and(|log| log.is_in_danger),
                "the binlog may be purged before it is read".to_owned(),
            ),
            (newest_status == "partial", "the last run left something behind".to_owned()),
        ];
        match warnings.into_iter().find(|(holds, _)| *holds) {
            Some((_, words)) => (Standing::Warning, words),
            None if self.waiting > 0 => {
                (Standing::Good, format!("{} on their way", rows(self.waiting)))
            }
            None => (Standing::Good, "in step".to_owned()),
        }
    }
}

impl RunView {
    pub(super) fn of(run: &RunReport) -> Self {
        let books = run.books.unwrap_or_default();
        Self {
            id: run.id,
            started_at: run.started_at,
            duration_ms: run
                .duration()
                .and_then(|took| i64::try_from(took.as_millis().max(0)).ok()),
            status: run.status.clone(),
            read: run.processed,
            unchanged: run.skipped,
            created: run.created,
            updated: run.updated,
            removed: books.deleted + books.archived,
            refused: books.parked + books.quarantined,
            waiting: books.waiting_after,
            calls: run.calls,
            code: run.code.clone(),
            message: run.error.clone(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
