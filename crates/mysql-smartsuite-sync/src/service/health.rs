//! What the service manager is told: that the service lives, as long as it really does, and what it is doing.

use std::{path::PathBuf, sync::Arc, time::Duration};

use sync_core::{port::Clock, state::StateError};
use sync_store::StateReader;
use tokio_util::sync::CancellationToken;

use super::manager;
use crate::report::counted;

/// How often the status line is made anew, where no watchdog asks for more.
const EVERY: Duration = Duration::from_secs(30);
/// How long the state may take to answer.
const LIMIT: Duration = Duration::from_secs(20);

/// Looks at the service's health until the end is asked for. A state that does not answer, or a runtime that has no turn
/// for this task, lets the watchdog bark.
pub(crate) async fn tell(path: PathBuf, clock: Arc<dyn Clock>, ending: CancellationToken) {
    let every = manager::watchdog_interval().map_or(EVERY, |every| every.min(EVERY));
    while !ending.is_cancelled() {
        let asked = path.clone();
        let looking = tokio::task::spawn_blocking(move || words(&asked));
        let looked = tokio::select! {
            biased;
            looked = looking => looked.ok(),
            () = clock.sleep(LIMIT) => None,
        };
        match looked {
            Some(Ok(words)) => {
                manager::status(&words);
                manager::alive();
            }
            Some(Err(error)) => {
                manager::status(&format!("the state cannot be read: {error}"));
                tracing::warn!(code = error.code(), "the state cannot be read: {error}");
            }
            None => tracing::warn!("the state does not answer"),
        }
        tokio::select! {
            biased;
            () = ending.cancelled() => {}
            () = clock.sleep(every) => {}
        }
    }
}

/// In one line, how the syncs stand.
fn words(path: &std::path::Path) -> Result<String, StateError> {
    let reader = StateReader::open(path)?;
    let syncs = reader.syncs()?;
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let running = syncs.iter().filter(|sync| sync.holder.as_ref().is_some_and(|one| one.is_seen));
    let stopped =
        syncs.iter().filter(|sync| sync.stopped.as_ref().is_some_and(|stop| !stop.only_creates));
    let mut words = format!("{}, {} running", counted(count(syncs.len()), "sync"), running.count());
    match stopped.count() {
        0 => {}
        stopped => words += &format!(", {stopped} stopped"),
    }
    match reader.alerts()?.len() {
        0 => {}
        alerts => words += &format!(", {}", counted(count(alerts), "alert")),
    }
    Ok(words)
}
