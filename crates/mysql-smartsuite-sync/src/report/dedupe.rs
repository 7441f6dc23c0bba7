//! What `dedupe` found and did, for people and for machines.

use serde_json::{Value, json as value};
use sync_core::shared_id::Fate;
use sync_engine::verify::{Applied, DedupeOutcome, DedupeReport, SharedId};

use crate::{
    exit::Exit,
    report::{
        Paint, calls_made, counted, thousands,
        verify::{trouble_json, trouble_lines},
    },
};

/// One sync's part.
#[derive(Debug)]
pub(crate) struct Deduped {
    /// What the engine reports.
    pub(crate) report: DedupeReport,
    /// Whether a sync that is busy elsewhere counts as a failure.
    pub(crate) busy_fails: bool,
}

impl Deduped {
    /// The exit code it asks for: 2 while ids are shared.
    pub(crate) fn exit(&self) -> Exit {
        match &self.report.outcome {
            DedupeOutcome::Listed { shared, applied, .. } => {
                let open = applied.as_ref().map_or(*shared, |applied| applied.left);
                if open > 0 { Exit::RowsFailed } else { Exit::Done }
            }
            DedupeOutcome::Busy if !self.busy_fails => Exit::Done,
            DedupeOutcome::Declined { .. } | DedupeOutcome::Busy | DedupeOutcome::Failed(_) => {
                Exit::Failed
            }
            DedupeOutcome::Interrupted => Exit::Interrupted,
        }
    }
}

/// The whole screen.
pub(crate) fn text(deduped: &[Deduped], paint: Paint) -> String {
    let parts: Vec<String> = deduped.iter().map(|one| of_sync(one, paint)).collect();
    parts.join("\n\n")
}

fn of_sync(one: &Deduped, paint: Paint) -> String {
    let name = paint.strong(&one.report.sync);
    let calls = paint.faint(&format!("({})", calls_made(one.report.calls)));
    match &one.report.outcome {
        DedupeOutcome::Listed { shared: 0, .. } => {
            format!("{name}  {}: no external id is shared {calls}", paint.good("in order"))
        }
        DedupeOutcome::Listed { shared, deletable, undecided, ids, applied } => {
            let mut lines = vec![format!(
                "{name}  {}: {} beside those that stay could be deleted, {} may be somebody's work {calls}",
                paint.caution(&format!("{} shared", counted(*shared, "external id"))),
                thousands(*deletable),
                thousands(*undecided)
            )];
            lines.extend(ids.iter().map(|id| of_id(id, paint)));
            let rest = shared.saturating_sub(ids.len() as u64);
            if rest > 0 {
                lines.push(paint.faint(&format!("  and {} more", thousands(rest))));
            }
            match applied {
                Some(applied) => lines.push(of_applied(applied, paint)),
                None => lines.push(format!(
                    "  {} `--apply` deletes what could be deleted; `--clear-ids` empties external ids instead",
                    paint.strong("hint:")
                )),
            }
            lines.join("\n")
        }
        DedupeOutcome::Declined { calls } => {
            format!("{name}  not read: it would cost about {}", calls_made(*calls))
        }
        DedupeOutcome::Busy => format!("{name}  busy: another process runs it"),
        DedupeOutcome::Interrupted => format!("{name}  interrupted"),
        DedupeOutcome::Failed(trouble) => format!("{name}  {}", trouble_lines(trouble, paint)),
    }
}

fn of_id(id: &SharedId, paint: Paint) -> String {
    let records = id.records.iter().map(|(record, fate)| {
        let word = match fate {
            Fate::Stays if record.is_linked => paint.good("stays, linked"),
            Fate::Stays => paint.good("stays"),
            Fate::Deletable => "could be deleted".to_owned(),
            Fate::Undecided => paint.caution("may be somebody's work"),
        };
        format!("    {}  {word}", record.record)
    });
    let lines: Vec<String> =
        std::iter::once(format!("  {}", id.external_id)).chain(records).collect();
    lines.join("\n")
}

fn of_applied(applied: &Applied, paint: Paint) -> String {
    let mut out = format!(
        "  done: {} deleted, {} without an external id now, {} left",
        thousands(applied.deleted.len() as u64),
        thousands(applied.cleared.len() as u64),
        thousands(applied.left)
    );
    if let Some(trouble) = &applied.refused {
        out += &format!("\n  {}", trouble_lines(trouble, paint));
    }
    out
}

/// For machines.
pub(crate) fn json(deduped: &[Deduped], exit: Exit) -> Value {
    value!({
        "exit_code": exit.code(),
        "syncs": deduped.iter().map(sync_json).collect::<Vec<_>>(),
    })
}

fn sync_json(one: &Deduped) -> Value {
    let mut out = value!({"name": one.report.sync, "calls": one.report.calls});
    let more = match &one.report.outcome {
        DedupeOutcome::Listed { shared, deletable, undecided, ids, applied } => value!({
            "outcome": "listed",
            "shared": shared,
            "deletable": deletable,
            "undecided": undecided,
            "ids": ids.iter().map(id_json).collect::<Vec<_>>(),
            "applied": applied.as_ref().map(applied_json),
        }),
        DedupeOutcome::Declined { calls } => {
            value!({"outcome": "declined", "expected_calls": calls})
        }
        DedupeOutcome::Busy => value!({"outcome": "busy"}),
        DedupeOutcome::Interrupted => value!({"outcome": "interrupted"}),
        DedupeOutcome::Failed(trouble) => {
            let mut failed = trouble_json(trouble);
            if let Value::Object(failed) = &mut failed {
                failed.insert("outcome".to_owned(), value!("failed"));
            }
            failed
        }
    };
    if let (Value::Object(out), Value::Object(more)) = (&mut out, more) {
        out.extend(more);
    }
    out
}

fn id_json(id: &SharedId) -> Value {
    let records: Vec<Value> = id
        .records
        .iter()
        .map(|(record, fate)| {
            value!({
                "record": record.record.to_string(),
                "is_linked": record.is_linked,
                "fate": match fate {
                    Fate::Stays => "stays",
                    Fate::Deletable => "deletable",
                    Fate::Undecided => "undecided",
                },
            })
        })
        .collect();
    value!({"external_id": id.external_id, "records": records})
}

fn applied_json(applied: &Applied) -> Value {
    let ids = |records: &[sync_core::record::RecordId]| -> Vec<String> {
        records.iter().map(ToString::to_string).collect()
    };
    value!({
        "deleted": ids(&applied.deleted),
        "cleared": ids(&applied.cleared),
        "left": applied.left,
        "refused": applied.refused.as_ref().map(|trouble| trouble.code.clone()),
    })
}
