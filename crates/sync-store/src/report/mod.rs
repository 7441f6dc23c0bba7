//! What the state says to those who only ask: `status`, the library's users, tests.
//!
//! A [`StateReader`] never changes the file, never migrates it, and keeps no writer waiting.

mod alerts;
mod calls;
mod effects;
mod key;
mod links;
mod pause;
mod promise;
mod quarantine;
mod run;
mod size;
mod statistics;
mod sync;

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Params, Row};
use sync_core::state::StateError;

use crate::{
    failure::translate,
    open::{VERSION, check_version, foreign, is_empty, not_writable},
    takeover,
};

pub use calls::CallCount;
pub use effects::Effect;
pub use key::{EntryReport, EntryStanding, KeyReport, LinkReport, LinkStanding};
pub use links::{LackingLinks, LinkDecision};
pub use quarantine::{QuarantineCount, QuarantineFilter, QuarantinedRow};
pub use run::RunReport;
pub use size::StateSize;
pub use statistics::SyncStatistics;
pub use sync::{DestinationReport, Holder, StreamReport, SyncReport};

/// Reading waits for nobody but a checkpoint, which is short.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A state file opened for reading. Each method sees the file as it is when it is called.
#[derive(Debug)]
pub struct StateReader {
    connection: Connection,
    path: PathBuf,
}

impl StateReader {
    /// Opens the file.
    ///
    /// # Errors
    /// [`StateError::Missing`] where there is no state yet, [`StateError::Older`] where the first run has still to
    /// take the file over or bring it up to date, [`StateError::Newer`], [`StateError::Corrupt`].
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let shown = || path.display().to_string();
        match std::fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                return Err(not_writable(path, &ErrorKind::IsADirectory.into()));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(StateError::Missing { path: shown() });
            }
            Err(error) => return Err(not_writable(path, &error)),
        }
        let translated = |error: rusqlite::Error| translate(&error, path);
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .map_err(translated)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(translated)?;
        let version = check_version(&connection, path)?;
        if version < VERSION {
            if is_empty(&connection).map_err(translated)? {
                return Err(StateError::Missing { path: shown() });
            }
            if version == 0 {
                let old = takeover::OldTables::find(&connection).map_err(translated)?;
                old.ok_or_else(|| foreign(path))?;
            }
            return Err(StateError::Older { path: shown(), found: version, known: VERSION });
        }
        Ok(Self { connection, path: path.to_owned() })
    }

    /// Every row of a query, each read by `read`.
    fn all<T>(
        &self,
        query: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StateError> {
        self.connection
            .prepare_cached(query)
            .and_then(|mut select| select.query_map(params, read)?.collect())
            .map_err(|error| translate(&error, &self.path))
    }

    /// The first row of a query, if there is one.
    fn first<T>(
        &self,
        query: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StateError> {
        self.connection
            .query_row(query, params, read)
            .optional()
            .map_err(|error| translate(&error, &self.path))
    }
}
