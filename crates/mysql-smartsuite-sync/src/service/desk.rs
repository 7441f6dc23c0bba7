//! What others may ask of the service, done on the shift that is under way.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use serde_json::Value;
use sync_core::{
    budget::BudgetDefinition,
    config::model::{CaptureMode, Config, ScheduleDefinition, SyncDefinition},
    freshness::FreshnessGoal,
    port::{Boxed, Clock},
    state::StateError,
};
use sync_engine::resync::Resync;
use sync_server::{Condition, Desk, Done, Reason, Refusal, RosterEntry, Wish};
use sync_store::{Promise, SqliteStore, StateReader};

use super::{
    post::{self, Change, Post, Shut},
    shift::Shift,
    vitals::Vitals,
};
use crate::{
    command::explain::explanation,
    report::{counted, explain::value},
    wire::Wire,
};

/// Effects that the story of a record shows.
const EFFECTS: usize = 50;
/// How long a request waits for what is done between two turns. Longer ones are told that it will be done.
const PATIENCE: Duration = Duration::from_secs(5);

/// The service, for those who ask.
pub(crate) struct ServiceDesk {
    state: PathBuf,
    clock: Arc<dyn Clock>,
    vitals: Arc<Vitals>,
    serving: RwLock<Option<Arc<Serving>>>,
}

/// A shift that is under way, and its configuration.
struct Serving {
    wire: Arc<Wire>,
    posts: BTreeMap<String, Arc<Post>>,
    config: Config,
    interval_minutes: u32,
}

impl ServiceDesk {
    /// Nothing is served yet.
    pub(crate) fn new(state: PathBuf, clock: Arc<dyn Clock>, vitals: Arc<Vitals>) -> Self {
        Self { state, clock, vitals, serving: RwLock::new(None) }
    }

    /// From now on this shift is meant.
    pub(crate) fn open(&self, shift: &Shift, config: Config, interval_minutes: u32) {
        let (wire, posts) = (Arc::clone(&shift.wire), shift.posts.clone());
        self.set(Some(Arc::new(Serving { wire, posts, config, interval_minutes })));
    }

    /// From now on nothing is served.
    pub(crate) fn close(&self) {
        self.set(None);
    }

    fn set(&self, serving: Option<Arc<Serving>>) {
        *self.serving.write().unwrap_or_else(PoisonError::into_inner) = serving;
    }

    fn serving(&self) -> Option<Arc<Serving>> {
        self.serving.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn done(&self, sync: String, wish: Wish) -> Result<Done, Refusal> {
        let serving = self.serving().ok_or(Refusal::NotServing)?;
        let Some(definition) = serving.config.sync(&sync) else {
            return Err(Refusal::Unknown { sync });
        };
        let post = serving.posts.get(&sync).ok_or(Refusal::Disabled)?;
        match wish {
            Wish::Run { retry } => {
                if !retry {
                    self.check_stop(&serving, &sync).await?;
                }
                let promise = if post.is_promised(retry)? {
                    None
                } else {
                    Some(self.promise(sync, Promise::Run { retry }).await?)
                };
                if let Err(shut) = post.ask(post::Wish { retry, promise }) {
                    if let Some(number) = promise {
                        self.take_back(number).await;
                    }
                    return Err(shut.into());
                }
                Ok(Done::Triggered)
            }
            Wish::Pause => {
                self.set_paused(sync, true).await?;
                post.pause()?;
                Ok(Done::Done)
            }
            Wish::Resume => {
                self.set_paused(sync, false).await?;
                post.resume()?;
                Ok(Done::Done)
            }
            Wish::Resync(keys) => {
                let rows = keys.map_or(Resync::Everything, Resync::Keys);
                let task = serving.wire.task(definition).await;
                // Only a condition asks the source, and there is none.
                drop(serving.wire.engine.resync(&task, rows).await?);
                match post.ask_anew() {
                    Ok(()) => Ok(Done::Triggered),
                    // It is in the state: the next turn reads them.
                    Err(Shut::Paused | Shut::Closed) => Ok(Done::Done),
                }
            }
            Wish::Retry(filter) => self.change(sync, post, Change::Retry(filter)).await,
            Wish::Drop(filter) => self.change(sync, post, Change::Drop(filter)).await,
        }
    }

    /// Lets the state know what somebody is told, and answers its number.
    async fn promise(&self, sync: String, promise: Promise) -> Result<i64, StateError> {
        let path = self.state.clone();
        blocking(move || SqliteStore::open(&path)?.promise(&sync, &promise)).await
    }

    /// What was promised is not. Where the state does not take that, it is done by the next start.
    async fn take_back(&self, number: i64) {
        let path = self.state.clone();
        drop(blocking(move || SqliteStore::open(&path)?.forget_promise(number)).await);
    }

    async fn change(&self, sync: String, post: &Post, change: Change) -> Result<Done, Refusal> {
        let promise = match &change {
            Change::Retry(filter) => Promise::Retry(filter.clone()),
            Change::Drop(filter) => Promise::Drop(filter.clone()),
        };
        let number = self.promise(sync, promise).await?;
        let answered = post.leave(change, number);
        tokio::select! {
            biased;
            answer = answered => match answer {
                Ok(rows) => Ok(Done::Rows(rows?)),
                Err(_) => {
                    self.take_back(number).await;
                    Err(Refusal::NotServing)
                }
            },
            () = self.clock.sleep(PATIENCE) => Ok(Done::Later),
        }
    }

    /// Fails where the breaker stopped the sync for the key that is used.
    async fn check_stop(&self, serving: &Serving, sync: &str) -> Result<(), Refusal> {
        let (path, name) = (self.state.clone(), sync.to_owned());
        let look = move || match StateReader::open(&path) {
            Ok(reader) => Ok(reader.sync(&name)?.and_then(|report| report.stopped)),
            Err(StateError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        };
        let stop = blocking(look).await?;
        match stop.filter(|stop| stop.forbids_runs(&serving.wire.key_digest, self.clock.now())) {
            Some(stop) => Err(Refusal::Stopped { message: stop.message, remedy: stop.remedy }),
            None => Ok(()),
        }
    }

    async fn set_paused(&self, sync: String, is_paused: bool) -> Result<(), StateError> {
        let (path, at) = (self.state.clone(), is_paused.then(|| self.clock.now()));
        tracing::info!(
            sync.name = sync,
            "{}",
            if is_paused { "pause asked for" } else { "resumed" }
        );
        blocking(move || SqliteStore::open(&path)?.set_paused(&sync, at)).await
    }

    async fn story(&self, sync: String, key: &str, live: bool) -> Result<Value, Refusal> {
        let serving = self.serving().ok_or(Refusal::NotServing)?;
        let Some(definition) = serving.config.sync(&sync) else {
            return Err(Refusal::Unknown { sync });
        };
        let mysql = live.then(|| serving.wire.mysql());
        let explained = explanation(&self.state, definition, key, mysql, EFFECTS).await?;
        Ok(value(&explained))
    }
}

impl From<Shut> for Refusal {
    fn from(shut: Shut) -> Self {
        match shut {
            Shut::Paused => Self::Paused,
            Shut::Closed => Self::NotServing,
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StateError> + Send + 'static,
) -> Result<T, StateError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(StateError::Other(error.to_string())))
}

impl Desk for ServiceDesk {
    fn roster(&self) -> Vec<RosterEntry> {
        let Some(serving) = self.serving() else { return Vec::new() };
        let entry = |definition: &SyncDefinition| {
            let post = serving.posts.get(&definition.name);
            RosterEntry {
                definition: Arc::new(definition.clone()),
                schedule: times(definition, serving.interval_minutes),
                next_run: post.and_then(|post| post.next()),
                is_under_way: post.is_some_and(|post| post.is_under_way()),
                is_paused: post.is_some_and(|post| post.is_paused()),
                goal: FreshnessGoal::of(definition, serving.interval_minutes),
            }
        };
        serving.config.syncs.iter().map(entry).collect()
    }

    fn ask(&self, sync: String, wish: Wish) -> Boxed<'_, Result<Done, Refusal>> {
        Box::pin(self.done(sync, wish))
    }

    fn explain(&self, sync: String, key: String, live: bool) -> Boxed<'_, Result<Value, Refusal>> {
        Box::pin(async move { self.story(sync, &key, live).await })
    }

    fn condition(&self) -> Condition {
        let mut reasons = match self.serving() {
            Some(_) => Vec::new(),
            None => vec![Reason {
                code: "not_serving",
                message: "the service is starting or ending".to_owned(),
            }],
        };
        // Starting it anew mends this.
        reasons.extend(self.vitals.lost().into_iter().map(|name| Reason {
            code: "task_ended",
            message: format!("the {name} have ended in a fault of this program"),
        }));
        Condition { reasons }
    }

    fn budget(&self) -> Option<BudgetDefinition> {
        self.serving()?.config.budget
    }

    fn keeps_copies(&self) -> bool {
        self.serving().is_some_and(|serving| serving.config.state.keeps_copies())
    }
}

/// When a sync runs, in words.
fn times(definition: &SyncDefinition, interval_minutes: u32) -> String {
    if definition.capture == CaptureMode::Binlog {
        return "follows the binlog".to_owned();
    }
    let every = |minutes: u32| match minutes {
        1 => "every minute".to_owned(),
        60 => "every hour".to_owned(),
        minutes if minutes % 60 == 0 => format!("every {}", counted((minutes / 60).into(), "hour")),
        minutes => format!("every {}", counted(minutes.into(), "minute")),
    };
    match &definition.schedule {
        Some(ScheduleDefinition::Cron { pattern, time_zone }) => {
            format!("at `{pattern}`, {time_zone}")
        }
        Some(ScheduleDefinition::Interval { minutes }) => every(*minutes),
        None => every(interval_minutes),
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::clock::SystemClock;

    #[tokio::test]
    async fn a_service_that_lost_a_task_is_not_ready() {
        let vitals = Arc::new(Vitals::default());
        let clock = Arc::new(SystemClock::new());
        let desk = ServiceDesk::new(PathBuf::new(), clock, Arc::clone(&vitals));
        let codes =
            || -> Vec<&str> { desk.condition().reasons.iter().map(|one| one.code).collect() };
        assert_eq!(codes(), ["not_serving"]);
        vitals.watch("alerts", &CancellationToken::new(), async {}).await;
        assert_eq!(codes(), ["not_serving", "task_ended"]);
    }
}
