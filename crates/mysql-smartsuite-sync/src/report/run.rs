//! What a run came to, for people and for machines.

use std::time::Duration;

use serde_json::{Value, json};
use sync_core::state::{Books, RunStatus};
use sync_engine::run::{RunOutcome, RunReport, Trouble};
use sync_store::QuarantineCount;

use crate::{
    exit::Exit,
    report::{Paint, calls_made, counted, seconds, thousands},
};

/// Target of log lines that repeat what the summary says.
pub(crate) const SUMMARY: &str = concat!(env!("CARGO_CRATE_NAME"), "::summary");

/// One sync's part of a `run`.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    /// What the engine reports.
    pub(crate) report: RunReport,
    /// How long it took.
    pub(crate) took: Duration,
    /// Rows in quarantine when it ended, by what is wrong with them.
    pub(crate) quarantined: Vec<QuarantineCount>,
    /// Who runs the sync, where this run was not begun for that.
    pub(crate) holder: Option<String>,
    /// Whether a sync that is busy elsewhere counts as a failure.
    pub(crate) busy_fails: bool,
}

impl Finished {
    /// The exit code it asks for.
    pub(crate) fn exit(&self) -> Exit {
        match &self.report.outcome {
            RunOutcome::Ran { status, .. } => match status {
                RunStatus::Success => Exit::Done,
                RunStatus::Partial => Exit::RowsFailed,
                RunStatus::Interrupted => Exit::Interrupted,
                RunStatus::Failed => Exit::Failed,
            },
            RunOutcome::Busy if self.busy_fails => Exit::Failed,
            RunOutcome::Busy => Exit::Done,
            RunOutcome::Stopped(_) => Exit::Failed,
        }
    }

    /// Whether another turn may follow at once.
    pub(crate) fn may_go_on(&self) -> bool {
        self.report.may_go_on()
    }

    /// Adds a second turn, whose end is the end of both.
    pub(crate) fn add(&mut self, second: Self) {
        let took = self.took + second.took;
        let report = self.report.clone().followed_by(second.report);
        *self = Self { report, took, ..second };
    }

    /// Writes what went wrong to the log.
    pub(crate) fn log(&self) {
        let name = self.report.sync.as_str();
        for kind in &self.quarantined {
            let (code, field) = (kind.code.as_str(), kind.slug.as_deref());
            let rows = counted(kind.rows, "row");
            tracing::warn!(target: SUMMARY, { sync.name = name, code, field }, "{rows} in quarantine");
        }
        match (&self.report.outcome, self.trouble()) {
            (RunOutcome::Busy, _) => {
                let holder = self.holder.as_deref().unwrap_or("another process");
                tracing::warn!(target: SUMMARY, { sync.name = name },
                    "busy: {holder} is running it; nothing was done here"
                );
            }
            (_, Some(trouble)) if self.exit() == Exit::Failed => {
                let (code, hint) = (trouble.code.as_str(), trouble.remedy.as_str());
                tracing::error!(target: SUMMARY, { sync.name = name, code, hint }, "{}", trouble.message);
                for finding in &trouble.findings {
                    let (code, hint) = (finding.code.code(), finding.hint.as_deref());
                    tracing::error!(target: SUMMARY, { sync.name = name, code, hint }, "{}", finding.message);
                }
            }
            (_, Some(trouble)) => {
                let (code, hint) = (trouble.code.as_str(), trouble.remedy.as_str());
                tracing::warn!(target: SUMMARY, { sync.name = name, code, hint }, "{}", trouble.message);
            }
            (_, None) => {}
        }
    }

    fn word(&self) -> &'static str {
        match &self.report.outcome {
            RunOutcome::Ran { status, .. } => match status {
                RunStatus::Success => "done",
                RunStatus::Partial => "partly done",
                RunStatus::Interrupted => "interrupted",
                RunStatus::Failed => "failed",
            },
            RunOutcome::Busy => "busy",
            RunOutcome::Stopped(_) => "stopped",
        }
    }

    /// What went wrong, if anything.
    fn trouble(&self) -> Option<Trouble> {
        match &self.report.outcome {
            RunOutcome::Ran { trouble, .. } => trouble.clone(),
            RunOutcome::Busy => None,
            RunOutcome::Stopped(stop) => Some(Trouble::from(stop)),
        }
    }

    /// For people: what happened, then what went wrong and what to do.
    fn lines(&self, paint: Paint, width: usize) -> String {
        let word = match self.exit() {
            Exit::Done => paint.good(self.word()),
            Exit::RowsFailed | Exit::Interrupted => paint.caution(self.word()),
            Exit::Failed | Exit::Usage => paint.bad(self.word()),
        };
        let name = paint.strong(&format!("{:width$}", self.report.sync));
        let mut out = format!("{name}  {word}");
        match &self.report.outcome {
            RunOutcome::Ran { .. } => {
                let cost = format!("({}, {})", calls_made(self.report.calls), seconds(self.took));
                out += &format!(": {} {}", happened(&self.report.books), paint.faint(&cost));
            }
            RunOutcome::Busy => {
                let holder = self.holder.as_deref().unwrap_or("another process");
                out += &format!(": {holder} is running it; nothing was done here");
            }
            RunOutcome::Stopped(_) => out += ": it was stopped before, and no call was made",
        }
        let margin = format!("\n{:width$}  ", "");
        for kind in &self.quarantined {
            let field =
                kind.slug.as_ref().map(|slug| format!(" (field `{slug}`)")).unwrap_or_default();
            out += &format!("{margin}{}: {}{field}", counted(kind.rows, "row"), kind.code);
        }
        if let Some(trouble) = self.trouble() {
            let code = paint.faint(&format!("[{}]", trouble.code));
            out += &format!("{margin}{} {code}", trouble.message.replace('\n', &margin));
            for finding in &trouble.findings {
                out += &format!(
                    "{margin}- {} {}",
                    finding.message,
                    paint.faint(&format!("[{}]", finding.code.code()))
                );
                if let Some(hint) = &finding.hint {
                    out += &format!("{margin}  {} {hint}", paint.strong("hint:"));
                }
            }
            out += &format!("{margin}{} {}", paint.strong("hint:"), trouble.remedy);
        }
        out
    }

    fn json(&self) -> Value {
        let trouble = self.trouble();
        let findings: Vec<Value> = trouble
            .iter()
            .flat_map(|trouble| &trouble.findings)
            .map(|finding| {
                json!({
                    "code": finding.code.code(),
                    "message": finding.message,
                    "hint": finding.hint,
                    "column": finding.column,
                    "field": finding.slug.as_ref().map(|slug| slug.as_str()),
                })
            })
            .collect();
        let quarantined: Vec<Value> = self
            .quarantined
            .iter()
            .map(|kind| {
                let field = kind.slug.as_ref().map(|slug| slug.as_str());
                json!({ "code": kind.code, "field": field, "rows": kind.rows })
            })
            .collect();
        json!({
            "sync": self.report.sync,
            "status": match &self.report.outcome {
                RunOutcome::Ran { status, .. } => status.word(),
                RunOutcome::Busy | RunOutcome::Stopped(_) => self.word(),
            },
            "code": trouble.as_ref().map(|trouble| &trouble.code),
            "message": trouble.as_ref().map(|trouble| &trouble.message),
            "hint": trouble.as_ref().map(|trouble| &trouble.remedy),
            "findings": findings,
            "quarantined": quarantined,
            "counts": self.report.books,
            "calls": self.report.calls,
            "duration_ms": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            "holder": self.holder,
        })
    }
}

/// The whole summary for people.
pub(crate) fn summary(all: &[Finished], paint: Paint) -> String {
    let width = all.iter().map(|one| one.report.sync.chars().count()).max().unwrap_or(0);
    let lines: Vec<String> = all.iter().map(|one| one.lines(paint, width)).collect();
    lines.join("\n")
}

/// The whole summary for machines.
pub(crate) fn json(all: &[Finished], exit: Exit) -> Value {
    json!({
        "exit_code": exit.code(),
        "syncs": all.iter().map(Finished::json).collect::<Vec<_>>(),
    })
}

/// What became of rows and entries, in words: `1,000 rows read (2 changed), 2 updated`.
pub(crate) fn happened(books: &Books) -> String {
    let mut rows = format!("{} read", counted(books.read, "row"));
    let unchanged = books.unchanged + books.withdrawn;
    if unchanged > 0 {
        let changed = books.read.saturating_sub(unchanged);
        let changed = if changed == 0 { "none".to_owned() } else { thousands(changed) };
        rows += &format!(" ({changed} changed)");
    }
    let refused = books.parked + books.quarantined;
    let done = [
        (books.created, "created"),
        (books.adopted, "found in SmartSuite and linked"),
        (books.updated, "updated"),
        (books.deleted, "deleted"),
        (books.archived, "archived"),
        (books.equal, "found equal"),
        (books.recordless, "without a record to update"),
        (refused, "refused"),
        (books.skipped, "without a key of their own"),
        (books.unlinked, "without a link yet"),
        (books.waiting_after, "waiting"),
        (books.quarantine.saturating_sub(refused), "refused earlier"),
    ];
    let done = done.into_iter().filter(|(count, _)| *count > 0);
    let parts = done.map(|(count, word)| format!(", {} {word}", thousands(count)));
    rows + &parts.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_reads_as_a_sentence() {
        let nothing = Books::default();
        assert_eq!(happened(&nothing), "0 rows read");
        let first = Books { read: 5, queued: 5, created: 5, ..nothing };
        assert_eq!(happened(&first), "5 rows read, 5 created");
        let some =
            Books { read: 1_000, unchanged: 998, queued: 1, parked: 1, updated: 1, ..nothing };
        assert_eq!(happened(&some), "1,000 rows read (2 changed), 1 updated, 1 refused");
        let some = Books { read: 3, queued: 3, updated: 1, recordless: 2, ..nothing };
        assert_eq!(happened(&some), "3 rows read, 1 updated, 2 without a record to update");
        let later = Books { read: 3, unchanged: 3, created: 2, quarantine: 1, ..nothing };
        assert_eq!(happened(&later), "3 rows read (none changed), 2 created, 1 refused earlier");
    }
}
