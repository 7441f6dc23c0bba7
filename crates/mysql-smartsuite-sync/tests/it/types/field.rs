//! SmartSuite's types that are written: a table for each, with a field of the type for each column.

use serde_json::{Value, json};
use smartsuite_emulator::{ObjectId, TableSeed};
use sync_core::{config::field_type::FIELD_TYPES, slug::Slug, table::FieldKind};

/// The field that carries the key in every table.
pub(super) const EXTERNAL_ID: &str = "sextid0001";
/// The table that linked records are in, and its record.
const LINKED: &str = "6500000000000000000000c2";
const LINKED_RECORD: &str = "6500000000000000000000c3";

/// Every type that can be written.
pub(super) fn kinds() -> impl Iterator<Item = &'static FieldKind> {
    FIELD_TYPES.iter().map(|of| &of.kind)
}

/// The table whose fields are of this type.
pub(super) fn table_id(number: usize) -> String {
    format!("6500000000000000000001{number:02x}")
}

/// The field for a column.
pub(super) fn slug(column: usize) -> Slug {
    Slug::from(format!("scol{column:06}").as_str())
}

/// The tables of every type, and the one that is linked to.
pub(super) fn tables(columns: usize) -> Vec<TableSeed> {
    let linked = TableSeed::new(id(LINKED), "Linked")
        .field("title", "Title", "recordtitlefield", json!({"primary": true}))
        .record(json!({"id": LINKED_RECORD, "title": "There"}));
    let of = |(number, kind): (usize, &FieldKind)| {
        let table = TableSeed::new(id(&table_id(number)), kind.name())
            .field("title", "Title", "recordtitlefield", json!({"primary": true}))
            .field(EXTERNAL_ID, "External ID", "textfield", json!({}));
        (0..columns).fold(table, |table, column| {
            table.field(
                slug(column).as_str(),
                &format!("Column {column}"),
                kind.name(),
                params(kind),
            )
        })
    };
    std::iter::once(linked).chain(kinds().enumerate().map(of)).collect()
}

/// What fields of a type say besides their type.
fn params(kind: &FieldKind) -> Value {
    match kind {
        FieldKind::SingleSelect
        | FieldKind::MultipleSelect
        | FieldKind::Status
        | FieldKind::Tags => json!({"choices": [
            {"value": "nEw01", "label": "new"}, {"value": "dOn02", "label": "done"},
            {"value": "yEs03", "label": "yes"}, {"value": "tWe04", "label": "12"},
        ]}),
        FieldKind::LinkedRecord => {
            json!({"linked_application": LINKED, "entries_allowed": "multiple"})
        }
        FieldKind::Email
        | FieldKind::Phone
        | FieldKind::Link
        | FieldKind::User
        | FieldKind::IpAddress
        | FieldKind::ColorPicker => json!({"entries_allowed": "multiple"}),
        FieldKind::Rating => json!({"scale": 5}),
        FieldKind::NumberSlider => json!({"min_value": 0, "max_value": 100}),
        _ => json!({}),
    }
}

fn id(text: &str) -> ObjectId {
    text.parse().unwrap()
}
