//! A cell of a source row, in a neutral form that loses nothing of what MySQL sent.

mod decimal;

pub use decimal::Decimal;

/// One cell of a row. `Debug` names the kind and never shows the content: row values must not reach logs.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// SQL NULL; different from an empty string.
    Null,
    /// Any integer column, YEAR and BIT(2..64); wide enough for BIGINT UNSIGNED.
    Int(i128),
    /// BIT(1). TINYINT(1) is an [`Value::Int`]: only the mapping can know that it means yes or no.
    Bool(bool),
    /// DECIMAL, with all its digits.
    Decimal(Decimal),
    /// FLOAT and DOUBLE; finite, as MySQL stores no other.
    Float(f64),
    /// CHAR, VARCHAR, TEXT, ENUM labels, UUID, INET: text as UTF-8.
    Text(String),
    /// BINARY, VARBINARY, BLOB, GEOMETRY, VECTOR and whatever is not text.
    Bytes(Vec<u8>),
    /// DATE with a real day.
    Date(jiff::civil::Date),
    /// DATETIME: wall-clock time in a zone that only the configuration knows.
    DateTime(jiff::civil::DateTime),
    /// TIMESTAMP: an instant, read with the session at +00:00.
    Instant(jiff::Timestamp),
    /// `0000-00-00`, `2024-00-00` and their date-time forms, as the server wrote them.
    ZeroDate(String),
    /// TIME: a signed length in microseconds, not a time of day; may exceed 24 hours.
    Duration(i64),
    /// SET labels, in the order of the column's definition.
    Labels(Vec<String>),
    /// JSON, parsed with all digits of its numbers.
    Json(serde_json::Value),
}

impl Value {
    /// The kind in words, for messages: `integer`, `text`, `NULL`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Int(_) => "integer",
            Self::Bool(_) => "bit",
            Self::Decimal(_) => "decimal",
            Self::Float(_) => "float",
            Self::Text(_) => "text",
            Self::Bytes(_) => "binary",
            Self::Date(_) => "date",
            Self::DateTime(_) => "datetime",
            Self::Instant(_) => "timestamp",
            Self::ZeroDate(_) => "zero date",
            Self::Duration(_) => "time",
            Self::Labels(_) => "set",
            Self::Json(_) => "json",
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Value({})", self.kind())
    }
}
