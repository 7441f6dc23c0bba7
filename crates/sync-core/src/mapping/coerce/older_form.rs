//! A number or date of `transformations` onto a text field.
//!
//! **Accepts** what the inner rule accepts. **Canonical form**: the number's plain digits; the date by its strftime
//! pattern, on the clocks of the declared zone (without pattern `2024-02-29` or `2024-02-29 12:34:56`).
//! **Empty** and **faults**: as the inner rule.

use jiff::tz::TimeZone;

use super::{Cell, Coerce, date::Date, number::Number};
use crate::{
    field_value::FieldValue,
    mapping::{
        fault::{FaultCode, Refusal},
        notes::Notes,
    },
    source::ColumnKind,
};

/// A number as text.
#[derive(Debug)]
pub(in crate::mapping) struct NumberText(pub(in crate::mapping) Number);

/// A date as text.
#[derive(Debug)]
pub(in crate::mapping) struct DateText(pub(in crate::mapping) Date);

impl Coerce for NumberText {
    fn misfit(&self, column: &ColumnKind) -> Option<&'static str> {
        self.0.misfit(column)
    }

    fn coerce(&self, cell: Cell<'_>, notes: &mut Notes) -> Result<FieldValue, Refusal> {
        let value = self.0.coerce(cell, notes)?;
        let FieldValue::Number(number) = value else { return Ok(value) };
        Ok(FieldValue::Text(number.to_string()))
    }
}

impl Coerce for DateText {
    fn misfit(&self, column: &ColumnKind) -> Option<&'static str> {
        self.0.misfit(column)
    }

    fn coerce(&self, cell: Cell<'_>, notes: &mut Notes) -> Result<FieldValue, Refusal> {
        let value = self.0.coerce(cell, notes)?;
        let FieldValue::Date { at, include_time } = value else { return Ok(value) };
        let (zone, plain) = if include_time {
            (&self.0.zone, "%Y-%m-%d %H:%M:%S")
        } else {
            (&TimeZone::UTC, "%Y-%m-%d")
        };
        let pattern = self.0.pattern.as_deref().unwrap_or(plain);
        let text = jiff::fmt::strtime::format(pattern, &at.to_zoned(zone.clone()))
            .map_err(|_| Refusal::new(FaultCode::NotADate))?;
        Ok(FieldValue::text(text))
    }
}
