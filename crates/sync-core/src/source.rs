//! The source side's shape: the columns a read yields.

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

/// One row; cells stand in the order of the read's columns. `Debug` shows kinds only.
#[derive(Clone, Debug, PartialEq)]
pub struct Row(pub Vec<crate::value::Value>);
