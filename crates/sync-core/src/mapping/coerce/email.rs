//! E-mail.
//!
//! **Accepts** text, a SET or a JSON array: addresses between `,`, `;` or line ends. **Canonical form**: the
//! addresses in order, trimmed, each once, letter case kept. **Empty**: no addresses. **Faults**: not an address,
//! several for a field that takes one.

use super::{Cell, Coerce, check_count, holds_text, source_text};
use crate::{
    field_value::FieldValue,
    mapping::{
        fault::{FaultCode, Refusal},
        notes::Notes,
    },
    source::ColumnKind,
};

/// The longest address that mail allows, in characters.
const ADDRESS_LENGTH_MAX: usize = 254;

/// The rule.
#[derive(Debug)]
pub(in crate::mapping) struct Email {
    /// Whether the field takes several addresses.
    pub(in crate::mapping) multiple: bool,
}

impl Coerce for Email {
    fn misfit(&self, column: &ColumnKind) -> Option<&'static str> {
        (!holds_text(column) && *column != ColumnKind::Set)
            .then_some("map a text column to this field")
    }

    fn coerce(&self, cell: Cell<'_>, _: &mut Notes) -> Result<FieldValue, Refusal> {
        let mut addresses: Vec<String> = Vec::new();
        for entry in source_text::entries(cell, &[',', ';', '\n', '\r'])? {
            if !is_address(&entry) {
                return Err(Refusal::new(FaultCode::NotAnEmail).about(&entry));
            }
            if !addresses.contains(&entry) {
                addresses.push(entry);
            }
        }
        check_count(addresses.len(), self.multiple)?;
        Ok(FieldValue::list(addresses))
    }
}

/// What every mail system would take: one `@` between a local part and a dotted domain, nothing invisible. Stricter
/// grammar would refuse addresses that work.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let visible = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | '"');
    !local.is_empty()
        && domain.contains('.')
        && domain.split('.').all(|label| {
            !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        })
        && text.chars().all(visible)
        && text.chars().count() <= ADDRESS_LENGTH_MAX
}
