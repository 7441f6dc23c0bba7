//! Colour.
//!
//! **Accepts** text, a SET or a JSON array: colours as `#RRGGBB`, `RRGGBB` or `#RGB` between `,`, `;` or white space.
//! **Canonical form**: `#RRGGBB` in capitals, in order, each once. **Empty**: no colours. **Faults**: not a colour,
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

/// The rule.
#[derive(Debug)]
pub(in crate::mapping) struct Color {
    /// Whether the field takes several colours.
    pub(in crate::mapping) multiple: bool,
}

impl Coerce for Color {
    fn misfit(&self, column: &ColumnKind) -> Option<&'static str> {
        (!holds_text(column) && *column != ColumnKind::Set).then_some(
            "return the colour as text from the query, e.g. CONCAT('#', LPAD(HEX(...), 6, '0'))",
        )
    }

    fn coerce(&self, cell: Cell<'_>, _: &mut Notes) -> Result<FieldValue, Refusal> {
        let mut colors: Vec<String> = Vec::new();
        for entry in source_text::entries(cell, &[',', ';', ' ', '\t', '\n', '\r'])? {
            let color =
                color(&entry).ok_or_else(|| Refusal::new(FaultCode::NotAColor).about(&entry))?;
            if !colors.contains(&color) {
                colors.push(color);
            }
        }
        check_count(colors.len(), self.multiple)?;
        Ok(FieldValue::list(colors))
    }
}

fn color(text: &str) -> Option<String> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let full: String = match digits.len() {
        6 => digits.to_owned(),
        3 if text.starts_with('#') => digits.chars().flat_map(|digit| [digit, digit]).collect(),
        _ => return None,
    };
    Some(format!("#{}", full.to_ascii_uppercase()))
}
