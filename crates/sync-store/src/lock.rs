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
    _file: File,
}

impl SyncLock {
    /// Takes the sync's lock, a file beside the state; `None` if another process, or another run of this one, has
    /// it.
    pub fn try_take(state: &Path, sync: SyncId) -> Result<Option<Self>, StateError> {
        let path = lock_path(state, sync);
        let failed = |error: &std::io::Error| not_writable(&path, error);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| failed(&error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) if is_for_all() => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(&error)),
        }
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
}

impl Locks for FileLocks {
    fn try_lock(&self, sync: SyncId) -> Result<Option<Box<dyn Send + Sync>>, StateError> {
        let lock = SyncLock::try_take(&self.state, sync)?;
        Ok(lock.map(|lock| Box::new(lock) as Box<dyn Send + Sync>))
    }
}

/// Whether a process that can be seen from here holds the sync's lock. Unlike taking it for a moment, asking the
/// system's list disturbs nobody.
pub(crate) fn is_seen_held(state: &Path, sync: SyncId) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let Ok(file) = std::fs::metadata(lock_path(state, sync)) else { return false };
    let Ok(locks) = std::fs::read_to_string("/proc/locks") else { return false };
    let inode = format!(":{}", file.ino());
    locks.lines().any(|line| {
        line.contains("FLOCK")
            && line.contains("WRITE")
            && line.split_whitespace().any(|word| word.ends_with(&inode))
    })
}

/// Every name of one state file must lead to one lock.
fn lock_path(state: &Path, sync: SyncId) -> PathBuf {
    let state = state.canonicalize().unwrap_or_else(|_| state.to_owned());
    let mut name = OsString::from(state);
    name.push(format!("-lock{}", sync.0));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_holds_it_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.db");
        let first = SyncLock::try_take(&state, SyncId(1)).unwrap();
        assert!(first.is_some());
        assert!(SyncLock::try_take(&state, SyncId(1)).unwrap().is_none());
        assert!(SyncLock::try_take(&state, SyncId(2)).unwrap().is_some());
        assert!(is_seen_held(&state, SyncId(1)));
        assert!(!is_seen_held(&state, SyncId(2)), "it was taken and dropped");
        drop(first);
        assert!(!is_seen_held(&state, SyncId(1)));
        assert!(SyncLock::try_take(&state, SyncId(1)).unwrap().is_some());
    }

    #[test]
    fn another_name_of_the_same_file_has_the_same_lock() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.db");
        std::fs::write(&state, "").unwrap();
        let link = folder.path().join("elsewhere.db");
        std::os::unix::fs::symlink(&state, &link).unwrap();
        let first = SyncLock::try_take(&state, SyncId(1)).unwrap();
        assert!(first.is_some());
        assert!(SyncLock::try_take(&link, SyncId(1)).unwrap().is_none());
    }
}
