//! One mapping of a definition with both its ends.

use std::borrow::Cow;

use super::finding::{Finding, FindingCode};
use crate::{
    config::model::{FieldMapping, Origin},
    source::Column,
    table::Field,
};

/// What a mapping reads, as a column, and the field it goes to, which the table has.
#[derive(Clone, Debug)]
pub(super) struct Pair<'a> {
    pub(super) mapping: &'a FieldMapping,
    /// The column that the query returns, or one that stands for what is computed.
    pub(super) column: Cow<'a, Column>,
    pub(super) field: &'a Field,
}

impl Pair<'_> {
    /// A finding about this pair, which its message names first.
    pub(super) fn finding(&self, code: FindingCode, message: &str) -> Finding {
        let Self { column, field, .. } = self;
        let (slug, label) = (&field.slug, &field.label);
        let from = match &self.mapping.origin {
            Origin::Column { name, .. } => format!("column `{name}` into "),
            Origin::Computed(_) | Origin::Parts(_) => String::new(),
        };
        let finding =
            Finding::new(code, format!("{from}field `{slug}` (\"{label}\"): {message}")).slug(slug);
        match &self.mapping.origin {
            Origin::Column { .. } => finding.column(&column.name),
            Origin::Computed(_) | Origin::Parts(_) => finding,
        }
    }

    /// SmartSuite's name of the field's type.
    pub(super) fn field_type(&self) -> &str {
        self.field.kind.name()
    }
}
