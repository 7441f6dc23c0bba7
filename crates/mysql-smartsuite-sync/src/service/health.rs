//! What the service manager is told: that the service lives, as long as it really does, and what it is doing.

use std::{path::PathBuf, sync::Arc, time::Duration};

use sync_core::{
    port::Clock,
    state::{StateError, Stop},
};
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
    let mut words = format!("{}, {} running", counted(count(syncs.len()), "sync"), running.count());
    words += &stops(syncs.iter().filter_map(|sync| sync.stopped.as_ref()));
    match reader.alerts()?.len() {
        0 => {}
        alerts => words += &format!(", {}", counted(count(alerts), "alert")),
    }
    Ok(words)
}

/// How many syncs are stopped, and how many of them only create nothing.
fn stops<'a>(stops: impl Iterator<Item = &'a Stop>) -> String {
    let (partly, wholly): (Vec<&Stop>, Vec<&Stop>) = stops.partition(|stop| stop.only_creates);
    let said = |these: Vec<&Stop>, word| match these.len() {
        0 => String::new(),
        number => format!(", {number} {word}"),
    };
    said(wholly, "stopped") + &said(partly, "creating nothing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_that_creates_nothing_is_not_passed_over() {
        let stop = |only_creates| Stop {
            code: "smartsuite_plan_full".into(),
            message: String::new(),
            remedy: String::new(),
            key: None,
            until: None,
            only_creates,
        };
        let all = [stop(true), stop(false), stop(true)];
        assert_eq!(stops(all.iter()), ", 1 stopped, 2 creating nothing");
        assert_eq!(stops(all.iter().take(1)), ", 1 creating nothing");
        assert_eq!(stops([].iter()), "");
    }
}
