//! C1 and C4 for tables, which are read in pages.

use std::time::Duration;

use sync_core::{
    config::model::{CaptureMode, OnDelete, OnPositionLost, QueryText, SourceRows},
    state::RunStatus,
};
use sync_engine::run::RunOptions;

use super::{
    marks::marker,
    stage::{comes_right, fill, in_step, pass, run, run_with, status, succeeds, usual},
    steps::{Run, at_every_step, killed_after},
};
use crate::world::World;

/// A world whose rows are those of a table, ten a page.
fn table(script: impl AsyncFnOnce(World)) {
    usual(async |mut world| {
        of_table(&mut world);
        script(world).await;
    });
}

fn of_table(world: &mut World) {
    world.definition.source.rows = SourceRows::Table { name: "items".into(), filter: None };
    world.definition.capture = CaptureMode::Table;
    world.definition.destination.on_delete = OnDelete::Delete { adopted: false };
    world.database.page_rows(10);
}

/// C4. Catches: a page's place that is not kept, or not followed by a look at what changed meanwhile (`read_on`).
#[test]
fn c4_a_first_load_goes_on_where_it_was_broken_off() {
    for has_cursor in [true, false] {
        table(async |mut world| {
            if !has_cursor {
                world.definition.source.updated_at_field = None;
                world.database.without_cursor();
            }
            fill(&world, 35);
            // The third page does not come.
            world.database.break_page_after(2);
            let report = run(&world).await;
            assert_eq!((status(&report), report.books.read), (RunStatus::Failed, 20));
            world.database.put(3, "B", 3);
            let reads = world.database.reads();
            let report = succeeds(&world).await;
            // Two pages were left; then what changed, or where nothing says that, all four again; and the sweep.
            let expected = if has_cursor { 2 + 1 + 1 } else { 2 + 4 + 1 };
            assert_eq!(world.database.reads() - reads, expected, "{has_cursor}");
            assert_eq!(report.books.created, 35);
            in_step(&world);
            comes_right(&world).await;
        });
    }
}

/// C4. Catches: a place that outlives the definition it was read by (the triggers of `0004_capture.sql`).
#[test]
fn c4_a_changed_definition_begins_anew() {
    table(async |mut world| {
        fill(&world, 35);
        world.database.break_page_after(2);
        assert_eq!(status(&run(&world).await), RunStatus::Failed);
        let filter = QueryText { text: "name <> 'test'".into(), line: 1 };
        world.definition.source.rows =
            SourceRows::Table { name: "items".into(), filter: Some(filter) };
        let reads = world.database.reads();
        succeeds(&world).await;
        assert_eq!(world.database.reads() - reads, 4 + 1);
        comes_right(&world).await;
    });
}

/// C1. Catches: dirty keys that wait until all pages are read (`read_pages`).
#[test]
fn c1_dirty_keys_have_their_turn_between_pages() {
    table(async |mut world| {
        world.definition.source.updated_at_field = None;
        world.database.without_cursor();
        fill(&world, 35);
        succeeds(&world).await;
        let mark = marker(&world);
        let process = world.process();
        let mut run = Run::of(&process);
        let reads = world.database.reads();
        assert!(run.go_until(|| world.database.reads() > reads).await.is_none());
        // The first page is read; row 1 changes behind it.
        world.database.put(1, "B", 1);
        mark(1);
        let report = run.finish().await.expect("the state works");
        assert_eq!(report.books.updated, 1);
        in_step(&world);
        comes_right(&world).await;
    });
}

/// C1, C4. Catches: a death at some step that loses a page or a place.
#[test]
fn c4_a_process_may_die_at_any_step_of_reading_pages() {
    at_every_step(async |mut world, steps| {
        of_table(&mut world);
        fill(&world, 25);
        let died = killed_after(&world, steps).await;
        world.database.put(3, "B", 3);
        pass(&world, Duration::from_mins(2)).await;
        comes_right(&world).await;
        died
    });
}

/// C4. Catches: a place that outlives the log that was to say what changed before it (`begin_anew`).
#[test]
fn c4_a_lost_log_begins_anew() {
    table(async |mut world| {
        world.definition.capture = CaptureMode::Binlog;
        world.definition.on_position_lost = OnPositionLost::Repair;
        world.log_batch = Some(50);
        fill(&world, 35);
        // The position passes the rows: what changed since the first page does not show this one.
        pass(&world, Duration::from_hours(1)).await;
        world.database.break_page_after(2);
        assert_eq!(status(&run(&world).await), RunStatus::Failed);
        // Of a page that was read, and nothing says so.
        world.database.put_silently(3, "B");
        world.database.purge_log();
        succeeds(&world).await;
        in_step(&world);
        comes_right(&world).await;
    });
}

/// C4. Catches: a full read that somebody asked for and that goes on in the middle (`resumes_from`).
#[test]
fn c4_a_full_read_that_is_asked_for_reads_everything() {
    table(async |world| {
        fill(&world, 35);
        world.database.break_page_after(2);
        assert_eq!(status(&run(&world).await), RunStatus::Failed);
        let reads = world.database.reads();
        let asked = RunOptions { full: true, ..RunOptions::default() };
        run_with(&world, asked).await;
        assert_eq!(world.database.reads() - reads, 4 + 1);
        comes_right(&world).await;
    });
}
