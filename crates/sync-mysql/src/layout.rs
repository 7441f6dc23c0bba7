//! The columns of the user's query: what the wire says of them, and what only `information_schema` knows.

use std::collections::{BTreeMap, BTreeSet};

use sync_core::{
    error::{SourceError, SourceErrorKind, SourcePart},
    source::ColumnKind,
    sql::{Token, tokens},
};

use crate::{
    column::{Origin, ResultColumn},
    key_literal::text_literal,
    server::Flavour,
    session::Session,
};

/// The columns of the user's query. Cheap to keep: as long as the wire describes the same columns, the rest holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// As the wire describes them.
    wire: Vec<ResultColumn>,
    /// With the kinds that conversion uses.
    columns: Vec<ResultColumn>,
    /// Table columns that the server sets to the current time on each change.
    kept_current: BTreeSet<Origin>,
}

impl Layout {
    /// Learns what the wire does not tell of these columns.
    pub(crate) async fn learn(
        session: &mut Session,
        wire: Vec<ResultColumn>,
        query: &str,
    ) -> Result<Self, SourceError> {
        // MariaDB names a subquery as the table that its columns come from; a table of that name is another one.
        let named = named_subqueries(query);
        let is_table = |origin: &&Origin| !named.contains(&origin.table.to_lowercase());
        let tables: BTreeSet<(String, String)> = wire
            .iter()
            .filter_map(|column| column.origin.as_ref().filter(is_table))
            .map(|origin| (origin.schema.clone(), origin.table.clone()))
            .collect();
        let mut facts = BTreeMap::new();
        for (schema, table) in tables {
            read_facts(session, &schema, &table, &mut facts).await?;
        }
        let mut columns = wire.clone();
        for column in &mut columns {
            let fact = column.origin.as_ref().and_then(|origin| facts.get(origin));
            match fact {
                Some(Fact { kind: Some(kind), .. }) => column.kind = kind.clone(),
                Some(Fact { kind: None, .. }) => {}
                None => column.origin = None,
            }
        }
        let kept_current = facts
            .into_iter()
            .filter(|(_, fact)| fact.kept_current)
            .map(|(origin, _)| origin)
            .collect();
        Ok(Self { wire, columns, kept_current })
    }

    /// Whether the wire still says the same.
    pub(crate) fn is_of(&self, wire: &[ResultColumn]) -> bool {
        self.wire == wire
    }

    /// Every column, in the query's order.
    pub(crate) fn columns(&self) -> &[ResultColumn] {
        &self.columns
    }

    /// The column with this name.
    pub(crate) fn column(&self, name: &str) -> Option<&ResultColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether the server itself sets the column to the current time whenever its row changes.
    pub(crate) fn is_kept_current(&self, column: &ResultColumn) -> bool {
        column.origin.as_ref().is_some_and(|origin| self.kept_current.contains(origin))
    }

    /// The columns with these names, in that order.
    ///
    /// # Errors
    /// Names every column that is missing, and every one that is there twice.
    pub(crate) fn select(&self, names: &[String]) -> Result<Vec<&ResultColumn>, SourceError> {
        let (mut missing, mut missing_names) = (Vec::new(), Vec::new());
        let mut twins = Vec::new();
        let mut selected = Vec::new();
        for name in names {
            let mut found = self.columns.iter().filter(|column| column.name == *name);
            match (found.next(), found.next()) {
                (Some(column), None) => selected.push(column),
                (Some(_), Some(_)) => twins.push(format!("`{name}`")),
                (None, _) => {
                    missing.push(self.missing(name));
                    missing_names.push(name.clone());
                }
            }
        }
        if !missing.is_empty() {
            return Err(SourceError {
                about: SourcePart::Columns(missing_names),
                kind: SourceErrorKind::MissingColumn,
                message: format!("the query does not return {}", missing.join(", ")),
                remedy:
                    "add them to the SELECT list, with AS if they have another name there, or take \
                         them out of the mapping"
                        .to_owned(),
            });
        }
        if !twins.is_empty() {
            return Err(SourceError {
                about: SourcePart::Whole,
                kind: SourceErrorKind::Sql,
                message: format!(
                    "the query returns more than one column named {}",
                    twins.join(", ")
                ),
                remedy: "give each its own name with AS".to_owned(),
            });
        }
        Ok(selected)
    }

    fn missing(&self, name: &str) -> String {
        let alike = self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
        match alike {
            Some(column) => format!("`{name}` (but `{}`: case matters)", column.name),
            None => format!("`{name}`"),
        }
    }
}

/// The names that the query gives to subqueries, in lower case: `(...) AS name`, `WITH name AS (...)`.
fn named_subqueries(query: &str) -> BTreeSet<String> {
    let all = tokens(query);
    let significant: Vec<Token<'_>> =
        all.into_iter().filter(|token| token.is_significant() && !token.is_word("AS")).collect();
    let around = significant.windows(2).filter_map(|pair| match pair {
        [close, name] if close.is_symbol(")") => Some(name),
        [name, open] if open.is_symbol("(") => Some(name),
        _ => None,
    });
    around.map(|name| name.text.trim_matches('`').to_lowercase()).collect()
}

/// What `information_schema` says of a table column.
#[derive(Clone, Debug, Default)]
struct Fact {
    /// A kind that the wire does not tell.
    kind: Option<ColumnKind>,
    kept_current: bool,
}

async fn read_facts(
    session: &mut Session,
    schema: &str,
    table: &str,
    facts: &mut BTreeMap<Origin, Fact>,
) -> Result<(), SourceError> {
    let at =
        format!("TABLE_SCHEMA = {} AND TABLE_NAME = {}", text_literal(schema), text_literal(table));
    let origin = |column: &str| Origin {
        schema: schema.to_owned(),
        table: table.to_owned(),
        column: column.to_owned(),
    };
    let columns = session
        .rows(&format!(
            "SELECT COLUMN_NAME, DATA_TYPE, EXTRA FROM information_schema.COLUMNS WHERE {at}"
        ))
        .await?;
    for row in columns {
        let [Some(name), Some(data_type), extra] = row.as_slice() else { continue };
        let kind =
            matches!(data_type.as_str(), "uuid" | "inet4" | "inet6").then_some(ColumnKind::Text);
        let extra = extra.as_deref().unwrap_or_default().to_ascii_lowercase();
        let kept_current = extra.contains("on update current_timestamp");
        facts.insert(origin(name), Fact { kind, kept_current });
    }
    // MariaDB's JSON is LONGTEXT with a check.
    if session.version().flavour == Flavour::MariaDb && session.version().number >= (10, 2, 22) {
        let at = at.replace("TABLE_SCHEMA", "CONSTRAINT_SCHEMA");
        let checks = session
            .rows(&format!(
                "SELECT CONSTRAINT_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS WHERE {at}"
            ))
            .await?;
        for row in checks {
            let [Some(name), Some(clause)] = row.as_slice() else { continue };
            let is_json = clause.eq_ignore_ascii_case(&format!("json_valid(`{name}`)"));
            if let Some(fact) = facts.get_mut(&origin(name)).filter(|_| is_json) {
                fact.kind = Some(ColumnKind::Json);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(names: &[&str]) -> Layout {
        let columns: Vec<ResultColumn> = names
            .iter()
            .map(|name| ResultColumn {
                name: (*name).to_owned(),
                origin: None,
                kind: ColumnKind::Text,
                nullable: true,
                decimals: 0,
                is_blob_text: false,
            })
            .collect();
        Layout { wire: columns.clone(), columns, kept_current: BTreeSet::new() }
    }

    #[track_caller]
    fn check(columns: &[&str], wanted: &[&str], expected: Result<&[&str], &str>) {
        let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
        let layout = layout(columns);
        let selected = layout.select(&wanted);
        let shown = selected
            .as_ref()
            .map(|columns| columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>())
            .map_err(|error| error.message.as_str());
        assert_eq!(shown.as_ref().map(Vec::as_slice), expected.as_ref().copied());
    }

    #[test]
    fn subqueries_are_known_by_their_names() {
        for (query, name) in [
            ("SELECT * FROM (SELECT 1) AS q", "q"),
            ("SELECT * FROM (SELECT 1) `Orders`", "orders"),
            ("WITH o AS (SELECT 1) SELECT * FROM o", "o"),
            ("WITH a AS (SELECT 1), o (x) AS (SELECT 1) SELECT * FROM o", "o"),
        ] {
            assert!(named_subqueries(query).contains(name), "{query}");
        }
        assert!(!named_subqueries("SELECT MAX(a) FROM t WHERE (b)").contains("t"));
    }

    #[test]
    fn columns_come_in_the_wanted_order() {
        check(&["a", "b", "c"], &["c", "a"], Ok(&["c", "a"]));
    }

    #[test]
    fn all_missing_columns_are_named_at_once() {
        check(
            &["a", "Email"],
            &["x", "a", "email"],
            Err("the query does not return `x`, `email` (but `Email`: case matters)"),
        );
    }

    #[test]
    fn twins_matter_only_where_they_are_wanted() {
        check(&["id", "a", "id"], &["a"], Ok(&["a"]));
        check(
            &["id", "a", "id"],
            &["a", "id"],
            Err("the query returns more than one column named `id`"),
        );
    }
}
