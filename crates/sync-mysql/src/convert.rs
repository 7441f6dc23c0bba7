//! A cell as the server sends it in the text protocol, into a [`Value`].

use std::str;

use jiff::{
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use sync_core::{source::ColumnKind, value::Value};

/// A cell that is not what its column's type promises. Carries nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadCell;

/// The value of a cell that is not NULL.
pub(crate) fn value(kind: &ColumnKind, cell: Vec<u8>) -> Result<Value, BadCell> {
    Ok(match kind {
        ColumnKind::Int { .. } | ColumnKind::Year => Value::Int(integer(&cell)?),
        ColumnKind::Bit { bits: 1 } => Value::Bool(cell.iter().any(|byte| *byte != 0)),
        ColumnKind::Bit { .. } => Value::Int(big_endian(&cell)?),
        ColumnKind::Decimal { .. } => Value::Decimal(parsed(&cell)?),
        ColumnKind::Float => Value::Float(single(&cell)?),
        ColumnKind::Double => Value::Float(finite(&cell)?),
        ColumnKind::Text | ColumnKind::Enum => text(cell),
        ColumnKind::Set => String::from_utf8(cell).map_or_else(
            |error| Value::Bytes(error.into_bytes()),
            |labels| Value::Labels(labels_of(&labels)),
        ),
        ColumnKind::Binary | ColumnKind::Other(_) => Value::Bytes(cell),
        ColumnKind::Date => match date(ascii(&cell)?)? {
            Some(day) => Value::Date(day),
            None => zero_date(cell)?,
        },
        ColumnKind::DateTime => match date_time(ascii(&cell)?)? {
            Some(at) => Value::DateTime(at),
            None => zero_date(cell)?,
        },
        ColumnKind::Timestamp => match date_time(ascii(&cell)?)? {
            Some(at) => Value::Instant(TimeZone::UTC.to_timestamp(at).map_err(|_| BadCell)?),
            None => zero_date(cell)?,
        },
        ColumnKind::Time => Value::Duration(micros(ascii(&cell)?)?),
        // MariaDB can hold text that is no JSON in a JSON column; it stays what it is.
        ColumnKind::Json => match serde_json::from_slice(&cell) {
            Ok(json) => Value::Json(json),
            Err(_) => text(cell),
        },
    })
}

/// The value that a column of this kind would hold if MySQL showed it as this text; `None` if it cannot be shown so.
pub fn shown_value(kind: &ColumnKind, text: &str) -> Option<Value> {
    match kind {
        // Bits are shown as numbers, but travel as bytes.
        ColumnKind::Bit { bits: 1 } => match text {
            "0" => Some(Value::Bool(false)),
            "1" => Some(Value::Bool(true)),
            _ => None,
        },
        ColumnKind::Bit { .. } => text.parse().ok().map(Value::Int),
        other => value(other, text.as_bytes().to_vec()).ok(),
    }
}

/// Text, or bytes where they are no UTF-8: nothing is lost, and the mapping decides.
fn text(cell: Vec<u8>) -> Value {
    String::from_utf8(cell).map_or_else(|error| Value::Bytes(error.into_bytes()), Value::Text)
}

fn labels_of(labels: &str) -> Vec<String> {
    if labels.is_empty() {
        return Vec::new();
    }
    labels.split(',').map(str::to_owned).collect()
}

fn ascii(cell: &[u8]) -> Result<&str, BadCell> {
    str::from_utf8(cell).map_err(|_| BadCell)
}

fn parsed<T: str::FromStr>(cell: &[u8]) -> Result<T, BadCell> {
    ascii(cell)?.parse().map_err(|_| BadCell)
}

/// Most fit into 64 bits, whose digits are quicker to read.
fn integer(cell: &[u8]) -> Result<i128, BadCell> {
    parsed::<i64>(cell).map_or_else(|BadCell| parsed(cell), |number| Ok(number.into()))
}

fn finite(cell: &[u8]) -> Result<f64, BadCell> {
    let number: f64 = parsed(cell)?;
    if number.is_finite() { Ok(number) } else { Err(BadCell) }
}

/// A FLOAT, which the query widened to DOUBLE: the shortest decimal that names the same FLOAT, so that a stored 0.1
/// is 0.1 and not 0.10000000149011612.
fn single(cell: &[u8]) -> Result<f64, BadCell> {
    #[expect(clippy::cast_possible_truncation, reason = "the double holds a single, exactly")]
    let number = finite(cell)? as f32;
    number.to_string().parse().map_err(|_| BadCell)
}

fn big_endian(cell: &[u8]) -> Result<i128, BadCell> {
    if cell.len() > 8 {
        return Err(BadCell);
    }
    Ok(cell.iter().fold(0, |number, byte| number << 8 | i128::from(*byte)))
}

/// A date that no calendar has (`0000-00-00`, `2024-00-00`, `2024-02-31`) stays the text it is.
fn zero_date(cell: Vec<u8>) -> Result<Value, BadCell> {
    String::from_utf8(cell).map(Value::ZeroDate).map_err(|_| BadCell)
}

/// A day; `None` if it is in no calendar.
fn date(text: &str) -> Result<Option<Date>, BadCell> {
    if let Some(day) = usual_date(text.as_bytes()) {
        return Ok(Some(day));
    }
    date_numbers(text).ok_or(BadCell).map(civil_date)
}

/// A wall-clock time; `None` if its day is in no calendar.
fn date_time(text: &str) -> Result<Option<DateTime>, BadCell> {
    if let Some(at) = usual_date_time(text.as_bytes()) {
        return Ok(Some(at));
    }
    let (day, time) = text.split_once(' ').ok_or(BadCell)?;
    let numbers = date_numbers(day).ok_or(BadCell)?;
    let since_midnight = jiff::SignedDuration::from_micros(micros(time)?);
    let Some(day) = civil_date(numbers) else { return Ok(None) };
    let at = day.to_datetime(Time::midnight()).checked_add(since_midnight);
    at.map(Some).map_err(|_| BadCell)
}

/// A wall-clock time as nearly every cell has it: `YYYY-MM-DD HH:MM:SS[.ffffff]`, of a day that there is. `None` says
/// nothing about the others.
fn usual_date_time(text: &[u8]) -> Option<DateTime> {
    let (day, [b' ', h1, h2, b':', n1, n2, b':', s1, s2, fraction @ ..]) =
        text.split_at_checked(10)?
    else {
        return None;
    };
    let micros = match fraction {
        [] => 0,
        [b'.', digits @ ..] if digits.len() <= 6 => {
            let missing = u32::try_from(6 - digits.len()).ok()?;
            number(digits)? * 10_i32.pow(missing)
        }
        _ => return None,
    };
    let day = usual_date(day)?;
    let (hour, minute, second) = (two(h1, h2)?, two(n1, n2)?, two(s1, s2)?);
    let time = Time::new(hour, minute, second, micros * 1_000).ok()?;
    Some(day.to_datetime(time))
}

/// A day as nearly every cell has it: `YYYY-MM-DD`, one that there is. `None` says nothing about the others.
fn usual_date(text: &[u8]) -> Option<Date> {
    let [year @ .., b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = number(year).filter(|year| *year != 0 && text.len() == 10)?;
    Date::new(i16::try_from(year).ok()?, two(m1, m2)?, two(d1, d2)?).ok()
}

/// The number that two digits name.
fn two(high: &u8, low: &u8) -> Option<i8> {
    i8::try_from(number(&[*high, *low])?).ok()
}

/// The number that at most nine digits name.
fn number(digits: &[u8]) -> Option<i32> {
    digits.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + i32::from(byte - b'0'))
    })
}

/// Year, month and day of `YYYY-MM-DD`, whatever the calendar says.
fn date_numbers(text: &str) -> Option<(i16, i8, i8)> {
    let mut parts = text.split('-').map(str::parse::<i16>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    parts.next().is_none().then_some(())?;
    Some((year, i8::try_from(month).ok()?, i8::try_from(day).ok()?))
}

/// The date, if there is such a day. Year 0 is MySQL's way to say that there is none.
fn civil_date((year, month, day): (i16, i8, i8)) -> Option<Date> {
    Date::new(year, month, day).ok().filter(|_| year != 0)
}

/// Microseconds of `[-]H:MM:SS[.ffffff]`.
fn micros(text: &str) -> Result<i64, BadCell> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':').map(|part| {
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i64>().ok().filter(|number| digits && *number < 10_000)
    });
    let mut next = || parts.next().flatten().ok_or(BadCell);
    let seconds = next()? * 3_600 + next()? * 60 + next()?;
    if parts.next().is_some() || fraction.len() > 6 || !fraction.bytes().all(|b| b.is_ascii_digit())
    {
        return Err(BadCell);
    }
    let fraction = format!("{fraction:0<6}").parse::<i64>().map_err(|_| BadCell)?;
    let length = seconds * 1_000_000 + fraction;
    Ok(if negative { -length } else { length })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(kind: &ColumnKind, cell: &str) -> Result<Value, BadCell> {
        value(kind, cell.as_bytes().to_vec())
    }

    #[test]
    fn times_are_signed_lengths() {
        for (text, micros) in [
            ("00:00:00", 0),
            ("838:59:59", 3_020_399_000_000),
            ("-838:59:59.000000", -3_020_399_000_000),
            ("-00:00:00.000001", -1),
            ("25:00:00.5", 90_000_500_000),
        ] {
            assert!(convert(&ColumnKind::Time, text) == Ok(Value::Duration(micros)), "{text}");
        }
        for text in ["", "1:2", "1:2:3:4", "a:00:00", "00:00:00.1234567", "00:-1:00"] {
            assert!(convert(&ColumnKind::Time, text) == Err(BadCell), "{text}");
        }
    }

    #[test]
    fn dates_that_no_calendar_has_stay_text() {
        for text in ["0000-00-00", "2024-00-00", "2024-05-00", "2024-02-31", "0000-01-01"] {
            assert!(convert(&ColumnKind::Date, text) == Ok(Value::ZeroDate(text.into())), "{text}");
            let long = format!("{text} 10:00:00.5");
            for kind in [ColumnKind::DateTime, ColumnKind::Timestamp] {
                assert!(convert(&kind, &long) == Ok(Value::ZeroDate(long.clone())), "{long}");
            }
        }
        assert!(
            convert(&ColumnKind::Date, "2024-02-29")
                == Ok(Value::Date(jiff::civil::date(2024, 2, 29)))
        );
        assert!(convert(&ColumnKind::Date, "yesterday") == Err(BadCell));
    }

    #[test]
    fn a_timestamp_is_an_instant_and_a_datetime_is_not() {
        let text = "2024-02-29 12:34:56.000001";
        let instant: jiff::Timestamp = "2024-02-29T12:34:56.000001Z".parse().unwrap();
        assert!(convert(&ColumnKind::Timestamp, text) == Ok(Value::Instant(instant)));
        let civil: DateTime = "2024-02-29T12:34:56.000001".parse().unwrap();
        assert!(convert(&ColumnKind::DateTime, text) == Ok(Value::DateTime(civil)));
    }

    #[test]
    fn the_usual_form_of_a_time_is_read_as_any_other() {
        for text in [
            "2024-02-29 12:34:56",
            "2024-02-29 23:59:59.999999",
            "9999-12-31 00:00:00.5",
            "0001-01-01 00:00:00.000",
        ] {
            let (day, time) = text.split_once(' ').unwrap();
            let midnight = civil_date(date_numbers(day).unwrap()).unwrap().at(0, 0, 0, 0);
            let length = jiff::SignedDuration::from_micros(micros(time).unwrap());
            assert_eq!(
                usual_date_time(text.as_bytes()),
                midnight.checked_add(length).ok(),
                "{text}"
            );
        }
        for text in [
            "",
            "2024-02-30 00:00:00",
            "0000-01-01 00:00:00",
            "2024-02-29 24:00:00",
            "2024-02-29 1:00:00",
            "2024-02-29 00:00:00.1234567",
            "2024-02-29T00:00:00",
            "2024-02-29 00:00:0x",
            "2024-02-29 00:00:00.x",
        ] {
            assert_eq!(usual_date_time(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_float_has_its_shortest_form() {
        for (cell, number) in [
            ("0.10000000149011612", 0.1),
            ("16777216", 16_777_216.0),
            ("3.4028234663852886e38", 3.402_823_5e38),
            ("-1.401298464324817e-45", -1e-45),
            ("0", 0.0),
        ] {
            assert!(convert(&ColumnKind::Float, cell) == Ok(Value::Float(number)), "{cell}");
        }
        assert!(convert(&ColumnKind::Double, "nan") == Err(BadCell));
    }

    #[test]
    fn integers_keep_all_digits_and_lose_padding() {
        let kind = ColumnKind::Int { unsigned: true, width: 20 };
        assert!(
            convert(&kind, "18446744073709551615") == Ok(Value::Int(18_446_744_073_709_551_615))
        );
        assert!(convert(&kind, "00000042") == Ok(Value::Int(42)));
        let bits = ColumnKind::Bit { bits: 64 };
        assert!(value(&bits, vec![255; 8]) == Ok(Value::Int(u64::MAX.into())));
        assert!(value(&ColumnKind::Bit { bits: 1 }, vec![1]) == Ok(Value::Bool(true)));
        assert!(value(&bits, vec![0; 9]) == Err(BadCell));
    }

    #[test]
    fn a_set_is_a_list_and_may_be_empty() {
        let labels = |text: &str| Ok(Value::Labels(labels_of(text)));
        assert!(convert(&ColumnKind::Set, "x,z") == labels("x,z"));
        assert!(convert(&ColumnKind::Set, "") == Ok(Value::Labels(vec![])));
    }

    #[test]
    fn json_keeps_the_digits_of_its_numbers() {
        let Ok(Value::Json(json)) =
            convert(&ColumnKind::Json, r#"{"a": 1.50, "b": 123456789012345678901234567890}"#)
        else {
            panic!("no JSON")
        };
        assert_eq!(json.to_string(), r#"{"a":1.50,"b":123456789012345678901234567890}"#);
        assert!(convert(&ColumnKind::Json, "{oops") == Ok(Value::Text("{oops".into())));
    }

    #[test]
    fn text_that_is_no_utf8_arrives_as_bytes() {
        assert!(value(&ColumnKind::Text, vec![b'a', 0xff]) == Ok(Value::Bytes(vec![b'a', 0xff])));
    }
}
