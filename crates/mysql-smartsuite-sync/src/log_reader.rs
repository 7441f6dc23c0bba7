//! The process's one reader of the database's log, made when the first sync wants it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use sync_core::{
    config::model::{RelatedDefinition, SyncDefinition},
    port::Clock,
};
use sync_mysql::{
    ConnectOptions, MysqlSource,
    binlog::{ChangeHub, LogSettings, MysqlChanges, RelatedTable},
};
use sync_store::FileLocks;

/// Processes that may read one server's log for one state at a time, each under a number of its own.
const PROCESSES_MAX: i64 = 16;

/// Reads the log, once somebody asks.
pub(crate) struct LogReader {
    options: ConnectOptions,
    state: PathBuf,
    clock: Arc<dyn Clock>,
    hub: OnceLock<Hub>,
}

struct Hub {
    hub: ChangeHub,
    /// Keeps the number from other processes; `None` where no lock could be had, and the server settles who has it.
    _number: Option<Box<dyn Send + Sync>>,
}

impl LogReader {
    pub(crate) fn new(options: &ConnectOptions, state: &Path, clock: Arc<dyn Clock>) -> Self {
        Self { options: options.clone(), state: state.to_owned(), clock, hub: OnceLock::new() }
    }

    /// The changes of a sync's rows.
    pub(crate) fn changes(&self, source: Arc<MysqlSource>, sync: &SyncDefinition) -> MysqlChanges {
        let related = |related: &RelatedDefinition| RelatedTable {
            table: related.table.clone(),
            column: related.column.clone(),
            matches: related.matches.clone(),
        };
        let hub = &self.hub.get_or_init(|| self.hub()).hub;
        hub.changes(source, sync.source.related.iter().map(related).collect())
    }

    fn hub(&self) -> Hub {
        let (server_id, lock) = self.number();
        let settings = LogSettings::new(server_id);
        let hub = ChangeHub::new(self.options.clone(), settings, Arc::clone(&self.clock));
        Hub { hub, _number: lock }
    }

    /// The first number that no other process has, and what keeps it from them.
    fn number(&self) -> (u32, Option<Box<dyn Send + Sync>>) {
        let locks = FileLocks::beside(&self.state);
        let free = (0..PROCESSES_MAX)
            .find_map(|place| locks.try_place(place).ok().flatten().map(|lock| (place, lock)));
        match free {
            Some((place, lock)) => (self.server_id(place), Some(lock)),
            None => (self.server_id(PROCESSES_MAX), None),
        }
    }

    /// The same for the same state, server and place after every restart; far from the small numbers that people give
    /// their servers.
    fn server_id(&self, place: i64) -> u32 {
        let state = self.state.canonicalize().unwrap_or_else(|_| self.state.clone());
        let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
        let name = format!(
            "{machine}\n{}\n{}\n{}\n{place}",
            state.display(),
            self.options.host,
            self.options.port
        );
        let hash = blake3::hash(name.as_bytes());
        let bytes = hash.as_bytes().first_chunk::<4>().copied().unwrap_or_default();
        u32::from_le_bytes(bytes) | 1 << 30
    }
}

#[cfg(test)]
mod tests {
    use sync_core::secret::Secret;

    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn each_process_has_a_number_of_its_own_and_the_same_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let reader = |state: &str, port: u16| {
            let mut options = ConnectOptions::new("h", "u", Secret::new(""), "d");
            options.port = port;
            LogReader::new(&options, &folder.path().join(state), Arc::new(SystemClock::new()))
        };
        let (first, lock) = reader("state.db", 3306).number();
        assert!(lock.is_some());
        // Another process beside it, and as many as there may be.
        let (second, other) = reader("state.db", 3306).number();
        assert_ne!(first, second);
        drop(lock);
        let (again, lock) = reader("state.db", 3306).number();
        assert_eq!(again, first);
        let more: Vec<_> = (2..PROCESSES_MAX).map(|_| reader("state.db", 3306).number()).collect();
        let mut numbers: Vec<u32> =
            more.iter().map(|(number, _)| *number).chain([first, second]).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(i64::try_from(numbers.len()), Ok(PROCESSES_MAX));
        let (without, none) = reader("state.db", 3306).number();
        assert!(none.is_none() && !numbers.contains(&without));
        drop((lock, other, more));
        // Another state, another server.
        assert_ne!(reader("other.db", 3306).number().0, first);
        assert_ne!(reader("state.db", 3307).number().0, first);
    }
}
