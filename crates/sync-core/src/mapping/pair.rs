//! One mapping of a definition with both its ends.

use super::{
    family::type_name,
    finding::{Finding, FindingCode},
};
use crate::{config::model::FieldMapping, source::Column, table::Field};

/// A mapped column that the query returns, and the field it goes to, which the table has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<'a> {
    pub(super) mapping: &'a FieldMapping,
    /// Position of the column in a row.
    pub(super) position: usize,
    pub(super) column: &'a Column,
    pub(super) field: &'a Field,
}

impl Pair<'_> {
    /// A finding about this pair, which its message names first.
    pub(super) fn finding(self, code: FindingCode, message: &str) -> Finding {
        let Self { column, field, .. } = self;
        let path =
            format!("column `{}` into field `{}` (\"{}\")", column.name, field.slug, field.label);
        Finding::new(code, format!("{path}: {message}")).column(&column.name).slug(&field.slug)
    }

    /// SmartSuite's name of the field's type.
    pub(super) fn field_type(&self) -> &str {
        type_name(&self.field.kind)
    }
}
