//! The source side's shape: the columns a read yields.

use crate::{error::Quoted, value::Value};

/// One column of a read, as the server describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in the result.
    pub name: String,
    /// What its cells are.
    pub kind: ColumnKind,
    /// Whether NULL may occur, where the server says so.
    pub nullable: bool,
}

/// A column's type, as far as conversion needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// TINYINT to BIGINT; `width` is the display width where it is known (1 for BOOLEAN).
    Int {
        /// UNSIGNED.
        unsigned: bool,
        /// Display width; 1 marks TINYINT(1).
        width: u32,
    },
    /// YEAR.
    Year,
    /// BIT(n).
    Bit {
        /// Number of bits, 1 to 64.
        bits: u32,
    },
    /// DECIMAL.
    Decimal {
        /// Digits behind the point.
        scale: u8,
    },
    /// FLOAT: read through `+ 0e0`, as its text form is inexact.
    Float,
    /// DOUBLE.
    Double,
    /// CHAR, VARCHAR, TEXT, UUID, INET.
    Text,
    /// ENUM.
    Enum,
    /// SET.
    Set,
    /// BINARY, VARBINARY, BLOB.
    Binary,
    /// DATE.
    Date,
    /// DATETIME.
    DateTime,
    /// TIMESTAMP.
    Timestamp,
    /// TIME.
    Time,
    /// JSON.
    Json,
    /// GEOMETRY, VECTOR and types of tomorrow; arrives as bytes.
    Other(String),
}

/// What the schema says of the values of a column, beyond its type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnValues {
    /// The column, as the read names it.
    pub column: String,
    /// The words of an ENUM or a SET.
    pub words: Vec<String>,
    /// Most characters of a text.
    pub length_max: Option<u32>,
}

impl ColumnKind {
    /// The type in words, as far as it matters here.
    pub fn words(&self) -> String {
        match self {
            Self::Int { width: 1, .. } => "TINYINT(1)".to_owned(),
            Self::Int { unsigned: true, .. } => "INT UNSIGNED".to_owned(),
            Self::Int { .. } => "INT".to_owned(),
            Self::Year => "YEAR".to_owned(),
            Self::Bit { bits } => format!("BIT({bits})"),
            Self::Decimal { scale: 0 } => "DECIMAL without digits behind the point".to_owned(),
            Self::Decimal { scale: 1 } => "DECIMAL with 1 digit behind the point".to_owned(),
            Self::Decimal { scale } => format!("DECIMAL with {scale} digits behind the point"),
            Self::Float => "FLOAT".to_owned(),
            Self::Double => "DOUBLE".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Enum => "ENUM".to_owned(),
            Self::Set => "SET".to_owned(),
            Self::Binary => "BINARY".to_owned(),
            Self::Date => "DATE".to_owned(),
            Self::DateTime => "DATETIME".to_owned(),
            Self::Timestamp => "TIMESTAMP".to_owned(),
            Self::Time => "TIME".to_owned(),
            Self::Json => "JSON".to_owned(),
            Self::Other(name) => name.clone(),
        }
    }
}

/// One row; cells stand in the order of the read's columns. `Debug` shows kinds only.
#[derive(Clone, Debug, PartialEq)]
pub struct Row(pub Vec<Value>);

/// Characters of one cell that are shown.
const SHOWN_CHARACTERS_MAX: usize = 1_000;

impl Row {
    /// The row as a JSON object of texts by column, for the commands made to show rows. Long cells are cut, bytes only
    /// counted.
    pub fn shown(&self, columns: &[Column]) -> Quoted {
        let cells = columns.iter().zip(&self.0);
        let object: serde_json::Map<String, serde_json::Value> =
            cells.map(|(column, cell)| (column.name.clone(), shown(cell))).collect();
        Quoted(serde_json::Value::Object(object).to_string())
    }
}

fn shown(cell: &Value) -> serde_json::Value {
    let text = match cell {
        Value::Null => return serde_json::Value::Null,
        Value::Int(number) => number.to_string(),
        Value::Bool(bit) => u8::from(*bit).to_string(),
        Value::Decimal(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Text(text) | Value::ZeroDate(text) => text.clone(),
        Value::Bytes(bytes) => format!("({} bytes)", bytes.len()),
        Value::Date(date) => date.to_string(),
        Value::DateTime(at) => at.to_string(),
        Value::Instant(at) => at.to_string(),
        Value::Duration(microseconds) => {
            jiff::SignedDuration::from_micros(*microseconds).to_string()
        }
        Value::Labels(labels) => labels.join(","),
        Value::Json(json) => json.to_string(),
    };
    let kept: String = text.chars().take(SHOWN_CHARACTERS_MAX).collect();
    let is_whole = kept.len() == text.len();
    serde_json::Value::String(if is_whole { kept } else { kept + "..." })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_shown_by_column_and_cut() {
        let column =
            |name: &str| Column { name: name.to_owned(), kind: ColumnKind::Text, nullable: true };
        let columns =
            [column("id"), column("name"), column("blob"), column("none"), column("long")];
        let row = Row(vec![
            Value::Int(7),
            Value::Text("a \"b\"".into()),
            Value::Bytes(vec![0; 9]),
            Value::Null,
            Value::Text("x".repeat(2_000)),
        ]);
        let shown = row.shown(&columns).0;
        let parsed: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(parsed["id"], "7");
        assert_eq!(parsed["name"], "a \"b\"");
        assert_eq!(parsed["blob"], "(9 bytes)");
        assert!(parsed["none"].is_null());
        assert_eq!(parsed["long"].as_str().map(str::len), Some(1_003));
    }
}
