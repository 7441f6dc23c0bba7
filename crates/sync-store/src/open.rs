//! Opening the state file: place, rights, version, migrations.

use std::{
    fs::OpenOptions,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, backup::Backup};
use sync_core::state::StateError;

use crate::{failure::translate, place, takeover};

/// The newest version of the file, which is the number of migrations.
pub(crate) const VERSION: i64 = 1;
/// Marks the file as ours in SQLite's header.
const APPLICATION_ID: i64 = 0x6d73_7373;
/// How long a write waits for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(15);

/// What opening found worth saying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenNote {
    /// The file of the Python program was taken over.
    TakenOver {
        /// Where the untouched original was copied to.
        backup: PathBuf,
        /// Links that were kept.
        links: u64,
    },
    /// The file is a mount point of a container: only the file itself outlives the container, not the log beside
    /// it, so every batch ends with a truncating checkpoint.
    MountPoint,
}

/// Opens or makes the file.
pub(crate) fn open(path: &Path) -> Result<(Connection, Vec<OpenNote>), StateError> {
    let mut notes = Vec::new();
    if let Some(place) = place::place_of(path) {
        if place.is_network() {
            return Err(StateError::NetworkFileSystem {
                path: path.display().to_string(),
                kind: place.kind,
            });
        }
        if place.is_mount_point {
            notes.push(OpenNote::MountPoint);
        }
    }
    make_private(path)?;
    let mut connection = connect(path)?;
    let translated = |error: rusqlite::Error| translate(&error, path);
    connection.pragma_update(None, "journal_mode", "wal").map_err(translated)?;
    let version = version(&connection).map_err(translated)?;
    if version > VERSION {
        return Err(StateError::Newer {
            path: path.display().to_string(),
            found: version,
            known: VERSION,
        });
    }
    if version < VERSION {
        notes.extend(migrate(&mut connection, path, version)?);
    }
    Ok((connection, notes))
}

/// Creates the file for its owner alone, before SQLite would create it for everyone.
fn make_private(path: &Path) -> Result<(), StateError> {
    let not_writable = |error: std::io::Error| StateError::NotWritable {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(not_writable)?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(not_writable)
}

fn connect(path: &Path) -> Result<Connection, StateError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .map_err(|error| translate(&error, path))?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(|error| translate(&error, path))?;
    connection.set_prepared_statement_cache_capacity(128);
    connection
        .pragma_update(None, "synchronous", "normal")
        .map_err(|error| translate(&error, path))?;
    Ok(connection)
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Copies the file as it is, then brings it to [`VERSION`] in one transaction.
fn migrate(
    connection: &mut Connection,
    path: &Path,
    from: i64,
) -> Result<Vec<OpenNote>, StateError> {
    let translated = |error: rusqlite::Error| translate(&error, path);
    let is_empty: bool = connection
        .query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
        .map_err(translated)?;
    let backup = if is_empty { None } else { Some(back_up(connection, path, from)?) };
    let mut notes = Vec::new();
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(translated)?;
    // Another process may have migrated while this one waited for the write lock.
    if version(&transaction).map_err(translated)? < VERSION {
        let old = takeover::read(&transaction).map_err(translated)?;
        transaction.execute_batch(include_str!("migrations/0001_start.sql")).map_err(translated)?;
        if let (Some(old), Some(backup)) = (old, backup) {
            let links = takeover::store(&transaction, &old).map_err(translated)?;
            notes.push(OpenNote::TakenOver { backup, links });
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(translated)?;
        transaction.pragma_update(None, "user_version", VERSION).map_err(translated)?;
    }
    transaction.commit().map_err(translated)?;
    Ok(notes)
}

/// Copies the open file to `PATH.before-vN`; a copy that is there already is kept and numbered past.
fn back_up(connection: &Connection, path: &Path, from: i64) -> Result<PathBuf, StateError> {
    let named = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".before-v{}", from + 1));
        if number > 0 {
            name.push(format!(".{number}"));
        }
        PathBuf::from(name)
    };
    let backup = (0..).map(named).find(|candidate| !candidate.exists()).unwrap_or_else(|| named(0));
    make_private(&backup)?;
    let translated = |error: rusqlite::Error| translate(&error, &backup);
    let mut copy = Connection::open(&backup).map_err(translated)?;
    Backup::new(connection, &mut copy)
        .and_then(|backup| backup.run_to_completion(1000, Duration::ZERO, None))
        .map_err(translated)?;
    Ok(backup)
}
