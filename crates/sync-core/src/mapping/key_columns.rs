//! The columns that make the key.

use super::finding::{Finding, FindingCode};
use crate::source::{Column, ColumnKind};

/// What is wrong, or worth knowing, about a key column.
pub(super) fn check(column: &Column) -> Vec<Finding> {
    let name = &column.name;
    let mut findings = Vec::new();
    if !has_lasting_text(&column.kind) {
        findings.push(
            Finding::new(
                FindingCode::KeyColumnUnsuitable,
                format!(
                    "key column `{name}` has a type whose values have no exact and lasting text"
                ),
            )
            .hint(
                "choose a key of whole numbers, text or dates, or convert it with CAST(... AS CHAR)",
            )
            .column(name),
        );
    }
    if column.nullable {
        findings.push(
            Finding::new(
                FindingCode::KeyColumnNullable,
                format!("key column `{name}` may be NULL; a row with a NULL key cannot be written"),
            )
            .column(name),
        );
    }
    findings
}

/// Types whose values read the same today and tomorrow, digit by digit.
fn has_lasting_text(kind: &ColumnKind) -> bool {
    match kind {
        ColumnKind::Int { .. }
        | ColumnKind::Year
        | ColumnKind::Bit { .. }
        | ColumnKind::Decimal { .. }
        | ColumnKind::Text
        | ColumnKind::Enum
        | ColumnKind::Binary
        | ColumnKind::Date
        | ColumnKind::DateTime
        | ColumnKind::Timestamp => true,
        ColumnKind::Float
        | ColumnKind::Double
        | ColumnKind::Set
        | ColumnKind::Time
        | ColumnKind::Json
        | ColumnKind::Other(_) => false,
    }
}
