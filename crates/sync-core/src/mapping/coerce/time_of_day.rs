//! Time.
//!
//! **Accepts** TIME from 00:00:00 to 23:59:59, DATETIME (the clock's time), TIMESTAMP (the time on clocks in the
//! source's declared zone), text as `H:MM` or `H:MM:SS` with an optional fraction. **Canonical form**: `HH:MM:SS`, cut
//! to whole seconds, as SmartSuite keeps no finer ones. **Empty**: blank text. **Faults**: a TIME that is negative or
//! beyond a day, other text.

use jiff::{civil::Time, tz::TimeZone};
use serde_json::Value as Json;

use super::{Cell, Coerce, holds_text, source_text};
use crate::{
    field_value::FieldValue,
    mapping::{
        fault::{FaultCode, Refusal},
        notes::Notes,
    },
    source::ColumnKind,
    value::Value,
};

const MICROSECONDS_A_DAY: i64 = 86_400_000_000;

/// The rule.
#[derive(Debug)]
pub(in crate::mapping) struct TimeOfDay {
    /// Zone in which instants have a time of day.
    pub(in crate::mapping) zone: TimeZone,
}

impl Coerce for TimeOfDay {
    fn misfit(&self, column: &ColumnKind) -> Option<&'static str> {
        let has_time =
            matches!(column, ColumnKind::Time | ColumnKind::DateTime | ColumnKind::Timestamp);
        (!has_time && !holds_text(column))
            .then_some("return a time from the query, e.g. SEC_TO_TIME(...) or TIME(...)")
    }

    fn coerce(&self, cell: Cell<'_>, notes: &mut Notes) -> Result<FieldValue, Refusal> {
        let refused = || Refusal::new(FaultCode::NotATimeOfDay);
        let time = match cell.value {
            Value::Duration(microseconds) if (0..MICROSECONDS_A_DAY).contains(microseconds) => {
                Time::midnight() + jiff::SignedDuration::from_micros(*microseconds)
            }
            Value::Duration(_) => return Err(refused()),
            Value::DateTime(at) => at.time(),
            Value::Instant(at) => self.zone.to_datetime(*at).time(),
            Value::Text(_) | Value::Bytes(_) | Value::Json(Json::String(_)) => {
                let text = source_text::text(cell)?;
                let text = text.trim();
                if text.is_empty() {
                    return Ok(FieldValue::Empty);
                }
                let padded =
                    if text.find(':') == Some(1) { format!("0{text}") } else { text.to_owned() };
                padded.parse().map_err(|_| refused().about(text))?
            }
            other => return Err(Refusal::unsuitable(other.kind(), "a time of day")),
        };
        if time.subsec_nanosecond() > 0 {
            notes.dropped_fractions += 1;
        }
        Ok(FieldValue::Text(time.strftime("%H:%M:%S").to_string()))
    }
}
