//! A stream of changes: which keys changed, in the order of their commits. It never carries values.

use std::time::Duration;

use jiff::Timestamp;

use crate::{error::SourceError, key::Key, port::Boxed, state::StreamPosition};

/// Changes of one sync's rows, as the database itself records them.
pub trait ChangeLog: Send + Sync {
    /// A position such that every read opened after this call shows everything before it, so that a read of everything
    /// and the changes from here on miss nothing. May be repeated.
    ///
    /// # Errors
    /// The log cannot be followed: see [`ChangeLog::follow`].
    fn place(&self) -> Boxed<'_, Result<StreamPosition, SourceError>>;

    /// Follows the changes from a position on. From then on reads of this sync's source wait until they show what the
    /// feed has named. One feed a sync at a time.
    ///
    /// # Errors
    /// `PositionLost`: the log from there on does not exist any more. `LogSettings` and `MissingPrivilege`: somebody
    /// must do something. Lost connections are no errors: the feed connects again, for ever.
    fn follow(&self, from: &StreamPosition) -> Boxed<'_, Result<Box<dyn ChangeFeed>, SourceError>>;
}

/// One sync's changes. Dropping it ends the following.
pub trait ChangeFeed: Send {
    /// The changes since the last call: waits for some, gathers for a moment what follows, names each key once. Without
    /// any it answers every few seconds all the same, as the position moves. `None`: nothing but [`Self::notes`].
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// As [`ChangeLog::follow`]; the feed is over.
    fn next(&mut self) -> Boxed<'_, Result<Option<Changes>, SourceError>>;

    /// What there is to say about how the log is read, each sentence once, free of row values.
    fn notes(&mut self) -> Vec<String>;

    /// How long the database keeps its log; `None`: for ever, or not known.
    fn retention(&self) -> Option<Duration>;
}

/// What changed between two positions.
#[derive(Clone, Debug, PartialEq)]
pub struct Changes {
    /// Keys to be read again, each once.
    pub keys: Vec<Key>,
    /// Why every row must be compared, if so: the log cannot say which changed.
    pub reconcile: Option<String>,
    /// After all of it.
    pub position: StreamPosition,
    /// When the last transaction before the position was made, where known; `None`: nothing is waiting in the log.
    pub as_of: Option<Timestamp>,
    /// Whether everything that was in the log when the feed began has been named.
    pub is_caught_up: bool,
}
