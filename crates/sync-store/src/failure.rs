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
