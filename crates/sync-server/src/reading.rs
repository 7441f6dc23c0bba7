//! What the state says, read on connections of the server's own. Never more than a few at once, so that however many
//! pages are open, the engine has the disk and the processor for itself.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sync_core::{port::Clock, state::StateError};
use sync_store::StateReader;
use tokio::sync::{Mutex as Turn, Semaphore};

use crate::problem::Problem;

/// Reads at once.
const READS_MAX: usize = 2;
/// How long what many ask for at once is good.
const FRESH: Duration = Duration::from_secs(1);

/// Reads the state.
#[derive(Debug)]
pub(crate) struct Reading {
    path: PathBuf,
    turns: Semaphore,
}

impl Reading {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, turns: Semaphore::new(READS_MAX) }
    }

    /// Lets `ask` read. Without a state, before the first run, it is `None`.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&StateReader) -> Result<T, StateError> + Send + 'static,
    ) -> Result<Option<T>, Problem> {
        let _turn = self.turns.acquire().await.map_err(|_| Problem::not_ready())?;
        let path = self.path.clone();
        let asking = tokio::task::spawn_blocking(move || {
            let reader = match StateReader::open(&path) {
                Err(StateError::Missing { .. }) => return Ok(None),
                opened => opened?,
            };
            ask(&reader).map(Some)
        });
        let answer = asking.await.map_err(|error| StateError::Other(error.to_string()))?;
        Ok(answer?)
    }
}

/// An answer that is made once for all who ask within a second.
pub(crate) struct Shared<T> {
    made: Mutex<Option<Made<T>>>,
    making: Turn<()>,
}

struct Made<T> {
    answer: Arc<T>,
    at: Duration,
    version: u64,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { made: Mutex::new(None), making: Turn::new(()) }
    }
}

impl<T> Shared<T> {
    /// The answer, if it is no older than a second and of this version; else what `make` gives.
    pub(crate) async fn get(
        &self,
        clock: &dyn Clock,
        version: u64,
        make: impl Future<Output = Result<T, Problem>>,
    ) -> Result<Arc<T>, Problem> {
        if let Some(answer) = self.fresh(clock, version) {
            return Ok(answer);
        }
        // One makes it, the others wait and find it made.
        let _turn = self.making.lock().await;
        if let Some(answer) = self.fresh(clock, version) {
            return Ok(answer);
        }
        let answer = Arc::new(make.await?);
        let made = Made { answer: Arc::clone(&answer), at: clock.elapsed(), version };
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
        Ok(answer)
    }

    fn fresh(&self, clock: &dyn Clock, version: u64) -> Option<Arc<T>> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let made = made.as_ref().filter(|made| made.version == version)?;
        (clock.elapsed().saturating_sub(made.at) < FRESH).then(|| Arc::clone(&made.answer))
    }
}
