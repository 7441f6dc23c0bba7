//! D5 and D6 where no create of the table was answered yet, so that nobody knows which records are ours.

use std::time::Duration;

use serde_json::json;
use smartsuite_emulator::RouteKind;
use sync_core::config::model::OnDelete;

use super::{
    stage::{
        comes_right, fill, in_step, late, lose_the_answer, notes, pass, succeeds, title_of, usual,
    },
    steps::killed_when,
};
use crate::world::{EXTERNAL_ID, OTHER_TABLE};

/// D6. Catches: a twin that is removed though nobody knows whose it is. It is told, and goes with a second look once a
/// create was answered (world 10706).
#[test]
fn d6_a_late_twin_stays_until_an_answer_has_told_who_we_are() {
    for is_answered in [false, true] {
        usual(async |world| {
            late(&world, RouteKind::BulkCreate, 30);
            lose_the_answer(&world);
            world.database.put(9, "A", 9);
            succeeds(&world).await;
            pass(&world, Duration::from_mins(40)).await;
            let of_nine = world.record_ids("9");
            assert_eq!(of_nine.len(), 2);
            pass(&world, Duration::from_hours(1)).await;
            if is_answered {
                // Its create goes before the look.
                world.database.put(10, "A", 10);
                comes_right(&world).await;
            } else {
                succeeds(&world).await;
                let told = "1 records carry a key that another record carries too";
                assert!(notes(&world).iter().any(|note| note.contains(told)));
                assert_eq!(world.record_ids("9"), of_nine);
            }
        });
    }
}

/// D5. Catches: a table in which no create was answered yet, where the state knows its member from another one: what is
/// found there is ours, and goes with its row (`StateStore::own_member`). Found as world 12823.
#[test]
fn d5_what_is_found_in_a_new_table_is_known_for_ours() {
    usual(async |mut world| {
        world.definition.destination.on_delete = OnDelete::Delete { adopted: false };
        fill(&world, 3);
        succeeds(&world).await;
        OTHER_TABLE.clone_into(&mut world.definition.destination.table_id);
        lose_the_answer(&world);
        succeeds(&world).await;
        in_step(&world);
        world.database.delete(2);
        succeeds(&world).await;
        comes_right(&world).await;
    });
}

/// D4, D8. Catches: a mark that an audit raises past what a create in doubt has made, so that its last look-up, which has no
/// control, sees nothing, and a person's record is linked in its place (`Delivery::read_once`). Found as world 35319.
#[test]
fn d8_an_audit_raises_no_mark_past_what_a_create_in_doubt_may_have_made() {
    usual(async |world| {
        succeeds(&world).await;
        late(&world, RouteKind::BulkCreate, 1);
        world.database.put(9, "A", 9);
        world.clear_log();
        killed_when(&world, || world.requests(RouteKind::BulkCreate) > 0).await;
        let values = json!({"title": "theirs", EXTERNAL_ID: "9"});
        let theirs = world.person(&json!({"action": "create", "values": values}));
        let theirs = theirs["id"].as_str().expect("it was made");
        pass(&world, Duration::from_mins(2)).await;
        let ours = world.record_ids("9").into_iter().find(|id| id != theirs).expect("it landed");
        // The next process audits before it creates, and hears no answer.
        world.database.put(10, "A", 10);
        lose_the_answer(&world);
        world.database.put(9, "B", 9);
        succeeds(&world).await;
        assert_eq!([title_of(&world, &ours), title_of(&world, theirs)], ["B", "theirs"]);
    });
}
