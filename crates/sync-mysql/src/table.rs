//! A source table: its SQL, its primary key, and whether it can be read in pages.

use std::sync::Arc;

use sync_core::{
    config::model::{QueryText, SourceDefinition},
    error::{SourceError, SourceErrorKind, SourcePart},
    source::ColumnKind,
    sql::{PARAMETER, SqlTemplate},
};

use crate::{
    column::{Origin, ResultColumn},
    explainer::Explainer,
    key_literal::text_literal,
    options::ConnectOptions,
    session::Session,
    source::MysqlSource,
    statement::quoted,
};

/// The query that yields a table's rows: `columns` of those that meet the filter, and where there is a cursor column,
/// of those that changed.
pub(crate) fn query(
    name: &str,
    filter: Option<&QueryText>,
    definition: &SourceDefinition,
    columns: &[String],
) -> String {
    let selected: Vec<String> =
        columns.iter().chain(&definition.updated_at_field).map(|name| quoted(name)).collect();
    let mut seen = Vec::new();
    let selected: Vec<String> = selected
        .into_iter()
        .filter(|name| {
            let is_new = !seen.contains(name);
            seen.push(name.clone());
            is_new
        })
        .collect();
    let filter = filter.map(|filter| format!("(\n{}\n)", filter.text));
    let cursor = definition.updated_at_field.as_ref().map(|cursor| {
        let cursor = quoted(cursor);
        format!("({PARAMETER} IS NULL OR {cursor} >= {PARAMETER})")
    });
    let conditions: Vec<String> = filter.into_iter().chain(cursor).collect();
    let condition = if conditions.is_empty() {
        String::new()
    } else {
        format!("\nWHERE {}", conditions.join(" AND "))
    };
    format!("SELECT {}\nFROM {}{condition}", selected.join(", "), quoted_table(name))
}

/// The query that yields every column of a table.
pub(crate) fn every_column(name: &str) -> String {
    format!("SELECT * FROM {}", quoted_table(name))
}

/// The name as SQL has it: `shop.orders` is a table of another database.
fn quoted_table(name: &str) -> String {
    let parts: Vec<String> = name.splitn(2, '.').map(quoted).collect();
    parts.join(".")
}

/// A condition on `information_schema` that holds for the table.
fn is_table(name: &str) -> String {
    let (schema, table) = match name.split_once('.') {
        Some((schema, table)) => (text_literal(schema), table),
        None => ("DATABASE()".to_owned(), name),
    };
    format!("TABLE_SCHEMA = {schema} AND TABLE_NAME = {}", text_literal(table))
}

impl MysqlSource {
    /// The columns of a table's primary key, in their order, as the database's schema has them.
    ///
    /// # Errors
    /// The database cannot be asked, has no such table, or the table has no primary key.
    pub async fn primary_key(
        options: &ConnectOptions,
        table: &str,
    ) -> Result<Vec<String>, SourceError> {
        let fault = |message: String, remedy: &str| SourceError {
            about: SourcePart::Whole,
            kind: SourceErrorKind::Sql,
            message,
            remedy: remedy.to_owned(),
        };
        let unusable = |_| fault(format!("`{table}` is no table's name"), "correct `source.table`");
        let template = SqlTemplate::parse(&format!("SELECT 1 FROM {}", quoted_table(table)));
        let template = template.map_err(unusable)?;
        let explainer = Arc::new(Explainer::new(options, template, 1, []).of_table(table));
        let mut session = Session::open(options, &explainer).await?;
        let at = is_table(table);
        let key = session
            .rows(&format!(
                "SELECT COLUMN_NAME FROM information_schema.STATISTICS WHERE {at} AND INDEX_NAME = 'PRIMARY' \
                 ORDER BY SEQ_IN_INDEX"
            ))
            .await?;
        let key: Vec<String> = key.into_iter().flatten().flatten().collect();
        if !key.is_empty() {
            return Ok(key);
        }
        let tables = session
            .rows(&format!("SELECT TABLE_TYPE FROM information_schema.TABLES WHERE {at}"))
            .await?;
        Err(if tables.is_empty() {
            fault(
                format!("there is no table `{table}`, or this user may not see it"),
                "correct `source.table`, or GRANT SELECT on the table to the user",
            )
        } else {
            fault(
                format!("`{table}` has no primary key"),
                "add `primary_key:` under `source` with the columns that identify a row",
            )
        })
    }
}

/// Whether rows can be read in pages along these columns: some unique index has exactly them, so that none is passed
/// over where two rows are alike, and they sort as they compare.
pub(crate) async fn is_pageable(
    session: &mut Session,
    columns: &[&ResultColumn],
) -> Result<bool, SourceError> {
    let sorts = columns.iter().all(|column| sorts_as_it_compares(&column.kind) && !column.nullable);
    let origins: Option<Vec<&Origin>> =
        columns.iter().map(|column| column.origin.as_ref()).collect();
    let (true, Some(origins)) = (sorts, origins) else { return Ok(false) };
    let Some(Origin { schema, table, .. }) = origins.first() else { return Ok(false) };
    let rows = session
        .rows(&format!(
            "SELECT INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS \
             WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {} AND NON_UNIQUE = 0 AND SUB_PART IS NULL \
             ORDER BY INDEX_NAME, SEQ_IN_INDEX",
            text_literal(schema),
            text_literal(table)
        ))
        .await?;
    let mut indexes: Vec<(String, Vec<String>)> = Vec::new();
    for row in rows {
        let [Some(index), Some(column)] = row.as_slice() else { return Ok(false) };
        match indexes.last_mut() {
            Some((name, columns)) if name == index => columns.push(column.clone()),
            _ => indexes.push((index.clone(), vec![column.clone()])),
        }
    }
    let key: Vec<&str> = origins.iter().map(|origin| origin.column.as_str()).collect();
    Ok(indexes.iter().any(|(_, columns)| *columns == key))
}

/// ENUM sorts by number and compares by text; the others have no literal that leads back to them.
fn sorts_as_it_compares(kind: &ColumnKind) -> bool {
    match kind {
        ColumnKind::Int { .. }
        | ColumnKind::Year
        | ColumnKind::Bit { .. }
        | ColumnKind::Decimal { .. }
        | ColumnKind::Text
        | ColumnKind::Binary
        | ColumnKind::Date
        | ColumnKind::DateTime
        | ColumnKind::Timestamp => true,
        ColumnKind::Enum
        | ColumnKind::Float
        | ColumnKind::Double
        | ColumnKind::Set
        | ColumnKind::Time
        | ColumnKind::Json
        | ColumnKind::Other(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use sync_core::config::model::SourceRows;

    use super::*;

    #[track_caller]
    fn check(name: &str, filter: Option<&str>, cursor: Option<&str>, expected: &str) {
        let filter = filter.map(|text| QueryText { text: text.to_owned(), line: 1 });
        let definition = SourceDefinition {
            rows: SourceRows::Table { name: name.to_owned(), filter: filter.clone() },
            primary_key: vec!["id".to_owned()],
            updated_at_field: cursor.map(str::to_owned),
            deleted_field: None,
            related: Vec::new(),
            time_zone: None,
        };
        let columns = ["id".to_owned(), "na`me".to_owned()];
        let sql = query(name, filter.as_ref(), &definition, &columns);
        assert_eq!(sql, expected);
        assert!(SqlTemplate::parse(&sql).is_ok());
    }

    #[test]
    fn a_table_is_read_by_a_query_of_ours() {
        check("orders", None, None, "SELECT `id`, `na``me`\nFROM `orders`");
        check(
            "shop.orders",
            Some("total > 0 -- paid"),
            Some("changed"),
            "SELECT `id`, `na``me`, `changed`\nFROM `shop`.`orders`\nWHERE (\ntotal > 0 -- paid\n) AND \
             (:last_sync_time IS NULL OR `changed` >= :last_sync_time)",
        );
    }
}
