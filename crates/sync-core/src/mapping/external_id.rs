//! The field that carries the key.

use super::{
    finding::{Finding, FindingCode},
    suggestion,
};
use crate::{
    config::model::{DestinationDefinition, SourceDefinition},
    field_value::FieldValue,
    source::{Column, ColumnKind},
    table::{Field, FieldKind, TableStructure},
    value::Decimal,
};

/// How keys are written into the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    /// As text.
    Text,
    /// As a whole number.
    Number,
}

impl Carrier {
    /// The field's value for an external id; `None` if the field holds numbers and the id is none.
    pub(super) fn value(self, external_id: String) -> Option<FieldValue> {
        match self {
            Self::Text => Some(FieldValue::Text(external_id)),
            Self::Number => external_id
                .parse::<Decimal>()
                .ok()
                .filter(|number| number.to_string() == external_id)
                .map(FieldValue::Number),
        }
    }
}

/// The external-id field, if it can carry the keys of these columns; else what is wrong with it.
///
/// Text and title carry every key and can be looked up exactly. A number carries single whole-number keys. Every
/// other type would change the key, or could not be looked up.
pub(super) fn find<'a>(
    destination: &DestinationDefinition,
    source: &SourceDefinition,
    columns: &[Column],
    structure: &'a TableStructure,
) -> Result<(&'a Field, Carrier), Finding> {
    let slug = &destination.external_id_field;
    let Some(field) = structure.field(slug) else {
        return Err(Finding::new(
            FindingCode::ExternalIdFieldUnknown,
            format!("table \"{}\" has no field `{slug}` to carry the key", structure.name),
        )
        .hint(suggestion::for_slug(slug, structure))
        .slug(slug));
    };
    let unsuitable = |message: String, hint: &str| {
        Err(Finding::new(FindingCode::ExternalIdFieldUnsuitable, message).hint(hint).slug(slug))
    };
    if field.read_only {
        return unsuitable(
            format!(
                "field `{slug}` (\"{}\") cannot carry the key: SmartSuite computes it",
                field.label
            ),
            "add a text field for the key and name it in `external_id_field`",
        );
    }
    if matches!(field.kind, FieldKind::Text | FieldKind::Title) {
        return Ok((field, Carrier::Text));
    }
    let named = format!("field `{slug}` (\"{}\")", field.label);
    if field.kind != FieldKind::Number {
        return unsuitable(
            format!("{named} is of type {}, which cannot carry the key", field.kind.name()),
            "use a text field, the title, or for whole numbers a number field",
        );
    }
    if !destination.key_prefix.is_empty() {
        return unsuitable(
            format!("{named} is a number and cannot carry `key_prefix`"),
            "use a text field for the key",
        );
    }
    if !has_whole_number_key(source, columns) {
        return unsuitable(
            format!("{named} is a number, the key is not a single whole number"),
            "use a text field for the key",
        );
    }
    Ok((field, Carrier::Number))
}

/// Unknown columns count as whole numbers: they are reported for themselves.
fn has_whole_number_key(source: &SourceDefinition, columns: &[Column]) -> bool {
    let [name] = source.primary_key.as_slice() else { return false };
    columns.iter().find(|column| column.name == *name).is_none_or(|column| {
        matches!(
            column.kind,
            ColumnKind::Int { .. }
                | ColumnKind::Year
                | ColumnKind::Bit { .. }
                | ColumnKind::Decimal { scale: 0 }
        )
    })
}
