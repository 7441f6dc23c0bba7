//! Learns which tables, and which of their columns, a sync has to watch.

use std::collections::BTreeSet;

use sync_core::{
    error::{SourceError, SourceErrorKind, SourcePart},
    source::ColumnKind,
    sql::{Token, TokenKind, tokens},
};

use super::{
    key_column::{ColumnFacts, KeyColumn, KeyForm},
    log_server::LogServer,
    watch::{Follower, Purpose, Watched},
};
use crate::{
    column::{Origin, ResultColumn},
    key_literal::text_literal,
    server::Flavour,
    session::Session,
    source::MysqlSource,
    statement::quoted,
};

/// Another table whose rows decide what rows of a sync hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelatedTable {
    /// Its name, with its database before a dot where that is another one.
    pub table: String,
    /// Its column by whose value rows of the sync are found.
    pub column: String,
    /// The sync's column that holds that value.
    pub matches: String,
}

/// What a sync watches, and what there is to say about it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watchlist {
    pub(crate) watched: Vec<Watched>,
    pub(crate) notes: Vec<String>,
}

impl Watchlist {
    /// Asks the server about the tables of a sync.
    ///
    /// # Errors
    /// The sync cannot follow the log, and why.
    pub(crate) async fn learn(
        session: &mut Session,
        server: &LogServer,
        source: &MysqlSource,
        related: &[RelatedTable],
        follower: Follower,
    ) -> Result<Self, SourceError> {
        let layout = source.layout_on(session).await?;
        let columns = layout.select(&source.key_columns)?;
        let (schema, table) = table_of_key(&columns)?;
        let mut list = Self::default();
        let facts = TableFacts::learn(session, &schema, &table).await?;
        let key = columns
            .iter()
            .map(|column| {
                let name = column.origin.as_ref().map_or("", |origin| origin.column.as_str());
                facts.key_column(name, &column.kind)
            })
            .collect::<Result<Vec<_>, _>>()?;
        if !server.has_full_images && !facts.is_primary(&key) {
            return Err(refused(
                format!(
                    "the binlog shows only the primary key of changed rows, and the key of this sync is another one \
                     (table `{table}`)"
                ),
                "SET GLOBAL binlog_row_image = FULL, or use the primary key",
            ));
        }
        server.databases.check(&schema)?;
        list.add(follower, &schema, &table, &facts, key, Purpose::Rows);
        for (index, relation) in related.iter().enumerate() {
            let (database, name) = relation
                .table
                .split_once('.')
                .unwrap_or((&source.options.database, &relation.table));
            let matching = layout.select(std::slice::from_ref(&relation.matches))?;
            let kind = matching.first().map_or(ColumnKind::Text, |column| column.kind.clone());
            let facts = TableFacts::learn(session, database, name).await?;
            let column = facts.key_column(&relation.column, &kind)?;
            if !server.has_full_images && !facts.is_primary(std::slice::from_ref(&column)) {
                return Err(refused(
                    format!(
                        "the binlog does not show `{}` of changed rows of table `{name}`",
                        relation.column
                    ),
                    "SET GLOBAL binlog_row_image = FULL",
                ));
            }
            server.databases.check(database)?;
            list.add(follower, database, name, &facts, vec![column], Purpose::Related(index));
        }
        if !server.logs_cascades {
            let followed: Vec<(String, String)> =
                list.watched.iter().map(|one| (one.schema.clone(), one.table.clone())).collect();
            list.add_parents(session, follower, followed).await?;
        }
        Ok(list)
    }

    fn add(
        &mut self,
        follower: Follower,
        schema: &str,
        table: &str,
        facts: &TableFacts,
        columns: Vec<KeyColumn>,
        purpose: Purpose,
    ) {
        self.watched.push(Watched {
            follower,
            schema: schema.to_owned(),
            table: table.to_owned(),
            column_count: facts.columns.len(),
            hidden_count: facts.hidden,
            columns,
            purpose,
        });
    }

    /// Tables that these columns come from and that are not watched for the sync's sake, each once.
    pub(crate) fn others(&self, columns: &[&ResultColumn]) -> BTreeSet<String> {
        let is_watched = |origin: &Origin| {
            self.watched.iter().any(|watched| {
                !matches!(watched.purpose, Purpose::Parent { .. })
                    && watched.schema.eq_ignore_ascii_case(&origin.schema)
                    && watched.table.eq_ignore_ascii_case(&origin.table)
            })
        };
        let origins = columns.iter().filter_map(|column| column.origin.as_ref());
        origins.filter(|origin| !is_watched(origin)).map(|origin| origin.table.clone()).collect()
    }

    /// Tables whose deletes and changes the server passes on to followed ones, and not to its log: parents, their
    /// parents, and so on.
    async fn add_parents(
        &mut self,
        session: &mut Session,
        follower: Follower,
        mut children: Vec<(String, String)>,
    ) -> Result<(), SourceError> {
        let mut seen: BTreeSet<(String, String)> = children.iter().cloned().collect();
        while let Some((schema, table)) = children.pop() {
            for key in foreign_keys(session, &schema, &table).await? {
                let parent = (key.schema.clone(), key.table.clone());
                let Ok(facts) = TableFacts::learn(session, &key.schema, &key.table).await else {
                    self.notes.push(format!(
                        "table `{table}` refers to table `{}`, which this user may not read: what a delete there changes \
                         is found by the next full read only",
                        key.table
                    ));
                    continue;
                };
                let columns: Vec<KeyColumn> =
                    key.columns.iter().filter_map(|name| facts.any_column(name)).collect();
                self.notes.push(format!(
                    "the server does not log what a foreign key changes in table `{table}`: when rows of table `{}` go, \
                     everything is read again",
                    key.table
                ));
                let purpose =
                    Purpose::Parent { on_delete: key.on_delete, on_update: key.on_update };
                self.add(follower, &key.schema, &key.table, &facts, columns, purpose);
                if seen.insert(parent.clone()) {
                    children.push(parent);
                }
            }
        }
        Ok(())
    }
}

/// The one table that the key's columns come from.
fn table_of_key(columns: &[&ResultColumn]) -> Result<(String, String), SourceError> {
    let mut table: Option<(String, String)> = None;
    for column in columns {
        let Some(Origin { schema, table: name, .. }) = &column.origin else {
            return Err(refused(
                format!(
                    "key column `{}` is computed: no table's rows tell when it changes",
                    column.name
                ),
                "let the query return the table's own key column, or use `capture: query`",
            ));
        };
        let own = (schema.clone(), name.clone());
        if table.as_ref().is_some_and(|known| *known != own) {
            return Err(refused(
                "the key's columns come from more than one table".to_owned(),
                "choose a key of one table, and name the others under `related`, or use `capture: query`",
            ));
        }
        table = Some(own);
    }
    table.ok_or_else(|| {
        refused(
            "the sync has no key column".to_owned(),
            "name the columns of the key in `primary_key`",
        )
    })
}

fn refused(message: String, remedy: &str) -> SourceError {
    SourceError {
        about: SourcePart::Whole,
        kind: SourceErrorKind::LogSettings,
        message,
        remedy: remedy.to_owned(),
    }
}

/// What is known of a table.
struct TableFacts {
    table: String,
    columns: Vec<(String, ColumnFacts)>,
    /// Columns behind them that no query shows.
    hidden: usize,
    primary: Vec<String>,
}

impl TableFacts {
    async fn learn(session: &mut Session, schema: &str, table: &str) -> Result<Self, SourceError> {
        let at = format!(
            "TABLE_SCHEMA = {} AND TABLE_NAME = {}",
            text_literal(schema),
            text_literal(table)
        );
        let kind = session
            .cell(&format!("SELECT TABLE_TYPE FROM information_schema.TABLES WHERE {at}"))
            .await?;
        if !matches!(kind.as_deref(), Some("BASE TABLE" | "SYSTEM VERSIONED")) {
            let what = if kind.is_some() { "is a view" } else { "does not exist, or is hidden" };
            return Err(refused(
                format!("table `{table}` {what}: the binlog holds no rows of it"),
                "name the table itself, GRANT SELECT on it to the user, or use `capture: query`",
            ));
        }
        let rows = session
            .rows(&format!(
                "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_SET_NAME, CHARACTER_OCTET_LENGTH, \
                 NUMERIC_PRECISION, NUMERIC_SCALE, COLUMN_KEY FROM information_schema.COLUMNS WHERE {at} \
                 ORDER BY ORDINAL_POSITION"
            ))
            .await?;
        let hidden = match session.version().flavour {
            Flavour::MariaDb => hidden_columns(session, &at).await?,
            Flavour::MySql => 0,
        };
        let mut facts =
            Self { table: table.to_owned(), columns: Vec::new(), hidden, primary: Vec::new() };
        for row in rows {
            let [
                Some(name),
                Some(data_type),
                Some(column_type),
                charset,
                bytes,
                precision,
                scale,
                key,
            ] = row.as_slice()
            else {
                continue;
            };
            if key.as_deref() == Some("PRI") {
                facts.primary.push(name.clone());
            }
            let column = ColumnFacts {
                data_type: data_type.to_ascii_lowercase(),
                column_type: column_type.clone(),
                charset: charset.clone(),
                bytes: bytes.as_ref().and_then(|bytes| bytes.parse().ok()),
                precision: precision.as_ref().and_then(|digits| digits.parse().ok()),
                scale: scale.as_ref().and_then(|digits| digits.parse().ok()),
            };
            facts.columns.push((name.clone(), column));
        }
        Ok(facts)
    }

    fn key_column(&self, name: &str, kind: &ColumnKind) -> Result<KeyColumn, SourceError> {
        let found = self.columns.iter().enumerate().find(|(_, (column, _))| column == name);
        let Some((place, (name, facts))) = found else {
            return Err(refused(
                format!("table `{}` has no column `{name}`", self.table),
                "correct the name; case matters",
            ));
        };
        let form = KeyForm::of(facts).map_err(|why| {
            refused(
                format!(
                    "column `{name}` of table `{}` cannot be read from the binlog: {why}",
                    self.table
                ),
                "use another key, or `capture: query`",
            )
        })?;
        Ok(KeyColumn { name: name.clone(), place, form, kind: kind.clone() })
    }

    /// A column of which only matters whether it changes.
    fn any_column(&self, name: &str) -> Option<KeyColumn> {
        let place =
            self.columns.iter().position(|(column, _)| column.eq_ignore_ascii_case(name))?;
        let form = KeyForm::Bytes { length: 0 };
        Some(KeyColumn { name: name.to_owned(), place, form, kind: ColumnKind::Binary })
    }

    fn is_primary(&self, key: &[KeyColumn]) -> bool {
        key.iter().all(|column| self.primary.contains(&column.name))
    }
}

/// How many columns MariaDB keeps for itself behind the others: the two times of a row's version, unless they were
/// declared, and a hash for each unique key over a column of any length.
async fn hidden_columns(session: &mut Session, at: &str) -> Result<usize, SourceError> {
    let sql = format!(
        "SELECT (SELECT COUNT(DISTINCT INDEX_NAME) FROM information_schema.STATISTICS \
         WHERE {at} AND INDEX_TYPE = 'HASH' AND NON_UNIQUE = 0) \
         + IF((SELECT TABLE_TYPE FROM information_schema.TABLES WHERE {at}) = 'SYSTEM VERSIONED' \
         AND NOT EXISTS (SELECT 1 FROM information_schema.COLUMNS WHERE {at} \
         AND GENERATION_EXPRESSION IN ('ROW START', 'ROW END')), 2, 0)"
    );
    let count = session.cell(&sql).await?;
    count.and_then(|count| count.parse().ok()).ok_or_else(|| session.explainer().garbled())
}

/// A foreign key that passes changes of its parent on.
#[derive(Debug, PartialEq, Eq)]
struct ForeignKey {
    schema: String,
    table: String,
    columns: Vec<String>,
    on_delete: bool,
    on_update: bool,
}

/// From the table's definition: the schema's own views of foreign keys hide them from users who may only read.
async fn foreign_keys(
    session: &mut Session,
    schema: &str,
    table: &str,
) -> Result<Vec<ForeignKey>, SourceError> {
    let sql = format!("SHOW CREATE TABLE {}.{}", quoted(schema), quoted(table));
    let rows = session.rows(&sql).await?;
    let definition = rows.first().and_then(|row| row.get(1).cloned().flatten());
    Ok(foreign_keys_in(&definition.unwrap_or_default(), schema))
}

fn foreign_keys_in(definition: &str, schema: &str) -> Vec<ForeignKey> {
    let tokens: Vec<Token<'_>> =
        tokens(definition).into_iter().filter(|token| token.is_significant()).collect();
    let mut keys = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some(at) = rest.iter().position(|token| token.is_word("REFERENCES")) {
        rest = rest.get(at + 1..).unwrap_or_default();
        let end =
            rest.iter().position(|token| token.is_symbol(",") && token_depth(rest, token) == 0);
        let clause = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        keys.extend(foreign_key(clause, schema));
    }
    keys
}

/// How many parentheses are open before a token.
fn token_depth(tokens: &[Token<'_>], token: &Token<'_>) -> i32 {
    let before = tokens.iter().take_while(|other| other.offset < token.offset);
    before.fold(0, |depth, other| {
        depth + i32::from(other.is_symbol("(")) - i32::from(other.is_symbol(")"))
    })
}

/// `` `schema`.`table` (`a`, `b`) ON DELETE CASCADE ON UPDATE SET NULL ``, if it passes anything on.
fn foreign_key(clause: &[Token<'_>], schema: &str) -> Option<ForeignKey> {
    let open = clause.iter().position(|token| token.is_symbol("("))?;
    let close = clause.iter().position(|token| token.is_symbol(")"))?;
    let names = |tokens: &[Token<'_>]| -> Vec<String> {
        tokens
            .iter()
            .filter(|token| matches!(token.kind, TokenKind::QuotedName | TokenKind::Word))
            .map(|token| token.text.trim_matches('`').replace("``", "`"))
            .collect()
    };
    let mut path = names(clause.get(..open)?);
    let table = path.pop()?;
    let passes_on = |event: &str| {
        clause.windows(3).any(|words| match words {
            [on, what, how] => {
                on.is_word("ON")
                    && what.is_word(event)
                    && (how.is_word("CASCADE") || how.is_word("SET"))
            }
            _ => false,
        })
    };
    let key = ForeignKey {
        schema: path.pop().unwrap_or_else(|| schema.to_owned()),
        table,
        columns: names(clause.get(open + 1..close)?),
        on_delete: passes_on("DELETE"),
        on_update: passes_on("UPDATE"),
    };
    (key.on_delete || key.on_update).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_keys_that_pass_changes_on_are_found() {
        let definition = "CREATE TABLE `c` (\n  `id` int NOT NULL,\n  `p` int,\n  PRIMARY KEY (`id`),\n  KEY `p` (`p`),\n  \
             CONSTRAINT `a` FOREIGN KEY (`p`) REFERENCES `parent` (`id`) ON DELETE CASCADE,\n  \
             CONSTRAINT `b` FOREIGN KEY (`p`, `q`) REFERENCES `other`.`x` (`i`, `j`) ON DELETE SET NULL ON UPDATE CASCADE,\n  \
             CONSTRAINT `c` FOREIGN KEY (`p`) REFERENCES `quiet` (`id`) ON DELETE NO ACTION\n) COMMENT='REFERENCES `no` (`x`) ON DELETE CASCADE'";
        let key = |schema: &str, table: &str, columns: &[&str], on_update| ForeignKey {
            schema: schema.into(),
            table: table.into(),
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            on_delete: true,
            on_update,
        };
        assert_eq!(
            foreign_keys_in(definition, "shop"),
            [key("shop", "parent", &["id"], false), key("other", "x", &["i", "j"], true)]
        );
    }

    #[test]
    fn a_key_of_two_tables_or_of_none_is_refused() {
        let column = |name: &str, table: Option<&str>| ResultColumn {
            name: name.into(),
            origin: table.map(|table| Origin {
                schema: "shop".into(),
                table: table.into(),
                column: name.into(),
            }),
            kind: ColumnKind::Text,
            nullable: false,
            decimals: 0,
            is_blob_text: false,
        };
        let (a, b) = (column("a", Some("t")), column("b", Some("u")));
        assert_eq!(table_of_key(&[&a]).unwrap(), ("shop".into(), "t".into()));
        assert!(table_of_key(&[&a, &b]).unwrap_err().message.contains("more than one table"));
        assert!(table_of_key(&[&column("c", None)]).unwrap_err().message.contains("computed"));
    }
}
