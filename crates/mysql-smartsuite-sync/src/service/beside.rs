//! What goes on beside a shift: the state is kept in order, and somebody is told when something is wrong.

use std::sync::Arc;

use sync_core::config::model::Config;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Reload;
use crate::{alerting::Alarm, housekeeping::Housekeeping, wire::Wire};

/// The tasks beside a shift.
pub(crate) struct Beside {
    ending: CancellationToken,
    tasks: JoinSet<()>,
}

impl Beside {
    /// Begins, for a configuration, until `ending` is cancelled or [`Beside::end`] is called.
    pub(crate) fn start(
        wire: &Arc<Wire>,
        config: &Config,
        reload: &Reload,
        ending: &CancellationToken,
    ) -> Self {
        let (ending, mut tasks) = (ending.child_token(), JoinSet::new());
        let troubles = reload.troubles();
        let housekeeping = Housekeeping::new(wire, config.state).telling(troubles);
        tasks.spawn(housekeeping.keep(ending.clone()));
        let (path, clock) = (wire.state_path.clone(), Arc::clone(&wire.clock));
        let interval = reload.interval_minutes();
        if let Some(alarm) = Alarm::of(config, interval, path, Arc::clone(troubles), clock) {
            tasks.spawn(alarm.keep(ending.clone()));
        }
        Self { ending, tasks }
    }

    /// Ends it. A message on its way is sent again by whoever comes next.
    pub(crate) async fn end(mut self) {
        self.ending.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}
