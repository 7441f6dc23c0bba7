//! What was sent and what waits to be sent, in one SQLite file.
//!
//! [`SqliteStore`] implements the port [`sync_core::state::StateStore`]; [`SyncLock`] is the operating system's
//! lock that decides who may write for a sync.

mod calls;
mod capture;
mod column;
mod dispatch;
mod doubt;
mod failure;
mod lock;
mod open;
mod place;
mod quarantine;
mod runs;
mod scan;
mod settle;
mod store;
mod structure;
mod syncs;
mod takeover;

pub use lock::{FileLocks, SyncLock};
pub use open::OpenNote;
pub use store::SqliteStore;
