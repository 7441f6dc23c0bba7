//! Tasks that must live as long as the service does. One that ends before its time is noticed: nobody else waits for it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

/// Which of them live.
#[derive(Debug, Default)]
pub(crate) struct Vitals(Mutex<BTreeSet<&'static str>>);

impl Vitals {
    /// The task as one that must live until `ending` is cancelled. One of the same name that was lost is made up for.
    pub(crate) fn watch<T: Future<Output = ()>>(
        self: &Arc<Self>,
        name: &'static str,
        ending: &CancellationToken,
        task: T,
    ) -> impl Future<Output = ()> + use<T> {
        self.inside().remove(name);
        let life = Life { name, ending: ending.clone(), vitals: Arc::clone(self), is_over: false };
        async move {
            let mut life = life;
            task.await;
            life.is_over = true;
        }
    }

    /// What was lost, by name.
    pub(crate) fn lost(&self) -> Vec<&'static str> {
        self.inside().iter().copied().collect()
    }

    fn inside(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The life of one task: what is dropped with it tells how it went.
struct Life {
    name: &'static str,
    ending: CancellationToken,
    vitals: Arc<Vitals>,
    is_over: bool,
}

impl Drop for Life {
    fn drop(&mut self) {
        // A task that is only taken away belongs to a service that ends in a fault of its own.
        let has_ended = self.is_over || std::thread::panicking();
        if !has_ended || self.ending.is_cancelled() {
            return;
        }
        self.vitals.inside().insert(self.name);
        tracing::error!(
            code = "task_ended",
            hint = "please report this; start the service anew, as a watchdog does",
            "the {} have ended in a fault of this program; the syncs run all the same",
            self.name
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_ends_or_panics_before_the_end_is_noticed() {
        let (vitals, ending) = (Arc::new(Vitals::default()), CancellationToken::new());
        tokio::spawn(vitals.watch("ends", &ending, async {})).await.unwrap();
        let panics = tokio::spawn(vitals.watch("panics", &ending, async { panic!("on purpose") }));
        assert!(panics.await.unwrap_err().is_panic());
        let lives = tokio::spawn(vitals.watch("lives", &ending, std::future::pending()));
        let aborted = tokio::spawn(vitals.watch("aborted", &ending, std::future::pending()));
        aborted.abort();
        assert!(aborted.await.unwrap_err().is_cancelled());
        assert_eq!(vitals.lost(), ["ends", "panics"]);
        drop(vitals.watch("panics", &ending, std::future::pending()));
        assert_eq!(vitals.lost(), ["ends"], "it was begun anew");
        ending.cancel();
        lives.abort();
        tokio::spawn(vitals.watch("after", &ending, async {})).await.unwrap();
        assert_eq!(vitals.lost(), ["ends"]);
    }
}
