//! Multiple select and tags.
//!
//! **Accepts** a SET, a JSON array, comma-separated text, or the text of any value that names one choice (a label
//! may hold commas). **Canonical form**: the choices' ids as a set. **Empty**: no entries. **Faults**: as for
//! [`super::single_choice`], for the first entry that is no choice.

use serde_json::Value as Json;

use super::{
    Cell, Coerce, OPAQUE_HINT,
    choice_table::{ChoiceTable, Resolved},
    is_opaque, source_text,
};
use crate::{
    field_value::FieldValue,
    mapping::{fault::Refusal, notes::Notes},
    source::ColumnKind,
    value::Value,
};

/// The rule with the field's choices.
#[derive(Debug)]
pub(in crate::mapping) struct ChoiceSet {
    /// What texts mean.
    pub(in crate::mapping) choices: ChoiceTable,
}

impl Coerce for ChoiceSet {
    fn misfit(&self, column: &ColumnKind) -> Option<&'static str> {
        is_opaque(column).then_some(OPAQUE_HINT)
    }

    fn coerce(&self, cell: Cell<'_>, _: &mut Notes) -> Result<FieldValue, Refusal> {
        if !matches!(cell.value, Value::Labels(_) | Value::Json(Json::Array(_))) {
            let whole = source_text::text(cell)?;
            if self.choices.names(&whole) {
                return self.set(&[whole.into_owned()]);
            }
        }
        self.set(&source_text::entries(cell, &[','])?)
    }
}

impl ChoiceSet {
    fn set(&self, entries: &[String]) -> Result<FieldValue, Refusal> {
        let (mut ids, mut wanted) = (Vec::new(), Vec::new());
        for entry in entries {
            match self.choices.resolve(entry)? {
                Resolved::Choice(id) => ids.push(id.to_owned()),
                Resolved::Blank => {}
                Resolved::Wanted(label) => wanted.push(label),
            }
        }
        if wanted.is_empty() { Ok(FieldValue::ids(ids)) } else { Err(Refusal::wanting(wanted)) }
    }
}
