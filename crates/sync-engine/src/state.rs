//! The state as async code reaches it: inline, or on a thread of its own.
//!
//! SQLite blocks; the simulator wants it inline on its one thread, a real process on a thread that may block.

use std::sync::{Arc, Mutex, PoisonError, mpsc};

use sync_core::{
    port::Boxed,
    state::{StateError, StateStore},
};
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce(&mut dyn StateStore) + Send>;

/// A handle to the state; clones share it. Jobs run one at a time, in order.
#[derive(Clone)]
pub struct State {
    runner: Arc<dyn Runner>,
}

trait Runner: Send + Sync {
    fn submit(&self, job: Job) -> Boxed<'static, ()>;
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("State")
    }
}

impl State {
    /// Runs every job at once, on the caller's thread, and then lets others have a turn: between any two jobs other
    /// tasks may act, and a simulated process may die, as they may where the state has a thread of its own.
    pub fn inline(store: Box<dyn StateStore>) -> Self {
        Self { runner: Arc::new(Inline { store: Mutex::new(store) }) }
    }

    /// Runs jobs on a thread that ends when the last handle is dropped.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn on_thread(mut store: Box<dyn StateStore>) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        std::thread::Builder::new().name("state".into()).spawn(move || {
            while let Ok(job) = queue.recv() {
                job(store.as_mut());
            }
        })?;
        Ok(Self { runner: Arc::new(OnThread { jobs: Mutex::new(jobs) }) })
    }

    /// Runs one job and waits for what it answers.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn StateStore) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, StateError> {
        let (answer, answered) = oneshot::channel();
        let submitted = self.runner.submit(Box::new(move |store| {
            // The one who asked may be gone; the job is done all the same.
            drop(answer.send(job(store)));
        }));
        submitted.await;
        answered
            .await
            .unwrap_or_else(|_| Err(StateError::Other("the state's thread has ended".into())))
    }
}

struct Inline {
    store: Mutex<Box<dyn StateStore>>,
}

impl Runner for Inline {
    fn submit(&self, job: Job) -> Boxed<'static, ()> {
        job(self.store.lock().unwrap_or_else(PoisonError::into_inner).as_mut());
        // Others get their turn, and a simulated process can die between any two writes.
        Box::pin(tokio::task::yield_now())
    }
}

struct OnThread {
    jobs: Mutex<mpsc::Sender<Job>>,
}

impl Runner for OnThread {
    fn submit(&self, job: Job) -> Boxed<'static, ()> {
        // A send fails only when the thread is gone; the job and its answer's sender are dropped, and the caller
        // sees that.
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).send(job));
        Box::pin(std::future::ready(()))
    }
}
