//! Rows in quarantine: how many by reason, and the rows of a page.

use std::collections::BTreeMap;

use axum::{Json, extract::Query};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sync_core::state::{EntryId, StateError};
use sync_store::{QuarantineFilter, QuarantinedRow, StateReader};

use crate::{caller::Looking, problem::Problem, request::Answer};

/// Rows of a page, where the request does not say, and at most.
const ROWS: usize = 50;
const ROWS_MAX: usize = 500;

/// Which rows are shown.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct QuarantineQuery {
    /// Of this sync. Without it: of every sync.
    pub(crate) sync: Option<String>,
    /// With this complaint.
    pub(crate) code: Option<String>,
    /// The row with this key.
    pub(crate) key: Option<String>,
    /// Those after this one: `next` of the page before. Needs `sync`.
    pub(crate) after: Option<i64>,
    /// At most so many of each sync; 50 where it is not said, 500 at most.
    pub(crate) rows: Option<usize>,
}

/// Rows in quarantine.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct QuarantineView {
    /// How many rows by sync, complaint and field, most first.
    groups: Vec<Group>,
    /// The rows of this page.
    rows: Vec<RowView>,
    /// For each sync that has more rows: what to give as `after` for the next page.
    next: BTreeMap<String, i64>,
}

/// Rows with one complaint.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Group {
    /// Their sync.
    sync: String,
    /// Stable code of the complaint.
    code: String,
    /// The field to blame, where one is.
    field: Option<String>,
    /// Rows.
    rows: u64,
}

impl Group {
    pub(super) fn all(sync: &str, reader: &StateReader) -> Result<Vec<Self>, StateError> {
        let report = reader.sync(sync)?;
        let counts = report.into_iter().flat_map(|report| report.quarantined);
        Ok(counts
            .map(|count| Self {
                sync: sync.to_owned(),
                code: count.code,
                field: count.slug.map(|slug| slug.to_string()),
                rows: count.rows,
            })
            .collect())
    }
}

/// A row in quarantine.
#[derive(Debug, Serialize, JsonSchema)]
struct RowView {
    /// Its sync.
    sync: String,
    /// Its key.
    key: String,
    /// Stable code of the complaint.
    code: String,
    /// The field to blame, where one is.
    field: Option<String>,
    /// Why, in words.
    reason: String,
    /// What to do.
    hint: String,
    /// How often it was refused.
    attempts: u64,
    /// When it was read.
    since: Timestamp,
    /// When it is tried again by itself.
    next_try: Timestamp,
    /// What was to be written by field, or the row's cells by column; `null` where it is not kept.
    values: Value,
}

impl RowView {
    fn of(sync: &str, row: QuarantinedRow) -> Self {
        let values = row.payload.and_then(|text| serde_json::from_str(&text.0).ok());
        Self {
            sync: sync.to_owned(),
            key: row.key.text().into_owned(),
            code: row.fault.code,
            field: row.fault.slug.map(|slug| slug.to_string()),
            reason: row.fault.reason.0,
            hint: row.fault.remedy,
            attempts: row.refusals,
            since: row.since,
            next_try: row.next_try,
            values: values.unwrap_or(Value::Null),
        }
    }
}

pub(crate) async fn quarantine(
    Looking(server): Looking,
    query: Result<Query<QuarantineQuery>, axum::extract::rejection::QueryRejection>,
) -> Answer<QuarantineView> {
    let Query(query) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
    let names: Vec<String> =
        server.desk.roster().iter().map(|entry| entry.definition.name.clone()).collect();
    let names = match &query.sync {
        Some(sync) if names.contains(sync) => vec![sync.clone()],
        Some(sync) => return Err(Problem::unknown_sync(sync)),
        None if query.after.is_some() => {
            return Err(Problem::bad_request("`after` needs `sync`"));
        }
        None => names,
    };
    let view = server.reading.read(move |reader| view(reader, &names, query)).await?;
    Ok(Json(view.unwrap_or_else(|| QuarantineView {
        groups: Vec::new(),
        rows: Vec::new(),
        next: BTreeMap::new(),
    })))
}

fn view(
    reader: &StateReader,
    names: &[String],
    query: QuarantineQuery,
) -> Result<QuarantineView, StateError> {
    let rows_max = query.rows.unwrap_or(ROWS).clamp(1, ROWS_MAX);
    let filter = QuarantineFilter { code: query.code, key: query.key };
    let after = query.after.map(EntryId);
    let mut view = QuarantineView { groups: Vec::new(), rows: Vec::new(), next: BTreeMap::new() };
    for name in names {
        view.groups.extend(Group::all(name, reader)?);
        let mut rows = reader.quarantine_where(name, &filter, after, rows_max + 1)?;
        if rows.len() > rows_max {
            rows.truncate(rows_max);
            if let Some(last) = rows.last() {
                view.next.insert(name.clone(), last.id.0);
            }
        }
        view.rows.extend(rows.into_iter().map(|row| RowView::of(name, row)));
    }
    view.groups.sort_by_key(|group| std::cmp::Reverse(group.rows));
    Ok(view)
}
