//! Who follows in a test: a hub with short times, and feeds that gather what is named.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use jiff::Timestamp;
use sync_core::{
    change::{ChangeFeed, ChangeLog, Changes},
    error::SourceError,
    key::Key,
    port::{Boxed, Clock},
    state::StreamPosition,
};
use sync_mysql::{
    MysqlSource,
    binlog::{ChangeHub, LogSettings, MysqlChanges, RelatedTable},
};
use throwaway_server::TestUser;

use crate::stage::{Stage, definition, source};

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Real time, or time that passes so many times faster.
pub(crate) struct TestClock(tokio::time::Instant, u32);

impl TestClock {
    pub(crate) fn start() -> Arc<dyn Clock> {
        Self::faster(1)
    }

    pub(crate) fn faster(factor: u32) -> Arc<dyn Clock> {
        Arc::new(Self(tokio::time::Instant::now(), factor))
    }
}

impl Clock for TestClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed() * self.1
    }

    fn sleep(&self, length: Duration) -> Boxed<'static, ()> {
        let length = length / self.1;
        Box::pin(
            async move { drop(tokio::time::timeout(length, std::future::pending::<()>()).await) },
        )
    }
}

/// One reader of the log of a stage's server.
pub(crate) struct Audience<'a> {
    stage: &'a Stage,
    pub(crate) hub: ChangeHub,
}

impl<'a> Audience<'a> {
    pub(crate) fn of(stage: &'a Stage, server_id: u32) -> Self {
        Self::by(stage, server_id, None)
    }

    pub(crate) fn by(stage: &'a Stage, server_id: u32, user: Option<&TestUser>) -> Self {
        let options = user.map_or_else(|| stage.options(), |user| stage.options_of(user));
        let settings = LogSettings {
            heartbeat: Duration::from_secs(1),
            gather: Duration::from_millis(20),
            linger: Duration::from_millis(50),
            ..LogSettings::new(server_id)
        };
        Self { stage, hub: ChangeHub::new(options, settings, TestClock::start()) }
    }

    /// That hands out every change at once.
    pub(crate) fn eager(stage: &'a Stage, server_id: u32) -> Self {
        let settings = LogSettings { gather: Duration::ZERO, ..LogSettings::new(server_id) };
        Self { stage, hub: ChangeHub::new(stage.options(), settings, TestClock::start()) }
    }

    /// For whom time passes so many times faster.
    pub(crate) fn hasty(stage: &'a Stage, server_id: u32, factor: u32) -> Self {
        let settings = LogSettings::new(server_id);
        Self { stage, hub: ChangeHub::new(stage.options(), settings, TestClock::faster(factor)) }
    }

    pub(crate) fn source(&self, query: &str, key: &[&str]) -> Arc<MysqlSource> {
        Arc::new(source(self.stage.options(), &definition(query, key, None), &[]).unwrap())
    }

    /// The changes of a table's rows, by their `id`.
    pub(crate) fn changes(&self, query: &str) -> MysqlChanges {
        self.hub.changes(self.source(query, &["id"]), Vec::new())
    }

    pub(crate) fn related(&self, query: &str, related: RelatedTable) -> MysqlChanges {
        self.hub.changes(self.source(query, &["id"]), vec![related])
    }
}

/// A feed with everything it has named so far.
pub(crate) struct Heard {
    feed: Box<dyn ChangeFeed>,
    pub(crate) keys: BTreeSet<String>,
    /// The same as they were named.
    pub(crate) named: Vec<Key>,
    pub(crate) reconciles: Vec<String>,
    pub(crate) position: StreamPosition,
    pub(crate) notes: Vec<String>,
    /// Everything that was committed before was named.
    pub(crate) as_of: Option<Timestamp>,
    is_caught_up: bool,
}

impl Heard {
    pub(crate) async fn from(
        changes: &MysqlChanges,
        from: &StreamPosition,
    ) -> Result<Self, SourceError> {
        let mut feed = changes.follow(from).await?;
        Ok(Self {
            notes: feed.notes(),
            feed,
            keys: BTreeSet::new(),
            named: Vec::new(),
            reconciles: Vec::new(),
            position: from.clone(),
            as_of: None,
            is_caught_up: false,
        })
    }

    /// From now on.
    pub(crate) async fn now(changes: &MysqlChanges) -> Self {
        let place = changes.place().await.unwrap();
        Self::from(changes, &place).await.unwrap()
    }

    pub(crate) async fn next(&mut self) -> Result<Changes, SourceError> {
        let changes = loop {
            let next = tokio::time::timeout(PATIENCE, self.feed.next()).await.expect("a sign")?;
            self.notes.extend(self.feed.notes());
            if let Some(changes) = next {
                break changes;
            }
        };
        self.keys.extend(changes.keys.iter().map(|key| key.text().into_owned()));
        self.named.extend(changes.keys.iter().cloned());
        self.reconciles.extend(changes.reconcile.clone());
        self.position = changes.position.clone();
        self.as_of = changes.as_of;
        self.is_caught_up |= changes.is_caught_up;
        Ok(changes)
    }

    /// Until there is something to say about how the log is read, though nothing changes.
    pub(crate) async fn until_note(&mut self, words: &str) {
        let came = tokio::time::timeout(PATIENCE, async {
            while !self.notes.iter().any(|note| note.contains(words)) {
                let next = self.feed.next().await.unwrap();
                self.notes.extend(self.feed.notes());
                let named = next.into_iter().flat_map(|changes| changes.keys);
                self.keys.extend(named.map(|key| key.text().into_owned()));
            }
        });
        came.await.unwrap_or_else(|_| panic!("no word of `{words}`: {:?}", self.notes));
    }

    /// Until the keys are exactly these.
    pub(crate) async fn until_keys(&mut self, keys: &[&str]) {
        let wanted: BTreeSet<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        while self.keys != wanted {
            assert!(self.keys.is_subset(&wanted), "{:?} and not {wanted:?}", self.keys);
            self.next().await.unwrap();
        }
    }

    pub(crate) async fn until_reconcile(&mut self, words: &str) {
        while !self.reconciles.iter().any(|why| why.contains(words)) {
            assert!(self.reconciles.is_empty(), "{:?}", self.reconciles);
            self.next().await.unwrap();
        }
    }

    pub(crate) async fn until_caught_up(&mut self) {
        while !self.is_caught_up {
            self.next().await.unwrap();
        }
    }

    pub(crate) async fn until_failure(&mut self) -> SourceError {
        loop {
            if let Err(error) = self.next().await {
                return error;
            }
        }
    }
}
