//! C1 to C5: what a read may change.

use std::time::Duration;

use smartsuite_emulator::RouteKind;
use sync_core::{
    config::model::{CaptureMode, RelatedDefinition},
    state::RunStatus,
};
use sync_engine::run::{RunOptions, RunOutcome};

use super::{
    gone::deleting,
    marks::{mark_dirty, request_full_read},
    stage::{capture_only, comes_right, fill, in_step, pass, run, status, succeeds, usual},
    steps::{Run, at_every_step, killed_after},
};

/// C1. Catches: a lock that is given to everybody (`FileLocks::try_lock`), or let go before the run ends.
#[test]
fn c1_while_one_process_reads_no_other_reads() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        world.database.put(1, "B", 1);
        world.database.slow_down(Duration::from_mins(1));
        let slow = world.process();
        let mut slow = Run::of(&slow);
        let reads = world.database.reads();
        assert!(slow.go_until(|| world.database.reads() > reads).await.is_none());
        // The slow read holds B; now the row is C.
        world.database.put(1, "C", 1);
        world.database.slow_down(Duration::ZERO);
        let other = world.process();
        let report = other.run(RunOptions::default()).await.expect("the state works");
        assert!(matches!(report.outcome, RunOutcome::Busy), "{report:#?}");
        assert_eq!(world.database.reads(), reads + 1);
        slow.finish().await.expect("the state works");
        comes_right(&world).await;
    });
}

/// C1. Catches: as above, where the row goes meanwhile: the older read's draft makes a record that no row has, and that nobody
/// looks for.
#[test]
fn c1_a_row_that_goes_while_it_is_read_leaves_no_record() {
    deleting(async |world| {
        fill(&world, 3);
        world.database.slow_down(Duration::from_mins(1));
        let slow = world.process();
        let mut slow = Run::of(&slow);
        assert!(slow.go_until(|| world.database.reads() > 0).await.is_none());
        world.database.delete(1);
        world.database.slow_down(Duration::ZERO);
        let report = world.process().run(RunOptions::default()).await.expect("the state works");
        assert!(matches!(report.outcome, RunOutcome::Busy), "{report:#?}");
        slow.finish().await.expect("the state works");
        comes_right(&world).await;
        assert_eq!(world.records().keys().collect::<Vec<_>>(), ["2", "3"]);
    });
}

/// C5. Catches: a related table that is added, and nobody looks at what changed in it before (`SyncTask::identity`).
#[test]
fn c5_a_related_table_that_is_added_makes_everything_be_read() {
    usual(async |mut world| {
        world.definition.capture = CaptureMode::Binlog;
        world.log_batch = Some(2);
        fill(&world, 3);
        succeeds(&world).await;
        // As what a join shows changes with a table that is not followed.
        world.database.put_unlogged(2, "B");
        succeeds(&world).await;
        assert_ne!(world.records(), world.wished());
        let (table, column, matches) = ("others".into(), "id".into(), "other".into());
        world.definition.source.related.push(RelatedDefinition { table, column, matches });
        succeeds(&world).await;
        in_step(&world);
        comes_right(&world).await;
    });
}

/// C2. Catches: `Decision::Withdraw` that is answered as `Unchanged` (`capture::decide`).
#[test]
fn c2_a_wish_that_the_source_takes_back_is_not_delivered() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        world.database.put(1, "B", 1);
        capture_only(&world).await;
        world.database.put(1, "A", 1);
        world.clear_log();
        let report = succeeds(&world).await;
        assert_eq!(report.books.taken_back, 1);
        assert_eq!(world.requests(RouteKind::BulkUpdate), 0);
        in_step(&world);
    });
}

/// C2. Catches: a draft that is compared with the link while another waits.
#[test]
fn c2_the_newest_of_several_wishes_is_delivered() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        for name in ["B", "C", "B"] {
            world.database.put(1, name, 1);
            capture_only(&world).await;
        }
        comes_right(&world).await;
    });
}

/// C4. Catches: `end` set with every chunk (`Capture::store`).
#[test]
fn c4_a_read_that_breaks_off_moves_no_position() {
    usual(async |world| {
        fill(&world, 1_010);
        pass(&world, Duration::from_hours(1)).await;
        world.database.break_after(1);
        let report = run(&world).await;
        assert_eq!(status(&report), RunStatus::Failed, "{report:#?}");
        assert_eq!(report.books.read, 1_000);
        comes_right(&world).await;

        for id in 1..=1_010 {
            world.database.put(id, "B", id);
        }
        pass(&world, Duration::from_hours(1)).await;
        world.database.break_after(1);
        assert_eq!(status(&run(&world).await), RunStatus::Failed);
        comes_right(&world).await;
    });
}

/// C5. Catches: a mark that is forgotten before the rows it stands for are stored (`capture::capture`).
#[test]
fn c5_a_mark_outlives_the_process_that_set_out_to_answer_it() {
    at_every_step(async |world, steps| {
        fill(&world, 3);
        succeeds(&world).await;
        world.database.put_silently(1, "B");
        mark_dirty(&world, 1);
        let died = killed_after(&world, steps).await;
        comes_right(&world).await;
        died
    });
}

/// C5. Catches: a ticket that is taken after the snapshot opened (`Capture::open`).
#[test]
fn c5_a_mark_that_comes_while_the_read_opens_is_kept() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        world.database.put_silently(1, "B");
        mark_dirty(&world, 1);
        // The first read of the run is by position and does not see the row.
        let process = world.process();
        let mut run = Run::of(&process);
        let reads = world.database.reads();
        assert!(run.go_until(|| world.database.reads() > reads).await.is_none());
        let (database, again) = (world.database.clone(), super::marks::marker(&world));
        world.database.while_opening(move || {
            database.put_silently(1, "C");
            again(1);
        });
        run.finish().await.expect("the state works");
        assert_eq!(world.database.reads(), reads + 3);
        comes_right(&world).await;
    });
}

/// C5. Catches: a read of everything that answers what was asked for while it was under way (`move_position`): a bulk load
/// behind its snapshot moved no cursor.
#[test]
fn c5_a_full_read_that_is_asked_for_during_another_is_made() {
    usual(async |world| {
        fill(&world, 5);
        let process = world.process();
        let mut first = Run::of(&process);
        let reads = world.database.reads();
        assert!(first.go_until(|| world.database.reads() > reads).await.is_none());
        world.database.put_silently(2, "B");
        world.database.age(2, Duration::from_hours(2));
        request_full_read(&world);
        first.finish().await.expect("the state works");
        assert_eq!(succeeds(&world).await.books.updated, 1);
        comes_right(&world).await;
    });
}

/// Catches: a success of a run though keys are still to be read after its last delivery (`Running::settle_dirty`).
#[test]
fn c5_a_run_that_leaves_keys_to_be_read_is_no_success() {
    usual(async |world| {
        fill(&world, 1);
        succeeds(&world).await;
        world.clear_log();
        world.database.put(1, "B", 1);
        let process = world.process();
        let mut run = Run::of(&process);
        let mut marks = 0;
        let report = loop {
            let sent = world.requests(RouteKind::BulkUpdate);
            let there = || world.requests(RouteKind::BulkUpdate) > sent;
            if let Some(report) = run.go_until(there).await {
                break report.expect("the state works");
            }
            // With each update, somebody asks that its row, which has changed, be read again.
            marks += 1;
            world.database.put(1, &format!("C{marks}"), 1);
            mark_dirty(&world, 1);
        };
        assert!(marks > 1, "each mark of a round is read in the next");
        assert_eq!(status(&report), RunStatus::Partial, "{report:#?}");
        let RunOutcome::Ran { trouble: Some(trouble), .. } = &report.outcome else { panic!("one") };
        assert_eq!(trouble.code, "rows_wait");
        comes_right(&world).await;
    });
}
