//! The SQL of a read: the user's query as it is, or wrapped.

use sync_core::{key::Key, source::ColumnKind, sql::RenderedSql};

use crate::{column::ResultColumn, explainer::SentSql, key_literal::key_literal};

/// Which rows of the user's query a wrapped read yields.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RowFilter<'a> {
    /// All.
    All,
    /// Those with one of these keys; `columns` are the key's columns.
    Keys { columns: &'a [&'a ResultColumn], keys: &'a [Key], comparison: KeyComparison },
    /// Those after a key, in its order, at most so many.
    Page { columns: &'a [&'a ResultColumn], after: Option<&'a Key>, rows_max: usize },
    /// Those for which a condition of the user's holds.
    Where(&'a str),
}

/// How key columns that hold text are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyComparison {
    /// By the column's own collation, so that its index is used. The server refuses it when a key cannot be written
    /// in the column's character set.
    Indexed,
    /// By code points, reading every row.
    Scanning,
}

/// `SELECT` of `wanted` from the user's query.
///
/// FLOAT is read as `+ 0e0`, since the server prints a FLOAT with six digits only. `all` are the query's columns: if
/// two share a name, all get new ones, which needs a `named_subquery` (a server of the last years).
pub(crate) fn wrapped(
    rendered: RenderedSql,
    all: &[ResultColumn],
    wanted: &[&ResultColumn],
    filter: RowFilter<'_>,
    has_named_subqueries: bool,
) -> SentSql {
    let renames = has_named_subqueries && has_twins(all);
    let inner = |column: &ResultColumn| match all.iter().position(|other| other == column) {
        Some(index) if renames => format!("q.c{index}"),
        _ => format!("q.{}", quoted(&column.name)),
    };
    let selected: Vec<String> = wanted
        .iter()
        .map(|column| {
            let widened = if column.kind == ColumnKind::Float { " + 0e0" } else { "" };
            format!("{}{widened} AS {}", inner(column), quoted(&column.name))
        })
        .collect();
    let selected = selected.join(", ");
    let (before, after) = if renames {
        let names: Vec<String> = (0..all.len()).map(|index| format!("c{index}")).collect();
        (format!("WITH q ({}) AS (\n", names.join(", ")), format!("\n) SELECT {selected} FROM q"))
    } else {
        (format!("SELECT {selected} FROM (\n"), "\n) q".to_owned())
    };
    let condition = match filter {
        RowFilter::All => String::new(),
        RowFilter::Keys { columns, keys, comparison } => {
            let columns: Vec<(String, &ColumnKind)> =
                columns.iter().map(|column| (inner(column), &column.kind)).collect();
            format!(" WHERE {}", has_key(&columns, keys, comparison))
        }
        RowFilter::Page { columns, after, rows_max } => {
            let columns: Vec<(String, &ColumnKind)> =
                columns.iter().map(|column| (inner(column), &column.kind)).collect();
            let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            let condition = after.and_then(|key| is_after(&columns, key));
            let condition =
                condition.map_or_else(String::new, |condition| format!(" WHERE {condition}"));
            format!("{condition} ORDER BY {} LIMIT {rows_max}", names.join(", "))
        }
        RowFilter::Where(condition) => format!(" WHERE (\n{condition}\n)"),
    };
    SentSql {
        sql: format!("{before}{}{after}{condition}", rendered.sql),
        query_offset: before.len(),
        rendered,
    }
}

/// Whether two columns share a name, as the server compares names.
fn has_twins(columns: &[ResultColumn]) -> bool {
    let mut names: Vec<String> = columns.iter().map(|column| column.name.to_lowercase()).collect();
    names.sort();
    names.windows(2).any(|pair| matches!(pair, [one, other] if one == other))
}

pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// The condition that holds for rows after a key, in the order of its columns; `None` if the columns cannot hold it.
///
/// Not `(a, b) > (1, 2)`, for which neither server would use the index.
fn is_after(columns: &[(String, &ColumnKind)], key: &Key) -> Option<String> {
    let parts = key.parts(columns.len());
    if parts.len() != columns.len() {
        return None;
    }
    let literals = columns
        .iter()
        .zip(&parts)
        .map(|((name, kind), part)| Some((name, key_literal(kind, part)?)))
        .collect::<Option<Vec<_>>>()?;
    let mut later = literals.iter().rev();
    let (name, literal) = later.next()?;
    let innermost = format!("{name} > {literal}");
    let condition = later.fold(innermost, |inner, (name, literal)| {
        format!("{name} >= {literal} AND ({name} > {literal} OR ({inner}))")
    });
    Some(condition)
}

/// The condition that holds for rows with one of the keys, and perhaps for a few more: the column's collation may
/// take `a` for `A`. A key that its columns cannot hold is left out.
fn has_key(columns: &[(String, &ColumnKind)], keys: &[Key], comparison: KeyComparison) -> String {
    let operands: Vec<String> = columns
        .iter()
        .map(|(name, kind)| match (comparison, kind) {
            (KeyComparison::Scanning, ColumnKind::Text | ColumnKind::Enum) => {
                format!("CONVERT({name} USING utf8mb4) COLLATE utf8mb4_bin")
            }
            _ => name.clone(),
        })
        .collect();
    let literals = keys.iter().filter_map(|key| {
        let parts = key.parts(columns.len());
        if parts.len() != columns.len() {
            return None;
        }
        let kinds = columns.iter().map(|(_, kind)| *kind);
        kinds.zip(&parts).map(|(kind, part)| key_literal(kind, part)).collect::<Option<Vec<_>>>()
    });
    let alternatives: Vec<String> = match operands.as_slice() {
        [operand] => {
            let list: Vec<String> = literals.flatten().collect();
            if list.is_empty() {
                Vec::new()
            } else {
                vec![format!("{operand} IN ({})", list.join(", "))]
            }
        }
        // Not `(a, b) IN ((1, 2), ...)`: MySQL 9 reads the whole table for it.
        _ => literals
            .map(|parts| {
                let equal: Vec<String> = operands
                    .iter()
                    .zip(parts)
                    .map(|(operand, part)| format!("{operand} = {part}"))
                    .collect();
                format!("({})", equal.join(" AND "))
            })
            .collect(),
    };
    if alternatives.is_empty() { "1 = 0".to_owned() } else { alternatives.join(" OR ") }
}

#[cfg(test)]
mod tests {
    use sync_core::sql::SqlTemplate;

    use super::*;

    fn column(name: &str, kind: ColumnKind) -> ResultColumn {
        ResultColumn {
            name: name.to_owned(),
            origin: None,
            kind,
            nullable: false,
            decimals: 0,
            is_blob_text: false,
        }
    }

    fn int() -> ColumnKind {
        ColumnKind::Int { unsigned: false, width: 11 }
    }

    fn rendered() -> RenderedSql {
        SqlTemplate::parse("SELECT * FROM t -- all").unwrap().render(None)
    }

    #[test]
    fn floats_are_widened_and_a_comment_cannot_swallow_the_end() {
        let all = [column("a", int()), column("f`", ColumnKind::Float)];
        let wanted: Vec<&ResultColumn> = all.iter().collect();
        assert_eq!(
            wrapped(rendered(), &all, &wanted, RowFilter::All, true).sql,
            "SELECT q.`a` AS `a`, q.`f``` + 0e0 AS `f``` FROM (\nSELECT * FROM t -- all\n) q"
        );
    }

    #[test]
    fn twins_are_renamed_where_the_server_can() {
        let all = [column("id", int()), column("ID", int()), column("x", int())];
        let wanted: Vec<&ResultColumn> = all.iter().skip(2).collect();
        assert_eq!(
            wrapped(rendered(), &all, &wanted, RowFilter::All, true).sql,
            "WITH q (c0, c1, c2) AS (\nSELECT * FROM t -- all\n) SELECT q.c2 AS `x` FROM q"
        );
        assert!(
            wrapped(rendered(), &all, &wanted, RowFilter::All, false)
                .sql
                .starts_with("SELECT q.`x`")
        );
    }

    #[track_caller]
    fn check_keys(kinds: &[ColumnKind], keys: &[&str], expected: &str) {
        let columns: Vec<(String, &ColumnKind)> =
            kinds.iter().zip('a'..).map(|(kind, name)| (format!("q.{name}"), kind)).collect();
        let keys: Vec<Key> = keys.iter().map(|key| Key::from_text(key)).collect();
        assert_eq!(has_key(&columns, &keys, KeyComparison::Indexed), expected);
    }

    #[test]
    fn a_page_begins_after_a_key_and_follows_its_order() {
        let all = [column("a", int()), column("b", ColumnKind::Text), column("c", int())];
        let wanted: Vec<&ResultColumn> = all.iter().collect();
        let page = |key: Option<&str>, length: usize| {
            let after = key.map(Key::from_text);
            let columns = wanted.get(..length).unwrap();
            let filter = RowFilter::Page { columns, after: after.as_ref(), rows_max: 9 };
            let sql = wrapped(rendered(), &all, &wanted, filter, true).sql;
            sql.rsplit("\n) q").next().unwrap().to_owned()
        };
        assert_eq!(page(None, 1), " ORDER BY q.`a` LIMIT 9");
        assert_eq!(page(Some("5"), 1), " WHERE q.`a` > 5 ORDER BY q.`a` LIMIT 9");
        assert_eq!(
            page(Some("5|x|7"), 3),
            " WHERE q.`a` >= 5 AND (q.`a` > 5 OR (q.`b` >= _utf8mb4 X'78' AND (q.`b` > _utf8mb4 X'78' OR \
             (q.`c` > 7)))) ORDER BY q.`a`, q.`b`, q.`c` LIMIT 9"
        );
        // A key that the columns cannot hold was of other columns: the pages begin anew.
        assert_eq!(page(Some("x"), 1), page(None, 1));
    }

    #[test]
    fn keys_become_typed_literals() {
        check_keys(&[int()], &["5", "-7", "x"], "q.a IN (5, -7)");
        check_keys(
            &[ColumnKind::Text],
            &["5", "o'x"],
            "q.a IN (_utf8mb4 X'35', _utf8mb4 X'6f2778')",
        );
        check_keys(
            &[int(), ColumnKind::Text],
            &["5|a\\|b", "6|c", "7"],
            "(q.a = 5 AND q.b = _utf8mb4 X'617c62') OR (q.a = 6 AND q.b = _utf8mb4 X'63')",
        );
        check_keys(&[int()], &[], "1 = 0");
        check_keys(&[int()], &["x"], "1 = 0");
    }
}
