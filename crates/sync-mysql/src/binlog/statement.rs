//! `QUERY`: what a statement in the log means for the rows that are followed.

use sync_core::sql::{Token, TokenKind, tokens};

use super::{
    bytes::{Bytes, hex},
    quoting::Quoting,
    rows::inflated_bytes,
};

/// A statement with the database it was run in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    /// The database that names without one belong to.
    pub(crate) database: String,
    /// What it does.
    pub(crate) effect: Effect,
}

/// What a statement does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// A transaction begins.
    Begin,
    /// A transaction ends; what it wrote stands. Also ROLLBACK, which is written only where rows cannot be taken back.
    End,
    /// Nothing that could change a row.
    Nothing,
    /// The transaction that was prepared under this name is committed.
    XaCommit(String),
    /// The transaction that was prepared under this name is taken back.
    XaRollback(String),
    /// Tables or whole databases with these names, in lower case, were created, changed, emptied or dropped.
    Definition {
        /// What was done, in one word.
        verb: &'static str,
        /// Every name in the statement.
        names: Vec<String>,
    },
    /// Rows were written as a statement, or something that is not known: which rows nobody can say.
    Unknown {
        /// Its first word, for people.
        verb: String,
    },
}

impl Statement {
    pub(crate) fn parse(body: &[u8], is_compressed: bool) -> Option<Self> {
        let mut bytes = Bytes(body);
        bytes.skip(8)?;
        let database_length = bytes.length(1)?;
        bytes.skip(2)?;
        let variables_length = bytes.length(2)?;
        let quoting = Quoting::of(bytes.take(variables_length)?);
        let database = bytes.name(database_length)?;
        let inflated;
        let sql = if is_compressed {
            inflated = inflated_bytes(bytes.0)?;
            &inflated
        } else {
            bytes.0
        };
        let sql = String::from_utf8_lossy(sql);
        Some(Self { database, effect: Effect::of(&quoting.usual(&sql)) })
    }
}

impl Effect {
    pub(crate) fn of(sql: &str) -> Self {
        // Most are BEGIN and COMMIT.
        match sql {
            "BEGIN" => return Self::Begin,
            "COMMIT" => return Self::End,
            _ => {}
        }
        let plain = Self::of_tokens(&significant(sql));
        let Some(seen_through) = seen_through(sql) else { return plain };
        match (Self::of_tokens(&significant(&seen_through)), plain) {
            // What is meant for another version of the server hides nothing.
            (Self::Nothing, plain @ (Self::Definition { .. } | Self::Unknown { .. }))
                if plain != Self::nameless() =>
            {
                plain
            }
            (seen, _) => seen,
        }
    }

    /// Of a text without a word.
    fn nameless() -> Self {
        Self::Unknown { verb: "something".into() }
    }

    fn of_tokens(tokens: &[Token<'_>]) -> Self {
        let word = |index: usize| {
            let token: Option<&Token<'_>> = tokens.get(index);
            token
                .filter(|token| token.kind == TokenKind::Word)
                .map_or_else(String::new, |token| token.text.to_ascii_uppercase())
        };
        let (first, second) = (word(0), word(1));
        match (first.as_str(), second.as_str()) {
            ("BEGIN", _) | ("START", "TRANSACTION") | ("XA", "START" | "BEGIN") => Self::Begin,
            ("ROLLBACK", "TO") | ("SAVEPOINT" | "RELEASE", _) | ("XA", "END" | "PREPARE") => {
                Self::Nothing
            }
            ("COMMIT" | "ROLLBACK", _) => Self::End,
            ("XA", "COMMIT") => Self::XaCommit(xid(tokens)),
            ("XA", "ROLLBACK") => Self::XaRollback(xid(tokens)),
            ("TRUNCATE", _) => Self::definition("TRUNCATE", tokens),
            ("RENAME", "TABLE" | "TABLES") => Self::definition("RENAME", tokens),
            ("ALTER", _) => match second.as_str() {
                "TABLE" | "ONLINE" | "OFFLINE" | "IGNORE" => Self::definition("ALTER", tokens),
                _ => Self::Nothing,
            },
            ("DROP", _) => match second.as_str() {
                "TABLE" | "TEMPORARY" | "TABLES" | "DATABASE" | "SCHEMA" => {
                    Self::definition("DROP", tokens)
                }
                _ => Self::Nothing,
            },
            ("CREATE", _) => {
                let begins_with = |word| tokens.iter().take(5).any(|token| token.is_word(word));
                // A new table has no rows, and those it is filled from are written as rows. One that takes another's
                // place ends the rows of that one.
                if begins_with("TABLE") && begins_with("REPLACE") {
                    Self::definition("CREATE", tokens)
                } else {
                    Self::Nothing
                }
            }
            // Of MariaDB: settings for the statement that follows.
            ("SET", "STATEMENT") => match behind_settings(tokens) {
                Some(statement) => Self::of_tokens(statement),
                None => Self::Unknown { verb: first },
            },
            (
                "GRANT" | "REVOKE" | "FLUSH" | "ANALYZE" | "OPTIMIZE" | "REPAIR" | "CHECK" | "SET"
                | "INSTALL" | "UNINSTALL" | "RENAME",
                _,
            ) => Self::Nothing,
            _ if first.is_empty() => Self::nameless(),
            _ => Self::Unknown { verb: first },
        }
    }

    fn definition(verb: &'static str, tokens: &[Token<'_>]) -> Self {
        let names = tokens.iter().filter_map(name).collect();
        Self::Definition { verb, names }
    }
}

fn significant(sql: &str) -> Vec<Token<'_>> {
    tokens(sql).into_iter().filter(Token::is_significant).collect()
}

/// The name that a token may be, in lower case. Text in double quotes may be one: under `ANSI_QUOTES` it is, and a name
/// too many costs a look.
fn name(token: &Token<'_>) -> Option<String> {
    let quote = match token.kind {
        TokenKind::Word => return Some(token.text.to_lowercase()),
        TokenKind::QuotedName => "`",
        TokenKind::String => "\"",
        _ => return None,
    };
    let inside = token.text.strip_prefix(quote)?.strip_suffix(quote)?;
    Some(inside.replace(&quote.repeat(2), quote).to_lowercase())
}

/// The statement with what stands in `/*! ... */`, which the server carries out; `None` where nothing does.
fn seen_through(sql: &str) -> Option<String> {
    let inside = |text: &str| {
        let rest = text.strip_prefix("/*!").or_else(|| text.strip_prefix("/*M!"))?;
        let rest = rest.strip_suffix("*/").unwrap_or(rest);
        Some(rest.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned())
    };
    if !["/*!", "/*M!"].iter().any(|begin| sql.contains(begin)) {
        return None;
    }
    let mut seen = String::new();
    for token in tokens(sql) {
        match token.kind {
            TokenKind::Comment | TokenKind::Unclosed => match inside(token.text) {
                Some(text) => seen.extend([" ", &text, " "]),
                None => seen.push_str(token.text),
            },
            _ => seen.push_str(token.text),
        }
    }
    Some(seen)
}

/// What follows the settings of `SET STATEMENT a = 1, b = (...) FOR ...`.
fn behind_settings<'a, 'b>(tokens: &'a [Token<'b>]) -> Option<&'a [Token<'b>]> {
    let mut depth = 0;
    let at = tokens.iter().position(|token| {
        depth += i32::from(token.is_symbol("(")) - i32::from(token.is_symbol(")"));
        depth == 0 && token.is_word("FOR")
    })?;
    tokens.get(at + 1..)
}

/// The name of a prepared transaction, in one form for all who write it.
fn xid(tokens: &[Token<'_>]) -> String {
    let parts = tokens.iter().skip(2).take_while(|token| !token.is_word("ONE"));
    parts.map(|token| token.text.to_ascii_lowercase()).collect()
}

/// The name in an `XA_PREPARE` event, as [`xid`] has it, and whether the event commits at once.
pub(crate) fn prepared_xid(body: &[u8]) -> Option<(bool, String)> {
    let mut bytes = Bytes(body);
    let one_phase = bytes.u8()? != 0;
    let format = bytes.uint(4)?;
    let (global_length, branch_length) = (bytes.length(4)?, bytes.length(4)?);
    let (global, branch) = (hex(bytes.take(global_length)?), hex(bytes.take(branch_length)?));
    Some((one_phase, format!("x'{global}',x'{branch}',{format}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, expected: &Effect) {
        assert_eq!(Effect::of(sql), *expected, "{sql}");
    }

    #[test]
    fn transactions_begin_and_end() {
        // Of a prepared transaction too: its rows follow.
        for sql in ["BEGIN", "begin", "START TRANSACTION", "XA START X'61',X'',1"] {
            check(sql, &Effect::Begin);
        }
        for sql in ["COMMIT", "ROLLBACK", "/* x */ COMMIT"] {
            check(sql, &Effect::End);
        }
        for sql in ["SAVEPOINT `a`", "ROLLBACK TO `a`", "XA END X'61',X'',1"] {
            check(sql, &Effect::Nothing);
        }
    }

    #[test]
    fn both_forms_of_a_prepared_name_are_one() {
        let name = "x'6162',x'',1".to_owned();
        check("XA COMMIT X'6162',X'',1", &Effect::XaCommit(name.clone()));
        check("XA COMMIT X'6162',X'',1 ONE PHASE", &Effect::XaCommit(name.clone()));
        check("XA ROLLBACK X'6162',X'',1", &Effect::XaRollback(name.clone()));
        let mut body = vec![0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0];
        body.extend(b"ab");
        assert_eq!(prepared_xid(&body), Some((false, name)));
    }

    #[test]
    fn definitions_name_their_tables() {
        for (sql, verb) in [
            ("TRUNCATE TABLE `Shop`.`t`", "TRUNCATE"),
            ("truncate t", "TRUNCATE"),
            ("ALTER TABLE t ADD x INT", "ALTER"),
            ("DROP TABLE IF EXISTS `t` /* generated by server */", "DROP"),
            ("RENAME TABLE a TO `t`", "RENAME"),
            ("CREATE OR REPLACE TABLE t (a INT)", "CREATE"),
            ("TRUNCATE TABLE \"t\"", "TRUNCATE"),
            ("ALTER TABLE \"Shop\".\"T\" MODIFY \"b\" INT FIRST", "ALTER"),
            ("DROP TABLE \"t\" /* generated by server */", "DROP"),
            ("SET STATEMENT a = (SELECT 1 FOR UPDATE), b = 2 FOR ALTER TABLE t ADD x INT", "ALTER"),
            ("/*!50000 ALTER TABLE t ADD x INT */", "ALTER"),
            ("/*!50000ALTER TABLE t ADD x INT*/", "ALTER"),
            ("CREATE /*M!100103 OR REPLACE */ TABLE t (a INT)", "CREATE"),
            ("DROP TABLE /*!32312 IF EXISTS */ t", "DROP"),
            ("RENAME TABLE /*!50000 `t` */ TO a", "RENAME"),
            ("TRUNCATE /*!99999 VIEW */ t", "TRUNCATE"),
        ] {
            let Effect::Definition { verb: found, names } = Effect::of(sql) else {
                panic!("{sql}")
            };
            assert_eq!(found, verb, "{sql}");
            assert!(names.contains(&"t".to_owned()), "{sql}: {names:?}");
        }
        let Effect::Definition { names, .. } = Effect::of("DROP DATABASE shop") else { panic!() };
        assert!(names.contains(&"shop".to_owned()));
        let Effect::Definition { names, .. } = Effect::of("DROP TABLE `a```, \"b\"\"\"") else {
            panic!()
        };
        assert_eq!(names, ["drop", "table", "a`", "b\""]);
    }

    #[test]
    fn what_holds_no_rows_is_nothing() {
        for sql in [
            "CREATE INDEX i ON t (a)",
            "CREATE DEFINER=`root`@`%` TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET @a = 1",
            "CREATE VIEW v AS SELECT 1",
            "DROP VIEW v",
            "GRANT SELECT ON *.* TO a",
            "ANALYZE TABLE t",
            "CREATE DATABASE shop",
            "CREATE TABLE IF NOT EXISTS t (a INT)",
            "CREATE TABLE t (a INT) SELECT 1",
            "CREATE TABLE t (a INT) /*!50100 PARTITION BY HASH (a) */",
            "/*!50001 CREATE VIEW v AS SELECT 1 */",
            "/*!50003 CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET @a = 1 */",
            "SET STATEMENT max_statement_time = 1 FOR ANALYZE TABLE t",
            "SET PASSWORD FOR a = 'x'",
        ] {
            check(sql, &Effect::Nothing);
        }
    }

    #[test]
    fn rows_written_as_statements_are_unknown() {
        for sql in [
            "INSERT INTO t VALUES (1)",
            "insert into t values (1)",
            "WITH x AS (SELECT 1) DELETE FROM t",
            "SET STATEMENT max_statement_time = 1 FOR DELETE FROM t",
            "SET STATEMENT max_statement_time = 1",
            "/*!50000 DELETE FROM t */",
            "/*!99999 CREATE VIEW v AS */ DELETE FROM t",
        ] {
            assert!(matches!(Effect::of(sql), Effect::Unknown { .. }), "{sql}");
        }
        check("", &Effect::Unknown { verb: "something".into() });
    }

    #[test]
    fn names_are_read_by_the_mode_that_the_statement_was_run_in() {
        let names = |mode: u32, sql: &str| {
            let mut body = vec![0; 8];
            body.extend([4, 0, 0, 14, 0]);
            body.extend([0, 0, 0, 0, 0, 1]);
            body.extend(mode.to_le_bytes());
            body.extend([0; 4]);
            body.extend(b"shop\0");
            body.extend(sql.as_bytes());
            match Statement::parse(&body, false).unwrap().effect {
                Effect::Definition { names, .. } => names,
                other => panic!("{other:?}"),
            }
        };
        let names_t = |mode, sql| names(mode, sql).contains(&"t".to_owned());
        let (ansi, plain) = (4, 1 << 20);
        assert!(names(ansi, r#"TRUNCATE TABLE "t\""#).contains(&r"t\".to_owned()));
        assert!(names_t(ansi, r#"DROP TABLE "a\", "t", "b""#));
        assert!(names_t(ansi, r#"DROP TABLE "a'", "t""#));
        assert!(names_t(plain, r"ALTER TABLE a COMMENT 'x\', RENAME TO `t`, COMMENT 'y'"));
        // Without the mode a backslash takes the quote along.
        assert!(names_t(0, r"ALTER TABLE a COMMENT 'x\', RENAME TO', RENAME TO `t`"));
        assert!(names(ansi, r#"TRUNCATE TABLE "a""b`c""#).contains(&r#"a"b`c"#.to_owned()));
    }

    #[test]
    fn a_body_holds_database_and_text() {
        let mut body = vec![0; 8];
        body.extend([4, 0, 0, 3, 0, 9, 9, 9]);
        body.extend(b"shop\0BEGIN");
        let expected = Statement { database: "shop".into(), effect: Effect::Begin };
        assert_eq!(Statement::parse(&body, false), Some(expected));
        body.truncate(12);
        assert_eq!(Statement::parse(&body, false), None);
    }
}
