//! What counts as wrong: from what is seen of syncs, budget and copies to conditions.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{AlertKind, Condition};
use crate::{
    budget::{BudgetReport, Stage},
    state::Stop,
};

/// How old the newest copy of the state may be: two are made in that time.
const COPY_AGE_MAX: SignedDuration = SignedDuration::from_hours(48);

/// What is seen at one moment.
#[derive(Clone, Debug, Default)]
pub struct Observation {
    /// Each enabled sync.
    pub syncs: Vec<SyncObservation>,
    /// How the month stands, where a budget is set.
    pub budget: Option<BudgetReport>,
    /// Why the state could not be copied, if the last attempt failed.
    pub backup_failure: Option<String>,
    /// How long ago the state was last copied, or first used where it never was; `None` where no copies are to be made.
    pub copy_age: Option<SignedDuration>,
    /// Why the mapping file as it is now is not used.
    pub bad_configuration: Option<String>,
}

/// How a sync stands.
#[derive(Clone, Debug)]
pub struct SyncObservation {
    /// Its name.
    pub name: String,
    /// Its last run that came to an end.
    pub last_run: Option<RunObservation>,
    /// Whether a run is under way.
    pub is_under_way: bool,
    /// What its last reads say of rows that were always there.
    pub sighting: Sighting,
    /// Records whose rows are gone, so many that somebody must say yes before they go.
    pub awaiting_yes: u64,
    /// Why the breaker stopped it.
    pub stopped: Option<Stop>,
    /// Since when its records are late, if they are.
    pub late_since: Option<Timestamp>,
    /// Rows in quarantine.
    pub quarantined: u64,
    /// Entries that wait to be sent.
    pub waiting: u64,
    /// Keys that several records carry.
    pub duplicates: u64,
    /// How its binlog stands.
    pub log: Option<LogObservation>,
}

/// What the last read of every row, and the last sweep, say of rows that were always there.
#[derive(Clone, Debug, Default)]
pub enum Sighting {
    /// Nothing.
    #[default]
    Seen,
    /// They are gone; in one line.
    Vanished(String),
    /// The run has not ended, or ended by something else before it came to this.
    Unknown,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct RunObservation {
    /// The word of its status.
    pub status: String,
    /// Stable code of what kept it from success.
    pub code: Option<String>,
    /// The same in one line.
    pub error: Option<String>,
}

/// How a binlog stands.
#[derive(Clone, Copy, Debug)]
pub struct LogObservation {
    /// How far it is behind.
    pub lag: SignedDuration,
    /// Whether half of what the server keeps is needed to catch up.
    pub at_risk: bool,
}

/// What is wrong, and of what that cannot be said now.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// Everything that is known to be wrong.
    pub wrong: Vec<Condition>,
    /// What only a later look can decide, by subject and kind: what was told of it still holds, and nothing begins.
    pub undecided: BTreeSet<(String, AlertKind)>,
}

/// Says what is wrong.
pub fn judge(seen: &Observation) -> Judgement {
    let mut judgement = Judgement::default();
    for sync in &seen.syncs {
        judgement.wrong.extend(of_sync(sync));
        let undecided = undecided(sync).into_iter().map(|kind| (sync.name.clone(), kind));
        judgement.undecided.extend(undecided);
    }
    judgement.wrong.extend(seen.budget.iter().flat_map(of_budget));
    if let Some(why) = &seen.backup_failure {
        let text = format!("the state could not be copied: {why}");
        let hint = "look at the disk's space and rights";
        judgement.wrong.push(of_all(AlertKind::BackupFailed, text, hint, 1));
    } else if let Some(age) = seen.copy_age.filter(|age| *age > COPY_AGE_MAX) {
        // Whatever it was that nobody told of: a copy that does not come to its end, a clock, somebody who removed them.
        let text = format!("the state was not copied for {} h", age.as_hours());
        let hint =
            "see the service's log and the disk's space and rights; `state backup` makes a copy";
        judgement.wrong.push(of_all(AlertKind::BackupFailed, text, hint, 1));
    }
    if let Some(why) = &seen.bad_configuration {
        let text = format!("the changed mapping file is not used: {why}");
        let hint = "`validate` shows what is wrong; until then the service goes on with the file as it was";
        judgement.wrong.push(of_all(AlertKind::BadConfiguration, text, hint, 1));
    }
    judgement
}

fn of_all(kind: AlertKind, text: String, hint: &str, level: u64) -> Condition {
    Condition { kind, subject: String::new(), text, hint: hint.to_owned(), level }
}

/// What is on its way of a sync, to one side or the other.
fn undecided(sync: &SyncObservation) -> Vec<AlertKind> {
    let mut kinds = Vec::new();
    // A run lets a stop go when it begins. Whether that is over is known when it ends.
    if sync.is_under_way && sync.stopped.is_none() {
        kinds.push(AlertKind::Stopped);
    }
    // Refused rows may be on their way once more.
    if sync.is_under_way && sync.waiting > 0 && sync.quarantined == 0 {
        kinds.push(AlertKind::Quarantine);
    }
    if matches!(sync.sighting, Sighting::Unknown) {
        kinds.push(AlertKind::RowsVanished);
    }
    kinds
}

fn of_sync(sync: &SyncObservation) -> Vec<Condition> {
    let mut found = Vec::new();
    let mut add = |kind, text: String, hint: &str, level| {
        found.push(Condition {
            kind,
            subject: sync.name.clone(),
            text,
            hint: hint.to_owned(),
            level,
        });
    };
    let run = sync.last_run.as_ref();
    let code = run.and_then(|run| run.code.as_deref()).unwrap_or_default();
    let error = run.and_then(|run| run.error.as_deref()).unwrap_or_default();
    if let Some(stop) = &sync.stopped {
        let text = format!("{}: {} [{}]", stop.what(), stop.message, stop.code);
        add(AlertKind::Stopped, text, &stop.remedy, 1);
    }
    if run.is_some_and(|run| run.status == "failed") {
        let text = format!("the last run failed: {error} [{code}]");
        add(AlertKind::Failed, text, "`status` shows the run and what to do", 1);
    }
    if let Some(since) = sync.late_since {
        let since = since.strftime("%Y-%m-%d %H:%M UTC");
        let text = format!("late against its freshness goal since {since}");
        add(AlertKind::Late, text, "`status` shows what it waits for", 1);
    }
    if let Sighting::Vanished(what) = &sync.sighting {
        let hint = "look whether the source is whole and the query is right";
        add(AlertKind::RowsVanished, what.clone(), hint, 1);
    }
    if sync.awaiting_yes > 0 {
        let text = match sync.awaiting_yes {
            1 => "1 record whose row is gone waits for a yes".to_owned(),
            records => format!("{records} records whose rows are gone wait for a yes"),
        };
        let hint = "if so many should go: `run --allow-deletes NUMBER`";
        add(AlertKind::NeedsYes, text, hint, sync.awaiting_yes);
    }
    if sync.quarantined > 0 {
        let text = match sync.quarantined {
            1 => "1 row in quarantine".to_owned(),
            rows => format!("{rows} rows in quarantine"),
        };
        let hint = "`quarantine list` shows each with its reason";
        add(AlertKind::Quarantine, text, hint, sync.quarantined);
    }
    if sync.duplicates > 0 {
        let text = match sync.duplicates {
            1 => "1 external id is carried by several records".to_owned(),
            ids => format!("{ids} external ids are carried by several records"),
        };
        add(AlertKind::Duplicates, text, "`dedupe` lists them", sync.duplicates);
    }
    if let Some(log) = sync.log.filter(|log| log.at_risk) {
        let text =
            format!("the binlog is {} h behind, half of what the server keeps", log.lag.as_hours());
        let hint = "see what keeps the sync from reading, or let the server keep its binlog longer";
        add(AlertKind::LogAtRisk, text, hint, 1);
    }
    found
}

/// The stage, and the one before it: that one is not over when the next is reached.
fn of_budget(budget: &BudgetReport) -> Vec<Condition> {
    let (used, until) = (budget.used, budget.month.until);
    let monthly = budget.monthly_calls;
    let near = || {
        let text = format!(
            "{used} calls are used, 80 % of what this tool may use of {monthly} until {until}"
        );
        let hint = "`status` shows the forecast; the guide on the budget says what can be done";
        of_all(AlertKind::BudgetNear, text, hint, 1)
    };
    let used_up = |text: String, hint: &str, level| {
        vec![near(), of_all(AlertKind::BudgetUsedUp, text, hint, level)]
    };
    match budget.stage {
        Stage::Within => Vec::new(),
        Stage::Near => vec![near()],
        Stage::UsedUp => used_up(
            format!("{used} calls are used: all but the reserve of {monthly} until {until}"),
            "what waits is sent when the next month begins, unless `when_used_up: go_on`",
            1,
        ),
        Stage::Throttled => used_up(
            format!(
                "{used} of {monthly} calls are used: SmartSuite takes 2 calls a second until {until}"
            ),
            "at 125 % SmartSuite answers no more until then; more calls can be bought",
            2,
        ),
        Stage::Stopped => used_up(
            format!("{used} of {monthly} calls are used: SmartSuite answers no more until {until}"),
            "buy calls, or wait; nothing is lost",
            4,
        ),
    }
}
