//! D11: links, entries and positions belong to a destination.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use http::Request;
use serde_json::json;
use smartsuite_emulator::{Fault, FaultKind, LateEnd, RouteKind};
use sync_core::{
    config::model::{ArchiveField, Conversion, FieldMapping, OnDelete},
    state::{RunStatus, StateError},
};
use sync_engine::{event::Event, run::RunOptions};

use super::{
    stage::{comes_right, fill, in_step, late, pass, run_with, status, succeeds, usual},
    steps::{at_every_step, killed_after, killed_when},
};
use crate::world::{EXTERNAL_ID, NOTE, OTHER_EXTERNAL_ID, OTHER_TABLE, TABLE, World};

fn send_to(world: &mut World, table: &str) {
    table.clone_into(&mut world.definition.destination.table_id);
}

/// D11. Catches: a doubt that is looked up in the table that is configured now, or forgotten with it.
#[test]
fn d11_a_create_in_doubt_is_resolved_in_its_own_table() {
    usual(async |mut world| {
        fill(&world, 3);
        succeeds(&world).await;
        let late = FaultKind::Late { ms: 30_000, end: LateEnd::Reset };
        world.network.emulator().add_fault(Fault::new(late).on(&[RouteKind::BulkCreate]));
        world.database.put(9, "A", 9);
        world.clear_log();
        killed_when(&world, || world.requests(RouteKind::BulkCreate) > 0).await;
        send_to(&mut world, OTHER_TABLE);
        comes_right(&world).await;
        pass(&world, Duration::from_mins(5)).await;
        send_to(&mut world, TABLE);
        comes_right(&world).await;
    });
}

/// D11. Catches: a position that is kept when the destination changes (`syncs::leave_destination`).
#[test]
fn d11_rows_unchanged_since_long_reach_the_new_table() {
    usual(async |mut world| {
        fill(&world, 30);
        succeeds(&world).await;
        pass(&world, Duration::from_hours(1)).await;
        succeeds(&world).await;
        send_to(&mut world, OTHER_TABLE);
        comes_right(&world).await;
        world.database.put(1, "B", 1);
        world.database.put(31, "A", 31);
        comes_right(&world).await;
        send_to(&mut world, TABLE);
        comes_right(&world).await;
    });
}

/// D11. Catches: whatever of the old table is used for the new one, or the other way round.
#[test]
fn d11_the_table_changes_and_changes_back_at_any_step() {
    at_every_step(async |mut world, steps| {
        fill(&world, 2);
        succeeds(&world).await;
        world.database.put(1, "B", 1);
        world.database.put(9, "A", 9);
        let died = killed_after(&world, steps).await;
        send_to(&mut world, OTHER_TABLE);
        comes_right(&world).await;
        world.database.put(1, "A", 1);
        send_to(&mut world, TABLE);
        comes_right(&world).await;
        died
    });
}

/// The field that carries the key changes: every linked record gets its key there, at a price said before, and nothing
/// is created until they all have.
#[test]
fn another_external_id_field_is_filled_before_anything_is_created() {
    usual(async |mut world| {
        fill(&world, 60);
        succeeds(&world).await;
        world.definition.destination.external_id_field = "snoteaaaaa".into();
        // A full call of creates would else go first.
        for id in 100..150 {
            world.database.put(id, "A", id);
        }
        world.events.take();
        world.clear_log();
        succeeds(&world).await;
        let events = world.events.take();
        let said = events.iter().any(|event| {
            matches!(event, Event::Note { text } if text.contains("60 linked records") && text.contains("3 API calls"))
        });
        assert!(said, "{events:?}");
        let writes: Vec<RouteKind> = world
            .network
            .emulator()
            .log()
            .map(|entry| entry.route)
            .filter(|route| matches!(route, RouteKind::BulkCreate | RouteKind::BulkUpdate))
            .collect();
        let (update, create) = (RouteKind::BulkUpdate, RouteKind::BulkCreate);
        assert_eq!(writes, [update, update, update, create, create]);
        let ids: BTreeSet<String> = world
            .dump(TABLE)
            .iter()
            .filter_map(|record| Some(record["snoteaaaaa"].as_str()?.to_owned()))
            .collect();
        assert_eq!(ids.len(), 110);
        world.clear_log();
        succeeds(&world).await;
        assert_eq!(world.all_requests(), 0);
    });
}

/// D6. Catches: an update of a dead process that is forgotten when the definition changes, and that nobody looks at again
/// (`syncs::forget_values`, `syncs::leave_destination`).
#[test]
fn d6_an_update_on_its_way_when_the_definition_changes_is_found_and_undone() {
    for leaves_table in [false, true] {
        usual(async |mut world| {
            fill(&world, 3);
            succeeds(&world).await;
            late(&world, RouteKind::BulkUpdate, 30);
            world.database.put(1, "B", 1);
            world.clear_log();
            killed_when(&world, || world.requests(RouteKind::BulkUpdate) > 0).await;
            if leaves_table {
                send_to(&mut world, OTHER_TABLE);
                succeeds(&world).await;
                send_to(&mut world, TABLE);
            } else {
                world.definition.destination.external_id_field = OTHER_EXTERNAL_ID.into();
            }
            world.database.put(1, "C", 1);
            succeeds(&world).await;
            assert_eq!(world.records()["1"][0].0, "C");
            pass(&world, Duration::from_mins(31)).await;
            assert_eq!(world.records()["1"][0].0, "B");
            pass(&world, Duration::from_mins(40)).await;
            comes_right(&world).await;
        });
    }
}

/// D6. Catches: an update or a delete that is forgotten when the keys change, and takes effect once its record was found by
/// its new key: an update carries the old one (`syncs::forget_keys`, `settle::put_link`).
#[test]
fn d6_what_is_on_its_way_when_the_keys_change_is_found_and_undone() {
    let (update, delete) = (RouteKind::BulkUpdate, RouteKind::BulkDelete);
    for (route, is_killed) in [(update, true), (update, false), (delete, true)] {
        usual(async |mut world| {
            world.definition.destination.on_delete = OnDelete::Delete { adopted: false };
            fill(&world, 3);
            succeeds(&world).await;
            late(&world, route, 30);
            if route == delete {
                world.database.delete(1);
            } else {
                world.database.put(1, "B", 1);
            }
            world.clear_log();
            if is_killed {
                killed_when(&world, || world.requests(route) > 0).await;
            } else {
                succeeds(&world).await;
            }
            world.database.put(1, "C", 1);
            // A person gives the records their new keys.
            for id in 1..=3 {
                let record = world.record_ids(&id.to_string()).remove(0);
                let values = json!({EXTERNAL_ID: format!("p:{id}")});
                world.person(&json!({"action": "update", "record": record, "values": values}));
            }
            world.definition.destination.key_prefix = "p:".into();
            let accept = RunOptions { accept_key_change: true, ..RunOptions::default() };
            assert_eq!(status(&run_with(&world, accept).await), RunStatus::Success);
            in_step(&world);
            pass(&world, Duration::from_mins(31)).await;
            assert_eq!(world.record_ids("p:1").len(), 0, "it landed");
            pass(&world, Duration::from_mins(40)).await;
            comes_right(&world).await;
        });
    }
}

/// D6. Catches: an external-id field that changes while the record of a create that was given up may still come, with its
/// key where nobody looks for it then (`syncs::refuse_unresolved`).
#[test]
fn d6_the_external_id_field_does_not_change_before_what_was_given_up_was_looked_for() {
    usual(async |mut world| {
        fill(&world, 3);
        succeeds(&world).await;
        late(&world, RouteKind::BulkCreate, 30);
        world.database.put(9, "A", 9);
        succeeds(&world).await;
        let old = world.definition.destination.external_id_field.clone();
        world.definition.destination.external_id_field = OTHER_EXTERNAL_ID.into();
        let refused = world.process().run(RunOptions::default()).await;
        assert!(
            matches!(refused, Err(StateError::UnresolvedCreates { creates: 1, .. })),
            "{refused:?}"
        );
        world.definition.destination.external_id_field = old;
        pass(&world, Duration::from_mins(70)).await;
        assert_eq!(world.record_ids("9").len(), 2);
        succeeds(&world).await;
        world.definition.destination.external_id_field = OTHER_EXTERNAL_ID.into();
        comes_right(&world).await;
    });
}

/// P2. Catches: a changed mapping that reads nothing again (`syncs::apply_changes`).
#[test]
fn p2_a_changed_mapping_reaches_rows_that_did_not_change() {
    usual(async |mut world| {
        fill(&world, 5);
        succeeds(&world).await;
        pass(&world, Duration::from_hours(1)).await;
        // The position passes the rows: by themselves they are not read again.
        succeeds(&world).await;
        let title = FieldMapping::of_column("amount", "title".into(), Conversion::Automatic);
        world.definition.destination.fields[0] = title;
        assert_eq!(succeeds(&world).await.books.updated, 5);
        assert_eq!(world.records()["3"], [("3".to_owned(), "3".to_owned())]);
    });
}

/// Catches: creates that wait for ever where records carry their key in the new external-id field already, and come after
/// more creates than are looked at together (`dispatch::dispatch`).
#[test]
fn creates_do_not_wait_for_records_that_carry_their_key_in_the_new_field_already() {
    usual(async |mut world| {
        for id in 1_000..1_003 {
            world.database.put(id, "A", id);
        }
        succeeds(&world).await;
        for field in [OTHER_EXTERNAL_ID, EXTERNAL_ID] {
            world.definition.destination.external_id_field = field.into();
            if field == EXTERNAL_ID {
                fill(&world, 110);
            }
            succeeds(&world).await;
        }
        in_step(&world);
    });
}

/// D2, D6. Catches: a delete that is believed because a look-up by another external-id field shows no record: what was never
/// filled carries no key there (`Delivery::outcomes_of_undeleted`).
#[test]
fn d2_a_delete_is_not_believed_because_its_record_lacks_the_new_key() {
    let archive = ArchiveField { slug: NOTE.into(), value: "row is gone".into(), restored: None };
    let policies =
        [OnDelete::Delete { adopted: false }, OnDelete::ArchiveFirst { adopted: false, archive }];
    for policy in policies {
        usual(async |mut world| {
            world.definition.destination.on_delete = policy;
            fill(&world, 5);
            succeeds(&world).await;
            world.database.delete(2);
            world.definition.destination.external_id_field = OTHER_EXTERNAL_ID.into();
            let none = Fault::new(FaultKind::Status(503)).on(&[RouteKind::BulkDelete]);
            world.network.emulator().add_fault(none);
            let is_delete =
                |request: &Request<Bytes>| request.uri().path().ends_with("/bulk_delete/");
            world.network.answer_instead(is_delete, "[]", 1);
            succeeds(&world).await;
            assert_eq!(world.dump(TABLE).len(), 4);
        });
    }
}
