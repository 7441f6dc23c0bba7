//! Copies of the state, taken while it is used.
//!
//! A copy says that it is one. Put in the state's place it counts as older than the world, whatever the witness beside the
//! state says: that may be from another day (`protocol.md` D9).

use std::{
    ffi::c_int,
    fs,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{
    Connection,
    backup::{Backup, StepResult},
};
use sync_core::state::StateError;

use crate::{
    StateReader,
    failure::translate,
    older,
    open::{make_private, not_writable},
};

/// What the names of backups begin with, after the state's own name.
const MARK: &str = ".backup-";
/// What the names of those end with that are not whole.
const UNFINISHED: &str = ".part";
/// Pages copied at once, before it is asked again whether the copy is wanted.
const PAGES: c_int = 1_000;
/// The same for the pages of the copy that are looked through, in steps of SQLite's.
const STEPS: c_int = 1_000;
/// A copy that is unfinished after this time belongs to a process that is gone.
const UNFINISHED_MAX: SignedDuration = SignedDuration::from_hours(24);

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
    back_up_while(path, folder, now, || true)
}

/// The same, as long as it is wanted: that is asked often, also while the copy is checked.
///
/// # Errors
/// As [`back_up()`]; or it is not wanted any more, and nothing of it is left.
pub fn back_up_while(
    path: &Path,
    folder: &Path,
    now: Timestamp,
    is_wanted: impl Fn() -> bool + Send + 'static,
) -> Result<StateBackup, StateError> {
    drop(StateReader::open(path)?);
    for left in left_behind(path, folder, now)? {
        // What cannot be removed is tried again next time.
        drop(fs::remove_file(left));
    }
    let backup = StateBackup { path: folder.join(name(path, now)), at: second(now) };
    // Half a copy would pass for a whole one, so it gets its name when it is whole.
    let unfinished = folder.join(format!("{}{UNFINISHED}", name(path, now)));
    make_private(&unfinished)?;
    let finished = copy(path, &unfinished, &is_wanted)
        .and_then(|()| check_while(&unfinished, is_wanted))
        .and_then(|()| {
            fs::rename(&unfinished, &backup.path)
                .map_err(|error| not_writable(&backup.path, &error))
        });
    if finished.is_err() {
        drop(fs::remove_file(&unfinished));
    }
    finished.map(|()| backup)
}

fn copy(path: &Path, to: &Path, is_wanted: &impl Fn() -> bool) -> Result<(), StateError> {
    let translated = |error: rusqlite::Error| translate(&error, to);
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let original = Connection::open_with_flags(path, flags).map_err(translated)?;
    // All of it is of one moment. Else SQLite begins anew whenever others have written between two steps, and where they
    // always do, a copy has no end. Nobody waits for it: the log beside the file takes what is written meanwhile.
    let moment = original.unchecked_transaction().map_err(translated)?;
    moment.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(translated)?;
    let mut copy = Connection::open(to).map_err(translated)?;
    let backup = Backup::new(&moment, &mut copy).map_err(translated)?;
    loop {
        if !is_wanted() {
            return Err(StateError::Other("the copy is not wanted any more".to_owned()));
        }
        match backup.step(PAGES).map_err(translated)? {
            StepResult::Done => break,
            StepResult::More => {}
            // Nobody else knows the copy, and the moment is ours: there is nothing to wait for.
            _ => return Err(StateError::Busy),
        }
    }
    drop(backup);
    drop(moment);
    // The copy needs no log of its own beside it.
    copy.pragma_update(None, "journal_mode", "delete").map_err(translated)?;
    older::say_copied(&copy).map_err(translated)?;
    copy.close().map_err(|(_, error)| translated(error))
}

/// What processes that were killed left unfinished.
fn left_behind(path: &Path, folder: &Path, now: Timestamp) -> Result<Vec<PathBuf>, StateError> {
    let is_left = |rest: &str| {
        let begun = rest.split_once(UNFINISHED).and_then(|(time, _)| taken_at(time));
        begun.is_some_and(|begun| now.duration_since(begun) > UNFINISHED_MAX)
    };
    let all = named(path, folder)?.into_iter();
    Ok(all.filter(|(_, rest)| is_left(rest)).map(|(name, _)| folder.join(name)).collect())
}

/// Looks whether every page of the file is whole.
///
/// # Errors
/// [`StateError::Corrupt`] with what is wrong first.
pub fn check(path: &Path) -> Result<(), StateError> {
    check_while(path, || true)
}

fn check_while(
    path: &Path,
    is_wanted: impl Fn() -> bool + Send + 'static,
) -> Result<(), StateError> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let look = |mut file: Connection| -> rusqlite::Result<String> {
        file.progress_handler(STEPS, Some(move || !is_wanted()))?;
        file.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
    };
    let found = Connection::open_with_flags(path, flags)
        .and_then(look)
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
    let mut found: Vec<StateBackup> = named(path, folder)?
        .into_iter()
        .filter_map(|(name, rest)| {
            Some(StateBackup { path: folder.join(name), at: taken_at(&rest)? })
        })
        .collect();
    found.sort_by(|a, b| (a.at, &a.path).cmp(&(b.at, &b.path)));
    Ok(found)
}

/// The newest backup of the state at `path` in `folder`. One that says to be from after `now` was named by a clock that was
/// ahead: it is none that others need not be made after.
///
/// # Errors
/// The folder cannot be read.
pub fn newest_backup(
    path: &Path,
    folder: &Path,
    now: Timestamp,
) -> Result<Option<StateBackup>, StateError> {
    Ok(backups(path, folder)?.into_iter().rfind(|backup| backup.at <= now))
}

/// Files in `folder` that are named as backups of the state at `path` are, each with what follows the mark.
fn named(path: &Path, folder: &Path) -> Result<Vec<(String, String)>, StateError> {
    let entries = match fs::read_dir(or_here(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(not_writable(folder, &error)),
    };
    let prefix = format!("{}{MARK}", file_name(path));
    let named = entries.filter_map(|entry| {
        let name = entry.ok()?.file_name().into_string().ok()?;
        let rest = name.strip_prefix(&prefix)?.to_owned();
        Some((name, rest))
    });
    Ok(named.collect())
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
