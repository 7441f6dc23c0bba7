//! What was sent and what waits to be sent, in one SQLite file.
//!
//! [`SqliteStore`] implements the port [`sync_core::state::StateStore`], through which the engine works; [`FileLocks`]
//! are the operating system's locks that decide who may write for a sync. [`StateReader`] answers questions without
//! changing anything.
//!
//! # Asking the state
//!
//! The tables of the program that this one replaces can still be queried with `sqlite3`, as the views `sync_runs`,
//! `record_mappings` and `sync_metadata`. The same, and more, from Rust:
//!
//! ```
//! use sync_store::StateReader;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("sync_state.db");
//! # rusqlite::Connection::open(&path)?.execute_batch("
//! #   CREATE TABLE sync_runs (id INTEGER PRIMARY KEY, sync_name, started_at, completed_at, status,
//! #     records_processed, records_created, records_updated, records_skipped, error_message);
//! #   CREATE TABLE record_mappings (id INTEGER PRIMARY KEY, sync_name, source_id, smartsuite_record_id, data_hash,
//! #     created_at, updated_at);
//! #   INSERT INTO sync_runs VALUES (1, 'customers', '2026-11-23T10:00:00', '2026-11-23T10:00:02', 'success',
//! #     5, 5, 0, 0, NULL);
//! #   INSERT INTO record_mappings VALUES (1, 'customers', '42', '650000000000000000000abc', 'h',
//! #     '2026-11-23T10:00:01', '2026-11-23T10:00:01');")?;
//! # drop(sync_store::SqliteStore::open(&path)?);
//! let reader = StateReader::open(&path)?;
//!
//! // Which record a row became.
//! let record = reader.record_of("customers", "42")?;
//! assert_eq!(record.map(|id| id.to_string()).as_deref(), Some("650000000000000000000abc"));
//!
//! // All runs of a sync together, and the newest by itself.
//! let statistics = reader.statistics("customers")?;
//! assert_eq!((statistics.runs, statistics.created), (1, 5));
//! let newest = &reader.runs("customers", 1)?[0];
//! assert_eq!(newest.duration().map(|took| took.as_secs()), Some(2));
//!
//! // How each sync stands.
//! for sync in reader.syncs()? {
//!     let links = reader.links(&sync.name)?;
//!     println!("{}: {links} records, {} rows wait", sync.name, sync.waiting);
//!     match reader.last_sync_time(&sync.name)? {
//!         Some(at) => println!("  last read at {at}"),
//!         None => println!("  not read to its end yet"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod alerts;
mod backup;
mod calls;
mod capture;
mod column;
mod comparison;
mod custody;
mod deletes;
mod digest;
mod dispatch;
mod doubt;
mod drift;
mod effects;
mod failure;
mod filling;
mod inspect;
mod keeping;
mod links;
mod lock;
mod matching;
mod older;
mod open;
mod pause;
mod place;
mod promise;
mod prune;
mod quarantine;
mod recordless;
mod report;
mod reset;
mod runs;
mod scan;
mod second_look;
mod settle;
mod standing;
mod store;
mod stream;
mod structure;
mod sweep;
mod syncs;
mod takeover;
mod throw_away;
mod transfer;
mod witness;

pub use alerts::AlertMessage;
pub use backup::{StateBackup, back_up, back_up_while, backups, check, newest_backup, thin_out};
pub use custody::Custody;
pub use effects::EffectKind;
pub use inspect::{Found, Inspection, inspect};
pub use keeping::Keeping;
pub use lock::{FileLocks, SyncLock};
pub use open::OpenNote;
pub use place::free_bytes;
pub use promise::Promise;
pub use prune::Pruned;
pub use report::{
    CallCount, DestinationReport, Effect, EntryReport, EntryStanding, Holder, KeyReport,
    LackingLinks, LinkDecision, LinkReport, LinkStanding, QuarantineCount, QuarantineFilter,
    QuarantinedRow, RunReport, StateReader, StateSize, StreamReport, SyncReport, SyncStatistics,
};
pub use reset::ResetLevel;
pub use store::SqliteStore;
pub use throw_away::ThrowAwayState;
pub use transfer::{Exported, ImportError, Imported, Trust, export};
