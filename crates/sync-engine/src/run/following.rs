//! Following a stream of changes while a run reads and delivers: the keys it names become dirty marks at once, with
//! the position after them, so that the database's log is never kept waiting by SmartSuite.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sync_core::{
    change::{ChangeFeed, ChangeLog, Changes},
    config::model::{CaptureMode, OnPositionLost},
    error::{SourceError, SourceErrorKind},
    mutation::{self, Mutation},
    port::Clock,
    state::{FullReadReason, StateError, StreamEnd, StreamMarks, Writer},
};
use tokio::{sync::Notify, task::AbortHandle};

use super::running::Running;
use crate::{calls::Calls, capture::Broken, delivery::Turn, event::Event, state::State};

/// How often a run that follows looks round though nothing happens: its lease, quarantine, second looks.
const ROUND_EVERY: Duration = Duration::from_secs(20);
/// Keys that are kept behind a gap until it can be stored.
const HELD_MAX: usize = 100_000;
/// How long a delivery goes on when new changes are waiting to be read.
const DELIVERY_TURN: Duration = Duration::from_secs(2);

/// A stream that is being followed.
pub(super) struct Stream {
    shared: Arc<Shared>,
    task: AbortHandle,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Default)]
struct Shared {
    status: Mutex<Status>,
    news: Notify,
    read_ended: Notify,
}

#[derive(Default)]
struct Status {
    is_caught_up: bool,
    /// Keys were marked since somebody looked.
    has_marks: bool,
    /// Every row must be read.
    is_gap: bool,
    reads_everything: bool,
    failure: Option<Failure>,
}

#[derive(Clone)]
enum Failure {
    State(StateError),
    Source(SourceError),
}

impl Shared {
    fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was marked.
    fn named(&self, has_marks: bool, is_gap: bool, is_caught_up: bool) {
        let mut status = self.status();
        status.has_marks |= has_marks;
        status.is_gap |= is_gap;
        let is_news = has_marks || is_gap || (is_caught_up && !status.is_caught_up);
        status.is_caught_up |= is_caught_up;
        drop(status);
        if is_news {
            self.news.notify_one();
        }
    }

    fn fail(&self, failure: Failure) {
        self.status().failure = Some(failure);
        self.news.notify_one();
    }
}

/// What a stream has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Keys, or nothing but the time to look round.
    Marks,
    /// Every row must be read.
    Gap,
    /// The time to follow is over.
    Over,
}

impl Stream {
    fn check(&self) -> Result<(), Broken> {
        match self.shared.status().failure.clone() {
            None => Ok(()),
            Some(Failure::State(error)) => Err(error.into()),
            Some(Failure::Source(error)) => Err(error.into()),
        }
    }

    /// Whether every row must be read; asked once.
    fn take_gap(&self) -> bool {
        std::mem::take(&mut self.shared.status().is_gap)
    }

    /// A read of everything is under way, or has ended. What the log could not name meanwhile is stored only then: the
    /// end of a read that began before would wipe it out.
    pub(super) fn reads_everything(&self, reads: bool) {
        self.shared.status().reads_everything = reads;
        if !reads {
            self.shared.read_ended.notify_one();
        }
    }

    fn has_marks(&self) -> bool {
        let status = self.shared.status();
        status.has_marks || status.is_gap || status.failure.is_some()
    }

    fn forget_marks(&self) {
        self.shared.status().has_marks = false;
    }

    /// When a delivery should let newer changes be read: some are waiting, and it had its turn.
    pub(super) async fn wants(&self, turn: &Turn, clock: &dyn Clock) {
        turn.begun().await;
        clock.sleep(DELIVERY_TURN).await;
        while !self.has_marks() {
            self.shared.news.notified().await;
        }
    }
}

impl Running<'_> {
    /// Follows the sync's stream from where the state has it, or begins one; `None` for a sync without.
    pub(super) async fn begin_stream(&mut self) -> Result<Option<Stream>, Broken> {
        let Some(changes) = self.task.changes.clone() else {
            self.leave_stream().await?;
            return Ok(None);
        };
        let cancelled = self.cancelled;
        let follow = async {
            match self.opened.stream_position.clone() {
                Some(position) => match changes.follow(&position).await {
                    Err(error) if self.repairs(&error) => self.begin_anew(&*changes, true).await,
                    feed => Ok(feed?),
                },
                None => self.begin_anew(&*changes, false).await,
            }
        };
        let feed = tokio::select! {
            biased;
            () = cancelled.cancelled() => return Err(Broken::Cancelled),
            feed = follow => feed?,
        };
        Ok(Some(self.spawn(feed, true)))
    }

    /// A sync that followed a stream under another definition is as old as its reads now. One whose source cannot be had has
    /// left nothing.
    async fn leave_stream(&self) -> Result<(), StateError> {
        let is_left = self.opened.stream_position.is_some()
            && self.task.definition.capture != CaptureMode::Binlog;
        if !is_left {
            return Ok(());
        }
        let writer = self.writer;
        self.engine.state.run(move |state| state.leave_stream(&writer)).await
    }

    /// Whether a lost position is mended, rather than left to somebody.
    fn repairs(&self, error: &SourceError) -> bool {
        error.kind == SourceErrorKind::PositionLost
            && (self.options.full
                || self.task.definition.on_position_lost == OnPositionLost::Repair)
    }

    /// Takes a position such that a read of everything and what follows miss nothing. The read is due from the moment
    /// the position is stored, so that the position may move before the read has ended.
    async fn begin_anew(
        &mut self,
        changes: &dyn ChangeLog,
        is_lost: bool,
    ) -> Result<Box<dyn ChangeFeed>, Broken> {
        let reason = if is_lost { FullReadReason::PositionLost } else { FullReadReason::First };
        let position = changes.place().await?;
        let marks = StreamMarks { writer: self.writer, keys: Vec::new(), full_read: Some(reason) };
        let as_of = self.engine.clock.now();
        let end = StreamEnd { position: position.clone(), as_of, retention: None };
        self.engine.state.run(move |state| state.mark_stream(&[marks], &end)).await?;
        self.opened.full_read.get_or_insert(reason);
        if is_lost {
            // What an earlier run has read, and what a sweep has found, was before what nobody names now.
            self.opened.page = None;
            self.opened.swept_at = None;
        }
        self.opened.stream_position = Some(position.clone());
        Ok(changes.follow(&position).await?)
    }

    /// `is_reading`: a read begins that may be one of everything.
    fn spawn(&self, feed: Box<dyn ChangeFeed>, is_reading: bool) -> Stream {
        let shared = Arc::new(Shared::default());
        shared.status().reads_everything = is_reading;
        let pump = Pump {
            feed,
            state: self.engine.state.clone(),
            clock: Arc::clone(&self.engine.clock),
            calls: self.calls.clone(),
            writer: self.writer,
            shared: Arc::clone(&shared),
        };
        Stream { shared, task: tokio::spawn(pump.run()).abort_handle() }
    }

    /// Waits until everything that was in the log when the stream began is marked. A position that turns out to be lost
    /// is mended where that is wanted. Answers whether every row must be read.
    pub(super) async fn catch_up(&mut self, stream: &mut Stream) -> Result<bool, Broken> {
        let mut repaired = false;
        loop {
            match stream.check() {
                Err(Broken::Source(error)) if !repaired && self.repairs(&error) => {
                    repaired = true;
                    let Some(changes) = self.task.changes.clone() else { return Ok(false) };
                    let text = format!("{}; everything is read again", error.message);
                    self.calls.observe(&Event::Note { text });
                    let feed = self.begin_anew(&*changes, true).await?;
                    *stream = self.spawn(feed, false);
                }
                Err(broken) => return Err(broken),
                Ok(()) => {}
            }
            if stream.shared.status().is_caught_up {
                stream.forget_marks();
                return Ok(stream.take_gap() | repaired);
            }
            // No clock here: a rehearsal's leaps over every wait. A stream that cannot be had ends with a failure.
            tokio::select! {
                biased;
                () = self.cancelled.cancelled() => return Err(Broken::Cancelled),
                () = stream.shared.news.notified() => {}
            }
        }
    }

    /// Waits for news, or until it is time to look round; `ends_at` is of the clock's elapsed time.
    pub(super) async fn await_news(
        &mut self,
        stream: &mut Stream,
        ends_at: Duration,
    ) -> Result<News, Broken> {
        match stream.check() {
            // Lost while it was followed: as at the beginning.
            Err(Broken::Source(error)) if self.repairs(&error) => {
                return Ok(if self.catch_up(stream).await? { News::Gap } else { News::Marks });
            }
            other => other?,
        }
        // Also where changes never cease: what belongs to a run is due, and what is marked is kept for the next one.
        let left = ends_at.saturating_sub(self.engine.clock.elapsed());
        if left.is_zero() {
            return Ok(News::Over);
        }
        if !stream.has_marks() {
            self.wait(stream, left.min(ROUND_EVERY)).await?;
        }
        stream.forget_marks();
        Ok(if stream.take_gap() { News::Gap } else { News::Marks })
    }

    async fn wait(&self, stream: &Stream, length: Duration) -> Result<(), Broken> {
        self.calls.heartbeat(self.writer).await?;
        tokio::select! {
            biased;
            () = self.cancelled.cancelled() => Err(Broken::Cancelled),
            () = stream.shared.news.notified() => Ok(()),
            () = self.engine.clock.sleep(length) => Ok(()),
        }
    }
}

/// Marks what a feed names.
struct Pump {
    feed: Box<dyn ChangeFeed>,
    state: State,
    clock: Arc<dyn Clock>,
    calls: Calls,
    writer: Writer,
    shared: Arc<Shared>,
}

impl Pump {
    async fn run(mut self) {
        let mut held: Option<Changes> = None;
        loop {
            let next = tokio::select! {
                biased;
                () = self.shared.read_ended.notified(), if held.is_some() => Ok(None),
                // Dropping it loses nothing.
                next = self.feed.next() => next,
            };
            for text in self.feed.notes() {
                self.calls.observe(&Event::Note { text });
            }
            let changes = match next {
                Ok(Some(changes)) => {
                    if let (Some(why), None) = (&changes.reconcile, &held) {
                        let text = format!("everything is read again: {why}");
                        self.calls.observe(&Event::Note { text });
                    }
                    Some(match held.take() {
                        Some(gap) => with_newer(gap, changes),
                        None => changes,
                    })
                }
                Ok(None) => held.take(),
                Err(error) => return self.shared.fail(Failure::Source(error)),
            };
            let Some(changes) = changes else { continue };
            // The log is taken on all the same: other syncs hear of it through the same reader.
            if changes.reconcile.is_some() && self.shared.status().reads_everything {
                held = Some(changes);
                continue;
            }
            let retention = self.feed.retention();
            let stored = match self.mark(changes, retention).await {
                Ok(()) => self.calls.heartbeat(self.writer).await,
                Err(error) => Err(error),
            };
            if let Err(error) = stored {
                return self.shared.fail(Failure::State(error));
            }
        }
    }

    fn mark(
        &self,
        changes: Changes,
        retention: Option<Duration>,
    ) -> impl Future<Output = Result<(), StateError>> + Send + use<> {
        let Changes { mut keys, reconcile, position, as_of, is_caught_up } = changes;
        if mutation::is_on(Mutation::EventSkipped) {
            keys.pop();
        }
        let has_marks = !keys.is_empty();
        let is_gap = reconcile.is_some();
        let marks = StreamMarks {
            writer: self.writer,
            keys,
            full_read: is_gap.then_some(FullReadReason::LogGap),
        };
        let end = StreamEnd {
            position,
            // Where nothing is waiting in the log, it is complete up to now.
            as_of: as_of.unwrap_or_else(|| self.clock.now()),
            retention,
        };
        let (state, shared) = (self.state.clone(), Arc::clone(&self.shared));
        async move {
            if mutation::is_on(Mutation::StreamPositionFirst) {
                let (none, end) = (StreamMarks { keys: Vec::new(), ..marks.clone() }, end.clone());
                state.run(move |state| state.mark_stream(&[none], &end)).await?;
                tokio::task::yield_now().await;
            }
            state.run(move |state| state.mark_stream(&[marks], &end)).await?;
            shared.named(has_marks, is_gap, is_caught_up);
            Ok(())
        }
    }
}

/// What could not be named, and what was named behind it. With very many keys these are left out: everything will be
/// read anyway.
fn with_newer(gap: Changes, newer: Changes) -> Changes {
    let mut keys = gap.keys;
    keys.extend(newer.keys);
    if keys.len() > HELD_MAX {
        keys.clear();
    }
    Changes {
        keys,
        reconcile: gap.reconcile,
        position: newer.position,
        as_of: newer.as_of,
        is_caught_up: gap.is_caught_up || newer.is_caught_up,
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Waker},
    };

    use jiff::Timestamp;
    use sync_core::port::Boxed;
    use tokio_util::sync::CancellationToken;

    use super::*;

    /// Waits for nothing.
    struct Hasty;

    impl Clock for Hasty {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        fn elapsed(&self) -> Duration {
            Duration::ZERO
        }

        fn sleep(&self, _: Duration) -> Boxed<'static, ()> {
            Box::pin(async {})
        }
    }

    #[tokio::test]
    async fn what_a_delivery_must_find_out_before_its_first_call_is_no_part_of_its_turn() {
        let task = tokio::spawn(std::future::pending::<()>()).abort_handle();
        let stream = Stream { shared: Arc::default(), task };
        stream.shared.named(true, false, false);
        let turn = Turn::new(CancellationToken::new());
        let mut wants = pin!(stream.wants(&turn, &Hasty));
        let mut poll = || wants.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll().is_pending(), "the delivery has sent nothing yet");
        turn.begin();
        assert!(poll().is_ready());
    }
}
