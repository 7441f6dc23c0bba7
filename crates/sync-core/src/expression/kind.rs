//! What is known of a value before any row.

use crate::source::ColumnKind;

/// The kind of a part's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Known only when a row is there, or always NULL.
    Any,
    /// Text.
    Text,
    /// An exact decimal.
    Number,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// A wall-clock time.
    DateTime,
    /// An instant.
    Timestamp,
    /// A length of time.
    Time,
    /// A JSON document.
    Json,
    /// Bytes that may be no text.
    Binary,
}

impl Kind {
    /// The kind of a column's values.
    pub fn of_column(column: &ColumnKind) -> Self {
        match column {
            ColumnKind::Bit { bits: 1 } => Self::Boolean,
            ColumnKind::Int { .. }
            | ColumnKind::Year
            | ColumnKind::Bit { .. }
            | ColumnKind::Decimal { .. }
            | ColumnKind::Float
            | ColumnKind::Double => Self::Number,
            ColumnKind::Text | ColumnKind::Enum | ColumnKind::Set => Self::Text,
            ColumnKind::Binary | ColumnKind::Other(_) => Self::Binary,
            ColumnKind::Date => Self::Date,
            ColumnKind::DateTime => Self::DateTime,
            ColumnKind::Timestamp => Self::Timestamp,
            ColumnKind::Time => Self::Time,
            ColumnKind::Json => Self::Json,
        }
    }

    /// A column whose cells would be such values, for the rules of fields.
    pub fn column(self) -> ColumnKind {
        match self {
            Self::Any | Self::Text => ColumnKind::Text,
            // Computed numbers have the digits they have: no column pads them.
            Self::Number => ColumnKind::Double,
            Self::Boolean => ColumnKind::Bit { bits: 1 },
            Self::Date => ColumnKind::Date,
            Self::DateTime => ColumnKind::DateTime,
            Self::Timestamp => ColumnKind::Timestamp,
            Self::Time => ColumnKind::Time,
            Self::Json => ColumnKind::Json,
            Self::Binary => ColumnKind::Binary,
        }
    }

    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Date => "a date",
            Self::DateTime => "a date with time",
            Self::Timestamp => "an instant",
            Self::Time => "a length of time",
            Self::Json => "a JSON document",
            Self::Binary => "bytes",
        }
    }

    /// The kind of a value that is one of the two.
    pub(super) fn or(self, other: Self) -> Self {
        if self == other || other == Self::Any {
            self
        } else if self == Self::Any {
            other
        } else {
            Self::Any
        }
    }

    /// Whether a value of this kind can stand where `wanted` is.
    pub(super) fn fits(self, wanted: Self) -> bool {
        self == wanted
            || self == Self::Any
            || wanted == Self::Any
            || match wanted {
                // MySQL's TINYINT(1) is a number; 0 is false.
                Self::Boolean => self == Self::Number,
                // Everything but opaque bytes has a text.
                Self::Text => true,
                _ => false,
            }
    }
}
