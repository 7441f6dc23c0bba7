//! Number, currency, percent, slider, percent complete and rating.
//!
//! **Accepts** every number, a bit as 1 or 0, and text or JSON that is plain digits with an optional sign, point and
//! exponent. **Canonical form**: the exact decimal without trailing zeros, rounded half away from zero to the digits
//! that the field keeps. Rounding is done here because the service may do it: what it gave back would differ from
//! what was sent, for ever. A rating keeps no digits. **Empty**: blank text; 0 is a number.
//! **Faults**: not a number; outside the field's range, 0 to 100 (percent complete) or below 0 (rating).

use std::borrow::Cow;

use serde_json::Value as Json;

use super::{Cell, Coerce, holds_number, holds_text, source_text};
use crate::{
    field_value::FieldValue,
    mapping::{
        fault::{FaultCode, Refusal},
        lent::Lent,
        notes::Notes,
    },
    source::ColumnKind,
    value::{Decimal, Value},
};

/// The rule with the field's limits.
#[derive(Debug, Default)]
pub(in crate::mapping) struct Number {
    /// Digits kept behind the point; `None`: all.
    pub(in crate::mapping) digits: Option<u32>,
    /// The least number taken.
    pub(in crate::mapping) least: Option<Decimal>,
    /// The greatest number taken.
    pub(in crate::mapping) greatest: Option<Decimal>,
}

impl Coerce for Number {
    fn misfit(&self, column: &ColumnKind) -> Option<&'static str> {
        (!holds_number(column) && !holds_text(column)).then_some(
            "return a number from the query, e.g. TIME_TO_SEC(...) or UNIX_TIMESTAMP(...), or map the column to \
             another field",
        )
    }

    fn coerce(&self, cell: Cell<'_>, notes: &mut Notes) -> Result<FieldValue, Refusal> {
        self.lend(cell, notes).map(Lent::into_own)
    }

    fn lend<'v>(&'v self, cell: Cell<'v>, notes: &mut Notes) -> Result<Lent<'v>, Refusal> {
        let Some(number) = decimal(cell, "a number")? else {
            return Ok(Lent::Own(FieldValue::Empty));
        };
        let number = rounded(number, self.digits, notes);
        if self.least.as_ref().is_some_and(|least| *number < *least)
            || self.greatest.as_ref().is_some_and(|greatest| *number > *greatest)
        {
            return Err(Refusal::new(FaultCode::NumberOutOfRange).about(&number.to_string()));
        }
        Ok(Lent::Number(number))
    }
}

/// The exact number in a cell that should become `meaning`; `None` for blank text.
pub(super) fn decimal<'v>(
    cell: Cell<'v>,
    meaning: &'static str,
) -> Result<Option<Cow<'v, Decimal>>, Refusal> {
    match cell.value {
        Value::Null | Value::ZeroDate(_) => Ok(None),
        Value::Int(number) => Ok(Some(Cow::Owned(Decimal::from(*number)))),
        Value::Bool(bit) => Ok(Some(Cow::Owned(Decimal::from(i128::from(*bit))))),
        Value::Decimal(number) => Ok(Some(Cow::Borrowed(number))),
        Value::Float(_)
        | Value::Text(_)
        | Value::Bytes(_)
        | Value::Json(Json::Number(_) | Json::String(_)) => {
            let text = source_text::text(cell)?;
            if text.trim().is_empty() {
                return Ok(None);
            }
            let number =
                text.parse().map_err(|_| Refusal::new(FaultCode::NotANumber).about(&text))?;
            Ok(Some(Cow::Owned(number)))
        }
        Value::Date(_)
        | Value::DateTime(_)
        | Value::Instant(_)
        | Value::Duration(_)
        | Value::Labels(_)
        | Value::Json(_) => Err(Refusal::unsuitable(cell.value.kind(), meaning)),
    }
}

/// Rounds half away from zero, counting it.
pub(super) fn rounded<'v>(
    number: Cow<'v, Decimal>,
    digits: Option<u32>,
    notes: &mut Notes,
) -> Cow<'v, Decimal> {
    match digits {
        Some(digits) if number.as_big().fractional_digit_count() > i64::from(digits) => {
            notes.rounded_numbers += 1;
            Cow::Owned(number.rounded(digits))
        }
        _ => number,
    }
}
