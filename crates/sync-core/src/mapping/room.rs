//! Whether a table has room for the fields that a sync would add.

use super::finding::{Finding, FindingCode};
use crate::{
    config::model::{OnDrift, SyncDefinition},
    table::TableStructure,
};

/// The most fields of a table, on any plan (`smartsuite-api.md` 2.3).
pub const FIELDS_MAX: usize = 700;

/// What is wrong where the sync adds a field for each new column and the table takes none any more.
pub fn finding(definition: &SyncDefinition, structure: &TableStructure) -> Option<Finding> {
    let is_full = structure.fields.len() >= FIELDS_MAX;
    (definition.on_drift == OnDrift::Extend && is_full).then(|| {
        let message = format!(
            "table \"{}\" has {} fields, and SmartSuite allows {FIELDS_MAX}: none can be added for a new column",
            structure.name,
            structure.fields.len()
        );
        Finding::new(FindingCode::TableFull, message)
            .hint("remove fields that nobody needs, or set `on_drift: ignore`")
    })
}
