//! D10: one writer a sync, until its process is gone.

use std::time::Duration;

use sync_core::state::StateError;
use sync_engine::run::{RunOptions, RunOutcome};

use super::{
    stage::{comes_right, fill, pass, succeeds, usual},
    state_files::lose,
    steps::{Run, at_every_step, killed_after},
};

/// D10. Catches: a lock that a stopped process does not keep.
#[test]
fn d10_a_stopped_process_keeps_its_successor_out() {
    at_every_step(async |world, steps| {
        fill(&world, 3);
        succeeds(&world).await;
        world.database.put(1, "B", 1);
        world.database.put(9, "A", 9);
        let process = world.process();
        let mut run = Run::of(&process);
        let ended = run.go(steps).await.is_some();
        if !ended {
            let other = world.process();
            let report = other.run(RunOptions::default()).await.expect("the state works");
            // Before its lock, or after it, the first one keeps nobody out.
            let was_busy = matches!(report.outcome, RunOutcome::Busy);
            pass(&world, Duration::from_mins(10)).await;
            match run.finish().await {
                Ok(report) => super::stage::books_balance(&report),
                Err(error) => panic!("{error} after {steps} steps, other busy: {was_busy}"),
            }
        }
        comes_right(&world).await;
        !ended
    });
}

/// D10. Catches: a lock that outlives its process.
#[test]
fn d10_a_dead_process_is_replaced_at_once() {
    usual(async |world| {
        fill(&world, 3);
        assert!(killed_after(&world, 10).await);
        comes_right(&world).await;
    });
}

/// D10. Catches: a process that goes on with a state that was taken from its place (`SqliteStore::hold`): it made its audit
/// long ago, and knows nothing of what whoever found no state has created since.
#[test]
fn d10_a_process_whose_state_is_not_in_its_place_any_more_runs_no_more() {
    usual(async |world| {
        fill(&world, 3);
        let process = world.process();
        process.run(RunOptions::default()).await.expect("the state works");
        lose(&world);
        world.database.put(9, "A", 9);
        succeeds(&world).await;
        let ended = process.run(RunOptions::default()).await;
        assert!(matches!(ended, Err(StateError::Replaced { .. })), "{ended:?}");
        drop(process);
        comes_right(&world).await;
    });
}
