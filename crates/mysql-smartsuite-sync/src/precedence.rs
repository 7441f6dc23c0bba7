//! Who goes first: a sync whose rows point to another's waits for that one's turn, so that links go out with their
//! rows instead of in a second update.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use sync_core::{
    config::{model::SyncDefinition, order::Order},
    port::Boxed,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How long a sync of the service waits for those before it: a first load of theirs may take hours, and links that come
/// late are healed anyway.
pub(crate) const PATIENCE: Duration = Duration::from_mins(10);

/// One that is due so soon after counts as due already: syncs of one interval drift apart by the time their turns take.
const NEARLY: SignedDuration = SignedDuration::from_secs(5);

/// The turns of several syncs. Places are those of the list it was made from.
#[derive(Debug)]
pub(crate) struct Precedence {
    order: Order,
    /// When each sync's next turn is due; a turn that is under way is due until it ends. `None`: no turn is to come.
    /// At first nobody knows, so that all count as due.
    due: Mutex<Vec<Option<Timestamp>>>,
    changed: Notify,
}

impl Precedence {
    /// Of these syncs.
    pub(crate) fn of(syncs: &[&SyncDefinition]) -> Arc<Self> {
        let due = Mutex::new(vec![Some(Timestamp::MIN); syncs.len()]);
        Arc::new(Self { order: Order::of(syncs), due, changed: Notify::new() })
    }

    /// Says when a sync's next turn is due, or that its turn has ended and none is to come.
    pub(crate) fn set_due(&self, place: usize, at: Option<Timestamp>) {
        if let Some(due) = self.due().get_mut(place) {
            *due = at;
        }
        self.changed.notify_waiters();
    }

    /// Waits while one of those before it is due no later than this sync, or under way since then; at most until
    /// `patience` is over.
    pub(crate) async fn wait(
        &self,
        place: usize,
        due: Timestamp,
        mut patience: Boxed<'static, ()>,
        ending: &CancellationToken,
    ) {
        loop {
            let changed = self.changed.notified();
            if !self.is_held_up(place, due) {
                return;
            }
            tokio::select! {
                biased;
                () = ending.cancelled() => return,
                () = changed => {}
                () = &mut patience => return,
            }
        }
    }

    /// Syncs that are due once more when all have had their turn.
    pub(crate) fn again(&self) -> &[usize] {
        &self.order.again
    }

    fn is_held_up(&self, place: usize, due: Timestamp) -> bool {
        let due = due.saturating_add(NEARLY).unwrap_or(due);
        let all = self.due();
        let before = self.order.before.get(place).into_iter().flatten();
        before.filter_map(|other| all.get(*other).copied().flatten()).any(|other| other <= due)
    }

    fn due(&self) -> MutexGuard<'_, Vec<Option<Timestamp>>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that no turn of a sync is to come when it is dropped, however the sync ended.
pub(crate) struct LastTurn {
    precedence: Arc<Precedence>,
    place: usize,
}

impl LastTurn {
    pub(crate) fn of(precedence: &Arc<Precedence>, place: usize) -> Self {
        Self { precedence: Arc::clone(precedence), place }
    }
}

impl Drop for LastTurn {
    fn drop(&mut self) {
        self.precedence.set_due(self.place, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
syncs:
  - name: orders
    source: {query: SELECT 1 AS id, primary_key: id}
    destination:
      table_id: 6500000000000000000000d1
      external_id_field: sx
      field_mappings: {id: sid}
      links: {scustomer: {sync: customers, from: customer_id}}
  - name: customers
    source: {query: SELECT 1 AS id, primary_key: id}
    destination: {table_id: 6500000000000000000000c1, external_id_field: sx, field_mappings: {id: sid}}
";

    /// Whether the orders may go at second 10.
    async fn may_go(precedence: &Arc<Precedence>) -> bool {
        let never = Box::pin(std::future::pending());
        let ending = CancellationToken::new();
        let wait = precedence.wait(0, Timestamp::from_second(10).unwrap(), never, &ending);
        tokio::select! {
            biased;
            () = wait => true,
            () = tokio::task::yield_now() => false,
        }
    }

    #[tokio::test]
    async fn a_sync_waits_for_those_it_points_to_if_they_are_due() {
        let config = sync_core::config::parse(TEXT, &|_| None).config.unwrap();
        let precedence = Precedence::of(&config.syncs.iter().collect::<Vec<_>>());
        assert!(!may_go(&precedence).await, "nobody knows yet when the customers are due");
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        precedence.set_due(1, at(16));
        assert!(may_go(&precedence).await);
        precedence.set_due(1, at(15));
        assert!(!may_go(&precedence).await);
        let last = LastTurn::of(&precedence, 1);
        let waiting = Arc::clone(&precedence);
        let never: Boxed<'static, ()> = Box::pin(std::future::pending());
        let orders = tokio::spawn(async move {
            let ending = CancellationToken::new();
            waiting.wait(0, Timestamp::from_second(10).unwrap(), never, &ending).await;
        });
        tokio::task::yield_now().await;
        drop(last);
        orders.await.unwrap();
    }
}
