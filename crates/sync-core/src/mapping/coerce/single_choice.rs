//! Single select and status.
//!
//! **Accepts** the text of any value: looked up in `value_map`, then among labels and ids. **Canonical form**: the
//! choice's id. **Empty**: blank text that `value_map` does not name; so ENUM's invalid value is empty.
//! **Faults** (by `on_unknown` also empty, or a choice to be added): no such choice, or several with that label; both name the labels.

use super::{
    Cell, Coerce, OPAQUE_HINT,
    choice_table::{ChoiceTable, Resolved},
    is_opaque, source_text,
};
use crate::{
    field_value::FieldValue,
    mapping::{fault::Refusal, lent::Lent, notes::Notes},
    source::ColumnKind,
};

/// The rule with the field's choices.
#[derive(Debug)]
pub(in crate::mapping) struct SingleChoice {
    /// What texts mean.
    pub(in crate::mapping) choices: ChoiceTable,
}

impl Coerce for SingleChoice {
    fn misfit(&self, column: &ColumnKind) -> Option<&'static str> {
        is_opaque(column).then_some(OPAQUE_HINT)
    }

    fn coerce(&self, cell: Cell<'_>, notes: &mut Notes) -> Result<FieldValue, Refusal> {
        self.lend(cell, notes).map(Lent::into_own)
    }

    fn lend<'v>(&'v self, cell: Cell<'v>, _: &mut Notes) -> Result<Lent<'v>, Refusal> {
        let text = source_text::text(cell)?;
        match self.choices.resolve(&text)? {
            Resolved::Choice(id) => Ok(Lent::Choice(id)),
            Resolved::Blank => Ok(Lent::Own(FieldValue::Empty)),
            Resolved::Wanted(label) => Err(Refusal::wanting(vec![label])),
        }
    }
}
