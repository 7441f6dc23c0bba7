//! Dirty marks as others set them: the binlog, sweeps, repairs and people's commands, from processes of their own.

use sync_core::{
    key::Key,
    state::{DestinationId, FullReadReason, StateStore as _, SyncId, Writer},
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

/// Asks for a full read of the world's sync, as `resync` does.
pub(super) fn request_full_read(world: &World) {
    let mut store = SqliteStore::open(&world.state_path()).expect("the state opens");
    store.request_full_read(SyncId(1), FullReadReason::Resync).expect("the state works");
}
