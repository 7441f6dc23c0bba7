//! What can go wrong with the log, by what there is to do about it.

use mysql_async::{Error, ServerError};
use sync_core::error::{SourceError, SourceErrorKind, SourcePart};

use crate::explainer::Explainer;

/// Why the log is not read on.
#[derive(Clone, Debug)]
pub(crate) enum LogFailure {
    /// The connection is gone, or there is none: try again, for ever.
    Lost(SourceError),
    /// Another reader has the same number: try again under another one.
    Clash(SourceError),
    /// The server does not have the log from the position on any more.
    PositionLost(SourceError),
    /// Somebody must do something.
    Broken(SourceError),
}

/// Something is wrong with the binlog, or with what the server says of it.
const ER_MASTER_FATAL_ERROR_READING_BINLOG: u16 = 1236;
/// MariaDB: a newer reader with the same number came.
const ER_SLAVE_SAME_ID: u16 = 4052;

/// Why a position is lost that no log of the server's knows.
pub(crate) const SERVER_LACKS: &str =
    "the server lacks transactions that were read from it, or from another one, before";

impl LogFailure {
    /// What the driver says while the log is asked for or read.
    pub(crate) fn of(error: &Error, explainer: &Explainer) -> Self {
        match error {
            Error::Server(said) => Self::said(said, explainer),
            Error::Io(_) | Error::Driver(_) => Self::Lost(explainer.reading(error, None)),
            Error::Other(_) | Error::Url(_) => Self::Broken(explainer.garbled()),
        }
    }

    fn said(said: &ServerError, explainer: &Explainer) -> Self {
        match said.code {
            ER_SLAVE_SAME_ID => Self::Clash(clash()),
            ER_MASTER_FATAL_ERROR_READING_BINLOG => {
                let words = said.message.to_lowercase();
                if words.contains("server_uuid/server_id") || words.contains("same server_id") {
                    Self::Clash(clash())
                } else {
                    Self::PositionLost(position_lost(&said.message))
                }
            }
            // Access denied, after the connection itself was allowed.
            1044 | 1045 | 1142 | 1227 => Self::Broken(no_privilege()),
            _ => {
                let error = explainer.reading(&Error::Server(said.clone()), None);
                match error.kind {
                    SourceErrorKind::Interrupted | SourceErrorKind::Unreachable => {
                        Self::Lost(error)
                    }
                    _ => Self::Broken(error),
                }
            }
        }
    }

    /// The error itself.
    pub(crate) fn error(&self) -> &SourceError {
        match self {
            Self::Lost(error)
            | Self::Clash(error)
            | Self::PositionLost(error)
            | Self::Broken(error) => error,
        }
    }
}

impl From<SourceError> for LogFailure {
    fn from(error: SourceError) -> Self {
        match error.kind {
            SourceErrorKind::Unreachable | SourceErrorKind::Interrupted => Self::Lost(error),
            SourceErrorKind::PositionLost => Self::PositionLost(error),
            _ => Self::Broken(error),
        }
    }
}

/// The server does not have the log from the position on. `why` is the server's, and speaks of files and numbers.
pub(crate) fn position_lost(why: &str) -> SourceError {
    SourceError {
        about: SourcePart::Whole,
        kind: SourceErrorKind::PositionLost,
        message: format!("the position in the binlog is lost: {why}"),
        remedy: "set `on_position_lost: repair`, or run once with --full: everything is read and compared, and the log \
                 followed from there"
            .to_owned(),
    }
}

/// The log is another one than the position is of.
pub(crate) fn begun_anew() -> SourceError {
    position_lost(
        "the server's log is another one than was read before: it was deleted and begun anew (RESET MASTER or the like), \
         or the server is a new one",
    )
}

fn clash() -> SourceError {
    SourceError {
        about: SourcePart::Whole,
        kind: SourceErrorKind::Interrupted,
        message: "another reader of the binlog has the same server_id".to_owned(),
        remedy: "another number is taken by itself; look for a second copy of this program with a copy of its state"
            .to_owned(),
    }
}

fn no_privilege() -> SourceError {
    SourceError {
        about: SourcePart::Whole,
        kind: SourceErrorKind::MissingPrivilege,
        message: "a right is missing: the user may not read the binlog".to_owned(),
        remedy: "GRANT REPLICATION SLAVE ON *.* to the user".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use sync_core::{secret::Secret, sql::SqlTemplate};

    use super::*;
    use crate::options::ConnectOptions;

    fn said(code: u16, message: &str) -> LogFailure {
        let options = ConnectOptions::new("h", "u", Secret::new(""), "d");
        let template = SqlTemplate::parse("SELECT 1").unwrap();
        let explainer = Explainer::new(&options, template, 1, []);
        let error = ServerError { code, message: message.into(), state: "HY000".into() };
        LogFailure::of(&Error::Server(error), &explainer)
    }

    #[test]
    fn what_servers_say_has_one_meaning_each() {
        for message in [
            "Could not find first log file name in binary log index file",
            "Cannot replicate because the source purged required binary logs.",
            "Error: connecting slave requested to start from GTID 0-1-9, which is not in the master's binlog",
            "Client requested master to start replication from impossible position",
        ] {
            assert!(matches!(said(1236, message), LogFailure::PositionLost(_)), "{message}");
        }
        let twin = "A slave with the same server_uuid/server_id as this slave has connected";
        assert!(matches!(said(1236, twin), LogFailure::Clash(_)));
        assert!(matches!(said(4052, "x"), LogFailure::Clash(_)));
        assert!(matches!(said(1045, "Access denied"), LogFailure::Broken(error)
            if error.kind == SourceErrorKind::MissingPrivilege));
        assert!(matches!(said(1053, "Server shutdown in progress"), LogFailure::Lost(_)));
    }
}
