//! A plan, for people and for machines. Made to show rows.

mod json;
mod text;

use std::path::Path;

use sync_core::{
    delivery::Operation, field_value::FieldValue, slug::Slug, state::RunStatus,
    table::TableStructure,
};
use sync_engine::{
    plan::{PlannedWrite, RehearsedTarget},
    run::RunOutcome,
};

use crate::{
    exit::Exit,
    plan::{Plan, SyncPlan},
};

pub(crate) use json::json;
pub(crate) use text::text;

/// How the command ends: as the run would, as far as that can be known.
pub(crate) fn exit(plan: &Plan) -> Exit {
    plan.syncs.iter().fold(Exit::Done, |exit, sync| {
        exit.and(match &sync.report.outcome {
            RunOutcome::Ran { status, .. } => match status {
                RunStatus::Success => Exit::Done,
                RunStatus::Partial => Exit::RowsFailed,
                RunStatus::Interrupted => Exit::Interrupted,
                RunStatus::Failed => Exit::Failed,
            },
            RunOutcome::Busy | RunOutcome::Stopped(_) => Exit::Failed,
        })
    })
}

/// Where the plan lies and how it is carried out.
pub(crate) fn kept(path: &Path) -> String {
    let path = path.display();
    format!("the plan is in `{path}`; `run --plan {path}` does what it says and nothing else")
}

/// One field of a planned write.
struct Change<'p> {
    slug: &'p Slug,
    label: &'p str,
    /// As it is now; `None`: not known.
    before: Option<String>,
    after: String,
}

/// The fields that a write changes; every one of them where it is not known what the record holds.
fn changes<'p>(sync: &'p SyncPlan, write: &'p PlannedWrite) -> Vec<Change<'p>> {
    let table = sync.table.as_ref();
    let before = write.record.as_ref().and_then(|record| sync.before.get(record));
    let field = |slug: &Slug| table.and_then(|table| table.field(slug));
    write
        .fields
        .iter()
        .map(|(slug, value)| (slug, value, before.and_then(|before| before.value(slug))))
        .filter(|(_, value, before)| *before != Some(*value))
        .filter(|(_, value, _)| {
            write.operation != Operation::Create || **value != FieldValue::Empty
        })
        .map(|(slug, value, before)| Change {
            slug,
            label: label(table, slug),
            before: before.map(|before| crate::report::value::shown(before, field(slug))),
            after: match sync.parents.get(slug) {
                Some(parent) => links(write, slug, parent, value),
                None => crate::report::value::shown(value, field(slug)),
            },
        })
        .collect()
}

/// What a link field holds: records with the rows that they are of. Those that the plan creates have no id yet.
fn links(write: &PlannedWrite, slug: &Slug, parent: &str, value: &FieldValue) -> String {
    let FieldValue::Ids(ids) = value else { return crate::report::value::shown(value, None) };
    let row = |id: &String| {
        let row = write.links.iter().find(|row| row.slug == *slug && row.record == *id)?;
        Some(format!("{parent} {}", row.key.text()))
    };
    let shown = |id: &String| match row(id) {
        Some(row) if RehearsedTarget::is_made_up(id) => format!("new record of {row}"),
        Some(row) => format!("{id} ({row})"),
        None => id.clone(),
    };
    ids.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn label<'p>(table: Option<&'p TableStructure>, slug: &'p Slug) -> &'p str {
    table.and_then(|table| table.field(slug)).map_or(slug.as_str(), |field| field.label.as_str())
}

/// Writes of an operation.
fn count(sync: &SyncPlan, operation: Operation) -> u64 {
    sync.planned.counts.get(&operation).copied().unwrap_or(0)
}

/// What keeps the run from success, in words.
fn trouble(sync: &SyncPlan) -> Option<(String, String, String)> {
    match &sync.report.outcome {
        RunOutcome::Ran { trouble, .. } => {
            trouble.clone().map(|trouble| (trouble.code, trouble.message, trouble.remedy))
        }
        RunOutcome::Stopped(stop) => {
            Some((stop.code.clone(), format!("it is stopped: {}", stop.message), stop.advice()))
        }
        RunOutcome::Busy => None,
    }
}
