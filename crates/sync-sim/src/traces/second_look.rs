//! D6, and what C7 and D8 need it for: an hour later the world is looked at once more.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde_json::json;
use smartsuite_emulator::{Fault, FaultKind, RouteKind};
use sync_core::config::model::{ArchiveField, OnDelete};
use sync_engine::run::RunOptions;

use super::{
    stage::{calm, comes_right, fill, in_step, late, note_of, notes, pass, run, succeeds, usual},
    state_files::StateCopy,
    steps::{Run, at_every_step, killed_after, killed_when},
};
use crate::world::{EXTERNAL_ID, NOTE, World};

const MINUTE: Duration = Duration::from_mins(1);

/// Row 9 is created twice, as its first create takes effect so many minutes after its connection broke.
async fn create_twice(world: &World, minutes: u64) {
    fill(world, 3);
    succeeds(world).await;
    late(world, RouteKind::BulkCreate, minutes);
    world.database.put(9, "A", 9);
    succeeds(world).await;
}

/// D6. Catches: a create that was given up and is never looked up again (`settle::settle_one`), a look that comes
/// too early, a twin that is left.
#[test]
fn d6_a_create_that_lands_after_it_was_given_up_is_removed() {
    usual(async |world| {
        create_twice(&world, 50).await;
        in_step(&world);
        pass(&world, 51 * MINUTE).await;
        assert_eq!(world.record_ids("9").len(), 2);
        world.clear_log();
        succeeds(&world).await;
        assert_eq!(world.all_requests(), 0, "it is too early to look");
        pass(&world, 15 * MINUTE).await;
        succeeds(&world).await;
        in_step(&world);
        assert_eq!(world.requests(RouteKind::BulkDelete), 1);
        comes_right(&world).await;
        world.database.put(9, "B", 9);
        comes_right(&world).await;
    });
}

/// D6. Catches: a twin that counts as removed though no answer says so (`Delivery::remove`), or is forgotten then; and that
/// nobody is told.
#[test]
fn d6_a_twin_that_no_answer_says_is_removed_is_looked_for_again() {
    // What the delete does, and whether its answer names the first twin.
    for (has_effect, names_one) in [(true, true), (true, false), (false, false)] {
        usual(async |world| {
            fill(&world, 3);
            succeeds(&world).await;
            late(&world, RouteKind::BulkCreate, 50);
            world.database.put(8, "A", 8);
            world.database.put(9, "A", 9);
            succeeds(&world).await;
            let linked = [world.record_ids("8").remove(0), world.record_ids("9").remove(0)];
            pass(&world, 51 * MINUTE).await;
            let twin = world.record_ids("8").into_iter().find(|id| !linked.contains(id));
            let twin = twin.expect("it landed");
            pass(&world, 15 * MINUTE).await;
            if !has_effect {
                let none = Fault::new(FaultKind::Status(503)).on(&[RouteKind::BulkDelete]);
                world.network.emulator().add_fault(none);
            }
            let body = if names_one { format!(r#"[{{"id": "{twin}"}}]"#) } else { "[]".to_owned() };
            let is_delete =
                |request: &Request<Bytes>| request.uri().path().ends_with("/bulk_delete/");
            world.network.answer_instead(is_delete, body.leak(), 1);
            notes(&world);
            world.clear_log();
            succeeds(&world).await;
            assert_eq!(world.requests(RouteKind::BulkDelete), 1);
            let records = if has_effect { 1 } else { 2 };
            assert_eq!([world.record_ids("8").len(), world.record_ids("9").len()], [records; 2]);
            let notes = notes(&world);
            let says = |text: &str| notes.iter().any(|note| note.contains(text));
            let unconfirmed = if names_one { "in an hour: 1" } else { "in an hour: 2" };
            assert!(says(unconfirmed), "{notes:?}");
            assert_eq!(says("one too many: 1"), names_one, "{notes:?}");
            pass(&world, 61 * MINUTE).await;
            world.clear_log();
            succeeds(&world).await;
            assert_eq!(world.requests(RouteKind::BulkDelete), usize::from(!has_effect));
            in_step(&world);
            comes_right(&world).await;
        });
    }
}

/// D6. Catches: the same where the delete fails.
#[test]
fn d6_a_twin_whose_removal_fails_is_looked_for_again() {
    usual(async |world| {
        create_twice(&world, 50).await;
        pass(&world, 66 * MINUTE).await;
        let fails = Fault::new(FaultKind::Status(503)).on(&[RouteKind::BulkDelete]);
        world.network.emulator().add_fault(fails.times(None));
        notes(&world);
        run(&world).await;
        assert_eq!(world.record_ids("9").len(), 2);
        let notes = notes(&world);
        assert!(notes.iter().any(|note| note.contains("did not confirm")), "{notes:?}");
        pass(&world, 61 * MINUTE).await;
        comes_right(&world).await;
    });
}

/// D6. Catches: a record that is removed although the member is a person's too, or although a person touched it.
#[test]
fn d6_a_twin_that_may_be_a_persons_is_reported_and_stays() {
    for dedicated in [true, false] {
        usual(async |mut world| {
            world.dedicated_member = dedicated;
            create_twice(&world, 10).await;
            let linked = world.record_ids("9");
            pass(&world, 11 * MINUTE).await;
            if dedicated {
                let twin = world.record_ids("9").into_iter().find(|id| !linked.contains(id));
                let seen =
                    json!({"action": "update", "record": twin, "values": {"snoteaaaaa": "seen"}});
                world.person(&seen);
            }
            pass(&world, 60 * MINUTE).await;
            notes(&world);
            succeeds(&world).await;
            assert_eq!(world.record_ids("9").len(), 2);
            assert_eq!(world.requests(RouteKind::BulkDelete), 0);
            let notes = notes(&world);
            assert!(notes.iter().any(|note| note.contains("dedupe")), "{notes:?}");
        });
    }
}

/// D6. Catches: a record that counts as untouched as we wrote to it last, though a person had written to it before us
/// (`sync_core::second_look::is_untouched`): where the link is old and people made another record with its key, it is
/// removed with what they wrote.
#[test]
fn d6_a_record_that_people_wrote_to_before_us_is_no_twin() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        world.database.put(9, "A", 9);
        succeeds(&world).await;
        let old = StateCopy::of(&world);
        let first = world.record_ids("9").remove(0);
        world.person(&json!({"action": "delete", "record": first}));
        world.database.put(9, "B", 9);
        succeeds(&world).await;
        let second = world.record_ids("9").remove(0);
        let note = json!({"action": "update", "record": second, "values": {"snoteaaaaa": "seen"}});
        world.person(&note);
        pass(&world, MINUTE).await;
        world.database.put(9, "C", 9);
        succeeds(&world).await;
        old.restore(&world);
        world.person(&json!({"action": "copy", "record": second}));
        for _ in 0..3 {
            pass(&world, 61 * MINUTE).await;
            succeeds(&world).await;
        }
        assert!(world.record_ids("9").contains(&second), "what a person wrote is gone");
        assert_eq!(world.requests(RouteKind::BulkDelete), 0);
        assert_eq!(world.record_ids("9").len(), 2);
    });
}

/// D6. Catches: a person's copy that is taken for a twin.
#[test]
fn d6_what_people_created_is_never_removed() {
    usual(async |world| {
        create_twice(&world, 10).await;
        let linked = world.record_ids("9").remove(0);
        world.person(&json!({"action": "copy", "record": linked}));
        pass(&world, 90 * MINUTE).await;
        succeeds(&world).await;
        assert_eq!(world.record_ids("9").len(), 2, "the copy stays, the twin goes");
        assert!(world.record_ids("9").contains(&linked));
    });
}

/// D6. Catches: a look that is made while the re-creation still waits, without adopting what it finds.
#[test]
fn d6_the_re_creation_still_waits_when_the_look_happens() {
    usual(async |world| {
        fill(&world, 3);
        let process = world.process();
        process.run(RunOptions::default()).await.expect("the state works");
        late(&world, RouteKind::BulkCreate, 30);
        world.database.put(9, "A", 9);
        // The process stops when it has given the create up and has not sent it again.
        world.clear_log();
        let mut stopped = Run::of(&process);
        assert!(stopped.go_until(|| world.requests(RouteKind::List) >= 2).await.is_none());
        stopped.cancel();
        stopped.finish().await.expect("the state works");
        assert_eq!(world.requests(RouteKind::BulkCreate), 1);
        pass(&world, 90 * MINUTE).await;
        process.run(RunOptions::default()).await.expect("the state works");
        in_step(&world);
        comes_right(&world).await;
    });
}

/// D6. Catches: one twin that is removed where there are two.
#[test]
fn d6_two_late_creates_leave_one_record() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        late(&world, RouteKind::BulkCreate, 30);
        late(&world, RouteKind::BulkCreate, 40);
        world.database.put(9, "A", 9);
        succeeds(&world).await;
        pass(&world, 50 * MINUTE).await;
        assert_eq!(world.record_ids("9").len(), 3);
        pass(&world, 30 * MINUTE).await;
        comes_right(&world).await;
    });
}

/// D6. Catches: a look that every write of a busy row puts off (`settle::settle`).
#[test]
fn d6_the_twin_of_a_row_that_changes_all_the_time_is_removed_too() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        late(&world, RouteKind::BulkCreate, 30);
        world.database.put(9, "A", 9);
        succeeds(&world).await;
        for amount in 0..5 {
            pass(&world, 20 * MINUTE).await;
            world.database.put(9, "B", amount);
            succeeds(&world).await;
        }
        assert_eq!(world.record_ids("9").len(), 1);
        comes_right(&world).await;
    });
}

/// D6. Catches: a row that is gone when its create lands: one record is linked, so that it is not forgotten.
#[test]
fn d6_a_create_that_lands_after_its_row_is_gone_is_linked() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        late(&world, RouteKind::BulkCreate, 30);
        world.database.put(9, "A", 9);
        let process = world.process();
        world.clear_log();
        let mut stopped = Run::of(&process);
        assert!(stopped.go_until(|| world.requests(RouteKind::List) >= 3).await.is_none());
        stopped.cancel();
        stopped.finish().await.expect("the state works");
        world.database.delete(9);
        process
            .run(RunOptions { full: true, ..RunOptions::default() })
            .await
            .expect("the state works");
        pass(&world, 90 * MINUTE).await;
        process.run(RunOptions::default()).await.expect("the state works");
        // The row returns: its record is the one that landed.
        world.database.put(9, "B", 9);
        process.run(RunOptions::default()).await.expect("the state works");
        in_step(&world);
    });
}

/// D6, C7. Catches: a delete that lands when its row is there again, and leaves a link without a record
/// (`second_look::judge`).
#[test]
fn d6_a_delete_that_lands_after_its_row_returned_is_undone() {
    for is_killed in [true, false] {
        usual(async |mut world| {
            world.definition.destination.on_delete = OnDelete::Delete { adopted: false };
            fill(&world, 3);
            succeeds(&world).await;
            late(&world, RouteKind::BulkDelete, 30);
            world.database.delete(2);
            world.clear_log();
            let process = world.process();
            let mut run = Run::of(&process);
            assert!(run.go_until(|| world.requests(RouteKind::BulkDelete) > 0).await.is_none());
            if is_killed {
                drop(run);
            } else {
                run.cancel();
                run.finish().await.expect("the state works");
            }
            drop(process);
            world.database.put(2, "A", 2);
            succeeds(&world).await;
            in_step(&world);
            pass(&world, 31 * MINUTE).await;
            assert_eq!(world.record_ids("2").len(), 0, "it landed");
            pass(&world, 40 * MINUTE).await;
            comes_right(&world).await;
        });
    }
}

/// D6, C7. Catches: an update without an answer that is not looked at again; a difference that is found and only
/// marked dirty, so that the row read again equals the link.
#[test]
fn d6_an_update_that_lands_late_is_found_and_undone() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        late(&world, RouteKind::BulkUpdate, 30);
        world.database.put(1, "B", 1);
        succeeds(&world).await;
        world.database.put(1, "A", 1);
        succeeds(&world).await;
        pass(&world, 31 * MINUTE).await;
        assert_eq!(world.records()["1"][0].0, "B");
        pass(&world, 40 * MINUTE).await;
        comes_right(&world).await;
    });
}

/// D6. Catches: as above, where the process that sent the update died.
#[test]
fn d6_an_update_of_a_dead_process_is_looked_at_again() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        late(&world, RouteKind::BulkUpdate, 30);
        world.database.put(1, "B", 1);
        world.clear_log();
        killed_when(&world, || world.requests(RouteKind::BulkUpdate) > 0).await;
        world.database.put(1, "A", 1);
        succeeds(&world).await;
        pass(&world, 100 * MINUTE).await;
        comes_right(&world).await;
    });
}

/// D6. Catches: a look that is lost with the process that makes it.
#[test]
fn d6_a_process_may_die_at_any_step_of_its_second_look() {
    at_every_step(async |world, steps| {
        fill(&world, 3);
        succeeds(&world).await;
        late(&world, RouteKind::BulkCreate, 30);
        late(&world, RouteKind::BulkUpdate, 30);
        world.database.put(1, "B", 1);
        world.database.put(9, "A", 9);
        succeeds(&world).await;
        world.database.put(1, "A", 1);
        succeeds(&world).await;
        pass(&world, 100 * MINUTE).await;
        let died = killed_after(&world, steps).await;
        comes_right(&world).await;
        died
    });
}

/// D6. Catches: a look that finds nothing because nothing can be found (`Delivery::look`).
#[test]
fn d6_a_look_that_proves_nothing_is_made_again() {
    usual(async |world| {
        create_twice(&world, 30).await;
        pass(&world, 90 * MINUTE).await;
        world.network.blind_lists(1_000);
        run(&world).await;
        world.network.answer_as_usual();
        pass(&world, 90 * MINUTE).await;
        comes_right(&world).await;
    });
}

/// D6. Catches: a lonely record that is taken for proof that nothing else is there, where no control is.
#[test]
fn d6_the_first_record_of_all_is_looked_at_again_too() {
    usual(async |world| {
        late(&world, RouteKind::BulkCreate, 30);
        world.database.put(9, "A", 9);
        succeeds(&world).await;
        pass(&world, 31 * MINUTE).await;
        assert_eq!(world.record_ids("9").len(), 2);
        pass(&world, 60 * MINUTE).await;
        comes_right(&world).await;
    });
}

/// D8. Catches: a known id under another record id that is taken for gone: the linked record lives.
#[test]
fn d8_a_twin_that_the_audit_shows_is_removed() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        let old = StateCopy::of(&world);
        // Another installation with a state of its own creates the same key at the same moment.
        late(&world, RouteKind::BulkCreate, 1);
        world.database.put(9, "A", 9);
        succeeds(&world).await;
        let linked = StateCopy::of(&world);
        old.restore(&world);
        drop(linked);
        calm(&world);
        world.database.put(10, "A", 10);
        comes_right(&world).await;
    });
}

/// D8. Catches: a link that does not move although its record is gone, and a row that is not read again for it.
#[test]
fn d8_the_link_moves_where_its_record_is_gone() {
    usual(async |world| {
        fill(&world, 3);
        let process = world.process();
        process.run(RunOptions::default()).await.expect("the state works");
        let first = world.record_ids("1").remove(0);
        world.person(&json!({"action": "delete", "record": first}));
        world.person(&json!({"action": "create", "values": {EXTERNAL_ID: "1", "title": "typed"}}));
        // A new process audits before its first create.
        world.database.put(9, "A", 9);
        comes_right(&world).await;
    });
}

/// D6. Catches: an archived record that an update brings back late, and that nobody archives again (`Delivery::is_back`).
/// Found as world 30241.
#[test]
fn d6_what_a_late_update_brings_back_is_archived_again() {
    usual(async |mut world| {
        world.definition.destination.on_delete = OnDelete::Archive(ArchiveField {
            slug: NOTE.into(),
            value: "gone".into(),
            restored: None,
        });
        fill(&world, 3);
        succeeds(&world).await;
        world.database.delete(2);
        succeeds(&world).await;
        late(&world, RouteKind::BulkUpdate, 30);
        world.database.put(2, "B", 2);
        succeeds(&world).await;
        assert_eq!(note_of(&world, 2), "");
        world.database.delete(2);
        succeeds(&world).await;
        assert_eq!(note_of(&world, 2), "gone");
        pass(&world, 31 * MINUTE).await;
        assert_eq!(note_of(&world, 2), "", "the first update has taken effect");
        pass(&world, 60 * MINUTE).await;
        succeeds(&world).await;
        succeeds(&world).await;
        assert_eq!(note_of(&world, 2), "gone");
        world.clear_log();
        succeeds(&world).await;
        assert_eq!(world.all_requests(), 0);
        world.database.put(2, "C", 2);
        comes_right(&world).await;
        assert_eq!(note_of(&world, 2), "");
    });
}
