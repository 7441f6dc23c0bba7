//! Whether the table is still as the cached structure says.

use jiff::Timestamp;
use sync_core::state::StateError;

use super::{Delivery, Ended};
use crate::structure::{self, STRUCTURE_AGE_MAX};

impl Delivery<'_> {
    /// A refusal named a field: the cached structure may be out of date. Read once a run.
    pub(super) async fn check_structure(&mut self) -> Result<(), StateError> {
        if std::mem::replace(&mut self.structure_checked, true) {
            return Ok(());
        }
        self.refresh_structure().await
    }

    /// A value was not kept: the cached structure may be out of date, unless it is new. A service that blanks values for
    /// other reasons must not cost a call each time.
    pub(super) async fn check_old_structure(&mut self) -> Result<(), StateError> {
        if self.structure_checked {
            return Ok(());
        }
        let (destination, now) = (self.route.writer.destination, self.route.calls.clock.now());
        let known = self.route.calls.state.run(move |state| state.structure(destination)).await?;
        let is_new = |at: Timestamp| now.duration_since(at) <= STRUCTURE_AGE_MAX;
        if known.is_some_and(|(_, at)| is_new(at)) {
            return Ok(());
        }
        self.check_structure().await
    }

    /// Reads the structure from the service; a changed one ends this delivery, as its drafts were made for another.
    pub(super) async fn refresh_structure(&mut self) -> Result<(), StateError> {
        match structure::refresh(self.route).await? {
            Ok(true) => {
                self.ended.get_or_insert(Ended::StructureChanged);
                Ok(())
            }
            Ok(false) => Ok(()),
            Err(error) => self.failed(&error).await,
        }
    }
}
