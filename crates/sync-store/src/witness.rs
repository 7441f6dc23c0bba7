//! The witness: a small file beside the state that tells an older copy of the state from the newest (`protocol.md`
//! D9).
//!
//! It holds the number of writing calls that were marked and the time of the last one. The state keeps the number
//! too, so a state that knows of fewer calls than its witness is older than the world. The witness is written after
//! the marks are committed and before the call leaves: a process that dies in between has sent nothing, and a state
//! that knows of more calls than its witness is no cause for alarm.

use std::{
    fs::{File, OpenOptions},
    io::Read,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use sync_core::state::StateError;

use crate::open::not_writable;

/// What a witness says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Testimony {
    /// Writing calls that were marked, over the state's whole life.
    pub(crate) calls: i64,
    /// When the last one was marked; milliseconds, 0 for never.
    pub(crate) sent_at: i64,
}

impl Testimony {
    /// Of a fixed length, well within a sector, so that a power cut leaves the old one or the new one.
    fn line(self) -> String {
        format!("{:020} {:020}\n", self.calls, self.sent_at)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace().map(str::parse);
        let (calls, sent_at) = (words.next()?.ok()?, words.next()?.ok()?);
        Some(Self { calls, sent_at })
    }
}

/// The witness of one state file.
#[derive(Clone, Debug)]
pub(crate) struct Witness {
    path: PathBuf,
}

impl Witness {
    /// The witness beside `state`, the same one for every name of that file.
    pub(crate) fn beside(state: &Path) -> Self {
        let state = state.canonicalize().unwrap_or_else(|_| state.to_owned());
        let mut name = state.into_os_string();
        name.push(".lock");
        Self { path: PathBuf::from(name) }
    }

    /// The same words for the witness of a copy of the state.
    pub(crate) fn copy_to(&self, copy: &Self) -> Result<(), StateError> {
        match std::fs::copy(&self.path, &copy.path) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(copy.failed(&error)),
        }
    }

    /// What it says; `None` if there is none. One that cannot be understood says that it saw more than any state.
    pub(crate) fn testimony(&self) -> Result<Option<Testimony>, StateError> {
        match File::open(&self.path) {
            Ok(mut file) => read(&mut file).map(Some).map_err(|error| self.failed(&error)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Raises it to `calls`, of which the last was marked `at` this time. It is on disk when this returns. Several processes may
    /// raise it at once, in any order.
    pub(crate) fn raise(&self, calls: i64, at: Timestamp) -> Result<(), StateError> {
        self.write(calls, at).map_err(|error| self.failed(&error))
    }

    fn write(&self, calls: i64, at: Timestamp) -> std::io::Result<()> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&self.path)?;
        file.lock()?;
        let known = read(&mut file).ok().filter(|known| *known != UNREADABLE);
        let raised = Testimony {
            calls: calls.max(known.map_or(0, |known| known.calls)),
            sent_at: at.as_millisecond().max(known.map_or(0, |known| known.sent_at)),
        };
        file.write_all_at(raised.line().as_bytes(), 0)?;
        file.sync_data()
    }

    fn failed(&self, error: &std::io::Error) -> StateError {
        not_writable(&self.path, error)
    }
}

const UNREADABLE: Testimony = Testimony { calls: i64::MAX, sent_at: i64::MAX };

fn read(file: &mut File) -> std::io::Result<Testimony> {
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    // Made, but its first line did not reach the disk: nothing was sent.
    if text.is_empty() {
        return Ok(Testimony { calls: 0, sent_at: 0 });
    }
    let text = String::from_utf8_lossy(&text);
    Ok(Testimony::parse(&text).unwrap_or(UNREADABLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn witness() -> (tempfile::TempDir, Witness) {
        let folder = tempfile::tempdir().unwrap();
        let witness = Witness::beside(&folder.path().join("state.db"));
        (folder, witness)
    }

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn it_never_goes_back() {
        let (_folder, witness) = witness();
        assert_eq!(witness.testimony().unwrap(), None);
        witness.raise(2, second(50)).unwrap();
        witness.raise(1, second(40)).unwrap();
        let seen = Testimony { calls: 2, sent_at: 50_000 };
        assert_eq!(witness.testimony().unwrap(), Some(seen));
        witness.raise(3, second(45)).unwrap();
        assert_eq!(witness.testimony().unwrap(), Some(Testimony { calls: 3, ..seen }));
    }

    #[test]
    fn one_that_cannot_be_understood_saw_more_than_any_state_until_it_is_raised() {
        let (_folder, witness) = witness();
        std::fs::write(&witness.path, "\0\0\0\0").unwrap();
        assert_eq!(witness.testimony().unwrap(), Some(UNREADABLE));
        witness.raise(7, second(9)).unwrap();
        assert_eq!(witness.testimony().unwrap(), Some(Testimony { calls: 7, sent_at: 9_000 }));
    }
}
