//! The tables of a database, for `init`.

use std::collections::{BTreeMap, BTreeSet};

use sync_core::error::SourceError;

use crate::{diagnosis::session, options::ConnectOptions, session::Session};

/// A table of the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceTable {
    /// Its name.
    pub name: String,
    /// The server's guess at its number of rows; `None` for views.
    pub rows: Option<u64>,
    /// Its columns, in order.
    pub columns: Vec<SourceColumn>,
    /// The columns of its primary key, in order; empty where it has none.
    pub primary_key: Vec<String>,
    /// Its foreign keys, by name.
    pub foreign_keys: Vec<ForeignKey>,
}

/// A column of a table, as the catalogue describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceColumn {
    /// Its name.
    pub name: String,
    /// Its type without its length: `varchar`, in lower case.
    pub kind: String,
    /// Its type as written: `varchar(100)`, `enum('a','b')`.
    pub full_kind: String,
    /// Whether NULL may occur.
    pub nullable: bool,
    /// Whether the server sets it to the time of the last change by itself.
    pub is_kept_current: bool,
    /// Whether an index begins with it.
    pub is_indexed: bool,
    /// What the table's author says of it.
    pub comment: String,
}

/// A reference to another table of the same database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForeignKey {
    /// The columns, in order.
    pub columns: Vec<String>,
    /// The table they refer to.
    pub table: String,
    /// Its columns, in the same order.
    pub refers_to: Vec<String>,
}

impl SourceTable {
    /// The column with this name.
    pub fn column(&self, name: &str) -> Option<&SourceColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Every table and view of the database that the account can see, by name.
///
/// # Errors
/// No connection, or it broke.
pub async fn census(options: &ConnectOptions) -> Result<Vec<SourceTable>, SourceError> {
    let mut session = session(options).await?;
    let mut tables: BTreeMap<String, SourceTable> = BTreeMap::new();
    for row in session
        .rows(
            "SELECT TABLE_NAME, TABLE_ROWS FROM information_schema.TABLES
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE IN ('BASE TABLE', 'VIEW')",
        )
        .await?
    {
        let mut cells = row.into_iter();
        let Some(name) = cells.next().flatten() else { continue };
        let rows = cells.next().flatten().and_then(|rows| rows.parse().ok());
        tables.insert(name.clone(), SourceTable { name, rows, ..SourceTable::default() });
    }
    read_columns(&mut session, &mut tables).await?;
    read_keys(&mut session, &mut tables).await?;
    Ok(tables.into_values().collect())
}

async fn read_columns(
    session: &mut Session,
    tables: &mut BTreeMap<String, SourceTable>,
) -> Result<(), SourceError> {
    // Apart from the columns: MariaDB 10.11 was seen to crash on a subquery of `information_schema` that names another of its
    // tables, while other sessions made and dropped tables.
    let indexed: BTreeSet<[String; 2]> = session
        .rows(
            "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.STATISTICS
             WHERE TABLE_SCHEMA = DATABASE() AND SEQ_IN_INDEX = 1",
        )
        .await?
        .into_iter()
        .map(texts)
        .collect();
    let rows = session
        .rows(
            "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, EXTRA, COLUMN_COMMENT
             FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()
             ORDER BY TABLE_NAME, ORDINAL_POSITION",
        )
        .await?;
    for row in rows {
        let [table, name, kind, full_kind, nullable, extra, comment] = texts(row);
        let is_indexed = indexed.contains(&[table.clone(), name.clone()]);
        let Some(table) = tables.get_mut(&table) else { continue };
        table.columns.push(SourceColumn {
            name,
            kind: kind.to_lowercase(),
            full_kind,
            nullable: nullable == "YES",
            is_kept_current: extra.to_lowercase().contains("on update current_timestamp"),
            is_indexed,
            comment,
        });
    }
    Ok(())
}

async fn read_keys(
    session: &mut Session,
    tables: &mut BTreeMap<String, SourceTable>,
) -> Result<(), SourceError> {
    let rows = session
        .rows(
            "SELECT TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME
             FROM information_schema.KEY_COLUMN_USAGE
             WHERE TABLE_SCHEMA = DATABASE() AND (CONSTRAINT_NAME = 'PRIMARY'
               OR (REFERENCED_TABLE_NAME IS NOT NULL AND REFERENCED_TABLE_SCHEMA = DATABASE()))
             ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION",
        )
        .await?;
    let mut keys: BTreeMap<(String, String), ForeignKey> = BTreeMap::new();
    for row in rows {
        let [table, constraint, column, parent, refers_to] = texts(row);
        if parent.is_empty() {
            if let Some(table) = tables.get_mut(&table) {
                table.primary_key.push(column);
            }
            continue;
        }
        let key = keys.entry((table, constraint)).or_default();
        key.table = parent;
        key.columns.push(column);
        key.refers_to.push(refers_to);
    }
    for ((table, _), key) in keys {
        if let Some(table) = tables.get_mut(&table) {
            table.foreign_keys.push(key);
        }
    }
    Ok(())
}

/// The cells of a row, NULL as the empty text.
fn texts<const N: usize>(row: Vec<Option<String>>) -> [String; N] {
    let mut cells = row.into_iter();
    std::array::from_fn(|_| cells.next().flatten().unwrap_or_default())
}
