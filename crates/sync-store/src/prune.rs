//! Removing what is old: runs and effects. Nothing that the work needs is ever old.

use jiff::Timestamp;
use rusqlite::params;
use sync_core::state::StateError;

use crate::{SqliteStore, store::Durability};

/// Rows removed in one transaction: others want to write too.
const ROWS: i64 = 10_000;

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Runs.
    pub runs: u64,
    /// Effects.
    pub effects: u64,
}

impl SqliteStore {
    /// Removes runs and effects from before these times. The newest run of each sync and its newest successful one
    /// stay, and so does every run that is under way.
    ///
    /// # Errors
    /// The state fails; what was removed until then stays so.
    pub fn prune(
        &mut self,
        runs_before: Timestamp,
        effects_before: Timestamp,
    ) -> Result<Pruned, StateError> {
        let runs = self.remove_in_steps(
            "DELETE FROM runs WHERE id IN (
               SELECT id FROM runs AS r WHERE started_at < ?1 AND status <> 'running'
                 AND id <> (SELECT max(id) FROM runs WHERE sync_id = r.sync_id)
                 AND id IS NOT (SELECT max(id) FROM runs WHERE sync_id = r.sync_id AND status = 'success')
               LIMIT ?2)",
            runs_before,
        )?;
        // Effects are written in the order of time, so old ones are the first.
        let effects = self.remove_in_steps(
            "DELETE FROM effects WHERE id IN (SELECT id FROM (SELECT id, at FROM effects ORDER BY id LIMIT ?2)
               WHERE at < ?1)",
            effects_before,
        )?;
        self.transact(Durability::Process, |tx| {
            tx.execute(
                "DELETE FROM field_sets WHERE NOT EXISTS (SELECT 1 FROM effects LIMIT 1)",
                [],
            )?;
            Ok(())
        })?;
        Ok(Pruned { runs, effects })
    }

    /// Forgets what was last written to records: somebody said that it is not to be kept.
    ///
    /// # Errors
    /// The state fails; what was forgotten until then stays so.
    pub fn forget_values(&mut self) -> Result<(), StateError> {
        loop {
            let step = self.transact(Durability::Process, |tx| {
                let mut update = tx.prepare_cached(
                    "UPDATE links SET base = NULL WHERE (sync_id, destination_id, key) IN (
                       SELECT sync_id, destination_id, key FROM links WHERE base IS NOT NULL LIMIT ?)",
                )?;
                Ok(update.execute([ROWS])?)
            })?;
            if step == 0 {
                return Ok(());
            }
        }
    }

    fn remove_in_steps(&mut self, delete: &str, before: Timestamp) -> Result<u64, StateError> {
        let mut removed = 0;
        loop {
            let step = self.transact(Durability::Process, |tx| {
                Ok(tx.prepare_cached(delete)?.execute(params![before.as_millisecond(), ROWS])?)
            })?;
            removed += step as u64;
            if step == 0 {
                return Ok(removed);
            }
        }
    }
}
