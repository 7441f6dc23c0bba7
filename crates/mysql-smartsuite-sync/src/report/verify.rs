//! What `verify` and `repair` found, for people and for machines. Made to show keys and record ids, never values.

use serde_json::{Value, json as value};
use sync_core::comparison::{Difference, Disagreement};
use sync_engine::{
    run::Trouble,
    verify::{Comparison, VerifyOutcome, VerifyReport},
};

use crate::{
    exit::Exit,
    report::{
        Paint, calls_made, counted,
        run::{self, Finished},
        thousands,
    },
};

/// One sync's part.
#[derive(Debug)]
pub(crate) struct Verified {
    /// What the engine reports.
    pub(crate) report: VerifyReport,
    /// The run that mended, of a repair.
    pub(crate) run: Option<Finished>,
    /// Whether a sync that is busy elsewhere counts as a failure.
    pub(crate) busy_fails: bool,
}

impl Verified {
    /// The exit code it asks for. A repair is judged by its run, and by what no repair mends.
    pub(crate) fn exit(&self) -> Exit {
        match &self.report.outcome {
            VerifyOutcome::Compared(comparison) => {
                let open = match &comparison.repaired {
                    Some(repaired) => repaired.left,
                    None => comparison.drift_in_all(),
                };
                let found = if open > 0 { Exit::RowsFailed } else { Exit::Done };
                self.run.as_ref().map_or(found, |run| found.and(run.exit()))
            }
            VerifyOutcome::Busy if !self.busy_fails => Exit::Done,
            VerifyOutcome::Declined { .. } | VerifyOutcome::Busy | VerifyOutcome::Failed(_) => {
                Exit::Failed
            }
            VerifyOutcome::Interrupted => Exit::Interrupted,
        }
    }

    fn word(&self) -> &'static str {
        match &self.report.outcome {
            VerifyOutcome::Compared(comparison) if comparison.drift_in_all() > 0 => "drift",
            VerifyOutcome::Compared(_) => "in_step",
            VerifyOutcome::Declined { .. } => "declined",
            VerifyOutcome::Busy => "busy",
            VerifyOutcome::Failed(_) => "failed",
            VerifyOutcome::Interrupted => "interrupted",
        }
    }
}

/// The whole screen.
pub(crate) fn text(verified: &[Verified], paint: Paint) -> String {
    let parts: Vec<String> = verified.iter().map(|one| of_sync(one, paint)).collect();
    parts.join("\n\n")
}

fn of_sync(one: &Verified, paint: Paint) -> String {
    let name = paint.strong(&one.report.sync);
    let mut out = match &one.report.outcome {
        VerifyOutcome::Compared(comparison) => {
            format!("{name}  {}", of_comparison(comparison, one.report.calls, paint))
        }
        VerifyOutcome::Declined { calls } => {
            format!("{name}  not compared: it would cost about {}", calls_made(*calls))
        }
        VerifyOutcome::Busy => format!("{name}  busy: another process runs it"),
        VerifyOutcome::Interrupted => format!("{name}  interrupted"),
        VerifyOutcome::Failed(trouble) => format!("{name}  {}", trouble_lines(trouble, paint)),
    };
    if let Some(run) = &one.run {
        out += &format!("\n{}", run::summary(std::slice::from_ref(run), paint));
    }
    out
}

/// What went wrong, with what to do about it.
pub(crate) fn trouble_lines(trouble: &Trouble, paint: Paint) -> String {
    let mut out = format!(
        "{}: {} {}\n  {} {}",
        paint.bad("failed"),
        trouble.message,
        paint.faint(&format!("[{}]", trouble.code)),
        paint.strong("hint:"),
        trouble.remedy
    );
    for finding in &trouble.findings {
        out += &format!("\n  {} {}", finding.message, paint.faint(finding.code.code()));
    }
    out
}

fn of_comparison(comparison: &Comparison, calls: u64, paint: Paint) -> String {
    let drift = comparison.drift_in_all();
    let word =
        if drift == 0 { paint.good("in step") } else { paint.caution("the two sides differ") };
    let compared = match comparison.sample {
        Some(rows) => format!("a sample of {}", counted(rows, "row")),
        None => counted(comparison.rows, "row"),
    };
    let mut lines = vec![format!(
        "{word}: {compared}, {} {}",
        counted(comparison.records, "record"),
        paint.faint(&format!("({})", calls_made(calls)))
    )];
    let mut line = |label: &str, text: String| lines.push(format!("  {label:13} {text}"));
    line("equal", thousands(comparison.compared.equal));
    for (disagreement, cause, count) in &comparison.counts {
        let mark = if cause.is_drift() { paint.caution("drift") } else { "explained".to_owned() };
        let text = format!("{} ({mark}: {cause})", thousands(*count));
        line(disagreement.word(), text);
    }
    let mut some = |label: &str, count: u64, text: &str| {
        if count > 0 {
            line(label, format!("{} {text}", thousands(count)));
        }
    };
    some("not linked", comparison.compared.unlinked, "found by their external id alone");
    some("settled", comparison.compared.settled, "of which the state did not know what they hold");
    some("people's", comparison.rest.people, "records without an external id");
    some("others'", comparison.rest.others, "records with keys that are not this sync's");
    some("without key", comparison.keyless, "rows");
    if let Some(repaired) = &comparison.repaired {
        let text = format!(
            "{} to be written again, {} linked, {} left missing by `on_missing`, {} left to a person",
            counted(repaired.rows, "record"),
            thousands(repaired.linked),
            thousands(repaired.left_missing),
            thousands(repaired.left)
        );
        line("repair", text);
    }
    lines.extend(listed(comparison, paint));
    lines.join("\n")
}

/// The first differences, one a line.
fn listed(comparison: &Comparison, paint: Paint) -> Vec<String> {
    let all: u64 = comparison.counts.iter().map(|(_, _, count)| count).sum();
    let mut lines: Vec<String> =
        comparison.differences.iter().map(|one| format!("  {}", of_difference(one))).collect();
    let rest = all.saturating_sub(lines.len() as u64);
    if rest > 0 && !lines.is_empty() {
        lines.push(paint.faint(&format!("  and {} more; `--list` shows more", thousands(rest))));
    }
    lines
}

fn of_difference(one: &Difference) -> String {
    let key = match (&one.key, &one.external_id) {
        (Some(key), _) => key.text().into_owned(),
        (None, Some(id)) => id.clone(),
        (None, None) => "-".to_owned(),
    };
    let mut out = format!("{:9}  {key}", one.disagreement.word());
    if let Some(record) = &one.record {
        out += &format!("  {record}");
    }
    if !one.fields.is_empty() {
        let fields: Vec<&str> = one.fields.iter().map(|slug| &**slug).collect();
        out += &format!("  {}", fields.join(", "));
    }
    if let Some(code) = &one.code {
        out += &format!("  [{code}]");
    }
    format!("{out}: {}", one.cause)
}

/// For machines.
pub(crate) fn json(verified: &[Verified], exit: Exit) -> Value {
    let drift: u64 = verified
        .iter()
        .map(|one| match &one.report.outcome {
            VerifyOutcome::Compared(comparison) => comparison.drift_in_all(),
            _ => 0,
        })
        .sum();
    value!({
        "exit_code": exit.code(),
        "drift": drift,
        "syncs": verified.iter().map(sync_json).collect::<Vec<_>>(),
    })
}

fn sync_json(one: &Verified) -> Value {
    let mut out = value!({
        "name": one.report.sync,
        "outcome": one.word(),
        "calls": one.report.calls,
    });
    let more = match &one.report.outcome {
        VerifyOutcome::Compared(comparison) => comparison_json(comparison),
        VerifyOutcome::Declined { calls } => value!({"expected_calls": calls}),
        VerifyOutcome::Failed(trouble) => trouble_json(trouble),
        VerifyOutcome::Busy | VerifyOutcome::Interrupted => value!({}),
    };
    if let (Value::Object(out), Value::Object(more)) = (&mut out, more) {
        out.extend(more);
        if let Some(finished) = &one.run {
            let run = run::json(std::slice::from_ref(finished), finished.exit());
            out.insert("run".to_owned(), run);
        }
    }
    out
}

/// `error`, as every command shows it.
pub(crate) fn trouble_json(trouble: &Trouble) -> Value {
    value!({"error": {
        "code": trouble.code,
        "message": trouble.message,
        "remedy": trouble.remedy,
    }})
}

fn comparison_json(comparison: &Comparison) -> Value {
    let drift: serde_json::Map<String, Value> = Disagreement::ALL
        .into_iter()
        .map(|one| (one.word().to_owned(), value!(comparison.drift(one))))
        .collect();
    let counts: Vec<Value> = comparison
        .counts
        .iter()
        .map(|(disagreement, cause, count)| {
            value!({
                "difference": disagreement.word(),
                "cause": cause.word(),
                "is_drift": cause.is_drift(),
                "count": count,
            })
        })
        .collect();
    let mut out = value!({
        "sample": comparison.sample,
        "rows": comparison.rows,
        "records": comparison.records,
        "equal": comparison.compared.equal,
        "settled": comparison.compared.settled,
        "not_linked": comparison.compared.unlinked,
        "people": comparison.rest.people,
        "others": comparison.rest.others,
        "without_key": comparison.keyless,
        "drift": drift,
        "explained": comparison.explained(),
        "counts": counts,
        "differences": comparison.differences.iter().map(difference_json).collect::<Vec<_>>(),
    });
    if let (Some(repaired), Value::Object(out)) = (&comparison.repaired, &mut out) {
        let repaired = value!({
            "rows": repaired.rows,
            "linked": repaired.linked,
            "left_missing": repaired.left_missing,
            "left": repaired.left,
        });
        out.insert("repaired".to_owned(), repaired);
    }
    out
}

fn difference_json(one: &Difference) -> Value {
    value!({
        "difference": one.disagreement.word(),
        "cause": one.cause.word(),
        "is_drift": one.cause.is_drift(),
        "key": one.key.as_ref().map(|key| key.text().into_owned()),
        "external_id": one.external_id,
        "record": one.record.as_ref().map(ToString::to_string),
        "fields": one.fields.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "code": one.code,
    })
}
