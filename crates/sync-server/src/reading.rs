//! What the state says, read on connections of the server's own. Never more than a few at once, so that however many
//! pages are open, the engine has the disk and the processor for itself.

use std::{
    collections::BTreeMap,
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

/// What counting may take, as a share of the time: one in so many.
const COUNTING: u32 = 50;

/// How many links each sync has. Counting goes through all of them, which takes a million a good part of a second: they
/// are counted anew when so much time has passed that it takes no more than a fiftieth of it.
#[derive(Debug, Default)]
pub(crate) struct LinkCounts(Mutex<BTreeMap<String, Counted>>);

#[derive(Clone, Copy, Debug)]
struct Counted {
    links: u64,
    at: Duration,
    took: Duration,
}

impl LinkCounts {
    /// The links of a sync, by `count` where they are to be counted.
    pub(crate) fn of(
        &self,
        sync: &str,
        clock: &dyn Clock,
        count: impl FnOnce() -> Result<u64, StateError>,
    ) -> Result<u64, StateError> {
        // Held while it is counted: who asks meanwhile waits for the same number.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let began = clock.elapsed();
        let is_good =
            |one: &Counted| began.saturating_sub(one.at) < one.took.saturating_mul(COUNTING);
        if let Some(counted) = known.get(sync).filter(|one| is_good(one)) {
            return Ok(counted.links);
        }
        let links = count()?;
        let at = clock.elapsed();
        let took = at.saturating_sub(began);
        known.insert(sync.to_owned(), Counted { links, at, took });
        Ok(links)
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use jiff::Timestamp;
    use sync_core::port::Boxed;

    use super::*;

    /// Seconds that a test sets.
    #[derive(Default)]
    struct Set(AtomicU64);

    impl Clock for Set {
        fn now(&self) -> Timestamp {
            Timestamp::MIN
        }

        fn elapsed(&self) -> Duration {
            Duration::from_secs(self.0.load(Ordering::Relaxed))
        }

        fn sleep(&self, _length: Duration) -> Boxed<'static, ()> {
            Box::pin(std::future::pending())
        }
    }

    #[test]
    fn links_are_counted_anew_when_fifty_times_what_it_took_has_passed() {
        let (counts, clock) = (LinkCounts::default(), Set::default());
        let ask = |at: u64, takes: u64, links: u64| {
            clock.0.store(at, Ordering::Relaxed);
            let count = || {
                clock.0.store(at + takes, Ordering::Relaxed);
                Ok(links)
            };
            counts.of("a", &clock, count).unwrap()
        };
        assert_eq!(ask(0, 2, 1), 1);
        assert_eq!(ask(101, 2, 2), 1, "that would be too soon");
        assert_eq!(ask(102, 0, 3), 3);
        assert_eq!(ask(102, 0, 4), 4, "what takes no time is counted each time");
        assert!(counts.of("b", &clock, || Err(StateError::Other(String::new()))).is_err());
    }
}
