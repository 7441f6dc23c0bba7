//! D8: the state is never trusted to be complete.

use std::time::Duration;

use serde_json::json;
use smartsuite_emulator::{Fault, FaultKind, LateEnd, RouteKind};
use sync_engine::event::Event;

use super::{
    stage::{comes_right, fill, in_step, pass, run_until, succeeds, usual},
    state_files::{FolderCopy, StateCopy, lose_everything, move_away},
    steps::killed_when,
};
use crate::world::EXTERNAL_ID;

/// D8. Catches: a process that creates before it has looked above the mark (`deliver`'s `audited`).
#[test]
fn d8_rows_created_since_the_backup_are_not_created_again() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        let old = StateCopy::of(&world);
        fill(&world, 9);
        succeeds(&world).await;
        old.restore(&world);
        comes_right(&world).await;
    });
}

/// D8. Catches: as above, where the rows have other values by now.
#[test]
fn d8_what_was_created_since_the_backup_is_not_trusted_to_hold_what_the_row_holds() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        let old = StateCopy::of(&world);
        world.database.put(9, "A", 9);
        succeeds(&world).await;
        world.database.put(9, "B", 9);
        succeeds(&world).await;
        world.database.put(9, "A", 9);
        old.restore(&world);
        comes_right(&world).await;
    });
}

/// D8. Catches: a mark that answers raise past a create that is on its way (`settle::raise_mark`): its entry stays behind
/// when the state is moved.
#[test]
fn d8_a_create_whose_answer_was_lost_beside_others_is_found_where_the_state_was_moved() {
    usual(async |world| {
        fill(&world, 30);
        succeeds(&world).await;
        // Of four calls the second takes effect and is never answered.
        let lost = Fault::new(FaultKind::Never).on(&[RouteKind::BulkCreate]).after_the_effect();
        world.network.emulator().add_fault(lost.skip(1));
        fill(&world, 130);
        let report = run_until(&world, |event| matches!(event, Event::InDoubt { .. })).await;
        assert_eq!((report.books.created, report.books.waiting_after), (75, 25));
        move_away(&world);
        comes_right(&world).await;
    });
}

/// D8. Catches: a mark that rises to a record which a look-up found, past one that people made before it, at which nobody
/// has looked (`settle::settle`).
#[test]
fn d8_what_a_look_up_finds_says_nothing_of_what_lies_below_it() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        let late = Fault::new(FaultKind::Late { ms: 60_000, end: LateEnd::Never });
        world.network.emulator().add_fault(late.on(&[RouteKind::BulkCreate]));
        world.database.put(9, "A", 9);
        world.clear_log();
        killed_when(&world, || world.requests(RouteKind::BulkCreate) > 0).await;
        let typed = json!({"action": "create", "values": {EXTERNAL_ID: "10", "title": "typed"}});
        world.person(&typed);
        pass(&world, Duration::from_mins(1)).await;
        // Nothing is created, and so nothing but the lost answer is looked for.
        succeeds(&world).await;
        world.database.put(10, "A", 10);
        comes_right(&world).await;
    });
}

/// D8. Catches: an empty state that creates before it has looked.
#[test]
fn d8_a_lost_state_adopts_before_it_creates() {
    usual(async |world| {
        fill(&world, 30);
        succeeds(&world).await;
        lose_everything(&world);
        world.database.put(1, "B", 1);
        world.database.put(40, "A", 40);
        comes_right(&world).await;
    });
}

/// D8. Catches: a known id under another record id that the audit passes over.
#[test]
fn d8_a_link_moves_to_the_record_that_took_its_place() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        let old = StateCopy::of(&world);
        let first = world.record_ids("1").remove(0);
        world.person(&json!({"action": "delete", "record": first}));
        world.database.put(1, "B", 1);
        succeeds(&world).await;
        in_step(&world);
        old.restore(&world);
        world.database.put(1, "A", 1);
        world.database.put(9, "A", 9);
        comes_right(&world).await;
    });
}

/// D8. Catches: a process that creates before it has looked above the mark, where nothing else makes it look: the
/// state was put back old with all that lies beside it (`Delivery::prepare`).
#[test]
fn d8_a_copy_that_does_not_know_that_it_is_old_creates_nothing_again() {
    usual(async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        let old = FolderCopy::of(&world);
        fill(&world, 9);
        succeeds(&world).await;
        old.restore(&world);
        world.database.put(10, "A", 10);
        comes_right(&world).await;
    });
}

/// D8. Catches: a record that an audit links, and whose row is not read for it (`scan::adopt`): the row changed, and its
/// cursor does not show it.
#[test]
pub(crate) fn d8_the_row_of_a_record_that_an_audit_links_is_read() {
    usual(async |world| {
        fill(&world, 3);
        pass(&world, Duration::from_hours(5)).await;
        succeeds(&world).await;
        let old = FolderCopy::of(&world);
        world.database.put(9, "A", 9);
        succeeds(&world).await;
        world.database.put(9, "B", 9);
        world.database.age(9, Duration::from_hours(3));
        old.restore(&world);
        world.database.put(10, "A", 10);
        comes_right(&world).await;
    });
}

/// D8. Catches: a record whose external id is hashed, and that a look-up in a table far larger than the sync does not lead back
/// to its row (`Delivery::look_up_waiting`).
#[test]
fn d8_long_keys_are_looked_up_in_a_large_table() {
    usual(async |world| {
        world.database.key_by(|id| format!("{id}-{}", "x".repeat(300)));
        // The control of the look-up is on the first page.
        let control = json!({"title": "theirs", EXTERNAL_ID: "n/a"});
        world.person(&json!({"action": "create", "values": control}));
        for _ in 0..2_010 {
            world.person(&json!({"action": "create", "values": {"title": "theirs"}}));
        }
        fill(&world, 2);
        succeeds(&world).await;
        lose_everything(&world);
        world.clear_log();
        succeeds(&world).await;
        assert_eq!(world.requests(RouteKind::BulkCreate), 0);
        assert_eq!(world.requests(RouteKind::List), 2, "a page, and a look-up");
    });
}

/// D3, D8. Catches: a look-up in a table far larger than the sync, made in place of reading all of it, that is believed without a
/// control (`Delivery::look_up_waiting`).
#[test]
fn d8_a_look_up_in_a_large_table_that_silently_finds_nothing_is_not_believed() {
    usual(async |world| {
        fill(&world, 2);
        succeeds(&world).await;
        for _ in 0..2_010 {
            world.person(&json!({"action": "create", "values": {"title": "theirs"}}));
        }
        fill(&world, 5);
        succeeds(&world).await;
        lose_everything(&world);
        world.network.blind_look_ups(1);
        world.clear_log();
        succeeds(&world).await;
        assert_eq!(world.requests(RouteKind::BulkCreate), 0);
    });
}
