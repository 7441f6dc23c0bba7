//! A column of a result as the server describes it on the wire.

use mysql_async::{
    Column as WireColumn,
    consts::{ColumnFlags, ColumnType},
};
use sync_core::source::{Column, ColumnKind};

/// The character set number of what is no text.
const BINARY_CHARSET: u16 = 63;

/// What the wire says of a result's column, in a form that can be compared: two reads of one query whose columns are
/// equal need not be described twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResultColumn {
    /// Its name in the result.
    pub(crate) name: String,
    /// The table column it comes from; `None` for expressions.
    pub(crate) origin: Option<Origin>,
    /// Its kind, as far as the wire tells.
    pub(crate) kind: ColumnKind,
    /// Whether NULL may occur.
    pub(crate) nullable: bool,
    /// Digits behind the second of times.
    pub(crate) decimals: u8,
    /// Whether it arrives as a long text, which is how MariaDB describes JSON.
    pub(crate) is_blob_text: bool,
}

/// The table column behind a result's column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin {
    /// Database.
    pub(crate) schema: String,
    /// Table or view.
    pub(crate) table: String,
    /// Column.
    pub(crate) column: String,
}

impl From<&WireColumn> for ResultColumn {
    fn from(wire: &WireColumn) -> Self {
        let origin = Origin {
            schema: wire.schema_str().into_owned(),
            table: wire.org_table_str().into_owned(),
            column: wire.org_name_str().into_owned(),
        };
        let is_real =
            !origin.schema.is_empty() && !origin.table.is_empty() && !origin.column.is_empty();
        let is_binary = wire.character_set() == BINARY_CHARSET;
        Self {
            name: wire.name_str().into_owned(),
            origin: is_real.then_some(origin),
            kind: kind(wire, is_binary),
            nullable: !wire.flags().contains(ColumnFlags::NOT_NULL_FLAG),
            decimals: wire.decimals(),
            is_blob_text: wire.column_type() == ColumnType::MYSQL_TYPE_BLOB && !is_binary,
        }
    }
}

impl ResultColumn {
    /// The column as the rest of the program knows it.
    pub(crate) fn column(&self) -> Column {
        Column { name: self.name.clone(), kind: self.kind.clone(), nullable: self.nullable }
    }
}

fn kind(wire: &WireColumn, is_binary: bool) -> ColumnKind {
    use ColumnType as Type;
    let flags = wire.flags();
    match wire.column_type() {
        Type::MYSQL_TYPE_TINY
        | Type::MYSQL_TYPE_SHORT
        | Type::MYSQL_TYPE_INT24
        | Type::MYSQL_TYPE_LONG
        | Type::MYSQL_TYPE_LONGLONG => ColumnKind::Int {
            unsigned: flags.contains(ColumnFlags::UNSIGNED_FLAG),
            width: wire.column_length(),
        },
        Type::MYSQL_TYPE_YEAR => ColumnKind::Year,
        Type::MYSQL_TYPE_BIT => ColumnKind::Bit { bits: wire.column_length() },
        Type::MYSQL_TYPE_DECIMAL | Type::MYSQL_TYPE_NEWDECIMAL => {
            ColumnKind::Decimal { scale: wire.decimals() }
        }
        Type::MYSQL_TYPE_FLOAT => ColumnKind::Float,
        Type::MYSQL_TYPE_DOUBLE => ColumnKind::Double,
        Type::MYSQL_TYPE_DATE | Type::MYSQL_TYPE_NEWDATE => ColumnKind::Date,
        Type::MYSQL_TYPE_DATETIME | Type::MYSQL_TYPE_DATETIME2 => ColumnKind::DateTime,
        Type::MYSQL_TYPE_TIMESTAMP | Type::MYSQL_TYPE_TIMESTAMP2 => ColumnKind::Timestamp,
        Type::MYSQL_TYPE_TIME | Type::MYSQL_TYPE_TIME2 => ColumnKind::Time,
        Type::MYSQL_TYPE_JSON => ColumnKind::Json,
        Type::MYSQL_TYPE_ENUM => ColumnKind::Enum,
        Type::MYSQL_TYPE_SET => ColumnKind::Set,
        Type::MYSQL_TYPE_GEOMETRY => ColumnKind::Other("geometry".to_owned()),
        Type::MYSQL_TYPE_VECTOR => ColumnKind::Other("vector".to_owned()),
        // ENUM and SET arrive as strings with a flag.
        _ if flags.contains(ColumnFlags::ENUM_FLAG) => ColumnKind::Enum,
        _ if flags.contains(ColumnFlags::SET_FLAG) => ColumnKind::Set,
        Type::MYSQL_TYPE_NULL => ColumnKind::Text,
        Type::MYSQL_TYPE_VARCHAR
        | Type::MYSQL_TYPE_VAR_STRING
        | Type::MYSQL_TYPE_STRING
        | Type::MYSQL_TYPE_TINY_BLOB
        | Type::MYSQL_TYPE_MEDIUM_BLOB
        | Type::MYSQL_TYPE_LONG_BLOB
        | Type::MYSQL_TYPE_BLOB => {
            if is_binary {
                ColumnKind::Binary
            } else {
                ColumnKind::Text
            }
        }
        Type::MYSQL_TYPE_TYPED_ARRAY | Type::MYSQL_TYPE_UNKNOWN => {
            ColumnKind::Other("unknown".to_owned())
        }
    }
}
