//! C8: what is asked, or said, once more before a record goes.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use smartsuite_emulator::{Fault, FaultKind, Profile, RouteKind};
use sync_core::{
    config::model::{CaptureMode, OnDelete, SourceRows},
    state::RunStatus,
};
use sync_engine::run::RunOptions;

use super::{
    gone::{deleting, trouble},
    marks::mark_dirty,
    stage::{
        calm, comes_right, fill, in_step, pass, run, run_with, status, succeeds, usual, world,
    },
};
use crate::world::World;

/// How the service says that a record, or its table, is not there.
const NOT_FOUND: &str = r#"{"detail": "Not found."}"#;

/// From now on no delete has an effect.
fn no_delete_works(world: &World) {
    let fails = Fault::new(FaultKind::Status(503)).on(&[RouteKind::BulkDelete]);
    world.network.emulator().add_fault(fails.times(None));
}

/// P6. Catches: a look at the table that a sweep needs, and that sends what waits, before the sweep has shown that a row is
/// back (`Delivery::step`).
#[test]
fn c8_nothing_leaves_while_the_table_is_looked_at_for_a_sweep() {
    deleting(async |world| {
        fill(&world, 5);
        succeeds(&world).await;
        let record = world.record_ids("2").remove(0);
        world.database.delete(2);
        no_delete_works(&world);
        run(&world).await;
        calm(&world);
        // As where a record of a create in doubt was seen: the next process looks at the table.
        let state = rusqlite::Connection::open(world.state_path()).expect("it opens");
        state.execute("UPDATE targets SET mark = NULL", []).expect("it is there");
        pass(&world, Duration::from_hours(1)).await;
        world.database.put(2, "A", 2);
        world.database.age(2, Duration::from_hours(3));
        world.clear_log();
        succeeds(&world).await;
        assert_eq!(world.requests(RouteKind::BulkDelete), 0);
        assert_eq!(world.record_ids("2"), [record]);
        comes_right(&world).await;
    });
}

/// P6. Catches: a delete that leaves though its key is to be read again (`dispatch::meant`).
#[test]
fn c8_a_record_whose_row_was_named_again_does_not_go_before_it_is_read() {
    deleting(async |mut world| {
        world.definition.capture = CaptureMode::Binlog;
        world.log_batch = Some(2);
        fill(&world, 60);
        succeeds(&world).await;
        let record = world.record_ids("60").remove(0);
        (11..=60).for_each(|id| world.database.delete(id));
        world.clear_log();
        let yes = RunOptions { allow_deletes: Some(50), ..RunOptions::default() };
        let process = world.process();
        let returns = async {
            while world.requests(RouteKind::BulkDelete) == 0 {
                pass(&world, Duration::from_millis(10)).await;
            }
            assert_eq!(
                world.record_ids("60"),
                std::slice::from_ref(&record),
                "50 records take two calls"
            );
            world.database.put(60, "A", 60);
            mark_dirty(&world, 60);
        };
        let (report, ()) = tokio::join!(process.run(yes), returns);
        report.expect("the state works");
        assert_eq!(world.record_ids("60"), [record], "it is the same record");
        comes_right(&world).await;
    });
}

/// C8. Catches: rows that are gone and are never asked for again, as the source showed none just then and nothing sweeps
/// (`Capture::next_chunk`).
#[test]
fn c8_an_emptied_table_that_fills_with_other_rows_loses_its_old_records() {
    deleting(async |mut world| {
        world.definition.capture = CaptureMode::Binlog;
        if let SourceRows::Query { keys, .. } = &mut world.definition.source.rows {
            *keys = None;
        }
        world.definition.source.deleted_field = Some("deleted".into());
        world.database.mark_deleted([]);
        world.log_batch = Some(2);
        fill(&world, 3);
        succeeds(&world).await;
        (1..=3).for_each(|id| world.database.delete(id));
        assert_eq!(trouble(&run(&world).await), "source_shows_nothing");
        assert_eq!(trouble(&run(&world).await), "source_shows_nothing");
        assert_eq!(world.records().len(), 3);
        (7..=40).for_each(|id| world.database.put(id, "A", id));
        run(&world).await;
        comes_right(&world).await;
    });
}

/// Catches: a run between two sweeps that calls itself a success while records wait for a yes (`Running::balance`).
#[test]
fn what_waits_for_a_yes_is_said_by_each_run_until_it_comes() {
    deleting(async |world| {
        fill(&world, 10);
        succeeds(&world).await;
        (1..=8).for_each(|id| world.database.delete(id));
        let serves = RunOptions { serves: true, ..RunOptions::default() };
        pass(&world, Duration::from_hours(2)).await;
        assert_eq!(trouble(&run_with(&world, serves).await), "deletes_need_a_yes");
        pass(&world, Duration::from_mins(5)).await;
        assert_eq!(trouble(&run_with(&world, serves).await), "deletes_need_a_yes");
        fill(&world, 10);
        pass(&world, Duration::from_hours(2)).await;
        let report = run_with(&world, serves).await;
        assert_eq!(status(&report), RunStatus::Success, "{report:#?}");
    });
}

/// C7. Catches: a record that was just deleted, which lists still show, and which is linked again and believed to be there
/// (`Delivery::let_deletes_show`).
#[test]
fn c7_what_was_just_deleted_is_not_believed_to_be_there() {
    let profile = Profile { list_lag_ms: 1_500, ..Profile::default() };
    world(profile, async |mut world| {
        world.definition.destination.on_delete = OnDelete::Delete { adopted: false };
        fill(&world, 5);
        succeeds(&world).await;
        pass(&world, Duration::from_mins(1)).await;
        world.database.delete(5);
        succeeds(&world).await;
        // Its row is back, and the next process reads the table.
        world.database.put(5, "A", 5);
        let state = rusqlite::Connection::open(world.state_path()).expect("it opens");
        let unknown = "UPDATE targets SET mark = NULL; UPDATE links SET fingerprint = NULL";
        state.execute_batch(unknown).expect("they are there");
        run(&world).await;
        pass(&world, Duration::from_mins(1)).await;
        comes_right(&world).await;
    });
}

/// P6. Catches: a 404 for a delete that counts as "gone" though it is about the table, which nobody may reach just then
/// (`Reading::not_found`).
#[test]
fn c8_a_record_is_not_gone_because_its_table_cannot_be_reached() {
    deleting(async |world| {
        fill(&world, 5);
        succeeds(&world).await;
        world.database.delete(2);
        no_delete_works(&world);
        world.network.answer_with(http::StatusCode::NOT_FOUND, |_| true, NOT_FOUND, u32::MAX);
        let report = run(&world).await;
        assert_ne!(status(&report), RunStatus::Success);
        assert_eq!(report.books.deleted, 0);
        world.network.answer_as_usual();
        calm(&world);
        let retry = RunOptions { retry: true, ..RunOptions::default() };
        run_with(&world, retry).await;
        in_step(&world);
        comes_right(&world).await;
    });
}

/// P3. Catches: a delete that is answered "not found" though its record is there, and is sent for ever
/// (`Reading::not_found`).
#[test]
fn c8_a_delete_that_finds_nothing_though_it_is_there_is_parked() {
    deleting(async |world| {
        fill(&world, 5);
        succeeds(&world).await;
        world.database.delete(2);
        no_delete_works(&world);
        let is_delete = |request: &Request<Bytes>| request.uri().path().ends_with("/bulk_delete/");
        world.network.answer_with(http::StatusCode::NOT_FOUND, is_delete, NOT_FOUND, u32::MAX);
        world.clear_log();
        let report = run(&world).await;
        assert_eq!((trouble(&report), report.books.deleted), ("rows_refused", 0));
        assert!(world.all_requests() < 10, "{}", world.all_requests());
        world.network.answer_as_usual();
        calm(&world);
        let retry = RunOptions { retry: true, ..RunOptions::default() };
        run_with(&world, retry).await;
        comes_right(&world).await;
    });
}

/// Catches: a run that follows and never ends, as it looks at the time only where nothing is to be read
/// (`Running::await_news`).
#[test]
fn a_run_that_follows_ends_in_its_time_though_changes_never_cease() {
    usual(async |mut world| {
        world.definition.capture = CaptureMode::Binlog;
        world.log_batch = Some(1);
        fill(&world, 3);
        succeeds(&world).await;
        // SmartSuite is slower than the changes come.
        let slow = Fault::new(FaultKind::DelayMs(9_000)).on(&[RouteKind::BulkCreate]);
        world.network.emulator().add_fault(slow.times(None));
        let follows = RunOptions { follow: Some(Duration::from_mins(1)), ..RunOptions::default() };
        let process = world.process();
        let changes = async {
            for id in 10..510 {
                world.database.put(id, "A", id);
                pass(&world, Duration::from_millis(500)).await;
            }
        };
        let ends = tokio::select! {
            biased;
            _ = process.run(follows) => true,
            () = changes => false,
        };
        assert!(ends, "four minutes later it still goes on");
        run(&world).await;
        comes_right(&world).await;
    });
}
