//! A table's shape and rows for it.

use std::time::Duration;

use sync_core::{
    draft::Fields,
    field_value::FieldValue,
    port::RecordShape,
    secret::Secret,
    table::{Field, FieldKind, NumberRange},
};
use sync_smartsuite::{ClientOptions, Timeouts};

/// The credential of every client in these tests; it must never be seen.
pub(crate) const TOKEN: &str = "planted-token-0123456789abcdef";

/// Options for a server at `base_url`, impatient.
pub(crate) fn options(base_url: &str) -> ClientOptions {
    let mut options = ClientOptions::new("s1234567", Secret::new(TOKEN));
    base_url.clone_into(&mut options.base_url);
    let short = Duration::from_millis(400);
    options.timeouts = Timeouts { connect: short, read: short, bulk: short };
    options
}

/// A field of a type.
pub(crate) fn field(slug: &str, kind: FieldKind) -> Field {
    Field {
        slug: slug.into(),
        label: slug.to_owned(),
        kind,
        required: false,
        unique: false,
        read_only: false,
        choices: Vec::new(),
        multiple: false,
        precision: None,
        range: NumberRange::default(),
        length_max: None,
        linked_table: None,
    }
}

/// An external id, a title and a date.
pub(crate) fn shape() -> RecordShape {
    let external_id = field("sext", FieldKind::Text);
    RecordShape {
        table: "6500000000000000000000c1".to_owned(),
        external_id: external_id.clone(),
        fields: vec![
            field("sdate", FieldKind::Date),
            external_id,
            field("title", FieldKind::Title),
        ],
        on_create: Vec::new(),
        if_empty: Vec::new(),
    }
}

/// A row with this external id.
pub(crate) fn row(id: &str) -> Fields {
    let at = "2025-05-30T08:00:00Z".parse().unwrap();
    Fields::new(vec![
        ("sext".into(), FieldValue::text(id)),
        ("title".into(), FieldValue::text("a title")),
        ("sdate".into(), FieldValue::Date { at, include_time: true }),
    ])
}
