//! Yes/no.
//!
//! **Accepts** bits and numbers (0 is no, anything else is yes, as in MySQL), JSON booleans, and the words yes/no,
//! true/false, y/n, t/f, on/off, 1/0 in any case. **Canonical form**: `Yes`; no is empty, as SmartSuite does not
//! tell an unticked box from one never set. **Empty**: no, and blank text. **Faults**: other words.

use serde_json::Value as Json;

use super::{Cell, Coerce, holds_number, holds_text, number, source_text};
use crate::{
    field_value::FieldValue,
    mapping::{
        fault::{FaultCode, Refusal},
        notes::Notes,
    },
    source::ColumnKind,
    value::{Decimal, Value},
};

/// The rule.
#[derive(Debug)]
pub(in crate::mapping) struct YesNo;

impl Coerce for YesNo {
    fn misfit(&self, column: &ColumnKind) -> Option<&'static str> {
        (!holds_number(column) && !holds_text(column))
            .then_some("return 1 or 0 from the query, e.g. `(closed_at IS NOT NULL)`")
    }

    fn coerce(&self, cell: Cell<'_>, _: &mut Notes) -> Result<FieldValue, Refusal> {
        let yes = if let Value::Bool(bit) | Value::Json(Json::Bool(bit)) = cell.value {
            *bit
        } else if cell.is_text() {
            let text = source_text::text(cell)?;
            word(&text).ok_or_else(|| Refusal::new(FaultCode::NotYesOrNo).about(&text))?
        } else {
            number::decimal(cell, "a yes or no")?.is_some_and(|number| *number != Decimal::from(0))
        };
        Ok(if yes { FieldValue::Yes } else { FieldValue::Empty })
    }
}

fn word(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "t" | "on" => Some(true),
        "" | "0" | "no" | "n" | "false" | "f" | "off" => Some(false),
        _ => None,
    }
}
