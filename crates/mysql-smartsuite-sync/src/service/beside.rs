//! What goes on beside a shift: the state is kept in order, and somebody is told when something is wrong.

use std::{sync::Arc, time::Duration};

use sync_core::{config::model::Config, port::Clock};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Reload, Vitals};
use crate::{alerting::Alarm, housekeeping::Housekeeping, wire::Wire};

/// How long they may take to end. What cannot be told to end, such as a statement on the state, goes on by itself.
const ENDING_MAX: Duration = Duration::from_secs(5);

/// The tasks beside a shift.
pub(crate) struct Beside {
    ending: CancellationToken,
    clock: Arc<dyn Clock>,
    tasks: JoinSet<()>,
}

impl Beside {
    /// Begins, for a configuration, until `ending` is cancelled or [`Beside::end`] is called.
    pub(crate) fn start(
        wire: &Arc<Wire>,
        config: &Config,
        reload: &Reload,
        vitals: &Arc<Vitals>,
        ending: &CancellationToken,
    ) -> Self {
        let (ending, mut tasks) = (ending.child_token(), JoinSet::new());
        let troubles = reload.troubles();
        let housekeeping = Housekeeping::new(wire, config.state).telling(troubles);
        tasks.spawn(vitals.watch("copies", &ending, housekeeping.keep(ending.clone())));
        let (path, clock) = (wire.state_path.clone(), Arc::clone(&wire.clock));
        let interval = reload.interval_minutes();
        if let Some(alarm) = Alarm::of(config, interval, path, Arc::clone(troubles), clock) {
            tasks.spawn(vitals.watch("alerts", &ending, alarm.keep(ending.clone())));
        }
        Self { ending, clock: Arc::clone(&wire.clock), tasks }
    }

    /// Ends it, within seconds. A message on its way is sent again by whoever comes next.
    pub(crate) async fn end(mut self) {
        self.ending.cancel();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        within(ENDING_MAX, self.clock.as_ref(), all).await;
    }
}

/// Waits for what ends, but no longer than this.
pub(crate) async fn within(length: Duration, clock: &dyn Clock, ends: impl Future<Output = ()>) {
    tokio::select! {
        biased;
        () = ends => {}
        () = clock.sleep(length) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use jiff::Timestamp;
    use sync_core::port::Boxed;

    use super::*;

    /// Every wait is over at once.
    struct Hasty;

    impl Clock for Hasty {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        fn elapsed(&self) -> Duration {
            Duration::ZERO
        }

        fn sleep(&self, _length: Duration) -> Boxed<'static, ()> {
            Box::pin(std::future::ready(()))
        }
    }

    #[tokio::test]
    async fn what_does_not_end_when_it_is_told_to_is_left() {
        let mut tasks = JoinSet::new();
        let (free, freed) = mpsc::channel::<()>();
        // A thread that nobody can tell to end, as a long statement on the state is.
        let copy = tokio::task::spawn_blocking(move || freed.recv().is_err());
        tasks.spawn(async { drop(copy.await) });
        let beside = Beside { ending: CancellationToken::new(), clock: Arc::new(Hasty), tasks };
        let turns = async {
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = beside.end() => {}
            () = turns => panic!("it waits"),
        }
        drop(free);
    }
}
