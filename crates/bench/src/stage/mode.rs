//! How the product asks for rows, as a mapping file.

use super::{COLUMNS, TABLE};

/// What yields the keys that a sweep reads: more of them than there are rows, made by the server as it goes.
pub(crate) const KEYS: &str = "SELECT seq AS id FROM seq_1_to_10000000";

/// How the rows are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `source.table`: pages in the order of the key.
    Table,
    /// `source.query`: all rows, which come in the order of the key.
    Query,
    /// The same in no order: the keys are scattered.
    Scattered,
    /// `source.query` with a cursor.
    Cursor,
    /// The same, and a sweep of all keys with each run.
    Sweep,
    /// `source.table`, whose changes the database's log tells.
    Log,
    /// `source.query` of the first so many rows.
    First(u64),
}

impl Mode {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Query | Self::First(_) => "query",
            Self::Scattered => "scattered",
            Self::Cursor => "cursor",
            Self::Sweep => "sweep",
            Self::Log => "log",
        }
    }

    /// What yields the rows that are read, but for conditions.
    pub(super) fn select(self) -> String {
        // A row's place among all is another one than its key's, which is as easily made as read.
        let id = if self == Self::Scattered { "id * 48271 % 2147483647 AS id" } else { "id" };
        format!("SELECT {} FROM people", COLUMNS.replacen("id", id, 1))
    }

    pub(super) fn mapping(self) -> String {
        let source = match self {
            Self::Table | Self::Log => "table: people\n".to_owned(),
            Self::Query => query(""),
            Self::Scattered => query_of(&self.select(), ""),
            Self::First(rows) => query(&format!("WHERE id <= {rows}")),
            Self::Cursor => cursor(),
            Self::Sweep => format!("{}      keys_query: {KEYS}\n", cursor()),
        };
        let capture = if self == Self::Log { "    capture: binlog\n" } else { "" };
        let gone = if self == Self::Sweep { "      on_delete: delete\n" } else { "" };
        format!(
            "syncs:\n  - name: people\n{capture}    source:\n      {source}      time_zone: UTC\n    destination:\n      \
             table_id: {TABLE}\n      external_id_field: skey000001\n{gone}      field_mappings:\n        \
             name: title\n        email: semail0001\n        status: sstatus001\n        credit: scredit001\n        \
             born: sborn00001\n        seen_at: sseen00001\n        updated_at: schanged01\n        \
             note: snote00001\n"
        )
    }
}

fn cursor() -> String {
    query("WHERE :last_sync_time IS NULL OR updated_at >= :last_sync_time")
        + "      updated_at_field: updated_at\n"
}

fn query(condition: &str) -> String {
    query_of(&Mode::Query.select(), condition)
}

fn query_of(select: &str, condition: &str) -> String {
    format!("query: |\n        {select}\n        {condition}\n      primary_key: id\n")
}
