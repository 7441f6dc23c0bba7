//! C8 and what belongs to it: rows that are gone, and what becomes of their records.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde_json::{Value as Json, json};
use smartsuite_emulator::{Fault, FaultKind, LateEnd, RouteKind};
use sync_core::{
    config::model::{ArchiveField, CaptureMode, OnDelete, OnPositionLost, ScheduleDefinition},
    state::RunStatus,
};
use sync_engine::run::{RunOptions, RunOutcome, RunReport};

use super::{
    marks::mark_dirty,
    stage::{
        capture_only, comes_right, fill, in_step, note_of, pass, run, run_with, status, succeeds,
        usual,
    },
    state_files::{StateCopy, lose_everything},
    steps::{Run, at_every_step, killed_after, killed_when},
};
use crate::world::{EXTERNAL_ID, NOTE, World};

/// A world whose records are deleted when their rows are gone.
pub(super) fn deleting(script: impl AsyncFnOnce(World)) {
    usual(async |mut world| {
        world.definition.destination.on_delete = OnDelete::Delete { adopted: false };
        script(world).await;
    });
}

/// Why a run was no success.
pub(super) fn trouble(report: &RunReport) -> &str {
    match &report.outcome {
        RunOutcome::Ran { trouble: Some(trouble), .. } => &trouble.code,
        other => panic!("{other:?}"),
    }
}

/// C8. Catches: a sweep that is not made (`sweep_if_due`).
#[test]
fn c8_the_record_of_a_row_that_is_gone_goes_too() {
    deleting(async |world| {
        fill(&world, 5);
        succeeds(&world).await;
        world.database.delete(2);
        world.clear_log();
        let report = succeeds(&world).await;
        assert_eq!(report.books.deleted, 1);
        assert_eq!((world.requests(RouteKind::BulkDelete), world.all_requests()), (1, 1));
        comes_right(&world).await;
        // The row returns.
        world.database.put(2, "B", 2);
        comes_right(&world).await;
    });
}

/// C8. Catches: a sweep that was made before what a lost log has not named, and counts as the newest (`begin_anew`).
#[test]
fn c8_a_lost_log_makes_a_sweep_due_at_once() {
    deleting(async |mut world| {
        world.definition.sweep = Some(ScheduleDefinition::Interval { minutes: 1_440 });
        world.definition.capture = CaptureMode::Binlog;
        world.definition.on_position_lost = OnPositionLost::Repair;
        world.log_batch = Some(2);
        fill(&world, 5);
        succeeds(&world).await;
        world.database.delete(2);
        world.database.purge_log();
        succeeds(&world).await;
        in_step(&world);
    });
}

/// C8. Catches: records that go without `on_delete`.
#[test]
fn c8_records_stay_unless_somebody_said_otherwise() {
    usual(async |world| {
        fill(&world, 5);
        succeeds(&world).await;
        world.database.delete(2);
        mark_dirty(&world, 2);
        world.clear_log();
        run_with(&world, RunOptions { reconcile: true, ..RunOptions::default() }).await;
        assert_eq!(world.all_requests(), 0);
        assert_eq!(world.records().len(), 5);
    });
}

/// C8. Catches: candidates that are queued as gone without being asked for again (`Capture::gone`).
#[test]
fn c8_what_a_sweep_passes_over_is_asked_for_again() {
    deleting(async |world| {
        fill(&world, 5);
        succeeds(&world).await;
        world.database.hide_keys([2, 3]);
        world.clear_log();
        succeeds(&world).await;
        assert_eq!(world.all_requests(), 0);
        in_step(&world);
    });
}

/// P6. Catches: a key that one read by key does not show, and whose record goes on the word of that read alone
/// (`RowOutcome::Unseen` as `Gone`).
#[test]
fn c8_no_record_goes_on_the_word_of_one_read() {
    deleting(async |mut world| {
        world.definition.sweep = Some(ScheduleDefinition::Interval { minutes: 1_440 });
        fill(&world, 5);
        succeeds(&world).await;
        world.database.delete(2);
        mark_dirty(&world, 2);
        let process = world.process();
        let mut run = Run::of(&process);
        let reads = world.database.reads();
        assert!(run.go_until(|| world.database.reads() > reads).await.is_none());
        // The first read by key finds nothing; then the row is there again.
        let database = world.database.clone();
        world.database.while_opening(move || database.put_silently_new(2, "A", 2));
        run.finish().await.expect("the state works");
        assert_eq!(world.requests(RouteKind::BulkDelete), 0);
        comes_right(&world).await;
    });
}

/// C8. Catches: a sweep that looks at links alone (`find_candidates`).
#[test]
fn c8_a_key_that_only_has_an_entry_is_looked_for_too() {
    deleting(async |world| {
        fill(&world, 5);
        succeeds(&world).await;
        world.database.put(9, "A", 9);
        capture_only(&world).await;
        world.database.delete(9);
        world.clear_log();
        let report = succeeds(&world).await;
        assert_eq!(report.books.taken_back, 1);
        assert_eq!(world.all_requests(), 0);
        comes_right(&world).await;
    });
}

/// C8. Catches: a link that is dropped because its record may not be deleted (`Turn::Keep`).
#[test]
fn c8_an_adopted_record_stays_and_is_found_again() {
    deleting(async |mut world| {
        world.dedicated_member = false;
        let values = json!({EXTERNAL_ID: "9", "title": "typed"});
        world.person(&json!({"action": "create", "values": values}));
        fill(&world, 5);
        world.database.put(9, "A", 9);
        succeeds(&world).await;
        world.database.delete(9);
        world.clear_log();
        succeeds(&world).await;
        succeeds(&world).await;
        assert_eq!(world.all_requests(), 0);
        assert_eq!(world.record_ids("9").len(), 1);
        world.database.put(9, "B", 9);
        world.clear_log();
        succeeds(&world).await;
        assert_eq!(world.requests(RouteKind::BulkUpdate), 1);
        comes_right(&world).await;
        // Somebody says that such records may go too.
        world.definition.destination.on_delete = OnDelete::Delete { adopted: true };
        world.database.delete(9);
        comes_right(&world).await;
    });
}

/// P6. Catches: the guard off (`Going::needs_a_yes`), at the sweep and before delivery.
#[test]
fn c8_many_records_go_only_with_a_yes() {
    deleting(async |world| {
        fill(&world, 40);
        succeeds(&world).await;
        (1..=21).for_each(|id| world.database.delete(id));
        world.database.put(30, "B", 30);
        world.clear_log();
        let report = run(&world).await;
        assert_eq!((status(&report), trouble(&report)), (RunStatus::Partial, "deletes_need_a_yes"));
        assert_eq!(world.requests(RouteKind::BulkDelete), 0);
        // Whatever else changed is in step.
        assert_eq!(report.books.updated, 1);
        let allowed =
            |records| RunOptions { allow_deletes: Some(records), ..RunOptions::default() };
        assert_eq!(trouble(&run_with(&world, allowed(20)).await), "deletes_need_a_yes");
        let report = run_with(&world, allowed(21)).await;
        assert_eq!((status(&report), report.books.deleted), (RunStatus::Success, 21));
        comes_right(&world).await;
    });
}

/// P6. Catches: gone rows behind creates in doubt, whose records a look-up links and the same delivery deletes (`GOING` in
/// sync-store's deletes); and the question where none of them was made (`Delivery::lets_go`).
#[test]
fn c8_records_that_a_look_up_finds_go_only_with_a_yes() {
    for is_made in [true, false] {
        deleting(async |world| {
            fill(&world, 5);
            succeeds(&world).await;
            let never = Fault::new(FaultKind::Never).on(&[RouteKind::BulkCreate]);
            world.network.emulator().add_fault(if is_made {
                never.after_the_effect()
            } else {
                never
            });
            (11..=20).for_each(|id| world.database.put(id, "A", id));
            world.clear_log();
            killed_when(&world, || world.requests(RouteKind::BulkCreate) > 0).await;
            (11..=20).for_each(|id| world.database.delete(id));
            world.clear_log();
            let report = run(&world).await;
            assert_eq!(world.requests(RouteKind::BulkDelete), 0);
            if is_made {
                assert_eq!(trouble(&report), "deletes_need_a_yes");
                assert_eq!(world.records().len(), 15);
                let yes = RunOptions { allow_deletes: Some(10), ..RunOptions::default() };
                let report = run_with(&world, yes).await;
                assert_eq!((status(&report), report.books.deleted), (RunStatus::Success, 10));
            } else {
                assert_eq!(status(&report), RunStatus::Success, "{report:#?}");
            }
            comes_right(&world).await;
        });
    }
}

/// P6. Catches: gone rows that no sweep counted and that are sent all the same (`guard_deletes`).
#[test]
fn c8_deletes_that_wait_for_a_yes_are_taken_back_when_their_rows_return() {
    deleting(async |mut world| {
        world.definition.source.deleted_field = Some("deleted".into());
        world.database.mark_deleted([]);
        fill(&world, 10);
        succeeds(&world).await;
        world.database.mark_deleted(1..=8);
        for id in 1..=8 {
            world.database.put(id, "A", id);
        }
        world.clear_log();
        let report = run(&world).await;
        assert_eq!(trouble(&report), "deletes_need_a_yes");
        assert_eq!((report.books.waiting_after, world.all_requests()), (8, 0));
        // They still wait, and cost nothing.
        assert_eq!(trouble(&run(&world).await), "deletes_need_a_yes");
        assert_eq!(world.all_requests(), 0);
        world.database.mark_deleted(1..=2);
        for id in 1..=8 {
            world.database.put(id, "A", id);
        }
        let report = succeeds(&world).await;
        assert_eq!((report.books.taken_back, report.books.deleted), (6, 2));
        assert_eq!(world.records().len(), 8);
    });
}

/// P6. Catches: a read without any row that is believed (`end_sweep`, `Capture::doubts`).
#[test]
fn c8_an_empty_source_deletes_nothing() {
    deleting(async |world| {
        fill(&world, 5);
        succeeds(&world).await;
        (1..=5).for_each(|id| world.database.delete(id));
        mark_dirty(&world, 3);
        let yes = RunOptions { allow_deletes: Some(5), ..RunOptions::default() };
        world.clear_log();
        let report = run_with(&world, yes).await;
        assert_eq!(trouble(&report), "source_shows_nothing");
        assert_eq!((world.all_requests(), world.records().len()), (0, 5));
        fill(&world, 5);
        comes_right(&world).await;
    });
}

/// P6. Catches: candidates of a sweep that broke off (`Running::sweep`).
#[test]
fn c8_a_sweep_that_breaks_off_finds_nothing() {
    deleting(async |world| {
        fill(&world, 5);
        succeeds(&world).await;
        world.database.delete(2);
        world.database.put(3, "B", 3);
        world.database.break_keys();
        world.clear_log();
        let report = run(&world).await;
        assert_eq!(status(&report), RunStatus::Failed);
        // The rest of the run was made.
        assert_eq!((report.books.updated, world.requests(RouteKind::BulkDelete)), (1, 0));
        comes_right(&world).await;
    });
}

/// C8. Catches: an archived record that its row does not find again.
#[test]
fn c8_an_archived_record_is_brought_back_with_its_row() {
    usual(async |mut world| {
        world.definition.destination.on_delete = OnDelete::Archive(ArchiveField {
            slug: NOTE.into(),
            value: "row is gone".into(),
            restored: None,
        });
        fill(&world, 5);
        succeeds(&world).await;
        let record = world.record_ids("2");
        world.database.delete(2);
        world.clear_log();
        let report = succeeds(&world).await;
        assert_eq!((report.books.archived, world.all_requests()), (1, 1));
        assert_eq!(note_of(&world, 2), "row is gone");
        assert_eq!(note_of(&world, 3), "");
        world.clear_log();
        succeeds(&world).await;
        assert_eq!(world.all_requests(), 0);
        world.database.put(2, "A", 2);
        world.clear_log();
        succeeds(&world).await;
        assert_eq!((world.requests(RouteKind::BulkUpdate), world.all_requests()), (1, 1));
        assert_eq!((note_of(&world, 2).as_str(), world.record_ids("2")), ("", record));
        comes_right(&world).await;
    });
}

/// A world whose records are archived, and then deleted, when their rows are gone.
fn archiving_first(world: &mut World) {
    world.definition.destination.on_delete = OnDelete::ArchiveFirst {
        adopted: false,
        archive: ArchiveField { slug: NOTE.into(), value: "row is gone".into(), restored: None },
    };
}

/// The record ids of the writes that reached the service since the log was cleared, in their order: deletes, and what is
/// written to the policy's field.
fn last_writes(world: &World) -> Vec<(RouteKind, String)> {
    let log: Vec<_> = world.network.emulator().log().cloned().collect();
    log.into_iter()
        .filter_map(|entry| {
            let body: Json = serde_json::from_str(&entry.body?).ok()?;
            let id = match entry.route {
                RouteKind::BulkDelete => body["items"][0].as_str()?.to_owned(),
                RouteKind::BulkUpdate if body["items"][0][NOTE] == "row is gone" => {
                    body["items"][0]["id"].as_str()?.to_owned()
                }
                _ => return None,
            };
            Some((entry.route, id))
        })
        .collect()
}

/// C8. Catches: a record that is deleted without being archived first, or archived and left (`candidate` in sync-store's
/// dispatch).
#[test]
fn c8_a_record_is_archived_before_it_is_deleted() {
    usual(async |mut world| {
        archiving_first(&mut world);
        fill(&world, 5);
        succeeds(&world).await;
        let record = world.record_ids("2").remove(0);
        world.database.delete(2);
        world.clear_log();
        let report = succeeds(&world).await;
        assert_eq!((report.books.archived, report.books.deleted), (0, 1));
        let wanted = [(RouteKind::BulkUpdate, record.clone()), (RouteKind::BulkDelete, record)];
        assert_eq!((last_writes(&world), world.all_requests()), (wanted.to_vec(), 2));
        comes_right(&world).await;
    });
}

/// The next call of this kind has no effect, and its answer is a broken connection.
fn lose(world: &World, kind: RouteKind) {
    world.network.emulator().add_fault(Fault::new(FaultKind::Reset).on(&[kind]));
}

/// C8. Catches: a delete that leaves before the archiving is known to have taken effect, and a row that comes back
/// between the two and finds its record archived.
#[test]
fn c8_a_record_whose_archiving_is_not_known_is_not_deleted() {
    usual(async |mut world| {
        archiving_first(&mut world);
        fill(&world, 5);
        succeeds(&world).await;
        let record = world.record_ids("2");
        // It never has its effect, and nobody is told.
        lose(&world, RouteKind::BulkUpdate);
        world.database.delete(2);
        world.clear_log();
        succeeds(&world).await;
        let writes: Vec<RouteKind> =
            last_writes(&world).into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(writes, [RouteKind::BulkUpdate, RouteKind::BulkUpdate, RouteKind::BulkDelete]);
        assert_eq!(world.record_ids("2").len(), 0);

        // Archived, and the delete is on its way without an effect when the row returns.
        let kept = world.record_ids("3");
        lose(&world, RouteKind::BulkDelete);
        world.database.delete(3);
        world.clear_log();
        killed_when(&world, || world.requests(RouteKind::BulkDelete) > 0).await;
        assert_eq!(note_of(&world, 3), "row is gone");
        world.database.put(3, "B", 3);
        succeeds(&world).await;
        assert_eq!((note_of(&world, 3).as_str(), world.record_ids("3")), ("", kept));
        assert_ne!(record, world.record_ids("3"));
        comes_right(&world).await;
    });
}

/// C8, D1. Catches: as above, in a process that dies.
#[test]
fn c8_a_process_may_die_at_any_step_between_archiving_and_deleting() {
    at_every_step(async |mut world, steps| {
        archiving_first(&mut world);
        fill(&world, 4);
        succeeds(&world).await;
        let record = world.record_ids("2").remove(0);
        world.database.delete(2);
        world.clear_log();
        let died = killed_after(&world, steps).await;
        pass(&world, Duration::from_mins(2)).await;
        succeeds(&world).await;
        let writes = last_writes(&world);
        assert_eq!(writes.first(), Some(&(RouteKind::BulkUpdate, record.clone())));
        assert_eq!(writes.last(), Some(&(RouteKind::BulkDelete, record)));
        comes_right(&world).await;
        died
    });
}

/// P6. Catches: records that are archived already and are asked for a second time (`guard` in sync-store's deletes).
#[test]
fn c8_many_records_are_archived_and_deleted_with_one_yes() {
    usual(async |mut world| {
        archiving_first(&mut world);
        fill(&world, 60);
        succeeds(&world).await;
        for id in 1..=40 {
            world.database.delete(id);
        }
        world.clear_log();
        assert_eq!(trouble(&run(&world).await), "deletes_need_a_yes");
        assert_eq!(world.all_requests(), 0);
        let yes = RunOptions { allow_deletes: Some(40), ..RunOptions::default() };
        let report = run_with(&world, yes).await;
        assert_eq!((status(&report), report.books.deleted), (RunStatus::Success, 40));
        let count = |kind| world.requests(kind);
        assert_eq!((count(RouteKind::BulkUpdate), count(RouteKind::BulkDelete)), (2, 2));
        comes_right(&world).await;
    });
}

/// A world whose records are archived when their rows are gone, with row 2 and its record.
fn archiving(script: impl AsyncFnOnce(World, Vec<String>)) {
    usual(async |mut world| {
        world.definition.destination.on_delete = OnDelete::Archive(ArchiveField {
            slug: NOTE.into(),
            value: "row is gone".into(),
            restored: None,
        });
        fill(&world, 5);
        succeeds(&world).await;
        let record = world.record_ids("2");
        script(world, record).await;
    });
}

/// C8, D8. Catches: a record that is linked anew, and of which nobody sees that it is archived
/// (`Delivery::note_archived`).
#[test]
fn c8_an_archived_record_is_brought_back_though_the_state_was_lost() {
    archiving(async |world, record| {
        world.database.delete(2);
        succeeds(&world).await;
        assert_eq!(note_of(&world, 2), "row is gone");
        lose_everything(&world);
        world.database.put(2, "A", 2);
        world.clear_log();
        comes_right(&world).await;
        assert_eq!((note_of(&world, 2).as_str(), world.record_ids("2")), ("", record));
    });
}

/// D9. Catches: a restored link that says of its record that it is archived, and is believed
/// (`second_look::schedule_kept`).
#[test]
fn d9_a_record_that_came_back_since_the_copy_is_archived_again() {
    archiving(async |world, _| {
        world.database.delete(2);
        succeeds(&world).await;
        let old = StateCopy::of(&world);
        world.database.put(2, "A", 2);
        succeeds(&world).await;
        assert_eq!(note_of(&world, 2), "");
        world.database.delete(2);
        old.restore(&world);
        pass(&world, Duration::from_mins(2)).await;
        succeeds(&world).await;
        succeeds(&world).await;
        assert_eq!(note_of(&world, 2), "row is gone");
        world.clear_log();
        succeeds(&world).await;
        assert_eq!(world.all_requests(), 0);
    });
}

/// C8, D7. Catches: as above, where a copy that a person made of the archived record is found in its place.
#[test]
fn c8_an_archived_copy_that_takes_its_records_place_is_brought_back() {
    archiving(async |world, record| {
        world.database.delete(2);
        succeeds(&world).await;
        world.person(&json!({"action": "copy", "record": record[0]}));
        world.person(&json!({"action": "delete", "record": record[0]}));
        assert_eq!(note_of(&world, 2), "row is gone");
        world.database.put(2, "A", 2);
        // The copy is found and linked; its row, read again, brings it back.
        succeeds(&world).await;
        succeeds(&world).await;
        comes_right(&world).await;
        assert_eq!(note_of(&world, 2), "");
    });
}

/// C8, D6. Catches: as above, where the mark lands when the row is there again: an hour later it is seen.
#[test]
fn c8_a_mark_that_lands_after_its_row_returned_is_taken_back() {
    for minutes in [0, 30] {
        archiving(async |world, record| {
            let late = FaultKind::Late { ms: minutes * 60_000 + 1, end: LateEnd::Reset };
            let late = Fault::new(late).on(&[RouteKind::BulkUpdate]);
            world.network.emulator().add_fault(late);
            world.database.delete(2);
            world.clear_log();
            killed_when(&world, || world.requests(RouteKind::BulkUpdate) > 0).await;
            world.database.put(2, "A", 2);
            succeeds(&world).await;
            pass(&world, Duration::from_mins(minutes + 1)).await;
            if minutes > 0 {
                assert_eq!(note_of(&world, 2), "row is gone", "it landed");
            }
            pass(&world, Duration::from_mins(62)).await;
            succeeds(&world).await;
            comes_right(&world).await;
            assert_eq!((note_of(&world, 2).as_str(), world.record_ids("2")), ("", record));
        });
    }
}

/// C8. Catches: a row that says of itself that it is deleted and becomes a record.
#[test]
fn c8_a_row_that_is_marked_as_deleted_counts_as_gone() {
    deleting(async |mut world| {
        world.definition.source.deleted_field = Some("deleted".into());
        world.database.mark_deleted([7]);
        fill(&world, 7);
        let report = succeeds(&world).await;
        assert_eq!((report.books.created, report.books.read), (6, 7));
        world.database.mark_deleted([2, 7]);
        world.database.put(2, "A", 2);
        world.clear_log();
        let report = succeeds(&world).await;
        assert_eq!((report.books.deleted, world.all_requests()), (1, 1));
        world.clear_log();
        run_with(&world, RunOptions { full: true, ..RunOptions::default() }).await;
        assert_eq!(world.all_requests(), 0);
        world.database.mark_deleted([7]);
        world.database.put(2, "A", 2);
        succeeds(&world).await;
        assert_eq!(world.records().len(), 6);
    });
}

/// D1, C8. Catches: a delete or a mark that a death at some step loses, or doubles.
#[test]
fn c8_a_process_may_die_at_any_step_of_a_delete() {
    at_every_step(async |mut world, steps| {
        world.definition.destination.on_delete = OnDelete::Delete { adopted: false };
        fill(&world, 4);
        succeeds(&world).await;
        world.database.delete(2);
        world.database.put(3, "B", 3);
        let died = killed_after(&world, steps).await;
        pass(&world, Duration::from_mins(2)).await;
        comes_right(&world).await;
        died
    });
}

/// D8. Catches: a lost state that sweeps before it has looked at the table (`audit_is_due`).
#[test]
fn d8_a_record_whose_row_went_while_the_state_was_lost_goes_too() {
    usual(async |mut world| {
        world.definition.destination.on_delete = OnDelete::Delete { adopted: true };
        fill(&world, 30);
        succeeds(&world).await;
        lose_everything(&world);
        world.database.delete(2);
        comes_right(&world).await;
    });
}

/// D8. Catches: an older state whose audit nobody makes at once, as its sync follows the log (`audit_is_due`): nothing is
/// created that would need one, and so many records are archived that no reading of the table would pay.
#[test]
fn d8_a_record_whose_row_came_and_went_since_the_copy_goes_too() {
    usual(async |mut world| {
        world.definition.on_position_lost = OnPositionLost::Repair;
        world.definition.capture = CaptureMode::Binlog;
        world.log_batch = Some(500);
        world.definition.destination.on_delete = OnDelete::Archive(ArchiveField {
            slug: NOTE.into(),
            value: "row is gone".into(),
            restored: None,
        });
        fill(&world, 1_005);
        succeeds(&world).await;
        for id in 6..=1_005 {
            world.database.delete(id);
        }
        let yes = RunOptions { full: true, allow_deletes: Some(1_000), ..RunOptions::default() };
        assert_eq!(run_with(&world, yes).await.books.archived, 1_000);
        let old = StateCopy::of(&world);
        world.database.put(2_000, "A", 1);
        succeeds(&world).await;
        world.database.delete(2_000);
        old.restore(&world);
        succeeds(&world).await;
        assert_eq!(note_of(&world, 2_000), "row is gone");
    });
}

/// P2. Catches: a reconcile that is not made when it is due (`Running::full_read`).
#[test]
fn a_change_that_the_cursor_does_not_show_is_found_by_the_reconcile() {
    usual(async |mut world| {
        fill(&world, 5);
        succeeds(&world).await;
        pass(&world, Duration::from_hours(1)).await;
        world.database.put_silently(2, "B");
        world.database.age(2, Duration::from_hours(2));
        assert_eq!(succeeds(&world).await.books.updated, 0);
        world.definition.reconcile = Some(ScheduleDefinition::Interval { minutes: 120 });
        assert_eq!(succeeds(&world).await.books.updated, 0);
        pass(&world, Duration::from_hours(2)).await;
        assert_eq!(succeeds(&world).await.books.updated, 1);
        assert_eq!(succeeds(&world).await.books.read, 0);
        comes_right(&world).await;
    });
}

/// D2. Catches: a delete that is believed though its answer does not name the record (`Reading::deleted`), or that is sent
/// again though it took effect.
#[test]
fn d2_a_delete_whose_answer_leaves_its_record_out_is_looked_after() {
    for is_deleted in [false, true] {
        deleting(async |world| {
            fill(&world, 5);
            succeeds(&world).await;
            if !is_deleted {
                let none = Fault::new(FaultKind::Status(503)).on(&[RouteKind::BulkDelete]);
                world.network.emulator().add_fault(none);
            }
            let is_delete =
                |request: &Request<Bytes>| request.uri().path().ends_with("/bulk_delete/");
            world.network.answer_instead(is_delete, "[]", 1);
            world.database.delete(2);
            world.clear_log();
            let report = succeeds(&world).await;
            assert_eq!((report.books.deleted, world.record_ids("2").len()), (1, 0));
            assert_eq!(world.requests(RouteKind::BulkDelete), 2);
            comes_right(&world).await;
        });
    }
}
