//! The gate that every process of a state shares.

use std::{thread, time::Duration};

use jiff::{SignedDuration, Timestamp};
use sync_core::{
    pace::Rate,
    state::{CallKind, StateStore as _},
};
use sync_store::SqliteStore;

use crate::fixture::State;

const PROCESSES: i64 = 4;
const CALLS: i64 = 40;

/// Departures that several processes reserve at once, by clocks that differ by up to a second.
fn departures(state: &State, digest: &str, rate: Rate) -> Vec<Timestamp> {
    let (path, sync, began) = (state.path(), state.sync.id, state.now);
    let mut times: Vec<Timestamp> = thread::scope(|scope| {
        let processes: Vec<_> = (0..PROCESSES)
            .map(|process| {
                let path = &path;
                scope.spawn(move || {
                    let mut store = SqliteStore::open(path).unwrap();
                    let depart = |call: i64| {
                        let skew = (process * 331 + call * 777) % 1000;
                        let now = began + SignedDuration::from_millis(call * 100 + skew);
                        let kind = Some(CallKind::LookUp);
                        store.depart(sync, digest, kind, rate, now).unwrap()
                    };
                    (0..CALLS).map(depart).collect::<Vec<_>>()
                })
            })
            .collect();
        processes.into_iter().flat_map(|process| process.join().unwrap()).collect()
    });
    times.sort();
    times
}

#[test]
fn departures_of_several_processes_keep_their_distance() {
    for rate in [Rate(1), Rate(3), Rate(4), Rate(5)] {
        let state = State::new();
        let times = departures(&state, "digest", rate);
        assert_eq!(times.len(), 160);
        let spacing = SignedDuration::try_from(rate.spacing()).unwrap();
        let closest = times.windows(2).map(|pair| pair[1].duration_since(pair[0])).min().unwrap();
        assert!(closest >= spacing, "{rate:?}: {closest:?} < {spacing:?}");
        let calls: i64 =
            state.sql().query_row("SELECT sum(count) FROM calls", [], |row| row.get(0)).unwrap();
        assert_eq!(calls, 160, "each is counted");
    }
}

#[test]
fn each_key_has_a_gate_of_its_own() {
    let mut state = State::new();
    let mut depart =
        |digest: &str| state.store.depart(state.sync.id, digest, None, Rate(1), state.now).unwrap();
    assert_eq!(depart("one"), depart("other"));
    assert_ne!(depart("one"), depart("one"));
}

#[test]
fn a_pause_holds_for_every_process() {
    let mut state = State::new();
    let mut other = SqliteStore::open(&state.path()).unwrap();
    let wait = Some(Duration::from_mins(1));
    state.store.close_gate("digest", wait, Duration::from_millis(7), state.now).unwrap();
    let until = state.now + SignedDuration::from_millis(60_007);
    assert_eq!(other.gate_closed_until("digest", state.now).unwrap(), Some(until));
    let at = other.depart(state.sync.id, "digest", None, Rate(4), state.now).unwrap();
    assert_eq!(at, until);
    assert_eq!(other.gate_closed_until("digest", until).unwrap(), None);
}
