//! Linked records.
//!
//! **Accepts** text, a SET or a JSON array: SmartSuite's ids between `,`, `;` or white space. **Canonical form**:
//! the ids in lower case as a set. **Empty**: no ids. **Faults**: not 24 hexadecimal digits, several for a field
//! that takes one.

use super::{Cell, Coerce, check_count, holds_text, source_text};
use crate::{
    field_value::FieldValue,
    mapping::{
        fault::{FaultCode, Refusal},
        notes::Notes,
    },
    source::ColumnKind,
};

/// Length of SmartSuite's ids, in hexadecimal digits.
const ID_LENGTH: usize = 24;

/// The rule.
#[derive(Debug)]
pub(in crate::mapping) struct IdSet {
    /// Whether the field takes several.
    pub(in crate::mapping) multiple: bool,
}

impl Coerce for IdSet {
    fn misfit(&self, column: &ColumnKind) -> Option<&'static str> {
        (!holds_text(column) && *column != ColumnKind::Set)
            .then_some("the field takes SmartSuite's own ids of 24 hexadecimal digits, as text")
    }

    fn coerce(&self, cell: Cell<'_>, _: &mut Notes) -> Result<FieldValue, Refusal> {
        let entries = source_text::entries(cell, &[',', ';', ' ', '\t', '\n', '\r'])?;
        if let Some(wrong) = entries.iter().find(|entry| !is_id(entry)) {
            return Err(Refusal::new(FaultCode::NotAnId).about(wrong));
        }
        let ids = FieldValue::ids(entries.into_iter().map(|id| id.to_ascii_lowercase()));
        if let FieldValue::Ids(ids) = &ids {
            check_count(ids.len(), self.multiple)?;
        }
        Ok(ids)
    }
}

/// Whether the text is one of SmartSuite's ids.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == ID_LENGTH && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
