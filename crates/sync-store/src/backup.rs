//! Copies of the state, taken while it is used.
//!
//! A copy says that it is one. Put in the state's place it counts as older than the world, whatever the witness beside the
//! state says: that may be from another day (`protocol.md` D9).

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, backup::Backup};
use sync_core::state::StateError;

use crate::{
    StateReader,
    failure::translate,
    older,
    open::{make_private, not_writable},
};

/// What the names of backups begin with, after the state's own name.
const MARK: &str = ".backup-";
/// Pages copied at once: writers are let in between.
const PAGES: std::ffi::c_int = 1_000;

/// One backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateBackup {
    /// The file.
    pub path: PathBuf,
    /// When it was taken.
    pub at: Timestamp,
}

/// Copies the state at `path` into `folder`, while it may be used, and checks the copy.
///
/// # Errors
/// The state cannot be read or is not of this version, the copy cannot be written, or it is damaged, and then removed.
pub fn back_up(path: &Path, folder: &Path, now: Timestamp) -> Result<StateBackup, StateError> {
    drop(StateReader::open(path)?);
    let backup = StateBackup { path: folder.join(name(path, now)), at: second(now) };
    // Half a copy would pass for a whole one, so it gets its name when it is whole.
    let unfinished = folder.join(format!("{}.part", name(path, now)));
    make_private(&unfinished)?;
    let finished = copy(path, &unfinished)
        .map_err(|error| translate(&error, &unfinished))
        .and_then(|()| check(&unfinished))
        .and_then(|()| {
            fs::rename(&unfinished, &backup.path)
                .map_err(|error| not_writable(&backup.path, &error))
        });
    if finished.is_err() {
        drop(fs::remove_file(&unfinished));
    }
    finished.map(|()| backup)
}

fn copy(path: &Path, to: &Path) -> rusqlite::Result<()> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let original = Connection::open_with_flags(path, flags)?;
    let mut copy = Connection::open(to)?;
    Backup::new(&original, &mut copy)?.run_to_completion(PAGES, Duration::from_millis(5), None)?;
    // The copy needs no log of its own beside it.
    copy.pragma_update(None, "journal_mode", "delete")?;
    older::say_copied(&copy)?;
    copy.close().map_err(|(_, error)| error)
}

/// Looks whether every page of the file is whole.
///
/// # Errors
/// [`StateError::Corrupt`] with what is wrong first.
pub fn check(path: &Path) -> Result<(), StateError> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let found: String = Connection::open_with_flags(path, flags)
        .and_then(|file| file.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)))
        .map_err(|error| translate(&error, path))?;
    if found == "ok" {
        return Ok(());
    }
    Err(StateError::Corrupt { path: path.display().to_string(), reason: found })
}

/// Every backup of the state at `path` in `folder`, oldest first.
///
/// # Errors
/// The folder cannot be read.
pub fn backups(path: &Path, folder: &Path) -> Result<Vec<StateBackup>, StateError> {
    let entries = match fs::read_dir(or_here(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(not_writable(folder, &error)),
    };
    let prefix = format!("{}{MARK}", file_name(path));
    let mut found: Vec<StateBackup> = entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            let at = taken_at(name.strip_prefix(&prefix)?)?;
            Some(StateBackup { path: folder.join(&name), at })
        })
        .collect();
    found.sort_by(|a, b| (a.at, &a.path).cmp(&(b.at, &b.path)));
    Ok(found)
}

/// Removes all but the newest `keep` backups of the state at `path` in `folder`; answers those that went.
///
/// # Errors
/// The folder cannot be read, or a file not removed.
pub fn thin_out(path: &Path, folder: &Path, keep: usize) -> Result<Vec<StateBackup>, StateError> {
    let mut all = backups(path, folder)?;
    all.truncate(all.len().saturating_sub(keep));
    for backup in &all {
        fs::remove_file(&backup.path).map_err(|error| not_writable(&backup.path, &error))?;
    }
    Ok(all)
}

fn or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn name(path: &Path, now: Timestamp) -> String {
    format!("{}{MARK}{}", file_name(path), now.strftime("%Y%m%dT%H%M%SZ"))
}

fn taken_at(text: &str) -> Option<Timestamp> {
    jiff::fmt::strtime::parse("%Y%m%dT%H%M%SZ", text)
        .ok()?
        .to_datetime()
        .ok()?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|at| at.timestamp())
}

fn second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backups_name_tells_its_time() {
        let at: Timestamp = "2026-11-23T10:00:05.7Z".parse().unwrap();
        let name = name(Path::new("/x/state.db"), at);
        assert_eq!(name, "state.db.backup-20261123T100005Z");
        assert_eq!(taken_at("20261123T100005Z"), Some(second(at)));
        assert_eq!(taken_at("20261123T100005Z.part"), None);
        assert_eq!(taken_at("before"), None);
    }
}
