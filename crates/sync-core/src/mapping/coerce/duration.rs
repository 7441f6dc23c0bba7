//! Duration.
//!
//! **Accepts** TIME (signed, beyond 24 hours), numbers as seconds, text as seconds or `[-]H:MM:SS[.ffffff]`.
//! **Canonical form**: exact seconds as a number, rounded to the field's digits if it has any. **Empty**: blank text.
//! **Faults**: not a number.

use std::borrow::Cow;

use bigdecimal::BigDecimal;

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

/// The rule with the field's limits.
#[derive(Debug)]
pub(in crate::mapping) struct Duration {
    /// Digits kept behind the point; `None`: all.
    pub(in crate::mapping) digits: Option<u32>,
}

impl Coerce for Duration {
    fn misfit(&self, column: &ColumnKind) -> Option<&'static str> {
        let fits = holds_number(column) || holds_text(column) || *column == ColumnKind::Time;
        (!fits).then_some("return a TIME or a number of seconds from the query")
    }

    fn coerce(&self, cell: Cell<'_>, notes: &mut Notes) -> Result<FieldValue, Refusal> {
        let seconds = if let Value::Duration(microseconds) = cell.value {
            let seconds = Decimal::from(BigDecimal::from_bigint((*microseconds).into(), 6));
            Some(Cow::Owned(seconds))
        } else if let Some(text) = clock_text(cell)? {
            let seconds = clock_seconds(&text);
            let refused = || Refusal::new(FaultCode::NotANumber).about(&text);
            Some(Cow::Owned(seconds.ok_or_else(refused)?))
        } else {
            number::decimal(cell, "a duration")?
        };
        Ok(seconds.map_or(FieldValue::Empty, |seconds| {
            FieldValue::Number(number::rounded(seconds, self.digits, notes).into_owned())
        }))
    }
}

/// The text of a cell that is written like a clock.
fn clock_text(cell: Cell<'_>) -> Result<Option<Cow<'_, str>>, Refusal> {
    if !cell.is_text() {
        return Ok(None);
    }
    Ok(Some(source_text::text(cell)?).filter(|text| text.contains(':')))
}

/// `[-]H:MM:SS[.ffffff]` in seconds.
fn clock_seconds(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let mut parts = text.splitn(3, ':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hours) || !digits(minutes) || !digits(whole) || !digits(fraction) {
        return None;
    }
    let sixty = |part: &str| part.parse::<u64>().ok().filter(|number| *number < 60);
    let total = hours.parse::<u32>().ok().map(|hours| u64::from(hours) * 3600)?
        + sixty(minutes)? * 60
        + sixty(whole)?;
    format!("{sign}{total}.{fraction}").parse().ok()
}
