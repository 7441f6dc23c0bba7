//! An alarm that ends in a fault of this program is noticed.

use std::{
    future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use sync_core::{
    config,
    port::{Boxed, Clock},
};
use sync_store::SqliteStore;
use tokio_util::sync::CancellationToken;

use super::super::{Alarm, Troubles};
use crate::service::Vitals;

/// Turns after which the service ends.
const TURNS: usize = 5;

/// A clock that tells the time so many times, and whose waits are over at once.
struct Breaking {
    times_left: AtomicUsize,
    waits: AtomicUsize,
    ending: CancellationToken,
}

impl Clock for Breaking {
    fn now(&self) -> Timestamp {
        let left = &self.times_left;
        let less =
            left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        less.expect("this clock breaks on purpose");
        Timestamp::UNIX_EPOCH
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _length: Duration) -> Boxed<'static, ()> {
        if self.waits.fetch_add(1, Ordering::SeqCst) >= TURNS {
            self.ending.cancel();
        }
        Box::pin(future::ready(()))
    }
}

/// What is lost of a service whose alarm has a clock that tells the time so many times, with a message to send.
async fn lost_after(times: usize) -> Vec<&'static str> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    drop(SqliteStore::open(&path).unwrap());
    let text = "alerts: {webhook: {url: 'http://127.0.0.1:1/'}, group: 0}
syncs:
  - name: orders
    source: {table: orders}
    destination: {table_id: 6500000000000000000000d1, external_id_field: sorder, field_mappings: {total: stotal}}
";
    let config = config::parse(text, &|_| None).config.unwrap();
    let troubles: Arc<Troubles> = Arc::default();
    troubles.set_backup(Some("the disk is full".to_owned()));
    let ending = CancellationToken::new();
    let clock = Breaking {
        times_left: AtomicUsize::new(times),
        waits: AtomicUsize::new(0),
        ending: ending.clone(),
    };
    let alarm = Alarm::of(&config, 5, path, troubles, Arc::new(clock)).unwrap();
    let vitals: Arc<Vitals> = Arc::default();
    vitals.watch("alerts", &ending, alarm.keep(ending.clone())).await;
    vitals.lost()
}

/// Catches: a fault in every look, or in the sending of a message, after which nobody is told of anything ever again, while the
/// watchdog is fed.
#[tokio::test]
async fn an_alarm_that_ends_in_a_fault_is_noticed() {
    assert_eq!(lost_after(0).await, ["alerts"], "in its first look");
    assert_eq!(lost_after(1).await, ["alerts"], "when it stores what was sent");
    assert_eq!(lost_after(usize::MAX).await, [] as [&str; 0], "when the service ends");
}
