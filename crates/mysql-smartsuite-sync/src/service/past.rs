//! Where a sync's last run left it, for a service that takes it over: from a process that ended or was killed, or from
//! its own shift before.

use std::path::Path;

use jiff::Timestamp;
use sync_core::state::{RunStatus, StateError};
use sync_store::{Promise, StateReader};

/// What the state says of a sync before its first turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Past {
    /// When it last began, here or in another process: a time that was missed since is made up for once.
    pub(super) last_start: Option<Timestamp>,
    /// Whether that run was broken off: what it was to do is still to be done.
    pub(super) is_broken_off: bool,
    /// What was promised and is not done yet, with its number.
    pub(super) promises: Vec<(i64, Promise)>,
}

impl Past {
    /// Of the sync of this name.
    ///
    /// # Errors
    /// The state cannot be read. One that is not there yet says nothing, which is no error.
    pub(super) fn read(state: &Path, name: &str) -> Result<Self, StateError> {
        let Some(reader) = reader(state)? else { return Ok(Self::default()) };
        let promises = reader.promises(name)?;
        let Some(newest) = reader.runs(name, 1)?.into_iter().next() else {
            return Ok(Self { promises, ..Self::default() });
        };
        let is_broken_off = if newest.completed_at.is_some() {
            newest.status == RunStatus::Interrupted.word()
        } else {
            // It runs in another process, or its process was killed.
            let holder = reader.sync(name)?.and_then(|sync| sync.holder);
            !holder.is_some_and(|holder| holder.is_seen)
        };
        Ok(Self { last_start: Some(newest.started_at), is_broken_off, promises })
    }
}

/// Whether a person paused the sync of this name.
///
/// # Errors
/// The state cannot be read.
pub(super) fn is_paused(state: &Path, name: &str) -> Result<bool, StateError> {
    match reader(state)? {
        Some(reader) => Ok(reader.paused_at(name)?.is_some()),
        None => Ok(false),
    }
}

/// The state, if there is one.
fn reader(state: &Path) -> Result<Option<StateReader>, StateError> {
    match StateReader::open(state) {
        Ok(reader) => Ok(Some(reader)),
        Err(StateError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use sync_store::SqliteStore;

    use super::*;

    #[test]
    fn a_state_that_cannot_be_read_is_not_one_that_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.db");
        assert_eq!(is_paused(&state, "a"), Ok(false), "there is none yet");
        assert_eq!(Past::read(&state, "a"), Ok(Past::default()));
        SqliteStore::open(&state).unwrap().set_paused("a", Some(Timestamp::UNIX_EPOCH)).unwrap();
        assert_eq!((is_paused(&state, "a"), is_paused(&state, "b")), (Ok(true), Ok(false)));
        std::fs::write(
            &state,
            "no state at all, but long enough to be taken for one of a hundred bytes and some more",
        )
        .unwrap();
        assert!(is_paused(&state, "a").is_err());
        assert!(Past::read(&state, "a").is_err());
    }
}
