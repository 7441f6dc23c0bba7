//! Records that people deleted: each policy does what it says, once.

use serde_json::json;
use smartsuite_emulator::{Fault, FaultKind, RouteKind};
use sync_core::{config::model::OnMissing, state::RunStatus};
use sync_engine::run::RunOptions;

use super::stage::{fill, in_step, run, run_with, status, succeeds, usual};
use crate::world::World;

/// Deletes the record of key 2 and changes its row.
async fn deleted(world: &World) {
    fill(world, 3);
    succeeds(world).await;
    let record = world.record_ids("2").remove(0);
    world.person(&json!({"action": "delete", "record": record}));
    world.database.put(2, "B", 2);
    run(world).await;
    world.clear_log();
}

/// Nothing is tried again and again: not by runs, not by full reads, not by `--retry` beyond one try.
async fn is_calm(world: &World, policy: OnMissing) {
    for _ in 0..3 {
        run(world).await;
        run_with(world, RunOptions { full: true, ..RunOptions::default() }).await;
    }
    assert_eq!(world.all_requests(), 0, "{policy:?}");
}

#[test]
fn a_deleted_record_is_created_again_once_and_that_is_all() {
    usual(async |world| {
        deleted(&world).await;
        assert_eq!(world.records()["2"], [("B".to_owned(), "2".to_owned())]);
        is_calm(&world, OnMissing::Recreate).await;
        // People insist: it is created once more for each change of the row, not by itself.
        let record = world.record_ids("2").remove(0);
        world.person(&json!({"action": "delete", "record": record}));
        is_calm(&world, OnMissing::Recreate).await;
        world.database.put(2, "C", 2);
        run(&world).await;
        assert_eq!(world.record_ids("2").len(), 1);
        assert_eq!(world.requests(RouteKind::BulkCreate), 1);
    });
}

#[test]
fn a_deleted_record_is_left_so_where_the_policy_says_so() {
    usual(async |mut world| {
        world.definition.destination.on_missing = OnMissing::Skip;
        deleted(&world).await;
        assert_eq!(world.record_ids("2").len(), 0);
        is_calm(&world, OnMissing::Skip).await;
        run_with(&world, RunOptions { retry: true, ..RunOptions::default() }).await;
        assert_eq!(world.record_ids("2").len(), 0);
    });
}

#[test]
fn a_deleted_record_parks_its_row_where_the_policy_says_so() {
    usual(async |mut world| {
        world.definition.destination.on_missing = OnMissing::Quarantine;
        deleted(&world).await;
        assert_eq!(world.record_ids("2").len(), 0);
        is_calm(&world, OnMissing::Quarantine).await;
        run_with(&world, RunOptions { retry: true, ..RunOptions::default() }).await;
        assert_eq!(world.record_ids("2").len(), 0);
        assert!(world.all_requests() <= 4, "one try by request: {}", world.all_requests());
        // Another policy frees it.
        world.definition.destination.on_missing = OnMissing::Recreate;
        run_with(&world, RunOptions { retry: true, ..RunOptions::default() }).await;
        assert_eq!(world.records()["2"], [("B".to_owned(), "2".to_owned())]);
    });
}

/// Somebody emptied the table: no record is left to prove a look-up by.
#[test]
fn an_emptied_table_is_filled_again_in_one_run() {
    const ROWS: i64 = 60;
    /// Each record is asked for once, and 24 are looked up and 25 created with a call.
    const CALLS_MAX: usize = 90;
    usual(async |world| {
        fill(&world, ROWS);
        succeeds(&world).await;
        for key in 1..=ROWS {
            let record = world.record_ids(&key.to_string()).remove(0);
            world.person(&json!({"action": "delete", "record": record}));
            world.database.put(key, "B", 2);
        }
        world.clear_log();
        succeeds(&world).await;
        in_step(&world);
        let calls = world.all_requests();
        assert!(calls <= CALLS_MAX, "{calls} calls");
        world.clear_log();
        is_calm(&world, OnMissing::Recreate).await;
    });
}

/// C7. Catches: a record that is found missing as a look-up's control, and whose row nobody reads (`doubt::set_missing`).
#[test]
fn a_record_that_a_look_up_finds_missing_is_left_to_no_full_read() {
    for policy in [OnMissing::Recreate, OnMissing::Skip, OnMissing::Quarantine] {
        usual(async |mut world| {
            world.definition.destination.on_missing = policy;
            fill(&world, 3);
            succeeds(&world).await;
            let record = world.record_ids("1").remove(0);
            world.person(&json!({"action": "delete", "record": record}));
            let lost = Fault::new(FaultKind::Reset).on(&[RouteKind::BulkCreate]);
            world.network.emulator().add_fault(lost.after_the_effect());
            world.database.put(9, "A", 9);
            let report = run(&world).await;
            let (made, parked, expected) = match policy {
                OnMissing::Recreate => (1, 0, RunStatus::Success),
                OnMissing::Skip => (0, 0, RunStatus::Success),
                OnMissing::Quarantine => (0, 1, RunStatus::Partial),
            };
            assert_eq!((world.record_ids("1").len(), report.books.quarantine), (made, parked));
            assert_eq!(status(&report), expected, "{policy:?}");
            assert_eq!(world.record_ids("9").len(), 1);
            world.clear_log();
            is_calm(&world, policy).await;
        });
    }
}
