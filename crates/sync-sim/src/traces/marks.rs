//! Dirty marks as others set them: the binlog, sweeps, repairs and people's commands, from processes of their own.

use sync_core::{
    key::Key,
    port::Clock,
    state::{DestinationId, OpenedSync, StateStore as _, SyncId, Writer},
};
use sync_store::SqliteStore;

use crate::world::World;

/// Fencing tokens tried: one a run.
const TOKENS_MAX: i64 = 100;

/// Marks a row of the world's sync as to be read again.
pub(super) fn mark_dirty(world: &World, id: i64) {
    marker(world)(id);
}

/// Marks rows as to be read again, whenever it is called.
pub(super) fn marker(world: &World) -> impl Fn(i64) + Send + 'static {
    let path = world.state_path();
    move |id| {
        let mut store = SqliteStore::open(&path).expect("the state opens");
        let marked = (0..TOKENS_MAX).any(|token| {
            let writer = Writer { sync: SyncId(1), destination: DestinationId(1), token };
            store.mark_dirty(&writer, &[Key::Int(id)]).is_ok()
        });
        assert!(marked, "no token is the newest");
    }
}

/// Takes the lease of the world's sync, as a successor does whom the lock let in too early.
pub(super) fn take_lease(world: &World) {
    let mut store = SqliteStore::open(&world.state_path()).expect("the state opens");
    let taken = (0..TOKENS_MAX).any(|definition| {
        let sync = OpenedSync {
            id: SyncId(1),
            destination: DestinationId(1),
            watermark: None,
            full_read: None,
            stopped: None,
            links: 0,
            definition,
        };
        store.hold(&sync, "successor", world.clock.now()).is_ok()
    });
    assert!(taken, "no definition is the newest");
}
