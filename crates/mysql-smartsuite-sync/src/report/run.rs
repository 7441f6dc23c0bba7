//! What a run came to, for people and for machines.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use sync_core::state::{Books, RunStatus};
use sync_engine::run::{RunOutcome, RunReport, Trouble};

use crate::{
    exit::Exit,
    report::{Paint, counted, seconds},
};

/// Rows that were refused, by code and field.
pub(crate) type Refusals = BTreeMap<(String, Option<String>), u64>;

/// One sync's part of a `run`.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    /// What the engine reports.
    pub(crate) report: RunReport,
    /// How long it took.
    pub(crate) took: Duration,
    /// Which rows were refused.
    pub(crate) refusals: Refusals,
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
                let cost = format!(
                    "({}, {})",
                    counted(self.report.calls, "API call").replace("0 API", "no API"),
                    seconds(self.took)
                );
                out += &format!(": {} {}", happened(&self.report.books), paint.faint(&cost));
            }
            RunOutcome::Busy => {
                let holder = self.holder.as_deref().unwrap_or("another process");
                out += &format!(": {holder} is running it; nothing was done here");
            }
            RunOutcome::Stopped(_) => out += ": it was stopped before, and no call was made",
        }
        let margin = format!("\n{:width$}  ", "");
        for ((code, slug), rows) in &self.refusals {
            let field = slug.as_ref().map(|slug| format!(" (field `{slug}`)")).unwrap_or_default();
            out += &format!("{margin}{}: {code}{field}", counted(*rows, "row"));
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
        let refusals: Vec<Value> = self
            .refusals
            .iter()
            .map(|((code, slug), rows)| json!({ "code": code, "field": slug, "rows": rows }))
            .collect();
        json!({
            "sync": self.report.sync,
            "status": self.word().replace(' ', "_"),
            "code": trouble.as_ref().map(|trouble| &trouble.code),
            "message": trouble.as_ref().map(|trouble| &trouble.message),
            "hint": trouble.as_ref().map(|trouble| &trouble.remedy),
            "findings": findings,
            "refusals": refusals,
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

/// What became of rows and entries, in words.
pub(crate) fn happened(books: &Books) -> String {
    let mut parts = vec![format!("{} read", counted(books.read, "row"))];
    let done = [
        (books.created, "created"),
        (books.adopted, "found in SmartSuite and linked"),
        (books.updated, "updated"),
        (books.deleted, "deleted"),
        (books.equal + books.unchanged + books.withdrawn, "unchanged"),
        (books.parked + books.quarantined, "refused"),
        (books.skipped, "without a usable key"),
        (books.waiting_after, "waiting"),
    ];
    parts.extend(
        done.into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{} {word}", crate::report::thousands(count))),
    );
    let earlier = books.quarantine.saturating_sub(books.parked + books.quarantined);
    if earlier > 0 {
        parts.push(format!("{} refused earlier", crate::report::thousands(earlier)));
    }
    parts.join(", ")
}
