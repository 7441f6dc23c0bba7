//! The engine's events as log lines and progress bars.

mod console;
mod line;
mod log;
mod progress;
mod rotation;

pub(crate) use console::Console;
pub(crate) use log::{ConsoleLog, LogObserver, start_log};
pub(crate) use progress::Progress;

use sync_engine::event::{Event, Observer};

/// Several observers in one.
pub(crate) struct Observers(pub(crate) Vec<std::sync::Arc<dyn Observer>>);

impl Observer for Observers {
    fn observe(&self, sync: &str, event: &Event) {
        for observer in &self.0 {
            observer.observe(sync, event);
        }
    }
}
