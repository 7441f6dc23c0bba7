//! Ctrl-C and SIGTERM: the first asks for an end, the second says how to force one.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A process that may be asked to end.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    asked: CancellationToken,
    by_system: Arc<AtomicBool>,
}

impl Ending {
    /// Listens from now on; `say` puts a line before a person's eyes.
    ///
    /// # Errors
    /// The system allows no signal handlers.
    pub(crate) fn listen(say: impl Fn(&str) + Send + 'static) -> std::io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let ending = Self { asked: CancellationToken::new(), by_system: Arc::default() };
        let heard = ending.clone();
        // Ends with the runtime: there is nothing to wait for.
        drop(tokio::spawn(async move {
            loop {
                tokio::select! {
                    biased;
                    _ = terminate.recv() => heard.by_system.store(true, Ordering::Relaxed),
                    _ = interrupt.recv() => {}
                }
                if heard.asked.is_cancelled() {
                    say(&format!(
                        "still ending: the calls in flight are waited for, so that nothing is in doubt\n\
                         hint: `kill -9 {}` ends it at once; what was being sent is looked up by the next run",
                        std::process::id()
                    ));
                } else {
                    heard.asked.cancel();
                    say(
                        "ending: the calls in flight finish first (press Ctrl-C again to see how to force it)",
                    );
                }
            }
        }));
        Ok(ending)
    }

    /// Cancelled once somebody asked for the end.
    pub(crate) fn asked(&self) -> &CancellationToken {
        &self.asked
    }

    /// Whether the system asked (SIGTERM), as it does to stop a service.
    pub(crate) fn by_system(&self) -> bool {
        self.by_system.load(Ordering::Relaxed)
    }
}
