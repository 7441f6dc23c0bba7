//! Dates, ranges, due dates, times of day; the forms of section 5.2.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde_json::{Value, json};

use super::{Writer, Written, no, object, refused};
use crate::model::cell::{Cell, DateValue};
use crate::moment::Moment;
use crate::profile::DateForms;

/// A whole timestamp with its zone, such as `2025-05-30T00:00:00Z`.
pub(crate) fn parse_instant(text: &str) -> Option<Moment> {
    if text.len() > 40 || !text.contains(['T', ' ']) {
        return None;
    }
    text.parse::<Timestamp>().ok().map(Moment::of)
}

/// A day, `2025-05-30`, as its midnight in UTC.
fn parse_day(text: &str) -> Option<Moment> {
    let day: Date = (text.len() == 10).then(|| text.parse().ok())??;
    day.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| Moment::of(zoned.timestamp()))
}

fn unconvertible(value: &Value) -> Value {
    let shown: String = value.to_string().chars().take(60).collect();
    refused(&format!("{shown} can't be converted to date"))
}

/// One date in one of its forms; nothing when it is the empty form.
fn one(cx: &Writer<'_>, forms: DateForms, value: &Value) -> Result<Option<DateValue>, Value> {
    let takes_text = matches!(forms, DateForms::Both | DateForms::Text);
    let takes_object = matches!(forms, DateForms::Both | DateForms::Object);
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) if takes_text => {
            let found = instant(cx, text).ok_or_else(|| unconvertible(value))?;
            let is_midnight = found.0.rem_euclid(86_400_000_000) == 0;
            Ok(Some(DateValue { at: found, include_time: !is_midnight }))
        }
        Value::Object(parts) => {
            let date = match parts.get("date") {
                // Every profile can be cleared by the empty form it shows itself.
                Some(Value::Null) => return Ok(None),
                Some(Value::String(date)) if takes_object => date,
                _ => return Err(unconvertible(value)),
            };
            let include_time = match parts.get("include_time") {
                Some(Value::Bool(include_time)) => *include_time,
                None if cx.profile.incomplete_dates => false,
                _ => return Err(unconvertible(value)),
            };
            let at = instant(cx, date).ok_or_else(|| unconvertible(value))?;
            let day = Moment(at.0 - at.0.rem_euclid(86_400_000_000));
            Ok(Some(DateValue { at: if include_time { at } else { day }, include_time }))
        }
        _ => Err(unconvertible(value)),
    }
}

fn instant(cx: &Writer<'_>, text: &str) -> Option<Moment> {
    let day = if cx.profile.bare_days { parse_day(text) } else { None };
    let at = parse_instant(text).or(day)?;
    let whole = Moment(at.0 - at.0.rem_euclid(1_000_000));
    Some(if cx.profile.dates_to_the_second { whole } else { at })
}

pub(super) fn date(cx: &Writer<'_>, value: &Value) -> Written {
    Ok(one(cx, cx.profile.date_forms, value)?.map_or(Cell::Empty, Cell::Date))
}

pub(super) fn range(cx: &Writer<'_>, value: &Value) -> Written {
    let parts = object(value)?;
    let end = |key: &str| {
        let end = parts.get(key).unwrap_or(&Value::Null);
        one(cx, cx.profile.range_date_forms, end).map_err(|messages| json!({key: messages}))
    };
    let (from, to) = (end("from_date")?, end("to_date")?);
    if from.is_none() && to.is_none() {
        return Ok(Cell::Empty);
    }
    Ok(Cell::Range(Box::new((from, to))))
}

pub(super) fn time_of_day(value: &Value) -> Written {
    let Some(text) = value.as_str() else { return no("Time has wrong format.") };
    if text.is_empty() {
        return Ok(Cell::Empty);
    }
    let is_complete = text.len() == 8 && text.is_ascii();
    match text.parse::<Time>() {
        Ok(time) if is_complete => Ok(Cell::text(time.strftime("%H:%M:%S").to_string())),
        _ => no("Time has wrong format. Use HH:MM:SS."),
    }
}
