//! What the driver and the server say, as errors that a person can act on and that hold no row values.

use std::{io, path::Path};

use mysql_async::{DriverError, Error, IoError, ServerError};
use sync_core::{
    error::{SourceError, SourceErrorKind, SourcePart},
    sql::{RenderedSql, SqlTemplate, TextPosition, Token, TokenKind, tokens},
};

use crate::{mask::masked, options::ConnectOptions};

/// Knows what the user wrote, and so what may be repeated to them.
#[derive(Clone, Debug)]
pub(crate) struct Explainer {
    address: String,
    template: SqlTemplate,
    query_line: usize,
    /// The user named a table, and the SQL is ours.
    table: Option<String>,
    /// Names from the configuration: the database, key and mapped columns.
    names: Vec<String>,
}

/// SQL as it was sent, and where the user's query lies in it.
#[derive(Clone, Debug)]
pub(crate) struct SentSql {
    pub(crate) sql: String,
    /// Bytes before the user's query.
    pub(crate) query_offset: usize,
    pub(crate) rendered: RenderedSql,
}

impl Explainer {
    pub(crate) fn new(
        options: &ConnectOptions,
        template: SqlTemplate,
        query_line: usize,
        columns: impl IntoIterator<Item = String>,
    ) -> Self {
        let mut names: Vec<String> = columns.into_iter().collect();
        names.push(options.database.clone());
        Self { address: options.address(), template, query_line, table: None, names }
    }

    /// The explainer for a table, whose SQL the user has not seen.
    #[must_use]
    pub(crate) fn of_table(mut self, table: &str) -> Self {
        self.names.extend(table.split('.').map(str::to_owned));
        self.table = Some(table.to_owned());
        self
    }

    /// Something went wrong while connecting.
    pub(crate) fn connecting(&self, error: &Error) -> SourceError {
        match error {
            Error::Server(said) => self.server(said, None),
            Error::Io(IoError::Tls(tls)) => self.tls(tls),
            Error::Io(IoError::Io(io)) => match inner_tls(io) {
                Some(tls) => self.tls(tls),
                None => self.unreachable(io),
            },
            Error::Driver(driver) => self.driver(driver),
            Error::Other(_) | Error::Url(_) => self.garbled(),
        }
    }

    /// Something went wrong on an open connection.
    pub(crate) fn reading(&self, error: &Error, sent: Option<&SentSql>) -> SourceError {
        match error {
            Error::Server(said) => self.server(said, sent),
            Error::Io(_) => self.interrupted(),
            Error::Driver(driver) => self.driver(driver),
            Error::Other(_) | Error::Url(_) => self.garbled(),
        }
    }

    pub(crate) fn interrupted(&self) -> SourceError {
        SourceError {
            about: SourcePart::Whole,
            kind: SourceErrorKind::Interrupted,
            message: format!("the connection to MySQL at {} broke while reading", self.address),
            remedy: "run again: nothing that was read is lost, and the position has not moved"
                .to_owned(),
        }
    }

    pub(crate) fn silent(&self, seconds: u64) -> SourceError {
        SourceError {
            about: SourcePart::Whole,
            kind: SourceErrorKind::Interrupted,
            message: format!("MySQL at {} said nothing for {seconds} seconds", self.address),
            remedy: "look at the server's load and at SHOW PROCESSLIST, then run again".to_owned(),
        }
    }

    pub(crate) fn no_connection_in(&self, seconds: u64) -> SourceError {
        SourceError {
            about: SourcePart::Whole,
            kind: SourceErrorKind::Unreachable,
            message: format!("MySQL at {} did not answer within {seconds} seconds", self.address),
            remedy: UNREACHABLE_REMEDY.to_owned(),
        }
    }

    /// A cell is not what its column's type says.
    pub(crate) fn bad_cell(column: &str) -> SourceError {
        SourceError {
            about: SourcePart::Whole,
            kind: SourceErrorKind::Protocol,
            message: format!(
                "the server sent a value of column `{column}` in a form it should not have"
            ),
            remedy: "CAST the column to CHAR in the query, and report this".to_owned(),
        }
    }

    /// The user's SQL cannot work; `at` is a place in the query.
    pub(crate) fn sql(&self, message: &str, at: Option<TextPosition>, remedy: &str) -> SourceError {
        SourceError {
            kind: SourceErrorKind::Sql,
            message: format!("{message}{}", self.place_in_words(at)),
            remedy: remedy.to_owned(),
            about: at.map(SourcePart::Query).unwrap_or_default(),
        }
    }

    fn unreachable(&self, error: &io::Error) -> SourceError {
        SourceError {
            about: SourcePart::Whole,
            kind: SourceErrorKind::Unreachable,
            message: format!("MySQL at {} could not be reached: {}", self.address, io_words(error)),
            remedy: UNREACHABLE_REMEDY.to_owned(),
        }
    }

    pub(crate) fn tls(&self, error: &dyn std::error::Error) -> SourceError {
        SourceError {
            about: SourcePart::Whole,
            kind: SourceErrorKind::Tls,
            message: format!("no secure connection to MySQL at {}: {error}", self.address),
            remedy:
                "check MYSQL_SSL_CA and that MYSQL_HOST is a name in the server's certificate; \
                     MYSQL_SSL_MODE=required encrypts without checking it"
                    .to_owned(),
        }
    }

    pub(crate) fn no_authority(file: &Path, error: &io::Error) -> SourceError {
        SourceError {
            about: SourcePart::Whole,
            kind: SourceErrorKind::Tls,
            message: format!("`{}` cannot be read: {}", file.display(), io_words(error)),
            remedy: "let MYSQL_SSL_CA name a PEM file with the authority's certificate".to_owned(),
        }
    }

    fn driver(&self, error: &DriverError) -> SourceError {
        match error {
            DriverError::NoClientSslFlagFromServer => SourceError {
                about: SourcePart::Whole,
                kind: SourceErrorKind::Tls,
                message: format!(
                    "MySQL at {} offers no TLS, and this connection demands it",
                    self.address
                ),
                remedy:
                    "turn TLS on in the server, or set MYSQL_SSL_MODE=preferred if the network \
                         between is your own"
                        .to_owned(),
            },
            DriverError::UnknownAuthPlugin { .. }
            | DriverError::CleartextPluginDisabled
            | DriverError::MysqlOldPasswordDisabled => SourceError {
                about: SourcePart::Whole,
                kind: SourceErrorKind::AccessDenied,
                message: format!(
                    "MySQL at {} asks for a way of authentication that this program does not have",
                    self.address
                ),
                remedy: "give the user caching_sha2_password, mysql_native_password or ed25519"
                    .to_owned(),
            },
            DriverError::ConnectionClosed => self.interrupted(),
            DriverError::CantParseServerVersion { .. }
            | DriverError::FromValue { .. }
            | DriverError::FromRow { .. }
            | DriverError::Params(_)
            | DriverError::MixedParams
            | DriverError::NestedTransaction
            | DriverError::PacketOutOfOrder
            | DriverError::PoolDisconnected
            | DriverError::ReadOnlyTransNotSupported
            | DriverError::StmtParamsMismatch { .. }
            | DriverError::StmtParamsNumberExceedsLimit { .. }
            | DriverError::UnexpectedPacket { .. }
            | DriverError::PacketTooLarge
            | DriverError::BadCompressedPacketHeader
            | DriverError::NamedPipesDisabled
            | DriverError::LocalInfile(_)
            | DriverError::NoKeyFound
            | DriverError::InvalidParsecSalt
            | DriverError::BulkExecute(_) => self.garbled(),
        }
    }

    pub(crate) fn garbled(&self) -> SourceError {
        SourceError {
            about: SourcePart::Whole,
            kind: SourceErrorKind::Protocol,
            message: format!("the answer of MySQL at {} could not be understood", self.address),
            remedy: "check that MYSQL_HOST and MYSQL_PORT lead to a MySQL or MariaDB server"
                .to_owned(),
        }
    }

    fn server(&self, said: &ServerError, sent: Option<&SentSql>) -> SourceError {
        let mut kind = kind(said.code);
        let code = said.code;
        let address = &self.address;
        let mut about = SourcePart::Whole;
        let (message, remedy) = match kind {
            SourceErrorKind::AccessDenied => (
                format!("MySQL at {address} refuses the user or the password (error {code})"),
                "check MYSQL_USER and MYSQL_PASSWORD, and that the user may connect from this host",
            ),
            SourceErrorKind::UnknownDatabase => (
                format!(
                    "MySQL at {address} does not know the database, or hides it from this user (error {code})"
                ),
                "check MYSQL_DATABASE, and GRANT SELECT on it to the user",
            ),
            SourceErrorKind::Unreachable => (
                format!("MySQL at {address} takes no more connections (error {code})"),
                "free connections on the server or raise max_connections, then run again",
            ),
            SourceErrorKind::Tls => (
                format!("MySQL at {address} demands TLS (error {code})"),
                "unset MYSQL_SSL_MODE, or set it to required",
            ),
            SourceErrorKind::MissingPrivilege => (
                format!("a right is missing: {} (error {code})", self.words(said)),
                "GRANT SELECT on the tables of the query to the user",
            ),
            SourceErrorKind::Interrupted => (
                format!("the server stopped the read: {} (error {code})", self.words(said)),
                "run again: nothing that was read is lost, and the position has not moved",
            ),
            SourceErrorKind::Sql
            | SourceErrorKind::MissingColumn
            | SourceErrorKind::Protocol
            | SourceErrorKind::LogSettings
            | SourceErrorKind::PositionLost => {
                let at = self.place(said, sent);
                about = at.map(SourcePart::Query).unwrap_or_default();
                let (subject, remedy) = match &self.table {
                    Some(table) => (
                        format!("MySQL cannot read table `{table}`"),
                        "correct `source.table`, `source.where` or the names of columns",
                    ),
                    None => (
                        "MySQL does not accept the query".to_owned(),
                        "correct `source.query`; try it in a MySQL client first",
                    ),
                };
                (
                    format!(
                        "{subject}: {} (error {code}){}",
                        self.words(said),
                        self.place_in_words(at)
                    ),
                    remedy,
                )
            }
        };
        // Of a table, the columns are those of the mapping.
        if let Some(column) = self.unknown_column(said) {
            kind = SourceErrorKind::MissingColumn;
            about = SourcePart::Columns(vec![column]);
        }
        SourceError { kind, message, remedy: remedy.to_owned(), about }
    }

    /// The column of the mapping that the source table does not have.
    fn unknown_column(&self, said: &ServerError) -> Option<String> {
        if said.code != ER_BAD_FIELD || self.table.is_none() {
            return None;
        }
        let named = said.message.split('\'').nth(1)?;
        let column = named.rsplit('.').next()?;
        self.names.iter().find(|name| name.as_str() == column).cloned()
    }

    /// The server's words without row values.
    fn words(&self, said: &ServerError) -> String {
        // A message that a trigger or a routine wrote may say anything.
        if said.code == ER_SIGNAL_EXCEPTION || said.state.starts_with("45") {
            return "a routine on the server raised an error of its own".to_owned();
        }
        masked(&said.message, |text| self.is_known(text))
    }

    fn is_known(&self, text: &str) -> bool {
        let query = self.template.text();
        query.contains(text)
            || text.split('.').all(|part| {
                query.contains(part)
                    || self.names.iter().any(|name| name.eq_ignore_ascii_case(part))
            })
    }

    /// Where in the user's query the server's complaint points.
    fn place(&self, said: &ServerError, sent: Option<&SentSql>) -> Option<TextPosition> {
        let query = Some(self.template.text()).filter(|_| self.table.is_none())?;
        let offset = match near(&said.message) {
            Some((piece, line)) => sent?.source_offset_of(piece, line)?,
            None => named_in(&said.message, query)?,
        };
        Some(TextPosition::of(query, offset))
    }

    fn place_in_words(&self, at: Option<TextPosition>) -> String {
        at.map_or_else(String::new, |at| {
            let file_line = self.query_line + at.line - 1;
            format!(
                " (line {} of the query, column {}; line {file_line} of the file)",
                at.line, at.column
            )
        })
    }
}

impl SentSql {
    /// The user's query, sent as it is.
    pub(crate) fn plain(rendered: RenderedSql) -> Self {
        Self { sql: rendered.sql.clone(), query_offset: 0, rendered }
    }

    /// The offset in the user's query of `piece`, which begins in `line` of what was sent.
    fn source_offset_of(&self, piece: &str, line: usize) -> Option<usize> {
        let line_start: usize = self.sql.split_inclusive('\n').take(line - 1).map(str::len).sum();
        let offset = if piece.is_empty() {
            self.query_offset + self.rendered.sql.trim_end().len()
        } else {
            let from = self.sql.get(line_start..)?;
            // MariaDB shortens long pieces, and says so.
            let found = from.find(piece).or_else(|| from.find(piece.strip_suffix("...")?))?;
            line_start + found
        };
        let inside = offset.checked_sub(self.query_offset)?;
        (inside <= self.rendered.sql.len()).then(|| self.rendered.source_offset(inside))
    }
}

const UNREACHABLE_REMEDY: &str =
    "check MYSQL_HOST and MYSQL_PORT, that the server runs and that no firewall is between";

/// The server's number for a column that is not there.
const ER_BAD_FIELD: u16 = 1054;

/// `SIGNAL` without a number of its own.
const ER_SIGNAL_EXCEPTION: u16 = 1644;

/// What a server's error number means for us.
fn kind(code: u16) -> SourceErrorKind {
    match code {
        // Wrong user, password or host; expired or locked account; unknown authentication.
        1045 | 1130 | 1251 | 1524 | 1698 | 1820 | 1862 | 3118 | 4151 => {
            SourceErrorKind::AccessDenied
        }
        1044 | 1046 | 1049 => SourceErrorKind::UnknownDatabase,
        1142 | 1143 | 1227 | 1370 | 1419 => SourceErrorKind::MissingPrivilege,
        1040 | 1129 | 1203 | 1226 => SourceErrorKind::Unreachable,
        3159 => SourceErrorKind::Tls,
        // Shutdown, network, locks, KILL, changed table, time limits.
        1053
        | 1079
        | 1152
        | 1158..=1161
        | 1184
        | 1205
        | 1213
        | 1317
        | 1412
        | 1615
        | 1836
        | 1927
        | 1969
        | 3024
        | 3168
        | 3169
        | 4031 => SourceErrorKind::Interrupted,
        _ => SourceErrorKind::Sql,
    }
}

/// The TLS error inside an I/O error, where the handshake failed.
fn inner_tls(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// The kind of an I/O error and nothing else: its own text may come from anywhere.
fn io_words(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(
        || error.kind().to_string(),
        |code| io::Error::from_raw_os_error(code).to_string(),
    )
}

/// The piece of SQL and its line in `near '...' at line N`.
fn near(message: &str) -> Option<(&str, usize)> {
    let (_, from) = message.split_once("near '")?;
    let (piece, line) = from.rsplit_once("' at line ")?;
    Some((piece, line.trim().parse().ok().filter(|line| *line > 0)?))
}

/// The offset in `query` of the first name that the message quotes.
fn named_in(message: &str, query: &str) -> Option<usize> {
    let (_, from) = message.split_once('\'')?;
    let (name, _) = from.split_once('\'')?;
    let name = name.rsplit('.').next().filter(|name| !name.is_empty())?;
    let is_name = |token: &Token<'_>| match token.kind {
        TokenKind::Word => token.text.eq_ignore_ascii_case(name),
        TokenKind::QuotedName => token.text.trim_matches('`').eq_ignore_ascii_case(name),
        TokenKind::Space
        | TokenKind::Comment
        | TokenKind::String
        | TokenKind::Number
        | TokenKind::Parameter
        | TokenKind::Symbol
        | TokenKind::Unclosed => false,
    };
    tokens(query).iter().find(|token| is_name(token)).map(|token| token.offset)
}

#[cfg(test)]
mod tests {
    use sync_core::secret::Secret;

    use super::*;

    const QUERY: &str = "SELECT id,\n  colour\nFROM shop.things\nWHERE u > :last_sync_time OR 1";

    fn explainer() -> Explainer {
        let options = ConnectOptions::new("db", "planted-user", Secret::new("planted"), "shop");
        let template = SqlTemplate::parse(QUERY).unwrap();
        Explainer::new(&options, template, 40, ["id".to_owned()])
    }

    fn said(code: u16, message: &str) -> Error {
        Error::Server(ServerError { code, message: message.into(), state: "HY000".into() })
    }

    fn reading(code: u16, message: &str) -> SourceError {
        let rendered = SqlTemplate::parse(QUERY).unwrap().render(None);
        explainer().reading(&said(code, message), Some(&SentSql::plain(rendered)))
    }

    /// Catches: an error whose words nobody has read.
    #[test]
    fn every_error_is_said_in_reviewed_words() {
        let explainer = explainer();
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let table = self::explainer().of_table("shop.things");
        let plugin = DriverError::UnknownAuthPlugin { name: "dialog".to_owned() };
        let errors = [
            explainer.connecting(&Error::Io(IoError::Io(refused))),
            explainer.no_connection_in(20),
            explainer.connecting(&said(1040, "Too many connections")),
            explainer.connecting(&said(1045, "Access denied for user 'planted-user'@'db'")),
            explainer.connecting(&Error::Driver(plugin)),
            explainer.connecting(&said(1049, "Unknown database 'shop'")),
            explainer
                .connecting(&said(3159, "Connections using insecure transport are prohibited")),
            explainer.connecting(&Error::Driver(DriverError::NoClientSslFlagFromServer)),
            Explainer::no_authority(Path::new("ca.pem"), &io::Error::from(io::ErrorKind::NotFound)),
            reading(1142, "SELECT command denied to user 'planted-user'@'db' for table 'things'"),
            reading(1146, "Table 'shop.thing' doesn't exist"),
            table.reading(&said(1054, "Unknown column 'q.id' in 'field list'"), None),
            reading(1317, "Query execution was interrupted"),
            explainer.interrupted(),
            explainer.silent(60),
            explainer.garbled(),
            Explainer::bad_cell("colour"),
        ];
        let said: Vec<String> = errors
            .iter()
            .map(|error| format!("{}: {}\n    {}", error.kind.code(), error.message, error.remedy))
            .collect();
        let said = said.join("\n");
        assert!(!said.contains("planted"), "{said}");
        insta::assert_snapshot!(said);
    }

    #[test]
    fn a_syntax_error_is_placed_in_the_users_query() {
        let error = reading(1064, "You have an error; near 'OR 1' at line 4");
        assert_eq!(error.kind, SourceErrorKind::Sql);
        assert!(
            error.message.ends_with("(line 4 of the query, column 27; line 43 of the file)"),
            "{}",
            error.message
        );
        let shortened = reading(1064, "near 'things\nWHERE u > ...' at line 3");
        assert!(shortened.message.contains("line 3 of the query, column 11"), "{shortened}");
        let at_end = reading(1064, "You have an error; near '' at line 4");
        assert!(at_end.message.contains("line 4 of the query, column 31"), "{}", at_end.message);
    }

    #[test]
    fn a_wrapped_query_keeps_its_own_lines() {
        let rendered = SqlTemplate::parse(QUERY).unwrap().render(None);
        let prefix = "SELECT q.id\nFROM (\n";
        let sent = SentSql {
            sql: format!("{prefix}{}\n) q", rendered.sql),
            query_offset: prefix.len(),
            rendered,
        };
        let error = explainer().reading(&said(1064, "near 'OR 1\n) q' at line 6"), Some(&sent));
        assert!(error.message.contains("(line 4 of the query, column 27;"), "{}", error.message);
        let outside = explainer().reading(&said(1064, "near 'FROM (' at line 2"), Some(&sent));
        assert!(!outside.message.contains("of the query"), "{}", outside.message);
    }

    #[test]
    fn an_unknown_column_is_found_in_the_query() {
        let error = reading(1054, "Unknown column 'q.colour' in 'field list'");
        assert!(error.message.contains("line 2 of the query, column 3;"), "{}", error.message);
    }

    #[test]
    fn no_message_holds_row_values_or_credentials() {
        for (code, message) in [
            (1292, "Incorrect datetime value: 'planted' for column 'x' at row 1"),
            (1062, "Duplicate entry 'planted' for key 'PRIMARY'"),
            (1045, "Access denied for user 'planted-user'@'planted' (using password: YES)"),
            (1044, "Access denied for user 'planted-user'@'%' to database 'planted'"),
            (1142, "SELECT command denied to user 'planted-user'@'h' for table 'things'"),
            (1644, "planted, says a trigger"),
            (1064, "near 'planted' at line 1"),
            (1317, "Query execution was interrupted 'planted'"),
        ] {
            for error in [reading(code, message), explainer().connecting(&said(code, message))] {
                let shown = format!("{error:?} {error}");
                assert!(!shown.contains("planted"), "{shown}");
                assert!(shown.contains(&code.to_string()), "{shown}");
            }
        }
    }

    #[test]
    fn numbers_become_kinds() {
        for (code, kind) in [
            (1045, SourceErrorKind::AccessDenied),
            (1049, SourceErrorKind::UnknownDatabase),
            (1142, SourceErrorKind::MissingPrivilege),
            (1040, SourceErrorKind::Unreachable),
            (1317, SourceErrorKind::Interrupted),
            (1969, SourceErrorKind::Interrupted),
            (3159, SourceErrorKind::Tls),
            (1146, SourceErrorKind::Sql),
        ] {
            assert_eq!(reading(code, "x").kind, kind, "{code}");
        }
    }

    #[test]
    fn broken_connections_are_named_by_the_moment() {
        let refused = Error::Io(IoError::Io(io::Error::from(io::ErrorKind::ConnectionRefused)));
        assert_eq!(explainer().connecting(&refused).kind, SourceErrorKind::Unreachable);
        assert_eq!(explainer().reading(&refused, None).kind, SourceErrorKind::Interrupted);
        let no_tls = Error::Driver(DriverError::NoClientSslFlagFromServer);
        assert_eq!(explainer().connecting(&no_tls).kind, SourceErrorKind::Tls);
    }
}
