//! Why a record is as it is, for people and for machines. Made to show one row.

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use sync_core::{
    capture::Decision, draft::Fields, error::SourceError, key::Key, mapping::RowFault,
    source::Column, state::Origin, table::TableStructure, value::Value,
};
use sync_store::{Effect, EntryReport, EntryStanding, KeyReport, LinkDecision, LinkStanding};

use crate::{
    command::explain::words,
    report::{Paint, counted, value as values},
};

/// Everything that is known about one key.
#[derive(Clone, Debug)]
pub(crate) struct Explanation {
    pub(crate) sync: String,
    pub(crate) key: Key,
    /// As the record carries it.
    pub(crate) external_id: String,
    /// What the source says; `None`: it was not asked.
    pub(crate) sides: Option<Sides>,
    pub(crate) state: KeyReport,
    pub(crate) effects: Vec<Effect>,
    /// The table as it was read last, and when.
    pub(crate) table: Option<(TableStructure, Timestamp)>,
}

/// The source's side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sides {
    /// Whether the source answered.
    pub(crate) is_read: bool,
    /// Why it did not.
    pub(crate) unread: Option<SourceError>,
    /// The row; empty if there is none.
    pub(crate) cells: Vec<(Column, Value)>,
    /// What it becomes.
    pub(crate) draft: Option<Fields>,
    /// What becomes of each of its links.
    pub(crate) links: Vec<LinkDecision>,
    /// Why it becomes nothing.
    pub(crate) fault: Option<RowFault>,
    /// The mapping does not fit the table.
    pub(crate) unfit: bool,
    /// What capture would do.
    pub(crate) decision: Option<Decision>,
}

impl Explanation {
    /// Whether anybody has ever heard of the key.
    pub(crate) fn is_known(&self) -> bool {
        self.state.link.is_some()
            || self.state.recordless.is_some()
            || !self.state.entries.is_empty()
            || !self.effects.is_empty()
            || self.sides.as_ref().is_some_and(|sides| !sides.cells.is_empty())
    }
}

const LABEL: usize = 11;

/// The screen.
pub(crate) fn text(explanation: &Explanation, paint: Paint) -> String {
    let mut lines = vec![format!(
        "{}  key {}{}",
        paint.strong(&explanation.sync),
        explanation.key.text(),
        paint.faint(&format!("  (external id {})", explanation.external_id))
    )];
    let mut part = |label: &str, rows: Vec<String>| {
        for (place, row) in rows.into_iter().enumerate() {
            let label = format!("{:LABEL$}", if place == 0 { label } else { "" });
            lines.push(format!("  {}  {row}", paint.faint(&label)));
        }
    };
    if let Some(sides) = &explanation.sides {
        part("row", row_lines(sides));
        part("becomes", draft_lines(sides, explanation));
        part("links", decision_lines(sides, explanation));
        if let Some(decision) = sides.decision {
            part("next run", vec![words(decision).to_owned()]);
        }
    }
    part("record", link_lines(&explanation.state));
    part("outbox", entry_lines(explanation));
    part("effects", effect_lines(explanation));
    if !explanation.is_known() {
        lines.push("nobody knows this key: is it spelled as in the database?".to_owned());
    }
    lines.join("\n")
}

fn row_lines(sides: &Sides) -> Vec<String> {
    if let Some(error) = &sides.unread {
        return vec![
            format!("could not be read: {} [{}]", error.message, error.kind.code()),
            format!("hint: {}", error.remedy),
        ];
    }
    if sides.cells.is_empty() {
        return vec!["the query yields no row with this key".to_owned()];
    }
    let width =
        sides.cells.iter().map(|(column, _)| column.name.chars().count()).max().unwrap_or(0);
    sides
        .cells
        .iter()
        .map(|(column, cell)| format!("{:width$}  {}", column.name, values::cell(cell)))
        .collect()
}

fn draft_lines(sides: &Sides, explanation: &Explanation) -> Vec<String> {
    if let Some(fault) = &sides.fault {
        return vec![
            format!("cannot be written: {fault}: `{}` [{}]", fault.excerpt.0, fault.code.code()),
            format!("hint: {}", fault.remedy()),
        ];
    }
    if sides.unfit {
        return vec![
            "the mapping does not fit the table; `validate --online` says where".to_owned(),
        ];
    }
    if explanation.table.is_none() && sides.is_read && !sides.cells.is_empty() {
        return vec![
            "the table is not known yet: a run or `validate --online` reads it".to_owned(),
        ];
    }
    let Some(fields) = &sides.draft else { return Vec::new() };
    let mut lines = field_lines(fields, explanation);
    lines.push(format!("fingerprint {:?}", fields.fingerprint()));
    lines
}

/// A line for each row that is pointed to.
fn decision_lines(sides: &Sides, explanation: &Explanation) -> Vec<String> {
    let table = explanation.table.as_ref().map(|(table, _)| table);
    let label = |one: &LinkDecision| {
        let field = table.and_then(|table| table.field(&one.slug));
        field.map_or_else(|| one.slug.to_string(), |field| field.label.clone())
    };
    let line = |one: &LinkDecision| {
        let row = format!("{} {}", one.parent.as_deref().unwrap_or("row"), one.key.text());
        let fate = link_fate(one);
        format!("{}  {row}: {fate}", label(one))
    };
    sides.links.iter().map(line).collect()
}

/// What becomes of a link, in words.
fn link_fate(one: &LinkDecision) -> String {
    match (&one.record, one.withheld) {
        (Some(record), false) => format!("linked to its record {record}"),
        (Some(_), true) => {
            "left out, as SmartSuite did not take it: tried again when that row was written"
                .to_owned()
        }
        (None, _) => {
            "left out, as that row has no record: made by itself when it has one".to_owned()
        }
    }
}

fn field_lines(fields: &Fields, explanation: &Explanation) -> Vec<String> {
    let table = explanation.table.as_ref().map(|(table, _)| table);
    let field = |slug: &str| table.and_then(|table| table.field(slug));
    let label = |slug: &str| field(slug).map_or(slug.to_owned(), |field| field.label.clone());
    let width = fields.iter().map(|(slug, _)| label(slug).chars().count()).max().unwrap_or(0);
    fields
        .iter()
        .map(|(slug, held)| format!("{:width$}  {}", label(slug), values::shown(held, field(slug))))
        .collect()
}

fn link_lines(state: &KeyReport) -> Vec<String> {
    let mut lines = Vec::new();
    match &state.link {
        None if state.recordless.is_some() => lines.push(
            "none carries its key, and `mode: update_only` makes none: it is written once there is one"
                .to_owned(),
        ),
        None => lines.push("none is linked".to_owned()),
        Some(link) => {
            let origin = match link.origin {
                Origin::Created => "created by this tool",
                Origin::Adopted => "found by its external id",
            };
            let standing = match link.standing {
                LinkStanding::Held => "",
                LinkStanding::Gone => "; its row is gone, and it is kept",
                LinkStanding::Missing => {
                    "; found missing: its id is looked up before it is created again"
                }
                LinkStanding::LeftMissing => "; found missing, and left so (`on_missing: skip`)",
            };
            lines.push(format!("{}, {origin} {}{standing}", link.record, day(link.created_at)));
            lines.push(match link.fingerprint {
                Some(print) => {
                    format!("holds fingerprint {print:?} since {}", day(link.updated_at))
                }
                None => "what it holds is not known for sure: its row is compared or sent again"
                    .to_owned(),
            });
        }
    }
    if state.is_dirty {
        lines.push("its row is read again by the next run".to_owned());
    }
    if let Some(at) = state.look_again_at {
        lines.push(format!("it is looked at once more after {}", day(at)));
    }
    lines
}

fn standing(entry: &EntryReport) -> &'static str {
    match entry.standing {
        EntryStanding::Waiting => "waits to be sent",
        EntryStanding::Sending => "is being sent",
        EntryStanding::InDoubt => "is in doubt: nobody answered, and it is looked up",
        EntryStanding::Quarantined => "is in quarantine",
        EntryStanding::Held => "is held until somebody agrees",
    }
}

fn entry_lines(explanation: &Explanation) -> Vec<String> {
    if explanation.state.entries.is_empty() {
        return vec!["nothing waits".to_owned()];
    }
    let mut lines = Vec::new();
    for entry in &explanation.state.entries {
        let wish = if entry.is_gone { "a deletion" } else { "a draft" };
        let mut line = format!("{wish} of {} {}", day(entry.since), standing(entry));
        if entry.refusals > 0 {
            line += &format!(", refused {}", counted(entry.refusals, "time"));
        }
        lines.push(line);
        if let Some(fault) = &entry.fault {
            lines.push(format!("{} [{}]", fault.reason.0, fault.code));
            lines.push(format!("hint: {}", fault.remedy));
            lines.push(format!("tried again by itself after {}", day(entry.not_before)));
        }
        if let Some(fields) = &entry.fields {
            lines.extend(field_lines(fields, explanation));
        }
    }
    lines
}

fn effect_lines(explanation: &Explanation) -> Vec<String> {
    if explanation.effects.is_empty() {
        return vec!["none is remembered".to_owned()];
    }
    let table = explanation.table.as_ref().map(|(table, _)| table);
    let effect = |effect: &Effect| {
        let mut line = format!("{}  {}", day(effect.at), effect.kind.word());
        if let Some(record) = &effect.record {
            line += &format!(" record {record}");
        }
        if let Some(code) = &effect.code {
            line += &format!(" [{code}]");
        }
        let labels: Vec<&str> = effect
            .fields
            .iter()
            .map(|slug| {
                let field = table.and_then(|table| table.field(slug));
                field.map_or(slug.as_str(), |field| field.label.as_str())
            })
            .collect();
        if !labels.is_empty() {
            line += &format!(": {}", labels.join(", "));
        }
        match (effect.run, effect.call) {
            (Some(run), Some(call)) => line += &format!("  (run {run}, call {call})"),
            (Some(run), None) => line += &format!("  (run {run})"),
            (None, _) => {}
        }
        line
    };
    explanation.effects.iter().map(effect).collect()
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The same for machines.
pub(crate) fn json(explanation: &Explanation) -> String {
    format!("{:#}", value(explanation))
}

/// The same as a value.
pub(crate) fn value(explanation: &Explanation) -> Json {
    let table = explanation.table.as_ref().map(|(table, _)| table);
    let fields = |fields: &Fields| -> Json {
        let shown =
            |slug: &str, held| json!(values::text(held, table.and_then(|table| table.field(slug))));
        Json::Object(
            fields.iter().map(|(slug, held)| (slug.to_string(), shown(slug, held))).collect(),
        )
    };
    let source = explanation.sides.as_ref().map(|sides| {
        let row: Map<String, Json> = sides
            .cells
            .iter()
            .map(|(column, cell)| (column.name.clone(), json!(values::cell(cell))))
            .collect();
        json!({
            "found": !sides.cells.is_empty(),
            "error": sides.unread.as_ref().map(|error| error.kind.code()),
            "row": row,
            "becomes": sides.draft.as_ref().map(fields),
            "fingerprint": sides.draft.as_ref().map(|draft| format!("{:?}", draft.fingerprint())),
            "links": sides.links.iter().map(|one| json!({
                "field": one.slug.as_str(),
                "sync": one.parent,
                "key": one.key.text(),
                "record": one.record.as_ref().map(|record| &record.0),
                "withheld": one.withheld,
                "decision": link_fate(one),
            })).collect::<Vec<_>>(),
            "fault": sides.fault.as_ref().map(|fault| json!({
                "code": fault.code.code(), "message": fault.to_string(), "hint": fault.remedy(),
            })),
            "fits": !sides.unfit,
            "next_run": sides.decision.map(words),
        })
    });
    let link = explanation.state.link.as_ref().map(|link| {
        json!({
            "record": link.record.0,
            "created_here": link.origin == Origin::Created,
            "standing": format!("{:?}", link.standing).to_lowercase(),
            "fingerprint": link.fingerprint.map(|print| format!("{print:?}")),
            "since": link.created_at,
            "updated_at": link.updated_at,
        })
    });
    let entries: Vec<Json> = explanation
        .state
        .entries
        .iter()
        .map(|entry| {
            json!({
                "standing": format!("{:?}", entry.standing).to_lowercase(),
                "gone": entry.is_gone,
                "fields": entry.fields.as_ref().map(fields),
                "fingerprint": entry.fingerprint.map(|print| format!("{print:?}")),
                "since": entry.since,
                "not_before": entry.not_before,
                "attempts": entry.attempts,
                "refusals": entry.refusals,
                "fault": entry.fault.as_ref().map(|fault| json!({
                    "code": fault.code,
                    "field": fault.slug.as_ref().map(|slug| slug.as_str()),
                    "reason": fault.reason.0,
                    "hint": fault.remedy,
                })),
            })
        })
        .collect();
    let effects: Vec<Json> = explanation
        .effects
        .iter()
        .map(|effect| {
            json!({
                "at": effect.at,
                "kind": effect.kind.word(),
                "record": effect.record.as_ref().map(|record| &record.0),
                "fields": effect.fields.iter().map(|slug| slug.as_str()).collect::<Vec<_>>(),
                "code": effect.code,
                "run": effect.run,
                "call": effect.call,
            })
        })
        .collect();
    json!({
        "sync": explanation.sync,
        "key": explanation.key.text(),
        "external_id": explanation.external_id,
        "source": source,
        "link": link,
        "without_record": explanation.state.recordless.is_some(),
        "entries": entries,
        "read_again": explanation.state.is_dirty,
        "look_again_at": explanation.state.look_again_at,
        "effects": effects,
    })
}
