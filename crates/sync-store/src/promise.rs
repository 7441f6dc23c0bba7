//! What a service said that it will do and has not done yet: whoever was told so need not ask again, whatever becomes of
//! the process.

use sync_core::state::StateError;

use crate::{QuarantineFilter, SqliteStore, store::Durability};

/// Something that will be done for a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Promise {
    /// A turn.
    Run {
        /// Though the breaker stopped the sync, and with the rows in quarantine.
        retry: bool,
    },
    /// Rows in quarantine are tried again.
    Retry(QuarantineFilter),
    /// Rows in quarantine are forgotten.
    Drop(QuarantineFilter),
}

impl Promise {
    fn kind(&self) -> &'static str {
        match self {
            Self::Run { retry: false } => "run",
            Self::Run { retry: true } => "run_retry",
            Self::Retry(_) => "retry",
            Self::Drop(_) => "drop",
        }
    }

    fn filter(&self) -> Option<&QuarantineFilter> {
        match self {
            Self::Run { .. } => None,
            Self::Retry(filter) | Self::Drop(filter) => Some(filter),
        }
    }
}

impl SqliteStore {
    /// Promises something for the sync of this name, whether or not it has run yet, and answers the promise's number, which
    /// is higher than that of every one before. Durable against power loss.
    ///
    /// # Errors
    /// The state fails.
    pub fn promise(&mut self, sync: &str, promise: &Promise) -> Result<i64, StateError> {
        let filter = promise.filter().cloned().unwrap_or_default();
        self.transact(Durability::Power, |tx| {
            Ok(tx.query_row(
                "INSERT INTO promises (sync, kind, code, key) VALUES (?, ?, ?, ?) RETURNING number",
                (sync, promise.kind(), filter.code, filter.key),
                |row| row.get(0),
            )?)
        })
    }

    /// Forgets a promise that was kept, or that will not be. May be called twice.
    ///
    /// # Errors
    /// The state fails.
    pub fn forget_promise(&mut self, number: i64) -> Result<(), StateError> {
        self.transact(Durability::Process, |tx| {
            tx.execute("DELETE FROM promises WHERE number = ?", [number])?;
            Ok(())
        })
    }

    /// Forgets every promise of a turn up to this number: one turn keeps them all. May be called twice.
    ///
    /// # Errors
    /// The state fails.
    pub fn forget_promised_turns(&mut self, sync: &str, up_to: i64) -> Result<(), StateError> {
        self.transact(Durability::Process, |tx| {
            tx.execute(
                "DELETE FROM promises WHERE sync = ? AND number <= ? AND kind IN ('run', 'run_retry')",
                (sync, up_to),
            )?;
            Ok(())
        })
    }
}
