//! Whether a state file can be used, without touching it.

use std::{fs::OpenOptions, path::Path};

use sync_core::state::StateError;

use crate::{OpenNote, StateReader, place};

/// What stands where the state should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Its age.
    pub found: Found,
    /// What opening it would say of its place.
    pub notes: Vec<OpenNote>,
}

/// What stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A state of this version.
    Current,
    /// The Python program's file or an older state: the first run makes a copy and brings it up to date.
    Older,
    /// Nothing yet: the first run makes it.
    Nothing,
}

/// Looks at the file. Makes nothing, so that it may be asked by another user than the one who runs the syncs.
///
/// # Errors
/// As [`crate::SqliteStore::open`]: the file or its folder cannot be written, it is no state, newer than this program,
/// or on a network file system.
pub fn inspect(path: &Path) -> Result<Inspection, StateError> {
    let place = place::place_of(path);
    if let Some(place) = place.as_ref().filter(|place| place.is_network()) {
        return Err(StateError::NetworkFileSystem {
            path: path.display().to_string(),
            kind: place.kind.clone(),
        });
    }
    let found = match StateReader::open(path) {
        Ok(_) => Found::Current,
        Err(StateError::Older { .. }) => Found::Older,
        Err(StateError::Missing { .. }) => Found::Nothing,
        Err(error) => return Err(error),
    };
    if path.exists() {
        let opened = OpenOptions::new().append(true).open(path);
        opened.map_err(|error| not_writable(path, &error))?;
    } else {
        folder_is_writable(path)?;
    }
    let is_mount_point = place.is_some_and(|place| place.is_mount_point);
    let notes = is_mount_point.then_some(OpenNote::MountPoint).into_iter().collect();
    Ok(Inspection { found, notes })
}

/// Whether a file could be made at `path`: asked of the first folder above it that is there.
fn folder_is_writable(path: &Path) -> Result<(), StateError> {
    let absolute = std::path::absolute(path).map_err(|error| not_writable(path, &error))?;
    let folder = absolute.ancestors().skip(1).find(|folder| folder.exists());
    let probe = folder.unwrap_or(Path::new("/")).join(format!(".{}.probe", std::process::id()));
    let made = OpenOptions::new().create_new(true).write(true).open(&probe);
    made.map_err(|error| not_writable(path, &error))?;
    std::fs::remove_file(&probe).map_err(|error| not_writable(path, &error))
}

fn not_writable(path: &Path, error: &std::io::Error) -> StateError {
    StateError::NotWritable { path: path.display().to_string(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SqliteStore;

    #[test]
    fn it_makes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/state.db");
        assert_eq!(inspect(&path).unwrap().found, Found::Nothing);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_state_is_told_from_what_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        drop(SqliteStore::open(&path).unwrap());
        assert_eq!(inspect(&path).unwrap().found, Found::Current);
        std::fs::write(&path, "not a state at all, but long enough to be read as one").unwrap();
        assert!(matches!(inspect(&path), Err(StateError::Corrupt { .. })));
    }

    #[test]
    fn a_place_where_no_file_can_be_made_is_found_out() {
        let path = Path::new("/proc/state.db");
        assert!(matches!(inspect(path), Err(StateError::NotWritable { .. })));
    }
}
