//! How the product asks for rows, as a mapping file.

use super::{COLUMNS, TABLE};

/// How the rows are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `source.table`: pages in the order of the key.
    Table,
    /// `source.query`: all rows in whatever order.
    Query,
    /// `source.query` with a cursor.
    Cursor,
    /// `source.query` of the first so many rows.
    First(u64),
}

impl Mode {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Query | Self::First(_) => "query",
            Self::Cursor => "cursor",
        }
    }

    pub(super) fn mapping(self) -> String {
        let source = match self {
            Self::Table => "table: people\n".to_owned(),
            Self::Query => query(""),
            Self::First(rows) => query(&format!("WHERE id <= {rows}")),
            Self::Cursor => {
                query("WHERE :last_sync_time IS NULL OR updated_at >= :last_sync_time")
                    + "      updated_at_field: updated_at\n"
            }
        };
        format!(
            "syncs:\n  - name: people\n    source:\n      {source}      time_zone: UTC\n    destination:\n      \
             table_id: {TABLE}\n      external_id_field: skey000001\n      field_mappings:\n        \
             name: title\n        email: semail0001\n        status: sstatus001\n        credit: scredit001\n        \
             born: sborn00001\n        seen_at: sseen00001\n        updated_at: schanged01\n        \
             note: snote00001\n"
        )
    }
}

fn query(condition: &str) -> String {
    format!(
        "query: |\n        SELECT {COLUMNS} FROM people\n        {condition}\n      primary_key: id\n"
    )
}
