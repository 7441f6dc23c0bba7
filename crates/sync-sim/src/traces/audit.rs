//! D8: the state is never trusted to be complete.

use serde_json::json;

use super::{
    stage::{comes_right, fill, in_step, succeeds, usual},
    state_files::{StateCopy, lose_everything},
};

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
