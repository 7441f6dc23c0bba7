//! The server's log of changes: which keys changed, never to what.
//!
//! Pure, over bytes: `event` (one event), `table_map`, `cell`, `rows` (row events), `statement` and `quoting`
//! (statements), `gtid` (names of transactions), `position`, `watch` (who wants what), `key_column` and `address` (cells
//! into keys), and `decoder`, which puts them together. [`LogFile`] reads a log from bytes.
//!
//! With a server: `log_server` (may its log be followed, where does it stand), `watchlist` (tables and columns of a
//! sync), `guard` (a snapshot that shows what the log has told), `stream` (the connection), `log_failure`, `hub` (one
//! reader for all syncs), `audience` (where each of them stands), `slot` (where changes wait), `changes` (one sync's end).

mod address;
mod audience;
mod bytes;
mod cell;
mod changes;
mod decoder;
mod event;
mod file;
mod gtid;
pub(crate) mod guard;
mod hub;
mod idle;
mod key_column;
mod log_failure;
pub(crate) mod log_server;
pub(crate) mod position;
mod quoting;
mod rows;
mod slot;
mod statement;
mod stream;
mod table_map;
#[cfg(test)]
mod tests;
mod watch;
mod watchlist;

pub use changes::MysqlChanges;
pub use file::{LogFile, Tally};
pub use gtid::{GtidSet, GtidState, NoGtidText};
pub use hub::{ChangeHub, LogSettings};
pub use watchlist::RelatedTable;
