//! A copy of the state to try things out on.

use std::path::{Path, PathBuf};

use sync_core::state::StateError;

use crate::{
    SqliteStore,
    failure::translate,
    open::{copy, not_writable},
    witness::Witness,
};

/// A copy of a state in a folder of its own, readable by its owner alone. It is removed when this is dropped. The state
/// itself is only read.
#[derive(Debug)]
pub struct ThrowAwayState {
    folder: tempfile::TempDir,
}

impl ThrowAwayState {
    /// [`ThrowAwayState::copied_into`] the system's folder for temporary files.
    ///
    /// # Errors
    /// The state cannot be read, or the copy cannot be written.
    pub fn copied_from(path: &Path) -> Result<Self, StateError> {
        Self::copied_into(&std::env::temp_dir(), path)
    }

    /// Copies the state at `path` into a new folder in `parent`. The state may be of this version or an older one;
    /// where there is none the copy is empty.
    ///
    /// # Errors
    /// The state cannot be read, or the copy cannot be written.
    pub fn copied_into(parent: &Path, path: &Path) -> Result<Self, StateError> {
        let folder = tempfile::Builder::new()
            .prefix("mysql-smartsuite-sync-")
            .tempdir_in(parent)
            .map_err(|error| not_writable(parent, &error))?;
        let copied = Self { folder };
        if path.exists() {
            let to = copied.path();
            // The witness first: what it saw was in the state before.
            Witness::beside(path).copy_to(&Witness::beside(&to))?;
            copy(path, &to).map_err(|error| translate(&error, path))?;
        }
        Ok(copied)
    }

    /// An empty state.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn empty() -> Result<Self, StateError> {
        Self::copied_from(Path::new(""))
    }

    /// The copy.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    /// Opens the copy, bringing it up to date.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn open(&self) -> Result<SqliteStore, StateError> {
        SqliteStore::open_thrown_away(&self.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_only_read_and_the_copy_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        drop(SqliteStore::open(&path).unwrap());
        let before = std::fs::read(&path).unwrap();
        let copied = ThrowAwayState::copied_from(&path).unwrap();
        let at = copied.path();
        drop(copied.open().unwrap());
        rusqlite::Connection::open(&at)
            .and_then(|copy| copy.execute("UPDATE counters SET value = 7", []))
            .unwrap();
        assert!(at.exists());
        drop(copied);
        assert!(!at.exists());
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn without_a_state_it_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let copied = ThrowAwayState::copied_from(&folder.path().join("state.db")).unwrap();
        assert!(copied.open().is_ok());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
