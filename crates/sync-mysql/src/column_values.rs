//! What the schema says of the values of a query's columns.

use std::collections::{BTreeMap, BTreeSet};

use sync_core::{error::SourceError, source::ColumnValues};

use crate::{column::Origin, key_literal::text_literal, layout::Layout, session::Session};

/// What is said of the columns that come straight from a table.
pub(crate) async fn column_values(
    session: &mut Session,
    layout: &Layout,
) -> Result<Vec<ColumnValues>, SourceError> {
    let origins = layout.columns().iter().filter_map(|column| column.origin.as_ref());
    let tables: BTreeSet<(&str, &str)> =
        origins.map(|origin| (origin.schema.as_str(), origin.table.as_str())).collect();
    let mut said: BTreeMap<Origin, ColumnValues> = BTreeMap::new();
    for (schema, table) in tables {
        let rows = session
            .rows(&format!(
                "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_MAXIMUM_LENGTH FROM information_schema.COLUMNS
                 WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {}
                   AND DATA_TYPE IN ('enum', 'set', 'char', 'varchar', 'tinytext', 'text')",
                text_literal(schema),
                text_literal(table)
            ))
            .await?;
        for row in rows {
            let [Some(column), Some(kind), Some(full_kind), length] = row.as_slice() else {
                continue;
            };
            let (schema, table) = (schema.to_owned(), table.to_owned());
            let origin = Origin { schema, table, column: column.clone() };
            let has_words = matches!(kind.as_str(), "enum" | "set");
            let values = ColumnValues {
                column: String::new(),
                words: if has_words { words(full_kind) } else { Vec::new() },
                length_max: length
                    .as_ref()
                    .filter(|_| !has_words)
                    .and_then(|length| length.parse().ok()),
            };
            said.insert(origin, values);
        }
    }
    let named = layout.columns().iter().filter_map(|column| {
        let values = said.get(column.origin.as_ref()?)?;
        Some(ColumnValues { column: column.name.clone(), ..values.clone() })
    });
    Ok(named.collect())
}

/// The words of `enum('a','it''s')`.
fn words(full_kind: &str) -> Vec<String> {
    let inside = full_kind.split_once('(').map_or("", |(_, rest)| rest).trim_end_matches(')');
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = inside.chars().peekable();
    while let Some(character) = characters.next() {
        match (&mut word, character) {
            (None, '\'') => word = Some(String::new()),
            (Some(text), '\'') if characters.next_if_eq(&'\'').is_some() => text.push('\''),
            (Some(_), '\'') => words.extend(word.take()),
            (Some(text), other) => text.push(other),
            (None, _) => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_of_an_enum_are_read_with_their_quotes_and_commas() {
        assert_eq!(words("enum('a','it''s','b,c','')"), ["a", "it's", "b,c", ""]);
        assert_eq!(words("set('x')"), ["x"]);
    }
}
