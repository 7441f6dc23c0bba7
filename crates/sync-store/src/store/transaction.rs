//! The store's transactions: how safe a commit is, and whose it must be.

use rusqlite::{Transaction, TransactionBehavior};
use sync_core::{
    mutation,
    state::{StateError, Writer},
};

use super::SqliteStore;
use crate::{failure::Failure, failure::translate, keeping::Keeping, syncs};

/// How safe a commit must be when it returns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Against the death of the process.
    Process,
    /// Against power loss too (`protocol.md` D1).
    Power,
}

impl SqliteStore {
    pub(crate) fn transact<T>(
        &mut self,
        durability: Durability,
        body: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StateError> {
        let path = self.path.clone();
        let translated = |error: rusqlite::Error| translate(&error, &path);
        if durability == Durability::Power {
            self.connection.pragma_update(None, "synchronous", "full").map_err(translated)?;
        }
        let done = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Failure::from)
            .and_then(|transaction| {
                let value = body(&transaction)?;
                if mutation::is_disk_full() {
                    return Err(StateError::DiskFull.into());
                }
                transaction.commit()?;
                Ok(value)
            });
        if durability == Durability::Power {
            mutation::note_durable_commit();
            self.connection.pragma_update(None, "synchronous", "normal").map_err(translated)?;
        }
        done.map_err(|failure| failure.into_state(&path))
    }

    pub(crate) fn write<T>(
        &mut self,
        writer: &Writer,
        body: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StateError> {
        self.transact(Durability::Process, |tx| {
            syncs::check_token(tx, writer)?;
            body(tx)
        })
    }

    /// What is kept beyond what the work itself needs.
    pub(crate) fn keeping(&self) -> Keeping {
        self.keeping
    }

    pub(crate) fn read<T>(
        &mut self,
        body: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StateError> {
        let path = self.path.clone();
        self.connection
            .transaction_with_behavior(TransactionBehavior::Deferred)
            .map_err(Failure::from)
            .and_then(|transaction| body(&transaction))
            .map_err(|failure| failure.into_state(&path))
    }

    /// Writes only tables of this connection: nobody else needs to wait.
    pub(crate) fn write_aside<T>(
        &mut self,
        writer: &Writer,
        body: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StateError> {
        let path = self.path.clone();
        self.connection
            .transaction()
            .map_err(Failure::from)
            .and_then(|tx| {
                syncs::check_token(&tx, writer)?;
                let value = body(&tx)?;
                tx.commit()?;
                Ok(value)
            })
            .map_err(|failure| failure.into_state(&path))
    }

    /// A read for a writer: what a replaced one would decide by it is not its to decide.
    pub(crate) fn read_as<T>(
        &mut self,
        writer: &Writer,
        body: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StateError> {
        self.read(|tx| {
            syncs::check_token(tx, writer)?;
            body(tx)
        })
    }
}
