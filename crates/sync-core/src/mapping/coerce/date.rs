//! Date.
//!
//! **Accepts** DATE, DATETIME (wall-clock time in the source's declared zone, UTC without one), TIMESTAMP (an
//! instant), and text: by the declared strftime pattern, else ISO 8601 as a day, a wall-clock time, or an instant
//! with `Z` or an offset. **Canonical form**: a day as midnight UTC without time; a time as an instant cut to whole
//! seconds, because SmartSuite documents dates to the second, and rounding could move a time into the next day.
//! `include_time: false` keeps the day that clocks in the declared zone showed; `include_time: true` gives a DATE
//! the zone's midnight. Of a wall-clock time that a clock change repeats, the first is meant; one that it skips
//! moves forward by the gap. **Empty**: blank text, zero dates. **Faults**: not a date, beyond the years kept.

use jiff::{
    Timestamp,
    civil::{self, Time},
    fmt::strtime::BrokenDownTime,
    tz::TimeZone,
};
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

/// The rule with its options.
#[derive(Clone, Debug)]
pub(in crate::mapping) struct Date {
    /// Whether the time of day is written; `None`: as the value has it.
    pub(in crate::mapping) include_time: Option<bool>,
    /// Zone of wall-clock times.
    pub(in crate::mapping) zone: TimeZone,
    /// strftime pattern of texts; `None`: ISO 8601.
    pub(in crate::mapping) pattern: Option<String>,
}

/// What a value says about time.
#[derive(Clone, Copy)]
enum Moment {
    Day(civil::Date),
    Wall(civil::DateTime),
    Instant(Timestamp),
}

impl Coerce for Date {
    fn misfit(&self, column: &ColumnKind) -> Option<&'static str> {
        let is_date =
            matches!(column, ColumnKind::Date | ColumnKind::DateTime | ColumnKind::Timestamp);
        (!is_date && !holds_text(column)).then_some(
            "return a date from the query, e.g. FROM_UNIXTIME(...), MAKEDATE(year, 1) or STR_TO_DATE(...)",
        )
    }

    fn coerce(&self, cell: Cell<'_>, notes: &mut Notes) -> Result<FieldValue, Refusal> {
        let moment = match cell.value {
            Value::Date(date) => Moment::Day(*date),
            Value::DateTime(at) => Moment::Wall(*at),
            Value::Instant(at) => Moment::Instant(*at),
            Value::Text(_) | Value::Bytes(_) | Value::Json(Json::String(_)) => {
                let text = source_text::text(cell)?;
                let text = text.trim();
                if text.is_empty() {
                    return Ok(FieldValue::Empty);
                }
                if text.starts_with("0000-00-00") {
                    notes.zero_dates += 1;
                    return Ok(FieldValue::Empty);
                }
                self.parse(text).ok_or_else(|| Refusal::new(FaultCode::NotADate).about(text))?
            }
            Value::Null
            | Value::ZeroDate(_)
            | Value::Int(_)
            | Value::Bool(_)
            | Value::Decimal(_)
            | Value::Float(_)
            | Value::Duration(_)
            | Value::Labels(_)
            | Value::Json(_) => return Err(Refusal::unsuitable(cell.value.kind(), "a date")),
        };
        self.canonical(moment, notes).ok_or_else(|| Refusal::new(FaultCode::DateOutOfRange))
    }
}

impl Date {
    /// `None` if the moment lies outside the range of instants.
    fn canonical(&self, moment: Moment, notes: &mut Notes) -> Option<FieldValue> {
        let include_time = self.include_time.unwrap_or(!matches!(moment, Moment::Day(_)));
        if include_time {
            let at = match moment {
                Moment::Day(date) => self.instant(date.to_datetime(Time::midnight()), notes)?,
                Moment::Wall(at) => self.instant(at, notes)?,
                Moment::Instant(at) => at,
            };
            return Some(FieldValue::Date { at: whole_seconds(at, notes)?, include_time: true });
        }
        let day = match moment {
            Moment::Day(date) => date,
            Moment::Wall(at) => at.date(),
            Moment::Instant(at) => self.zone.to_datetime(at).date(),
        };
        let at = TimeZone::UTC.to_timestamp(day.to_datetime(Time::midnight())).ok()?;
        Some(FieldValue::Date { at, include_time: false })
    }

    fn instant(&self, at: civil::DateTime, notes: &mut Notes) -> Option<Timestamp> {
        let moment = self.zone.to_ambiguous_timestamp(at);
        if moment.is_ambiguous() {
            notes.ambiguous_times += 1;
        }
        moment.compatible().ok()
    }

    fn parse(&self, text: &str) -> Option<Moment> {
        match &self.pattern {
            Some(pattern) => by_pattern(pattern, text),
            None => iso(text),
        }
    }
}

fn whole_seconds(at: Timestamp, notes: &mut Notes) -> Option<Timestamp> {
    if at.subsec_nanosecond() == 0 {
        return Some(at);
    }
    notes.dropped_fractions += 1;
    // Towards the past also before 1970, where `as_second` would go towards the future.
    let seconds = at.as_second() - i64::from(at.subsec_nanosecond() < 0);
    Timestamp::from_second(seconds).ok()
}

fn by_pattern(pattern: &str, text: &str) -> Option<Moment> {
    let parts = BrokenDownTime::parse(pattern, text).ok()?;
    if let Ok(at) = parts.to_timestamp() {
        return Some(Moment::Instant(at));
    }
    if parts.hour().is_some() {
        return parts.to_datetime().ok().map(Moment::Wall);
    }
    parts.to_date().ok().map(Moment::Day)
}

fn iso(text: &str) -> Option<Moment> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(Moment::Instant(at));
    }
    if text.contains(':') {
        return text.parse().ok().map(Moment::Wall);
    }
    text.parse().ok().map(Moment::Day)
}
