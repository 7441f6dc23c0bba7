//! The operating system's lock: one process at a time runs a sync.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use sync_core::{
    mutation::{self, Mutation},
    port::Locks,
    state::{StateError, SyncId},
};

use crate::open::not_writable;

/// A lock held until this value is dropped or the process is gone, however it goes. A stopped process still holds
/// it, so it cannot wake up beside a successor.
#[derive(Debug)]
pub struct SyncLock {
    _numbered: File,
    _named: File,
}

impl SyncLock {
    /// Takes the sync's lock, two files beside the state; `None` if another process, or another run of this one, has
    /// it. By its number whoever knows the sync by another name is kept out, by its name whoever has lost the state, as
    /// a new one counts its syncs anew.
    pub fn try_take(state: &Path, sync: SyncId, name: &str) -> Result<Option<Self>, StateError> {
        // Always in this order, so that of two who want it one has it.
        let Some(numbered) = try_file(&numbered_path(state, sync))? else { return Ok(None) };
        let Some(named) = try_file(&named_path(state, name))? else { return Ok(None) };
        Ok(Some(Self { _numbered: numbered, _named: named }))
    }
}

fn try_file(path: &Path) -> Result<Option<File>, StateError> {
    let failed = |error: &std::io::Error| not_writable(path, error);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| failed(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) if is_for_all() => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(&error)),
    }
}

fn is_for_all() -> bool {
    [Mutation::TwoReaders, Mutation::LockForAll, Mutation::TokenUnchecked]
        .into_iter()
        .any(mutation::is_on)
}

/// The locks beside one state file.
#[derive(Clone, Debug)]
pub struct FileLocks {
    state: PathBuf,
}

impl FileLocks {
    /// Locks beside `state`.
    pub fn beside(state: &Path) -> Self {
        Self { state: state.to_owned() }
    }

    /// Takes a lock that is no sync's, by its place, from 0; held until the value is dropped. `None`: somebody else has
    /// it.
    pub fn try_place(&self, place: i64) -> Result<Option<Box<dyn Send + Sync>>, StateError> {
        // Beside the locks of syncs, whose numbers begin at 1.
        let lock = try_file(&numbered_path(&self.state, SyncId(-1 - place)))?;
        Ok(lock.map(|lock| Box::new(lock) as Box<dyn Send + Sync>))
    }
}

impl Locks for FileLocks {
    fn try_lock(
        &self,
        sync: SyncId,
        name: &str,
    ) -> Result<Option<Box<dyn Send + Sync>>, StateError> {
        let lock = SyncLock::try_take(&self.state, sync, name)?;
        Ok(lock.map(|lock| Box::new(lock) as Box<dyn Send + Sync>))
    }
}

/// Whether a process that can be seen from here holds the sync's lock. Unlike taking it for a moment, asking the
/// system's list disturbs nobody.
pub(crate) fn is_seen_held(state: &Path, sync: SyncId) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let Ok(file) = std::fs::metadata(numbered_path(state, sync)) else { return false };
    let Ok(locks) = std::fs::read_to_string("/proc/locks") else { return false };
    let inode = format!(":{}", file.ino());
    locks.lines().any(|line| {
        line.contains("FLOCK")
            && line.contains("WRITE")
            && line.split_whitespace().any(|word| word.ends_with(&inode))
    })
}

fn numbered_path(state: &Path, sync: SyncId) -> PathBuf {
    beside(state, &format!("-lock{}", sync.0))
}

/// A name may hold what a file's name may not.
fn named_path(state: &Path, name: &str) -> PathBuf {
    beside(state, &format!("-lock-{}", blake3::hash(name.as_bytes())))
}

/// Every name of one state file must lead to one lock.
fn beside(state: &Path, end: &str) -> PathBuf {
    let state = state.canonicalize().unwrap_or_else(|_| state.to_owned());
    let mut name = OsString::from(state);
    name.push(end);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(state: &Path, sync: i64, name: &str) -> Option<SyncLock> {
        SyncLock::try_take(state, SyncId(sync), name).unwrap()
    }

    #[test]
    fn only_one_holds_it_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.db");
        let first = take(&state, 1, "a");
        assert!(first.is_some());
        assert!(take(&state, 1, "a").is_none());
        assert!(take(&state, 2, "b").is_some());
        assert!(is_seen_held(&state, SyncId(1)));
        assert!(!is_seen_held(&state, SyncId(2)), "it was taken and dropped");
        drop(first);
        assert!(!is_seen_held(&state, SyncId(1)));
        assert!(take(&state, 1, "a").is_some());
    }

    #[test]
    fn another_name_of_the_same_file_has_the_same_lock() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.db");
        std::fs::write(&state, "").unwrap();
        let link = folder.path().join("elsewhere.db");
        std::os::unix::fs::symlink(&state, &link).unwrap();
        let first = take(&state, 1, "a");
        assert!(first.is_some());
        assert!(take(&link, 1, "a").is_none());
    }

    /// A new state counts its syncs anew, and a sync that is renamed keeps its number.
    #[test]
    fn one_name_or_one_number_is_enough_to_be_kept_out() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.db");
        let first = take(&state, 2, "../b: ä");
        assert!(first.is_some());
        assert!(take(&state, 1, "../b: ä").is_none());
        assert!(take(&state, 1, "a").is_some(), "what was not had is given back");
        assert!(take(&state, 2, "renamed").is_none());
        drop(first);
        assert!(take(&state, 1, "../b: ä").is_some());
    }

    #[test]
    fn a_place_is_no_syncs_lock() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.db");
        let locks = FileLocks::beside(&state);
        let first = locks.try_place(0).unwrap();
        assert!(first.is_some());
        assert!(locks.try_place(0).unwrap().is_none());
        assert!(locks.try_place(1).unwrap().is_some());
        assert!(take(&state, 1, "1").is_some());
    }
}
