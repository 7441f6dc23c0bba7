//! P4: each call leaves at a departure of its own.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use smartsuite_emulator::Profile;
use sync_core::port::Clock as _;
use sync_engine::{
    event::{Event, Observer},
    run::RunOptions,
};

use super::stage::{books_balance, comes_right, fill, succeeds, world};
use crate::{breath::Breath, clock::SimClock, world::ProcessParts};

/// When calls left.
struct Departures {
    clock: SimClock,
    times: Mutex<Vec<Timestamp>>,
}

impl Observer for Departures {
    fn observe(&self, _sync: &str, event: &Event) {
        if matches!(event, Event::CallLeft { .. }) {
            self.times.lock().unwrap_or_else(PoisonError::into_inner).push(self.clock.now());
        }
    }
}

/// At four calls a second, with the timers' grain.
const APART: SignedDuration = SignedDuration::from_millis(245);

/// P4. Catches: a departure that is used after other calls have left in its time (`Delivery::step`).
#[test]
fn p4_a_departure_that_other_calls_used_up_is_not_used_again() {
    // An update of a record that is gone is answered without it, and each is asked for by a call of its own.
    world(Profile::lenient(), async |world| {
        fill(&world, 200);
        succeeds(&world).await;
        for id in (1..=200).step_by(12) {
            let record = world.record_ids(&id.to_string()).remove(0);
            world.person(&json!({"action": "delete", "record": record}));
        }
        for id in 1..=200 {
            world.database.put(id, "B", id);
        }
        world.clock.sleep(Duration::from_secs(10)).await;
        let departures = Arc::new(Departures { clock: world.clock, times: Mutex::default() });
        let parts = ProcessParts {
            observer: Arc::<Departures>::clone(&departures),
            breath: Breath::default(),
            pages_more: None,
        };
        let process = world.process_of(parts).expect("the state opens");
        books_balance(&process.run(RunOptions::default()).await.expect("the state works"));
        let times = departures.times.lock().unwrap_or_else(PoisonError::into_inner).clone();
        assert!(times.len() > 24, "{} calls", times.len());
        for pair in times.windows(2) {
            let gap = pair[1].duration_since(pair[0]);
            assert!(gap >= APART, "two calls within {gap:?}");
        }
        drop(process);
        comes_right(&world).await;
    });
}
