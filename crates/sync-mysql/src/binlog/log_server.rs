//! What a server says of itself and its log: who it is, whether its log can be followed, how far it is.

use std::collections::BTreeMap;

use sync_core::error::{SourceError, SourceErrorKind, SourcePart};

use super::{
    gtid::{GtidSet, GtidState, Gtids},
    position::Position,
};
use crate::{
    server::Flavour,
    session::{Session, TextRow},
};

/// What of a server's settings matters.
const VARIABLES: &str = "'log_bin', 'binlog_format', 'binlog_row_image', 'server_id', 'server_uuid', 'gtid_mode', \
     'hostname', 'port', 'binlog_expire_logs_seconds', 'expire_logs_days', 'innodb_native_foreign_keys', \
     'log_slave_updates', 'log_replica_updates', 'wsrep_on'";

/// How long to wait until no table is locked. Meanwhile nobody may write.
const LOCK_PATIENCE_SECONDS: u32 = 2;

/// A server whose log is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogServer {
    /// Its family.
    pub(crate) flavour: Flavour,
    /// Names it among all servers: its UUID, or what MariaDB has instead.
    pub(crate) identity: String,
    /// Whether its transactions have names.
    pub(crate) has_gtids: bool,
    /// Whether every image of a row shows every column.
    pub(crate) has_full_images: bool,
    /// Whether rows that a foreign key changes are in the log too.
    pub(crate) logs_cascades: bool,
    /// Seconds after which it deletes its log files; `None`: never, or not known.
    pub(crate) retention: Option<u64>,
    /// Databases of which alone it logs rows, and those of which it logs none, as far as the user may see that.
    pub(crate) databases: LoggedDatabases,
    format: String,
    is_on: bool,
    /// Whether it logs what it gets from another server.
    logs_received: bool,
    /// Whether it gets changes from another server, as far as the user may see that.
    receives: bool,
    /// Whether it is a node of a Galera cluster.
    is_node: bool,
}

/// Which databases a server logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LoggedDatabases {
    /// `binlog_do_db`: these alone, unless there are none.
    only: Vec<String>,
    /// `binlog_ignore_db`: none of these.
    without: Vec<String>,
}

impl LoggedDatabases {
    /// Lists as the server shows them, with commas between.
    fn of(only: &str, without: &str) -> Self {
        let names = |list: &str| {
            list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
        };
        Self { only: names(only), without: names(without) }
    }

    /// Whether rows of a database are in the log.
    ///
    /// # Errors
    /// They are not; with what to set.
    pub(crate) fn check(&self, database: &str) -> Result<(), SourceError> {
        let holds = |list: &[String]| list.iter().any(|name| name.eq_ignore_ascii_case(database));
        let setting = if !self.only.is_empty() && !holds(&self.only) {
            "binlog_do_db"
        } else if self.only.is_empty() && holds(&self.without) {
            "binlog_ignore_db"
        } else {
            return Ok(());
        };
        refused(
            &format!("the server leaves database `{database}` out of its binlog ({setting})"),
            &format!(
                "change {setting} in the server's configuration and restart it, or use `capture: query`"
            ),
        )
    }
}

fn refused(message: &str, remedy: &str) -> Result<(), SourceError> {
    Err(SourceError {
        about: SourcePart::Whole,
        kind: SourceErrorKind::LogSettings,
        message: message.to_owned(),
        remedy: remedy.to_owned(),
    })
}

impl LogServer {
    /// Asks. Needs no right, though without REPLICATION CLIENT less is seen.
    pub(crate) async fn ask(session: &mut Session) -> Result<Self, SourceError> {
        let sql = format!("SHOW GLOBAL VARIABLES WHERE Variable_name IN ({VARIABLES})");
        let mut variables = BTreeMap::new();
        for row in session.rows(&sql).await? {
            if let [Some(name), Some(value)] = row.as_slice() {
                variables.insert(name.to_ascii_lowercase(), value.clone());
            }
        }
        let mut server = Self::of(session.version().flavour, &variables);
        if server.is_on {
            let row = first_row(session, &["SHOW BINARY LOG STATUS", "SHOW MASTER STATUS"]).await?;
            if let Some([_, _, only, without, ..]) = row.as_deref() {
                let list = |cell: &Option<String>| cell.clone().unwrap_or_default();
                server.databases = LoggedDatabases::of(&list(only), &list(without));
            }
            if !server.logs_received && !server.receives {
                let statements = ["SHOW REPLICA STATUS", "SHOW SLAVE STATUS"];
                let running = "SHOW GLOBAL STATUS LIKE 'Slaves_running'";
                server.receives = first_row(session, &statements).await?.is_some()
                    // MariaDB tells everybody so much, while it runs.
                    || first_row(session, &[running]).await?.is_some_and(|row| {
                        row.get(1).is_some_and(|count| count.as_deref() != Some("0"))
                    });
            }
        }
        Ok(server)
    }

    fn of(flavour: Flavour, variables: &BTreeMap<String, String>) -> Self {
        let value = |name: &str| variables.get(name).map_or("", String::as_str);
        let is = |name: &str, wanted: &str| value(name).eq_ignore_ascii_case(wanted);
        let seconds: u64 = value("binlog_expire_logs_seconds").parse().unwrap_or(0);
        let days: f64 = value("expire_logs_days").parse().unwrap_or(0.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float becomes the nearest number there is"
        )]
        let of_days = (days * 86_400.0) as u64;
        Self {
            flavour,
            identity: match flavour {
                Flavour::MySql => value("server_uuid").to_owned(),
                Flavour::MariaDb => {
                    format!("{}@{}:{}", value("server_id"), value("hostname"), value("port"))
                }
            },
            has_gtids: match flavour {
                Flavour::MariaDb => true,
                Flavour::MySql => is("gtid_mode", "ON"),
            },
            has_full_images: !is("binlog_row_image", "MINIMAL")
                && !is("binlog_row_image", "NOBLOB"),
            logs_cascades: is("innodb_native_foreign_keys", "OFF"),
            retention: Some(if seconds > 0 { seconds } else { of_days }).filter(|age| *age > 0),
            format: value("binlog_format").to_owned(),
            is_on: is("log_bin", "ON") || value("log_bin") == "1",
            databases: LoggedDatabases::default(),
            logs_received: !is("log_slave_updates", "OFF") && !is("log_replica_updates", "OFF"),
            receives: is("wsrep_on", "ON"),
            is_node: is("wsrep_on", "ON"),
        }
    }

    /// Whether its log can be followed.
    ///
    /// # Errors
    /// It cannot; with what to set.
    pub(crate) fn check(&self) -> Result<(), SourceError> {
        if !self.is_on {
            return refused(
                "the server writes no binlog",
                "start the server with log_bin, server_id and binlog_format=ROW, or use `capture: query`",
            );
        }
        if !self.format.is_empty() && !self.format.eq_ignore_ascii_case("ROW") {
            return refused(
                &format!(
                    "the server writes statements into its binlog (binlog_format={})",
                    self.format
                ),
                "SET GLOBAL binlog_format = ROW, set it in the server's configuration too, and let applications connect anew",
            );
        }
        if self.receives && !self.logs_received {
            return refused(
                "the server is a replica and does not log what it gets from its source (log_slave_updates is OFF)",
                "set log_slave_updates (MySQL: log_replica_updates) in the server's configuration and restart it, or \
                 connect to the source itself; where it is no replica any more, RESET REPLICA ALL",
            );
        }
        Ok(())
    }

    /// How far the server's log is; for a server without names this needs REPLICATION CLIENT, and is `None` without.
    pub(crate) async fn newest(
        &self,
        session: &mut Session,
    ) -> Result<Option<Position>, SourceError> {
        if !self.has_gtids {
            return match status(session).await {
                Ok((file, offset)) => Ok(Some(self.at(file, offset, None))),
                Err(error) if is_refusal(&error) => Ok(None),
                Err(error) => Err(error),
            };
        }
        let gtids = match self.flavour {
            Flavour::MariaDb => {
                let text = session.cell("SELECT @@global.gtid_binlog_pos").await?;
                Gtids::MariaDb(parsed(text)?)
            }
            Flavour::MySql => {
                let text = session.cell("SELECT @@global.gtid_executed").await?;
                Gtids::MySql(parsed(text)?)
            }
        };
        Ok(Some(self.at(String::new(), 4, Some(gtids))))
    }

    pub(crate) fn at(&self, file: String, offset: u64, gtids: Option<Gtids>) -> Position {
        let server = self.identity.clone();
        Position { server, file, offset, begun: None, gtids, is_unsure: false }
    }

    /// A position as one of this server's log. One of another server keeps its transactions and loses its place.
    ///
    /// MariaDB's servers have no name that is theirs alone, but those that replicate each other have different numbers. So
    /// one of the same number is this one, which was moved with its log; or it was made anew from a copy, and then its
    /// files tell that. Only nodes of a cluster may share a number, each with a log of its own.
    pub(crate) fn own(&self, position: Position) -> Position {
        let number = |identity: &str| Some(identity.split_once('@')?.0.to_owned());
        let is_same = number(&self.identity).is_some()
            && number(&self.identity) == number(&position.server)
            && !self.is_node;
        if position.gtids.is_none() {
            // Without names its place is all that it has.
            return position;
        }
        if is_same {
            return Position { server: self.identity.clone(), ..position };
        }
        position.on(&self.identity)
    }

    /// A position such that every snapshot opened from now on shows everything before it.
    ///
    /// The newest position of the log is none: a transaction is in the log before it can be seen.
    pub(crate) async fn place(&self, session: &mut Session) -> Result<Position, SourceError> {
        if self.flavour == Flavour::MariaDb {
            session.run("START TRANSACTION WITH CONSISTENT SNAPSHOT").await?;
            let (file, offset) = snapshot_status(session).await?;
            session.run("COMMIT").await?;
            let state = mariadb_state(session, &file, offset).await?;
            return Ok(self.at(file, offset, Some(Gtids::MariaDb(state))));
        }
        if self.has_gtids {
            // Asked before a snapshot opens: what is in the set can be seen.
            let set: GtidSet = parsed(session.cell("SELECT @@global.gtid_executed").await?)?;
            return Ok(self.at(String::new(), 4, Some(Gtids::MySql(set))));
        }
        session.run(&format!("SET SESSION lock_wait_timeout = {LOCK_PATIENCE_SECONDS}")).await?;
        match session.run("FLUSH TABLES WITH READ LOCK").await {
            Ok(()) => {
                let (file, offset) = status(session).await?;
                session.run("UNLOCK TABLES").await?;
                Ok(self.at(file, offset, None))
            }
            // `Interrupted`: a long query kept the lock from being had in time. A lost connection shows once more, at once.
            Err(error) if is_refusal(&error) || error.kind == SourceErrorKind::Interrupted => {
                // Nothing says when what stands there can be seen. It will be, soon; and everything is read once more
                // when the log has been followed to here.
                let (file, offset) = status(session).await?;
                session.run("DO SLEEP(2)").await?;
                Ok(Position { is_unsure: true, ..self.at(file, offset, None) })
            }
            Err(error) => Err(error),
        }
    }
}

/// MariaDB's names of the transactions before a place in its log.
pub(crate) async fn mariadb_state(
    session: &mut Session,
    file: &str,
    offset: u64,
) -> Result<GtidState, SourceError> {
    let file = crate::key_literal::text_literal(file);
    parsed(session.cell(&format!("SELECT BINLOG_GTID_POS({file}, {offset})")).await?)
}

/// The place in the log up to which the open snapshot shows everything, and nothing more. MariaDB and Percona.
pub(crate) async fn snapshot_status(session: &mut Session) -> Result<(String, u64), SourceError> {
    let rows = session.rows("SHOW STATUS LIKE 'binlog_snapshot_%'").await?;
    let value = |wanted: &str| {
        rows.iter().find_map(|row| match row.as_slice() {
            [Some(name), Some(value)] if name.eq_ignore_ascii_case(wanted) => Some(value.clone()),
            _ => None,
        })
    };
    let (Some(file), Some(offset)) =
        (value("binlog_snapshot_file"), value("binlog_snapshot_position"))
    else {
        return Err(session.explainer().garbled());
    };
    let offset = offset.parse().map_err(|_| session.explainer().garbled())?;
    Ok((file, offset))
}

/// The first row of the first statement that the server knows; `None` where there is none, or the user may not see it.
async fn first_row(
    session: &mut Session,
    statements: &[&str],
) -> Result<Option<TextRow>, SourceError> {
    for statement in statements {
        match session.rows(statement).await {
            Ok(rows) => return Ok(rows.into_iter().next()),
            Err(error) if is_refusal(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// File and offset of the log's end.
async fn status(session: &mut Session) -> Result<(String, u64), SourceError> {
    let mut last = session.explainer().garbled();
    for statement in ["SHOW BINARY LOG STATUS", "SHOW MASTER STATUS"] {
        match session.rows(statement).await {
            Ok(rows) => {
                let row = rows.into_iter().next().unwrap_or_default();
                if let [Some(file), Some(offset), ..] = row.as_slice() {
                    let offset = offset.parse().map_err(|_| session.explainer().garbled())?;
                    return Ok((file.clone(), offset));
                }
            }
            Err(error) if error.kind == SourceErrorKind::Sql => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

fn parsed<T: std::str::FromStr>(text: Option<String>) -> Result<T, SourceError> {
    let text = text.unwrap_or_default();
    text.parse().map_err(|_| SourceError {
        about: SourcePart::Whole,
        kind: SourceErrorKind::Protocol,
        message: "the server names its transactions in a form that is not known".to_owned(),
        remedy: "please report this with the server's version".to_owned(),
    })
}

fn is_refusal(error: &SourceError) -> bool {
    matches!(
        error.kind,
        SourceErrorKind::MissingPrivilege | SourceErrorKind::Sql | SourceErrorKind::AccessDenied
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(flavour: Flavour, variables: &[(&str, &str)]) -> LogServer {
        let variables =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        LogServer::of(flavour, &variables.collect())
    }

    /// Catches: words about the log that nobody has read.
    #[test]
    fn what_keeps_the_log_from_being_followed_is_said_in_reviewed_words() {
        use crate::binlog::log_failure::position_lost;
        let refusals: [&[(&str, &str)]; 3] = [
            &[("log_bin", "OFF")],
            &[("log_bin", "ON"), ("binlog_format", "MIXED")],
            &[("log_bin", "ON"), ("binlog_row_image", "NOBLOB")],
        ];
        let refused = refusals.iter().filter_map(|one| server(Flavour::MySql, one).check().err());
        let errors = refused.chain([position_lost("the server has purged binlog.000007")]);
        let said: Vec<String> = errors
            .map(|error| format!("{}: {}\n    {}", error.kind.code(), error.message, error.remedy))
            .collect();
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn settings_that_hide_rows_are_refused() {
        let check = |variables: &[(&str, &str)]| server(Flavour::MariaDb, variables).check();
        assert!(check(&[("log_bin", "ON"), ("binlog_format", "ROW")]).is_ok());
        assert!(check(&[("log_bin", "ON")]).is_ok(), "a server of tomorrow has no other format");
        for format in ["MIXED", "STATEMENT"] {
            let error = check(&[("log_bin", "ON"), ("binlog_format", format)]).unwrap_err();
            assert_eq!(error.kind, SourceErrorKind::LogSettings);
            assert!(error.message.contains(format) && error.remedy.contains("binlog_format = ROW"));
        }
        assert!(check(&[("log_bin", "OFF")]).is_err());
    }

    #[test]
    fn a_replica_that_keeps_what_it_gets_to_itself_is_refused() {
        let check = |name, value, receives| {
            let on = [("log_bin", "ON"), ("binlog_format", "ROW"), (name, value)];
            let mut server = server(Flavour::MariaDb, &on);
            server.receives |= receives;
            server.check()
        };
        for name in ["log_slave_updates", "log_replica_updates"] {
            assert!(check(name, "ON", true).is_ok());
            assert!(check(name, "OFF", false).is_ok());
            let error = check(name, "OFF", true).unwrap_err();
            assert!(error.message.contains("is a replica"), "{}", error.message);
            assert!(error.remedy.contains("log_slave_updates"), "{}", error.remedy);
        }
        // A node of a cluster gets what was written to the others.
        let node = [
            ("log_bin", "ON"),
            ("binlog_format", "ROW"),
            ("log_slave_updates", "OFF"),
            ("wsrep_on", "ON"),
        ];
        assert!(server(Flavour::MariaDb, &node).check().is_err());
    }

    #[test]
    fn a_database_that_is_not_logged_is_refused() {
        let check = |only, without| LoggedDatabases::of(only, without).check("shop");
        for (only, without) in [("", ""), ("a,Shop", ""), ("", "a,b"), ("shop", "shop")] {
            assert!(check(only, without).is_ok(), "{only} {without}");
        }
        for (only, without, setting) in
            [("a,b", "", "binlog_do_db"), ("", "a,shop", "binlog_ignore_db")]
        {
            let error = check(only, without).unwrap_err();
            assert_eq!(error.kind, SourceErrorKind::LogSettings);
            assert!(error.message.contains("`shop`") && error.message.contains(setting));
            assert!(error.remedy.contains(setting));
        }
    }

    #[test]
    fn retention_is_read_in_both_forms() {
        let age = |name, value| server(Flavour::MySql, &[(name, value)]).retention;
        assert_eq!(age("binlog_expire_logs_seconds", "2592000"), Some(2_592_000));
        assert_eq!(age("expire_logs_days", "1.500000"), Some(129_600));
        assert_eq!(age("expire_logs_days", "0"), None);
    }

    #[test]
    fn a_server_is_named_by_what_only_it_has() {
        let mysql = server(Flavour::MySql, &[("server_uuid", "u"), ("gtid_mode", "OFF")]);
        assert_eq!((mysql.identity.as_str(), mysql.has_gtids), ("u", false));
        let mariadb =
            server(Flavour::MariaDb, &[("server_id", "3"), ("hostname", "h"), ("port", "1")]);
        assert_eq!((mariadb.identity.as_str(), mariadb.has_gtids), ("3@h:1", true));
    }

    /// Catches: a server that was made anew from a copy and is taken for one that took over from the old.
    #[test]
    fn a_server_of_the_same_number_is_held_to_the_files_that_were_read() {
        let place = |server: &str| Position {
            server: server.into(),
            file: "b.000002".into(),
            offset: 400,
            begun: Some(7),
            gtids: Some(Gtids::MariaDb("0-1-400".parse().unwrap())),
            is_unsure: false,
        };
        let with = |more: (&str, &str)| {
            let variables = [("server_id", "3"), ("hostname", "h"), ("port", "1"), more];
            server(Flavour::MariaDb, &variables)
        };
        let alone = with(("wsrep_on", "OFF"));
        assert_eq!(alone.own(place("3@elsewhere:2")), place("3@h:1"));
        assert_eq!(alone.own(place("3@h:1")), place("3@h:1"));
        let found = alone.own(place("4@h:1"));
        assert_eq!((found.server.as_str(), found.file.as_str(), found.begun), ("3@h:1", "", None));
        assert_eq!(with(("wsrep_on", "ON")).own(place("3@elsewhere:2")).file, "");
        let mysql = server(Flavour::MySql, &[("server_uuid", "u")]);
        assert_eq!(mysql.own(place("v")).file, "");
        let nameless = Position { gtids: None, ..place("v") };
        assert_eq!(mysql.own(nameless.clone()), nameless);
    }
}
