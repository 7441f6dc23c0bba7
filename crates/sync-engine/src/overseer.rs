//! Who is asked before anything leaves: somebody who writes down what a run would do, or who holds it to what was
//! written down.

use sync_core::state::Call;

use crate::run::Trouble;

/// Looks over a run's shoulder. Asked from several syncs at once; it must be quick and must not block.
pub trait Overseer: Send + Sync {
    /// Every row of a sync's read is stored, and nothing was sent since. `outbox` is the digest of what it wishes
    /// for; see [`sync_core::state::StateStore::outbox_digest`].
    ///
    /// # Errors
    /// The run ends here, with this trouble; what was stored stays and is sent by a later run.
    fn captured(&self, sync: &str, outbox: [u8; 16]) -> Result<(), Trouble>;

    /// Whether this call of a sync may leave. If not, its entries stay wishes and the run ends.
    fn may_leave(&self, sync: &str, call: &Call) -> bool;
}
