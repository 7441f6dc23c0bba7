//! What is on disk: copies of the state, what a dead process leaves, and what a power cut leaves.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A copy of a state file with its log, as they were at one moment.
#[derive(Clone, Debug)]
pub struct StateCopy {
    state: PathBuf,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl StateCopy {
    /// Copies what is on disk now.
    pub fn of(state: &Path) -> Self {
        let files = files(state).into_iter();
        let files = files.filter_map(|path| Some((path.clone(), fs::read(path).ok()?))).collect();
        Self { state: state.to_owned(), files }
    }

    /// Puts the copy in the state's place. No process may have the state open. What lies beside the state stays.
    pub fn restore(&self) {
        lose(&self.state);
        for (path, bytes) in &self.files {
            fs::write(path, bytes).expect("the folder is writable");
        }
    }

    /// Whether there was a state.
    pub fn is_some(&self) -> bool {
        self.files.iter().any(|(path, _)| *path == self.state)
    }

    /// The copy as a power cut would leave it: the log ends at one of the commits from the last durable one on,
    /// which one is up to `choice`.
    #[must_use]
    pub fn cut(mut self, durable: Durable, choice: u32) -> Self {
        let log_path = named(&self.state, "-wal");
        for (path, bytes) in &mut self.files {
            if *path == log_path {
                let log = Log::read(bytes);
                let from = if log.salt == durable.salt { durable.length } else { 0 };
                let mut ends: Vec<usize> =
                    log.commits.into_iter().filter(|end| *end >= from).collect();
                if from == 0 {
                    ends.insert(0, HEADER);
                }
                let end = ends[choice as usize % ends.len().max(1)..].first().copied();
                bytes.truncate(end.unwrap_or(HEADER));
            }
        }
        self
    }
}

/// How much of the log has reached the disk for certain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Durable {
    salt: [u8; 8],
    length: usize,
}

impl Durable {
    /// The log is on disk as it is now.
    pub fn now(state: &Path) -> Self {
        let log = Log::read(&fs::read(named(state, "-wal")).unwrap_or_default());
        Self { salt: log.salt, length: log.commits.last().copied().unwrap_or(0) }
    }
}

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// The commits in SQLite's write-ahead log.
#[derive(Debug, Default)]
struct Log {
    /// Changes whenever the log begins anew, after all of it was brought into the state file.
    salt: [u8; 8],
    /// Where each commit ends.
    commits: Vec<usize>,
}

impl Log {
    fn read(bytes: &[u8]) -> Self {
        let mut log = Self::default();
        if bytes.len() < HEADER {
            return log;
        }
        let number = |at: usize| {
            u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize
        };
        let page = number(8);
        log.salt.copy_from_slice(&bytes[16..24]);
        let mut at = HEADER;
        while at + FRAME_HEADER + page <= bytes.len() && bytes[at + 8..at + 16] == log.salt {
            let is_commit = number(at + 4) > 0;
            at += FRAME_HEADER + page;
            if is_commit {
                log.commits.push(at);
            }
        }
        log
    }
}

/// The state is gone; what lies beside it stays.
pub fn lose(state: &Path) {
    for path in files(state) {
        drop(fs::remove_file(path));
    }
}

fn files(state: &Path) -> Vec<PathBuf> {
    ["", "-wal", "-shm"].iter().map(|suffix| named(state, suffix)).collect()
}

fn named(state: &Path, suffix: &str) -> PathBuf {
    let mut path = state.as_os_str().to_owned();
    path.push(suffix);
    PathBuf::from(path)
}
