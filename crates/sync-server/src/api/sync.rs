//! One sync with its mapping as it is understood.

use std::collections::BTreeMap;

use axum::Json;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::Serialize;
use sync_core::{
    config::model::{
        CaptureMode, Conversion, FieldMapping, OnDelete, Origin, SourceRows, SyncDefinition,
        WritePolicy,
    },
    state::StateError,
    table::TableStructure,
};
use sync_store::StateReader;

use super::{
    overview::{OfSync, SyncSummary},
    quarantine::Group,
};
use crate::{
    caller::Looking,
    live::Note,
    problem::Problem,
    request::{Answer, SyncName},
};

/// Runs shown.
const RUNS: usize = 100;
/// Days of calls shown.
const DAYS: i64 = 30;

/// One sync.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SyncDetail {
    /// When it was asked.
    now: Timestamp,
    /// How it stands, with its newest runs.
    summary: SyncSummary,
    /// Where its rows come from.
    source: SourceView,
    /// Where its records go.
    destination: DestinationView,
    /// Which field is filled from what, in the mapping file's order.
    fields: Vec<FieldView>,
    /// What the mapping had to say in the newest run of this service: also where the schemas have drifted from it.
    notes: Vec<Note>,
    /// Fields that are written no more because their mapping fits no more, whichever run found it.
    left_out: Vec<LeftOutView>,
    /// Rows in quarantine by complaint, most first.
    quarantine: Vec<Group>,
    /// Links that wait for the row they lead to.
    lacking_links: Vec<LackingView>,
    /// Calls by day and kind, UTC, oldest first; days without calls are left out.
    calls: Vec<DayView>,
}

/// Where rows come from.
#[derive(Debug, Serialize, JsonSchema)]
struct SourceView {
    /// The table, where it is one.
    table: Option<String>,
    /// The SQL of the query, or the condition that the table's rows must meet.
    sql: Option<String>,
    /// The key columns; empty: the table's own.
    key: Vec<String>,
    /// The column that says when a row changed.
    cursor: Option<String>,
    /// `query`, `table` or `binlog`.
    capture: &'static str,
}

/// Where records go.
#[derive(Debug, Serialize, JsonSchema)]
struct DestinationView {
    /// SmartSuite's id of the table.
    table_id: String,
    /// The table's name, once it was read.
    table_name: Option<String>,
    /// When the table's structure was read.
    read_at: Option<Timestamp>,
    /// The field that carries the key, by its label where that is known.
    external_id_field: String,
    /// What becomes of records whose rows are gone: `ignore`, `delete` or `archive`.
    on_delete: &'static str,
}

/// A field and what fills it.
#[derive(Debug, Serialize, JsonSchema)]
struct FieldView {
    /// Its label, where it is known.
    label: Option<String>,
    /// Its slug.
    slug: String,
    /// Its type, where it is known.
    kind: Option<String>,
    /// What fills it: a column, an expression, or the sync whose records are linked.
    from: String,
    /// `column`, `expression`, `parts` or `link`.
    origin: &'static str,
    /// How the value is converted, where the mapping file says so.
    conversion: Option<String>,
    /// When it is written: `always`, `on_create` or `if_empty`.
    write: &'static str,
    /// Whether the table, as it was read last, has no such field.
    is_missing: bool,
}

/// A field that is written no more.
#[derive(Debug, Serialize, JsonSchema)]
struct LeftOutView {
    /// Its slug.
    slug: String,
    /// Why, in one line.
    reason: String,
}

/// Links that wait.
#[derive(Debug, Serialize, JsonSchema)]
struct LackingView {
    /// The field.
    field: String,
    /// The sync whose records are linked to.
    sync: String,
    /// How many.
    links: u64,
    /// Some of the keys that have no record.
    keys: Vec<String>,
}

/// Calls of a day.
#[derive(Debug, Serialize, JsonSchema)]
struct DayView {
    /// The day, UTC.
    #[schemars(with = "String")]
    day: Date,
    /// Calls by kind.
    kinds: BTreeMap<&'static str, u64>,
}

/// What the state says.
#[derive(Default)]
struct FromState {
    of_sync: OfSync,
    table: Option<(TableStructure, Timestamp)>,
    quarantine: Vec<Group>,
    lacking: Vec<LackingView>,
    calls: BTreeMap<Date, BTreeMap<&'static str, u64>>,
}

pub(crate) async fn sync(Looking(server): Looking, SyncName(name): SyncName) -> Answer<SyncDetail> {
    let mut roster = server.desk.roster().into_iter();
    let entry = roster.find(|entry| entry.definition.name == name);
    let entry = entry.ok_or_else(|| Problem::unknown_sync(&name))?;
    let (now, asked, counting) = (server.clock.now(), entry.clone(), server.clone());
    let read = move |reader: &StateReader| {
        let of_sync = OfSync::read(reader, &asked, RUNS, &counting)?;
        let known = of_sync.report.as_ref().map(|report| report.name.clone());
        FromState::read(reader, of_sync, known.as_deref().unwrap_or(&asked.definition.name), now)
    };
    let state = server.reading.read(read).await?.unwrap_or_default();
    let table = state.table.as_ref().map(|(table, _)| table);
    let definition = entry.definition.as_ref();
    Ok(Json(SyncDetail {
        now,
        summary: SyncSummary::new(&entry, &state.of_sync, now),
        source: SourceView::of(definition),
        destination: DestinationView::of(definition, state.table.as_ref()),
        fields: fields(definition, table),
        notes: server.live.notes(&name),
        left_out: left_out(&state.of_sync),
        quarantine: state.quarantine,
        lacking_links: state.lacking,
        calls: state.calls.into_iter().map(|(day, kinds)| DayView { day, kinds }).collect(),
    }))
}

impl FromState {
    fn read(
        reader: &StateReader,
        mut of_sync: OfSync,
        name: &str,
        now: Timestamp,
    ) -> Result<Self, StateError> {
        let since = now.saturating_sub(SignedDuration::from_hours(24 * (DAYS - 1))).unwrap_or(now);
        let since = since.to_zoned(TimeZone::UTC).date();
        let month = now.to_zoned(TimeZone::UTC).date().first_of_month();
        let mut calls: BTreeMap<Date, BTreeMap<&'static str, u64>> = BTreeMap::new();
        for count in reader.calls(since.min(month))?.iter().filter(|count| count.sync == name) {
            if count.day >= since {
                *calls.entry(count.day).or_default().entry(count.kind.word()).or_default() +=
                    count.calls;
            }
            if count.day >= month {
                of_sync.calls_this_month += count.calls;
            }
        }
        let lacking = reader.lacking_links(name)?.into_iter().map(|one| LackingView {
            field: one.slug.to_string(),
            sync: one.parent,
            links: one.links,
            keys: one.keys.iter().map(|key| key.text().into_owned()).collect(),
        });
        Ok(Self {
            of_sync,
            table: reader.table(name)?,
            quarantine: Group::all(name, reader)?,
            lacking: lacking.collect(),
            calls,
        })
    }
}

impl SourceView {
    fn of(definition: &SyncDefinition) -> Self {
        let source = &definition.source;
        let (table, sql) = match &source.rows {
            SourceRows::Query { query, .. } => (None, Some(query.text.clone())),
            SourceRows::Table { name, filter } => {
                (Some(name.clone()), filter.as_ref().map(|filter| filter.text.clone()))
            }
        };
        Self {
            table,
            sql,
            key: source.primary_key.clone(),
            cursor: source.updated_at_field.clone(),
            capture: match definition.capture {
                CaptureMode::Query => "query",
                CaptureMode::Table => "table",
                CaptureMode::Binlog => "binlog",
            },
        }
    }
}

impl DestinationView {
    fn of(definition: &SyncDefinition, read: Option<&(TableStructure, Timestamp)>) -> Self {
        let destination = &definition.destination;
        let slug = &destination.external_id_field;
        let field = read.and_then(|(table, _)| table.field(slug));
        Self {
            table_id: destination.table_id.clone(),
            table_name: read.map(|(table, _)| table.name.clone()),
            read_at: read.map(|(_, at)| *at),
            external_id_field: field.map_or(slug.to_string(), |field| field.label.clone()),
            on_delete: match &destination.on_delete {
                OnDelete::Ignore => "ignore",
                OnDelete::Delete { .. } | OnDelete::ArchiveFirst { .. } => "delete",
                OnDelete::Archive(_) => "archive",
            },
        }
    }
}

fn left_out(of_sync: &OfSync) -> Vec<LeftOutView> {
    let known = of_sync.report.iter().flat_map(|report| &report.left_out);
    known.map(|(slug, reason)| LeftOutView { slug: slug.clone(), reason: reason.clone() }).collect()
}

fn fields(definition: &SyncDefinition, table: Option<&TableStructure>) -> Vec<FieldView> {
    let view = |slug: &str| {
        let field = table.and_then(|table| table.field(slug));
        FieldView {
            label: field.map(|field| field.label.clone()),
            slug: slug.to_owned(),
            kind: field.map(|field| field.kind.name().to_owned()),
            from: String::new(),
            origin: "column",
            conversion: None,
            write: "always",
            is_missing: table.is_some() && field.is_none(),
        }
    };
    let mapped = definition.destination.fields.iter().map(|mapping| {
        let (origin, from) = origin(mapping);
        FieldView {
            origin,
            from,
            conversion: conversion(&mapping.conversion),
            write: match mapping.write {
                WritePolicy::Always => "always",
                WritePolicy::OnCreate => "on_create",
                WritePolicy::IfEmpty => "if_empty",
            },
            ..view(&mapping.slug)
        }
    });
    let linked = definition.destination.links.iter().map(|link| FieldView {
        origin: "link",
        from: format!("{} \u{2192} records of {}", link.from.join(", "), link.parent),
        ..view(&link.slug)
    });
    mapped.chain(linked).collect()
}

fn origin(mapping: &FieldMapping) -> (&'static str, String) {
    match &mapping.origin {
        Origin::Column { name, path: None } => ("column", name.clone()),
        Origin::Column { name, path: Some(path) } => ("column", format!("{name} {}", path.text())),
        Origin::Computed(expression) => ("expression", expression.text().to_owned()),
        Origin::Parts(parts) => {
            let parts = parts.iter().map(|(part, from)| format!("{part}: {}", from.text()));
            ("parts", parts.collect::<Vec<_>>().join(", "))
        }
    }
}

fn conversion(conversion: &Conversion) -> Option<String> {
    match conversion {
        Conversion::Automatic | Conversion::Options(_) => None,
        Conversion::Typed { kind, .. } => Some(format!("as {}", kind.name())),
        Conversion::Transformed(_) => Some("transformed".to_owned()),
    }
}
