//! What the engine's events come to: the progress of runs under way, and counts since the service began.

mod counts;
mod histogram;
mod progress;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sync_core::port::Clock;
use sync_engine::event::{Event, Observer};
use tokio::sync::watch;

pub(crate) use self::{
    counts::Counts,
    histogram::{CALL_BOUNDS, Histogram, RUN_BOUNDS},
    progress::{Note, Progress},
};

/// Notes of the mapping that are kept for each sync.
const NOTES_MAX: usize = 20;

/// Reads the engine's events. Shared by the engine, which writes, and the server, which reads.
pub struct Live {
    clock: Arc<dyn Clock>,
    inside: Mutex<Inside>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Inside {
    progress: BTreeMap<String, Progress>,
    notes: BTreeMap<String, Vec<Note>>,
    counts: Counts,
    /// Rises when something has changed that the state tells in full: a run began or ended, somebody asked something.
    version: u64,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Live")
    }
}

impl Live {
    /// Nothing has happened yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let (changed, _) = watch::channel(0);
        Self { clock, inside: Mutex::default(), changed }
    }

    /// Says that something changed that pages show.
    pub fn touch(&self) {
        self.inside().version += 1;
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Wakes those who watch whenever something happens.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Runs under way by sync, and the version of what the state tells.
    pub(crate) fn progress(&self) -> (BTreeMap<String, Progress>, u64) {
        let inside = self.inside();
        (inside.progress.clone(), inside.version)
    }

    pub(crate) fn version(&self) -> u64 {
        self.inside().version
    }

    /// What the mapping had to say in the sync's newest run.
    pub(crate) fn notes(&self, sync: &str) -> Vec<Note> {
        self.inside().notes.get(sync).cloned().unwrap_or_default()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.inside().counts.clone()
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Live {
    fn observe(&self, sync: &str, event: &Event) {
        let (now, elapsed) = (self.clock.now(), self.clock.elapsed());
        let mut guard = self.inside();
        let inside = &mut *guard;
        match event {
            Event::RunBegan { run, waiting } => {
                let progress = Progress::begin(*run, *waiting, now, elapsed);
                inside.progress.insert(sync.to_owned(), progress);
                inside.notes.remove(sync);
                inside.version += 1;
            }
            Event::RunEnded { status, books, .. } => {
                let began = inside.progress.remove(sync).map(|progress| progress.began_elapsed);
                let took = began.map(|began| elapsed.saturating_sub(began));
                inside.counts.run(sync, *status, books, took);
                inside.version += 1;
            }
            Event::Finding(finding) => {
                let notes = inside.notes.entry(sync.to_owned()).or_default();
                if notes.len() < NOTES_MAX {
                    notes.push(Note::of(finding));
                }
            }
            Event::CallEnded { kind, took, error } => {
                inside.counts.call(sync, *kind, *took, *error);
            }
            _ => {}
        }
        if let Some(progress) = inside.progress.get_mut(sync) {
            progress.take(event);
        }
        drop(guard);
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }
}

#[cfg(test)]
mod tests;
