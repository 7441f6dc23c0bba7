//! The canonical text of a source value.

use std::borrow::Cow;

use jiff::{civil, tz::TimeZone};
use serde_json::Value as Json;

use super::{Cell, json_text::json_text};
use crate::{
    mapping::fault::{FaultCode, Refusal},
    source::ColumnKind,
    value::{Decimal, Value},
};

const MICROSECONDS_A_SECOND: u64 = 1_000_000;
/// DOUBLEs from here on are written with an exponent, as MySQL writes them.
const PLAIN_FLOAT_BELOW: f64 = 1e15;
/// DOUBLEs below this, 0 excepted, are written with an exponent.
const PLAIN_FLOAT_FROM: f64 = 1e-5;

/// The text that a person sees for the value in MySQL: a DECIMAL keeps its column's digits, a date is
/// `2024-02-29`, a date-time `2024-02-29 12:34:56` with its fraction if it has one, a TIMESTAMP the same with `Z`, a
/// TIME `-25:00:00`, a SET `a,b`, JSON is compact with sorted keys (a JSON string is its text). Empty for NULL and
/// its like.
///
/// Refused: bytes that are not UTF-8.
pub(super) fn text(cell: Cell<'_>) -> Result<Cow<'_, str>, Refusal> {
    Ok(match cell.value {
        Value::Null | Value::ZeroDate(_) => Cow::Borrowed(""),
        Value::Text(text) | Value::Json(Json::String(text)) => Cow::Borrowed(text),
        Value::Bytes(bytes) => {
            Cow::Borrowed(std::str::from_utf8(bytes).map_err(|_| Refusal::new(FaultCode::NotText))?)
        }
        Value::Json(json) => Cow::Owned(json_text(json)),
        Value::Int(number) => Cow::Owned(number.to_string()),
        Value::Bool(bit) => Cow::Borrowed(if *bit { "1" } else { "0" }),
        Value::Decimal(number) => Cow::Owned(decimal_text(number, cell.column)),
        Value::Float(number) => Cow::Owned(float_text(*number, cell.column)),
        Value::Date(date) => Cow::Owned(date.to_string()),
        Value::DateTime(at) => Cow::Owned(date_time_text(*at)),
        Value::Instant(at) => Cow::Owned(date_time_text(TimeZone::UTC.to_datetime(*at)) + "Z"),
        Value::Duration(microseconds) => Cow::Owned(duration_text(*microseconds)),
        Value::Labels(labels) => Cow::Owned(labels.join(",")),
    })
}

/// The entries of a list: the labels of a SET, the scalars of a JSON array, or the parts of a text between
/// `separators`; trimmed, empty ones left out.
pub(in crate::mapping) fn entries(
    cell: Cell<'_>,
    separators: &[char],
) -> Result<Vec<String>, Refusal> {
    let trimmed = |entry: &str| Some(entry.trim().to_owned()).filter(|entry| !entry.is_empty());
    if let Value::Labels(labels) = cell.value {
        return Ok(labels.iter().filter_map(|label| trimmed(label)).collect());
    }
    if let Some(Json::Array(items)) = compound_json(cell)?.as_deref() {
        let scalar = |item: &Json| match item {
            Json::Null => Ok(None),
            Json::String(text) => Ok(trimmed(text)),
            Json::Bool(_) | Json::Number(_) => Ok(Some(item.to_string())),
            Json::Array(_) | Json::Object(_) => {
                Err(Refusal::unsuitable("nested JSON", "an entry of a list"))
            }
        };
        return items.iter().filter_map(|item| scalar(item).transpose()).collect();
    }
    Ok(text(cell)?.split(separators).filter_map(trimmed).collect())
}

/// A JSON array or object, also as text: MariaDB keeps JSON in text columns.
pub(in crate::mapping) fn compound_json(cell: Cell<'_>) -> Result<Option<Cow<'_, Json>>, Refusal> {
    if let Value::Json(json) = cell.value {
        return Ok((json.is_array() || json.is_object()).then_some(Cow::Borrowed(json)));
    }
    if !matches!(cell.value, Value::Text(_) | Value::Bytes(_)) {
        return Ok(None);
    }
    let text = text(cell)?;
    if !text.trim_start().starts_with(['[', '{']) {
        return Ok(None);
    }
    Ok(serde_json::from_str(&text).ok().map(Cow::Owned))
}

/// With the digits behind the point that the column declares: `5.00`.
pub(in crate::mapping) fn decimal_text(number: &Decimal, column: &ColumnKind) -> String {
    let ColumnKind::Decimal { scale } = column else { return number.to_string() };
    let digits = number.as_big().fractional_digit_count().max(i64::from(*scale));
    number.as_big().with_scale(digits).to_plain_string()
}

/// The shortest text that reads back as the same FLOAT or DOUBLE.
fn float_text(number: f64, column: &ColumnKind) -> String {
    let number = number + 0.0; // -0.0 becomes 0.0
    let plain = number == 0.0 || (PLAIN_FLOAT_FROM..PLAIN_FLOAT_BELOW).contains(&number.abs());
    #[expect(clippy::cast_possible_truncation, reason = "a FLOAT's f64 is an f32, widened")]
    let narrow = number as f32;
    match (matches!(column, ColumnKind::Float) && narrow.is_finite(), plain) {
        (true, true) => narrow.to_string(),
        (true, false) => format!("{narrow:e}"),
        (false, true) => number.to_string(),
        (false, false) => format!("{number:e}"),
    }
}

fn date_time_text(at: civil::DateTime) -> String {
    let whole = format!("{} {:02}:{:02}:{:02}", at.date(), at.hour(), at.minute(), at.second());
    match at.subsec_nanosecond() / 1000 {
        0 => whole,
        microseconds => format!("{whole}.{microseconds:06}"),
    }
}

fn duration_text(microseconds: i64) -> String {
    let sign = if microseconds < 0 { "-" } else { "" };
    let length = microseconds.unsigned_abs();
    let seconds = length / MICROSECONDS_A_SECOND;
    let whole = format!("{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    match length % MICROSECONDS_A_SECOND {
        0 => whole,
        fraction => format!("{whole}.{fraction:06}"),
    }
}
