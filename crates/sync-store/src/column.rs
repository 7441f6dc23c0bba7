//! How values of the domain stand in columns.

use jiff::Timestamp;
use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, Value, ValueRef},
};
use sync_core::{draft::Fingerprint, key::Key, record::RecordId};

/// A [`Key`]: INTEGER or TEXT, so that SQLite sorts it as the key does.
pub(crate) struct KeyColumn(pub(crate) Key);

impl FromSql for KeyColumn {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Integer(number) => Ok(Self(Key::Int(number))),
            ValueRef::Text(_) => Ok(Self(Key::Text(value.as_str()?.to_owned()))),
            ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => {
                Err(FromSqlError::InvalidType)
            }
        }
    }
}

/// A key as a parameter.
pub(crate) struct KeyParameter<'a>(pub(crate) &'a Key);

impl ToSql for KeyParameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Key::Int(number) => ToSqlOutput::Owned(Value::Integer(*number)),
            Key::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

/// A [`RecordId`]: 12 bytes for 24 lower-case hex digits, else its text.
pub(crate) struct RecordColumn(pub(crate) RecordId);

impl FromSql for RecordColumn {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Blob(bytes) => Ok(Self(RecordId(hex(bytes)))),
            ValueRef::Text(_) => Ok(Self(RecordId(value.as_str()?.to_owned()))),
            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => {
                Err(FromSqlError::InvalidType)
            }
        }
    }
}

/// A record id as a parameter.
pub(crate) fn record_parameter(record: &RecordId) -> Value {
    unhex(&record.0).map_or_else(|| Value::Text(record.0.clone()), Value::Blob)
}

/// A [`Fingerprint`]; a blob of another length is of no version we know, so unknown.
pub(crate) fn fingerprint(bytes: Option<Vec<u8>>) -> Option<Fingerprint> {
    bytes.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()).map(Fingerprint)
}

/// The same from a column that is looked at in passing.
pub(crate) fn fingerprint_in(column: ValueRef<'_>) -> Option<Fingerprint> {
    let ValueRef::Blob(bytes) = column else { return None };
    <[u8; 16]>::try_from(bytes).ok().map(Fingerprint)
}

/// A time in milliseconds.
pub(crate) fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A time from a column that may be NULL.
pub(crate) fn optional_time(
    row: &rusqlite::Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(time))
}

/// A number of rows as a parameter.
pub(crate) fn limit(rows_max: usize) -> i64 {
    i64::try_from(rows_max).unwrap_or(i64::MAX)
}

/// A count from a column.
pub(crate) fn count(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

/// A count from a column that may be NULL.
pub(crate) fn optional_count(
    row: &rusqlite::Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(column)?.and_then(|number| u64::try_from(number).ok()))
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|half| char::from_digit(u32::from(half), 16))
        .collect()
}

/// The bytes of 24 lower-case hex digits; other texts would not come back as they were.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if text.len() != 24 {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_back_the_same_is_packed() {
        for text in ["650000000000000000000abc", "650000000000000000000ABC", "r1", ""] {
            let back = match record_parameter(&RecordId(text.into())) {
                Value::Blob(bytes) => hex(&bytes),
                Value::Text(text) => text,
                other @ (Value::Null | Value::Integer(_) | Value::Real(_)) => format!("{other:?}"),
            };
            assert_eq!(back, text);
        }
        assert!(
            matches!(record_parameter(&RecordId("a".repeat(24))), Value::Blob(bytes) if bytes.len() == 12)
        );
    }
}
