//! SQLite's errors in the words of the port.

use std::path::Path;

use rusqlite::ErrorCode;
use sync_core::state::StateError;

/// Translates an error; `path` names the file in it.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "SQLite's codes are an open set, of which only these have a remedy of their own"
)]
pub(crate) fn translate(error: &rusqlite::Error, path: &Path) -> StateError {
    let path = path.display().to_string();
    let reason = error.to_string();
    let Some(code) = error.sqlite_error_code() else {
        return StateError::Other(reason);
    };
    match code {
        ErrorCode::DiskFull => StateError::DiskFull,
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::FileLockingProtocolFailed => StateError::Busy,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            StateError::Corrupt { path, reason }
        }
        ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => {
            StateError::NotWritable { path, reason }
        }
        _ => StateError::Other(reason),
    }
}

/// What can go wrong inside a transaction: SQLite's own errors, or ours.
#[derive(Debug)]
pub(crate) enum Failure {
    Sqlite(rusqlite::Error),
    State(StateError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(_: serde_json::Error) -> Self {
        // serde_json's message may quote what it could not read.
        Self::State(StateError::Other("a stored draft or structure cannot be read".into()))
    }
}

impl Failure {
    pub(crate) fn into_state(self, path: &Path) -> StateError {
        match self {
            Self::Sqlite(error) => translate(&error, path),
            Self::State(error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, OpenFlags};

    use super::*;

    #[test]
    fn a_file_that_may_only_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        let connection =
            Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let error = connection.execute_batch("INSERT INTO t VALUES (1)").unwrap_err();
        let translated = translate(&error, &path);
        assert_eq!(translated.code(), "state_not_writable");
        assert!(translated.to_string().contains("readonly"), "{translated}");
    }

    #[test]
    fn what_a_draft_holds_is_not_quoted() {
        let error = serde_json::from_str::<i64>("\"secret\"").unwrap_err();
        let shown = Failure::from(error).into_state(Path::new("p")).to_string();
        assert!(!shown.contains("secret"), "{shown}");
    }
}
