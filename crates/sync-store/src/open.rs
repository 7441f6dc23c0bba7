//! Opening the state file: place, rights, version, migrations.

use std::{
    fs::{OpenOptions, Permissions},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{
    Connection, OpenFlags, Transaction, TransactionBehavior, backup::Backup, config::DbConfig,
};
use sync_core::state::StateError;

use crate::{failure::translate, place::Place, takeover};

/// Each brings the file from the version before it to its own, which is its place here, counted from 1. What was
/// released is never changed.
const MIGRATIONS: [&str; 19] = [
    include_str!("migrations/0001_start.sql"),
    include_str!("migrations/0002_effects.sql"),
    include_str!("migrations/0003_quarantine.sql"),
    include_str!("migrations/0004_capture.sql"),
    include_str!("migrations/0005_full_rows.sql"),
    include_str!("migrations/0006_stream.sql"),
    include_str!("migrations/0007_links.sql"),
    include_str!("migrations/0008_stop_until.sql"),
    include_str!("migrations/0009_alerts.sql"),
    include_str!("migrations/0010_recordless.sql"),
    include_str!("migrations/0011_pauses.sql"),
    include_str!("migrations/0012_drift.sql"),
    include_str!("migrations/0013_dirty_in_order.sql"),
    include_str!("migrations/0014_creates_stopped.sql"),
    include_str!("migrations/0015_full_read_asked.sql"),
    include_str!("migrations/0016_promises.sql"),
    include_str!("migrations/0017_marks.sql"),
    include_str!("migrations/0018_late_records.sql"),
    include_str!("migrations/0019_unread.sql"),
];
/// The newest version of the file.
#[expect(clippy::cast_possible_wrap, reason = "a handful")]
pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64;
/// Marks the file as ours in SQLite's header.
const APPLICATION_ID: i64 = 0x6d73_7373;
/// How long a write waits for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(15);
/// Attempts to switch a file that others are opening too.
const LOG_ATTEMPTS_MAX: u32 = 100;
/// Copies made before migrations, of one version, that are looked past for a free name.
const BACKUPS_MAX: u32 = 1000;

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
    /// An older version of this program wrote the file, and it was brought up to date.
    Migrated {
        /// The version that it had.
        from: i64,
        /// Where the file as it was is kept.
        backup: PathBuf,
    },
    /// The file is a mount point of a container: only the file itself outlives the container, not the log and the
    /// locks beside it. So every batch ends with a truncating checkpoint, and no second container may use the file.
    MountPoint,
}

/// Opens or makes the file, which lies at `place`.
pub(crate) fn open(
    path: &Path,
    place: Option<Place>,
) -> Result<(Connection, Vec<OpenNote>), StateError> {
    let mut notes = Vec::new();
    if let Some(place) = place {
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
    if check_version(&connection, path)? < VERSION {
        notes.extend(migrate(&mut connection, path)?);
    }
    keep_log(&mut connection, path)?;
    Ok((connection, notes))
}

/// Switches the file to a write-ahead log, unless it has one. SQLite gives this up at once when another process is
/// reading, so others are waited for in between.
fn keep_log(connection: &mut Connection, path: &Path) -> Result<(), StateError> {
    for _ in 0..LOG_ATTEMPTS_MAX {
        let switched = connection.pragma_update(None, "journal_mode", "wal");
        match switched.map_err(|error| translate(&error, path)) {
            Err(StateError::Busy) => {}
            done => return done,
        }
        connection
            .transaction_with_behavior(TransactionBehavior::Exclusive)
            .and_then(Transaction::rollback)
            .map_err(|error| translate(&error, path))?;
    }
    Err(StateError::Busy)
}

/// Creates the file for its owner alone, before SQLite would create it for everyone.
pub(crate) fn make_private(path: &Path) -> Result<(), StateError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| not_writable(path, &error))?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(|error| not_writable(path, &error))
}

pub(crate) fn not_writable(path: &Path, error: &std::io::Error) -> StateError {
    StateError::NotWritable { path: path.display().to_string(), reason: error.to_string() }
}

fn connect(path: &Path) -> Result<Connection, StateError> {
    let translated = |error: rusqlite::Error| translate(&error, path);
    // A connection is used by one thread at a time, which the compiler sees to: SQLite need not lock at every step.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(translated)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(translated)?;
    connection.set_prepared_statement_cache_capacity(128);
    // Plans do not depend on what is bound: without this, statements are prepared anew at almost every execution.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(translated)?;
    connection.pragma_update(None, "synchronous", "normal").map_err(translated)?;
    Ok(connection)
}

/// The file's version; 0 for an empty file and the Python program's. Fails if the file is newer than this program,
/// or another program's.
pub(crate) fn check_version(connection: &Connection, path: &Path) -> Result<i64, StateError> {
    let pragma = |name: &str| -> rusqlite::Result<i64> {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
    };
    let version = pragma("user_version").map_err(|error| translate(&error, path))?;
    let owner = pragma("application_id").map_err(|error| translate(&error, path))?;
    if version == 0 && owner == 0 {
        return Ok(0);
    }
    if owner != APPLICATION_ID {
        return Err(foreign(path));
    }
    if version > VERSION {
        return Err(StateError::Newer {
            path: path.display().to_string(),
            found: version,
            known: VERSION,
        });
    }
    Ok(version)
}

pub(crate) fn foreign(path: &Path) -> StateError {
    StateError::Corrupt {
        path: path.display().to_string(),
        reason: "it is another program's database".into(),
    }
}

/// Whether the database has no tables.
pub(crate) fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
}

/// Copies the file as it is, then brings it to [`VERSION`] in one transaction.
fn migrate(connection: &mut Connection, path: &Path) -> Result<Vec<OpenNote>, StateError> {
    let translated = |error: rusqlite::Error| translate(&error, path);
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(translated)?;
    // Another process may have migrated while this one waited for the write lock.
    let from = check_version(&transaction, path)?;
    if from == VERSION {
        return Ok(Vec::new());
    }
    let mut notes = Vec::new();
    if from > 0 {
        let backup = back_up(path, from)?;
        bring_up(&transaction, from).map_err(translated)?;
        notes.push(OpenNote::Migrated { from, backup });
    } else if is_empty(&transaction).map_err(translated)? {
        bring_up(&transaction, 0).map_err(translated)?;
    } else {
        let old = takeover::OldTables::find(&transaction).map_err(translated)?;
        let old = old.ok_or_else(|| foreign(path))?;
        std::fs::set_permissions(path, Permissions::from_mode(0o600))
            .map_err(|error| not_writable(path, &error))?;
        let backup = back_up(path, 0)?;
        old.set_aside(&transaction).map_err(translated)?;
        bring_up(&transaction, 0).map_err(translated)?;
        let links = old.take_over(&transaction).map_err(translated)?;
        notes.push(OpenNote::TakenOver { backup, links });
    }
    transaction.commit().map_err(translated)?;
    Ok(notes)
}

fn bring_up(transaction: &Transaction<'_>, from: i64) -> rusqlite::Result<()> {
    for migration in MIGRATIONS.iter().skip(usize::try_from(from).unwrap_or(0)) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)
}

/// Copies the file to `PATH.before-vN`; a copy that is there already is kept and numbered past. The caller holds the
/// write lock and has written nothing yet.
fn back_up(path: &Path, from: i64) -> Result<PathBuf, StateError> {
    let named = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".before-v{}", from + 1));
        if number > 0 {
            name.push(format!(".{number}"));
        }
        PathBuf::from(name)
    };
    let free = (0..BACKUPS_MAX).map(named).find(|candidate| !candidate.exists());
    let backup = free.ok_or_else(|| {
        StateError::Other(format!("`{}` and {BACKUPS_MAX} more are taken", named(0).display()))
    })?;
    make_private(&backup)?;
    copy(path, &backup)
        .map_err(|error| {
            // Half a copy would pass for a whole one.
            drop(std::fs::remove_file(&backup));
            translate(&error, &backup)
        })
        .map(|()| backup)
}

pub(crate) fn copy(path: &Path, backup: &Path) -> rusqlite::Result<()> {
    // SQLite does not copy from the connection that holds the write lock.
    let original = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut copy = Connection::open(backup)?;
    Backup::new(&original, &mut copy)?.run_to_completion(1000, Duration::ZERO, None)
}
