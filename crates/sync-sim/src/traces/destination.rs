//! D11: links, entries and positions belong to a destination.

use std::{collections::BTreeSet, time::Duration};

use smartsuite_emulator::{Fault, FaultKind, LateEnd, RouteKind};
use sync_core::config::model::{Conversion, FieldMapping};
use sync_engine::event::Event;

use super::{
    stage::{comes_right, fill, pass, succeeds, usual},
    steps::{at_every_step, killed_after, killed_when},
};
use crate::world::{OTHER_TABLE, TABLE, World};

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
pub(crate) fn another_external_id_field_is_filled_before_anything_is_created() {
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

/// P2. Catches: a changed mapping that reads nothing again (`syncs::apply_changes`).
#[test]
pub(crate) fn p2_a_changed_mapping_reaches_rows_that_did_not_change() {
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
