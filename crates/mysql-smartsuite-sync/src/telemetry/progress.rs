//! Progress bars, one for each sync under way. Shown on a terminal only; the log has the same in lines.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use sync_core::state::CallKind;
use sync_engine::event::{Event, Observer};

use crate::report::counted;

/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(120);

/// Draws the bars.
#[derive(Debug)]
pub(crate) struct Progress {
    bars: MultiProgress,
    name_width: usize,
    shown: Mutex<BTreeMap<String, Shown>>,
}

#[derive(Debug)]
struct Shown {
    bar: ProgressBar,
    rows: u64,
    settled: u64,
    sending: bool,
}

impl Progress {
    /// Bars for syncs whose longest name has `name_width` characters.
    pub(crate) fn new(bars: MultiProgress, name_width: usize) -> Self {
        Self { bars, name_width, shown: Mutex::default() }
    }

    fn begin(&self, sync: &str) -> Shown {
        let bar = self.bars.add(ProgressBar::no_length());
        bar.set_style(style("{prefix:.bold}  {spinner} {msg}"));
        bar.set_prefix(format!("{sync:width$}", width = self.name_width));
        bar.set_message("connecting");
        bar.enable_steady_tick(TICK);
        Shown { bar, rows: 0, settled: 0, sending: false }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

impl Observer for Progress {
    fn observe(&self, sync: &str, event: &Event) {
        let mut all = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::RunBegan { .. } => {
                all.insert(sync.to_owned(), self.begin(sync));
                return;
            }
            Event::RunEnded { .. } => {
                if let Some(shown) = all.remove(sync) {
                    shown.bar.finish_and_clear();
                    self.bars.remove(&shown.bar);
                }
                return;
            }
            _ => {}
        }
        let Some(shown) = all.get_mut(sync) else { return };
        match event {
            Event::ReadOpened { .. } => shown.bar.set_message("reading"),
            Event::Captured { books } => {
                shown.rows = (shown.rows + books.read).saturating_sub(books.unparked);
                if !shown.sending {
                    shown.bar.set_message(format!("reading: {}", counted(shown.rows, "row")));
                }
            }
            Event::CallLeft { kind, .. } => shown.say(*kind),
            Event::Settled { books, waiting } => {
                shown.settled += books.left();
                shown.bar.set_length(shown.settled + waiting);
                shown.bar.set_position(shown.settled);
            }
            Event::Paused { until } => {
                shown.bar.set_message(format!("paused until {}", until.strftime("%H:%M:%S UTC")));
            }
            Event::InDoubt { .. } => shown.bar.set_message("waiting to look up creates in doubt"),
            _ => {}
        }
    }
}

impl Shown {
    fn say(&mut self, kind: CallKind) {
        let words = match kind {
            CallKind::Create | CallKind::Update | CallKind::Delete => {
                if !self.sending {
                    self.sending = true;
                    self.bar.set_style(style(
                        "{prefix:.bold}  [{bar:30}] {human_pos}/{human_len} {msg} ({eta} left)",
                    ));
                }
                "sent"
            }
            CallKind::Structure => "looking at the table",
            CallKind::Audit | CallKind::Scan => "looking at the table's records",
            CallKind::LookUp => "looking up records",
        };
        self.bar.set_message(words);
    }
}
