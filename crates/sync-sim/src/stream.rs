//! The simulated database's log as a stream of changes: which rows changed, in the order of their commits.

use std::{collections::BTreeSet, time::Duration};

use sync_core::{
    change::{ChangeFeed, ChangeLog, Changes},
    error::{SourceError, SourceErrorKind, SourcePart},
    port::{Boxed, Clock as _},
    state::StreamPosition,
};

use crate::{
    breath::Breath,
    clock::SimClock,
    source::{Change, SimDatabase},
};

/// How often a stream looks whether there is something new.
const LOOKS_EVERY: Duration = Duration::from_millis(300);
/// After so long without anything new a stream says that there is nothing.
const SAYS_SO_AFTER: Duration = Duration::from_secs(5);

/// The log of a database, as a process follows it.
#[derive(Clone, Debug)]
pub struct SimLog {
    /// The database.
    pub database: SimDatabase,
    /// Time.
    pub clock: SimClock,
    /// Of the process.
    pub breath: Breath,
    /// Most changes that are named at once.
    pub changes_max: usize,
}

impl ChangeLog for SimLog {
    fn place(&self) -> Boxed<'_, Result<StreamPosition, SourceError>> {
        Box::pin(async move {
            self.breath.taken().await;
            Ok(position(self.database.log_end()))
        })
    }

    fn follow(&self, from: &StreamPosition) -> Boxed<'_, Result<Box<dyn ChangeFeed>, SourceError>> {
        let at = from.0.parse().unwrap_or(usize::MAX);
        Box::pin(async move {
            self.breath.taken().await;
            self.database.log_from(at, 0).ok_or_else(lost)?;
            let ends = self.database.log_end();
            let feed = SimFeed { log: self.clone(), at, ends, has_said: false };
            Ok(Box::new(feed) as Box<dyn ChangeFeed>)
        })
    }
}

struct SimFeed {
    log: SimLog,
    at: usize,
    /// Where the log ended when the feed began.
    ends: usize,
    /// Whether it has said anything.
    has_said: bool,
}

impl ChangeFeed for SimFeed {
    fn next(&mut self) -> Boxed<'_, Result<Option<Changes>, SourceError>> {
        Box::pin(async move {
            let mut waited = Duration::ZERO;
            loop {
                self.log.breath.taken().await;
                let changes = self.log.database.log_from(self.at, self.log.changes_max);
                let changes = changes.ok_or_else(lost)?;
                let is_first = !std::mem::replace(&mut self.has_said, true);
                if !changes.is_empty() || is_first || waited >= SAYS_SO_AFTER {
                    return Ok(Some(self.named(&changes)));
                }
                self.log.clock.sleep(LOOKS_EVERY).await;
                waited += LOOKS_EVERY;
            }
        })
    }

    fn notes(&mut self) -> Vec<String> {
        Vec::new()
    }

    fn retention(&self) -> Option<Duration> {
        None
    }
}

impl SimFeed {
    fn named(&mut self, changes: &[Change]) -> Changes {
        self.at += changes.len();
        let keys: BTreeSet<i64> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Row(id) => Some(*id),
                Change::Unnamed => None,
            })
            .collect();
        let unnamed = changes.contains(&Change::Unnamed);
        Changes {
            keys: keys.into_iter().map(|id| self.log.database.key(id)).collect(),
            reconcile: unnamed.then(|| "the log does not name the rows".to_owned()),
            position: position(self.at),
            as_of: None,
            is_caught_up: self.at >= self.ends,
        }
    }
}

fn position(at: usize) -> StreamPosition {
    StreamPosition(at.to_string())
}

fn lost() -> SourceError {
    SourceError {
        about: SourcePart::Whole,
        kind: SourceErrorKind::PositionLost,
        message: "that part of the log does not exist any more".into(),
        remedy: "read everything again".into(),
    }
}
