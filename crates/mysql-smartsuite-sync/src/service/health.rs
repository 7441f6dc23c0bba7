//! What the service manager is told: that the service lives, as long as it really does, and what it is doing.

use std::{path::PathBuf, sync::Arc, time::Duration};

use sync_core::{
    port::Clock,
    state::{StateError, Stop},
};
use sync_store::StateReader;
use tokio_util::sync::CancellationToken;

use super::{Manager, Vitals};
use crate::report::counted;

/// How often the status line is made anew, where no watchdog asks for more.
const EVERY: Duration = Duration::from_secs(30);
/// How long the state may take to answer.
const LIMIT: Duration = Duration::from_secs(20);

/// Looks at the service's health until the end is asked for. A state that cannot be read, a task that ended before its
/// time, or a runtime that has no turn for this one lets the watchdog bark.
pub(crate) async fn tell(
    manager: Manager,
    path: PathBuf,
    clock: Arc<dyn Clock>,
    vitals: Arc<Vitals>,
    ending: CancellationToken,
) {
    let every = manager.watchdog_interval().map_or(EVERY, |every| every.min(EVERY));
    while !ending.is_cancelled() {
        let asked = path.clone();
        let looking = tokio::task::spawn_blocking(move || words(&asked));
        let looked = tokio::select! {
            biased;
            looked = looking => looked.ok(),
            () = ending.cancelled() => return,
            () = clock.sleep(LIMIT) => None,
        };
        let lost = vitals.lost();
        match looked {
            Some(Ok(words)) if lost.is_empty() => {
                manager.status(&words);
                manager.alive();
            }
            Some(Ok(words)) => {
                manager.status(&format!("{words}; ended in a fault: {}", lost.join(", ")));
            }
            Some(Err(error)) => {
                manager.status(&format!("the state cannot be read: {error}"));
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
    use sync_store::SqliteStore;
    use tokio::net::UnixDatagram;

    use super::*;
    use crate::clock::SystemClock;

    /// What the service manager hears next.
    async fn heard(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).await.unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[tokio::test]
    async fn the_watchdog_is_not_fed_once_a_task_was_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        drop(SqliteStore::open(&path).unwrap());
        let at = folder.path().join("notify");
        let socket = UnixDatagram::bind(&at).unwrap();
        let (vitals, ending) = (Arc::new(Vitals::default()), CancellationToken::new());
        let telling = tell(
            Manager::at(&at, Duration::from_millis(1)),
            path,
            Arc::new(SystemClock::new()),
            Arc::clone(&vitals),
            ending.clone(),
        );
        let telling = tokio::spawn(telling);
        assert_eq!(heard(&socket).await, "STATUS=0 syncs, 0 running");
        assert_eq!(heard(&socket).await, "WATCHDOG=1");
        let panics = tokio::spawn(vitals.watch("alerts", &ending, async { panic!("on purpose") }));
        assert!(panics.await.is_err());
        let lost = "STATUS=0 syncs, 0 running; ended in a fault: alerts";
        while heard(&socket).await != lost {}
        for _ in 0..5 {
            assert_eq!(heard(&socket).await, lost);
        }
        ending.cancel();
        telling.await.unwrap();
    }

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
