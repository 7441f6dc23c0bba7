//! Alerts of the service: looks at what the state says, decides by [`sync_core::alert`], sends by each way.
//!
//! It is a task of its own beside the syncs. Whatever hangs or fails here leaves them running.

mod address;
mod form;
mod sender;
#[cfg(test)]
mod tests;
mod watch;

use std::{path::PathBuf, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use sync_core::{
    alert::{AlertDefinition, Manners, decide, judge},
    config::model::Config,
    port::Clock,
    state::StateError,
};
use sync_store::{AlertMessage, SqliteStore};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

pub(crate) use sender::Sender;
pub(crate) use watch::Troubles;
use watch::Watch;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(15);
/// What was late while the service was down has this long to catch up.
const GRACE: Duration = Duration::from_mins(1);

/// Raises its voice when something is wrong.
pub(crate) struct Alarm {
    sender: Sender,
    watch: Watch,
    manners: Manners,
    state_path: PathBuf,
    clock: Arc<dyn Clock>,
    heartbeat: Option<Duration>,
}

impl Alarm {
    /// Of a configuration that says who is to be told; `None` where it does not.
    pub(crate) fn of(
        config: &Config,
        interval_minutes: u32,
        state_path: PathBuf,
        troubles: Arc<Troubles>,
        clock: Arc<dyn Clock>,
    ) -> Option<Self> {
        let definition: AlertDefinition = config.alerts.clone()?;
        let manners = Manners {
            group: SignedDuration::from_mins(i64::from(definition.group_minutes)),
            quiet_hours: definition.quiet_hours.clone(),
        };
        let heartbeat = definition
            .heartbeat
            .as_ref()
            .map(|heartbeat| Duration::from_mins(u64::from(heartbeat.minutes)));
        Some(Self {
            sender: Sender::new(definition, Arc::clone(&clock)),
            watch: Watch::new(config, interval_minutes, troubles),
            manners,
            state_path,
            clock,
            heartbeat,
        })
    }

    /// Looks and tells until the end is asked for. Ends before only in a fault of this program, which whoever watches this task
    /// sees: a service that cannot raise its voice must not look as if all were well.
    pub(crate) async fn keep(self, ending: CancellationToken) {
        let this = Arc::new(self);
        let mut beaten: Option<Duration> = None;
        let mut pause = GRACE;
        loop {
            tokio::select! {
                biased;
                () = ending.cancelled() => return,
                () = this.clock.sleep(pause) => {}
            }
            pause = EVERY;
            let looking = Arc::clone(&this);
            let looked = tokio::task::spawn_blocking(move || looking.look()).await;
            let due = match looked {
                Ok(Ok(due)) => due,
                Ok(Err(error)) => {
                    tracing::warn!(
                        code = error.code(),
                        "alerts could not be looked after: {error}"
                    );
                    continue;
                }
                Err(_) => return,
            };
            tokio::select! {
                biased;
                () = ending.cancelled() => return,
                sent = this.send(due) => if sent.is_err() {
                    return;
                },
            }
            let is_due = this.heartbeat.is_some_and(|every| {
                beaten.is_none_or(|at| this.clock.elapsed().saturating_sub(at) >= every)
            });
            if is_due {
                beaten = Some(this.clock.elapsed());
                let beat = tokio::select! {
                    biased;
                    () = ending.cancelled() => return,
                    beat = this.sender.beat() => beat,
                };
                if let Err(why) = beat {
                    tracing::warn!("the heartbeat could not be sent: {why}");
                }
            }
        }
    }

    /// Decides what is to be said, and answers what is to be sent now: nothing in quiet hours, whenever it was decided.
    fn look(&self) -> Result<Vec<AlertMessage>, StateError> {
        let now = self.clock.now();
        let judgement = judge(&self.watch.observe(&self.state_path, now)?);
        let mut store = SqliteStore::open(&self.state_path)?;
        let channels = self.sender.channels();
        store.alert(&channels, now, |remembered| {
            decide(remembered, judgement, &self.manners, now)
        })?;
        if self.manners.are_quiet(now) {
            return Ok(Vec::new());
        }
        store.alert_messages(&channels, now)
    }

    /// Sends each message by its way. Ways do not wait for each other, messages of one way do.
    ///
    /// # Errors
    /// One of them ended in a fault of this program; the others have ended too.
    async fn send(self: &Arc<Self>, due: Vec<AlertMessage>) -> Result<(), JoinError> {
        let mut ways: JoinSet<()> = JoinSet::new();
        for channel in self.sender.channels() {
            let messages: Vec<AlertMessage> =
                due.iter().filter(|message| message.channel == channel).cloned().collect();
            let this = Arc::clone(self);
            ways.spawn(async move {
                for message in messages {
                    let outcome = this.sender.send(channel, &message.message).await;
                    let failed = outcome.is_err();
                    // At once: an end while the next one hangs must not let this one be sent again.
                    this.settle(&message, outcome, this.clock.now());
                    if failed {
                        break;
                    }
                }
            });
        }
        let mut all = Ok(());
        while let Some(ended) = ways.join_next().await {
            all = all.and(ended);
        }
        all
    }

    fn settle(&self, message: &AlertMessage, outcome: Result<(), String>, now: Timestamp) {
        let channel = message.channel.as_str();
        match &outcome {
            Ok(()) => tracing::info!(channel, "told: {}", message.message.title()),
            Err(why) => {
                let hint = "it is tried again; `alerts test` tries every way, `status` shows what is unsent";
                tracing::warn!(
                    channel,
                    code = "alert_unsent",
                    hint,
                    "an alert could not be sent: {why}"
                );
            }
        }
        let stored = SqliteStore::open(&self.state_path)
            .and_then(|mut store| store.alert_sent(message, outcome, now));
        if let Err(error) = stored {
            tracing::warn!(
                code = error.code(),
                "that an alert was sent could not be stored: {error}"
            );
        }
    }
}
