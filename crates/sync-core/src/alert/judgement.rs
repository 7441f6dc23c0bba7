//! What counts as wrong: from what is seen of syncs, budget and copies to conditions.

use jiff::{SignedDuration, Timestamp};

use super::{AlertKind, Condition};
use crate::{
    budget::{BudgetReport, Stage},
    state::Stop,
};

/// What is seen at one moment.
#[derive(Clone, Debug, Default)]
pub struct Observation {
    /// Each enabled sync.
    pub syncs: Vec<SyncObservation>,
    /// How the month stands, where a budget is set.
    pub budget: Option<BudgetReport>,
    /// Why the state could not be copied, if the last attempt failed.
    pub backup_failure: Option<String>,
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
    /// What its last read of every row missed, in one line.
    pub vanished: Option<String>,
    /// Why the breaker stopped it.
    pub stopped: Option<Stop>,
    /// Since when its records are late, if they are.
    pub late_since: Option<Timestamp>,
    /// Rows in quarantine.
    pub quarantined: u64,
    /// Keys that several records carry.
    pub duplicates: u64,
    /// How its binlog stands.
    pub log: Option<LogObservation>,
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

/// Everything that is wrong.
pub fn judge(seen: &Observation) -> Vec<Condition> {
    let mut conditions: Vec<Condition> = seen.syncs.iter().flat_map(of_sync).collect();
    conditions.extend(seen.budget.as_ref().and_then(of_budget));
    let all = |kind, text: String, hint: &str| Condition {
        kind,
        subject: String::new(),
        text,
        hint: hint.to_owned(),
        level: 1,
    };
    if let Some(why) = &seen.backup_failure {
        let text = format!("the state could not be copied: {why}");
        conditions.push(all(AlertKind::BackupFailed, text, "look at the disk's space and rights"));
    }
    if let Some(why) = &seen.bad_configuration {
        let text = format!("the changed mapping file is not used: {why}");
        let hint = "`validate` shows what is wrong; until then the service goes on with the file as it was";
        conditions.push(all(AlertKind::BadConfiguration, text, hint));
    }
    conditions
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
    let error = run.and_then(|run| run.error.clone()).unwrap_or_default();
    if let Some(stop) = &sync.stopped {
        let text = format!("{}: {} [{}]", stop.what(), stop.message, stop.code);
        add(AlertKind::Stopped, text, &stop.remedy, 1);
    } else if run.is_some_and(|run| run.status == "failed") {
        let text = format!("the last run failed: {error} [{code}]");
        add(AlertKind::Failed, text, "`status` shows the run and what to do", 1);
    }
    if let Some(since) = sync.late_since {
        let since = since.strftime("%Y-%m-%d %H:%M UTC");
        let text = format!("late against its freshness goal since {since}");
        add(AlertKind::Late, text, "`status` shows what it waits for", 1);
    }
    if let Some(what) = &sync.vanished {
        let hint = "look whether the source is whole and the query is right";
        add(AlertKind::RowsVanished, what.clone(), hint, 1);
    }
    if code == "deletes_need_a_yes" {
        let hint = "if they should go: `run --allow-deletes NUMBER`";
        add(AlertKind::NeedsYes, error, hint, 1);
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

fn of_budget(budget: &BudgetReport) -> Option<Condition> {
    let (used, until) = (budget.used, budget.month.until);
    let monthly = budget.monthly_calls;
    let (kind, text, hint, level) = match budget.stage {
        Stage::Within => return None,
        Stage::Near => (
            AlertKind::BudgetNear,
            format!(
                "{used} calls are used, 80 % of what this tool may use of {monthly} until {until}"
            ),
            "`status` shows the forecast; the guide on the budget says what can be done",
            1,
        ),
        Stage::UsedUp => (
            AlertKind::BudgetUsedUp,
            format!("{used} calls are used: all but the reserve of {monthly} until {until}"),
            "what waits is sent when the next month begins, unless `when_used_up: go_on`",
            1,
        ),
        Stage::Throttled => (
            AlertKind::BudgetUsedUp,
            format!(
                "{used} of {monthly} calls are used: SmartSuite takes 2 calls a second until {until}"
            ),
            "at 125 % SmartSuite answers no more until then; more calls can be bought",
            2,
        ),
        Stage::Stopped => (
            AlertKind::BudgetUsedUp,
            format!("{used} of {monthly} calls are used: SmartSuite answers no more until {until}"),
            "buy calls, or wait; nothing is lost",
            4,
        ),
    };
    Some(Condition { kind, subject: String::new(), text, hint: hint.to_owned(), level })
}
