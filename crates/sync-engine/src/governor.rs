//! Who lets calls leave so that the month's calls last.

use jiff::Timestamp;
use sync_core::pace::Rate;

use crate::run::Trouble;

/// Asked before a sync writes, and told of every call. Asked from several syncs at once; it must be quick.
pub trait Governor: Send + Sync {
    /// A delivery of a sync begins, in which so many entries wait.
    ///
    /// # Errors
    /// Nothing is sent; the run is partial with this trouble, and what waits is sent by a later one.
    fn begins(&self, sync: &str, entries: u64, now: Timestamp) -> Result<(), Trouble>;

    /// The sync would make its next writing call.
    ///
    /// # Errors
    /// As in [`Governor::begins`].
    fn may_send(&self, sync: &str, now: Timestamp) -> Result<(), Trouble>;

    /// A call of whatever kind leaves.
    fn count(&self, sync: &str, now: Timestamp);

    /// How fast calls may leave now, where `usual` is how fast they usually do.
    fn rate(&self, usual: Rate, now: Timestamp) -> Rate;
}
