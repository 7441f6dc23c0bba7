//! What the state needs now and then besides syncs: copies, and the removal of what is old.

use std::{path::PathBuf, sync::Arc, time::Duration};

use sync_core::{config::model::StateDefinition, port::Clock, state::StateError};
use sync_store::{SqliteStore, back_up_while, newest_backup, thin_out};
use tokio_util::sync::CancellationToken;

use crate::{
    alerting::Troubles,
    command::state::{folder_of, is_younger, prune},
    wire::Wire,
};

/// How often it is looked whether something is due.
const INTERVAL: Duration = Duration::from_hours(1);
/// Hours between two copies.
const COPY_HOURS: u32 = 24;

/// Keeps one state in order.
#[derive(Clone)]
pub(crate) struct Housekeeping {
    path: PathBuf,
    keeping: StateDefinition,
    clock: Arc<dyn Clock>,
    troubles: Arc<Troubles>,
}

impl Housekeeping {
    /// Of the state that these syncs share.
    pub(crate) fn new(wire: &Wire, keeping: StateDefinition) -> Self {
        let (path, clock) = (wire.state_path.clone(), Arc::clone(&wire.clock));
        Self { path, keeping, clock, troubles: Arc::default() }
    }

    /// The same, which tells of copies that fail.
    pub(crate) fn telling(self, troubles: &Arc<Troubles>) -> Self {
        Self { troubles: Arc::clone(troubles), ..self }
    }

    /// Does what is due, and again from time to time, until the end is asked for. A copy is given up then.
    pub(crate) async fn keep(self, ending: CancellationToken) {
        while !ending.is_cancelled() {
            let (this, until) = (self.clone(), ending.clone());
            // Both copy or delete for a while.
            let done = tokio::task::spawn_blocking(move || this.copy_and_prune(&until)).await;
            if done.is_err() {
                // A fault of this program. Whoever watches this task sees that it has ended.
                return;
            }
            tokio::select! {
                biased;
                () = ending.cancelled() => {}
                () = self.clock.sleep(INTERVAL) => {}
            }
        }
    }

    fn copy_and_prune(&self, ending: &CancellationToken) {
        let copied = self.copy(ending);
        if ending.is_cancelled() {
            // Whatever it came to: the next shift, or the next start, sees to it.
            return;
        }
        self.troubles.set_backup(copied.as_ref().err().map(ToString::to_string));
        if let Err(error) = copied {
            let (code, hint) = (error.code(), error.remedy());
            tracing::error!(code, hint, "the state could not be copied: {error}");
        }
        self.prune();
    }

    /// A copy a day, of which the newest few are kept.
    fn copy(&self, ending: &CancellationToken) -> Result<(), StateError> {
        if !self.keeping.keeps_copies() {
            return Ok(());
        }
        let keep = usize::try_from(self.keeping.daily_backups).unwrap_or(usize::MAX);
        let (folder, now) = (folder_of(&self.path), self.clock.now());
        let newest = newest_backup(&self.path, &folder, now)?;
        if newest.is_some_and(|newest| is_younger(newest.at, COPY_HOURS, now)) {
            return Ok(());
        }
        let ending = ending.clone();
        let backup = back_up_while(&self.path, &folder, now, move || !ending.is_cancelled())?;
        tracing::info!("the state was copied to `{}`", backup.path.display());
        thin_out(&self.path, &folder, keep)?;
        Ok(())
    }

    /// Removes what is older than it is to be kept.
    pub(crate) fn prune(&self) {
        let pruned = SqliteStore::open(&self.path)
            .and_then(|mut store| prune(&mut store, &self.keeping, self.clock.now()));
        if let Err(error) = pruned {
            let (code, hint) = (error.code(), error.remedy());
            tracing::warn!(code, hint, "old runs and effects could not be removed: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use sync_store::backups;

    use super::*;
    use crate::clock::SystemClock;

    fn copies(path: &Path) -> usize {
        backups(path, path.parent().unwrap()).unwrap().len()
    }

    #[tokio::test]
    async fn a_copy_is_made_at_once_and_given_up_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        drop(SqliteStore::open(&path).unwrap());
        let keeping = StateDefinition::default();
        let clock = Arc::new(SystemClock::new());
        let housekeeping =
            Housekeeping { path: path.clone(), keeping, clock, troubles: Arc::default() };
        let ended = CancellationToken::new();
        ended.cancel();
        assert!(housekeeping.copy(&ended).is_err());
        housekeeping.copy_and_prune(&ended);
        assert_eq!(copies(&path), 0);
        housekeeping.copy_and_prune(&CancellationToken::new());
        assert_eq!(copies(&path), 1);
        housekeeping.copy_and_prune(&CancellationToken::new());
        assert_eq!(copies(&path), 1, "it is of today");
    }

    /// Catches: a clock that was ahead for a moment, after which nothing is copied for years.
    #[test]
    fn a_copy_that_says_to_be_of_a_time_to_come_stands_for_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        drop(SqliteStore::open(&path).unwrap());
        std::fs::write(folder.path().join("state.db.backup-21060207T062815Z"), "").unwrap();
        let (keeping, clock) = (StateDefinition::default(), Arc::new(SystemClock::new()));
        let housekeeping =
            Housekeeping { path: path.clone(), keeping, clock, troubles: Arc::default() };
        housekeeping.copy_and_prune(&CancellationToken::new());
        assert_eq!(copies(&path), 2);
    }
}
