//! Who is asked before anything leaves: somebody who writes down what a run would do, or who holds it to what was
//! written down.

use sync_core::{slug::Slug, state::Call, table::Choice};

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

    /// Whether these choices may be added to a field. If not, the rows that ask for them stand in quarantine.
    fn may_add(&self, sync: &str, slug: &Slug, choices: &[Choice]) -> bool;
}
