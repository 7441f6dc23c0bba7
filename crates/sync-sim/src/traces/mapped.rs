//! Fields that only new records get.

use serde_json::json;
use smartsuite_emulator::RouteKind;
use sync_core::config::model::{Conversion, FieldMapping, WriteMode, WritePolicy};

use super::{
    stage::{comes_right, fill, succeeds, usual},
    state_files::lose_everything,
};
use crate::world::{EXTERNAL_ID, World};

/// A field that nothing else is mapped to.
const NOTE: &str = "snoteaaaaa";

/// A world whose names are also written to the note, by this policy.
fn noted(write: WritePolicy, script: impl AsyncFnOnce(World)) {
    usual(async |mut world| {
        let mapping = FieldMapping::of_column("name", NOTE.into(), Conversion::Automatic);
        world.definition.destination.fields.push(FieldMapping { write, ..mapping });
        script(world).await;
    });
}

/// The note of a row's only record.
fn note(world: &World, id: i64) -> String {
    let records = world.dump(&world.definition.destination.table_id);
    let of = records.iter().find(|record| record[EXTERNAL_ID] == json!(id.to_string()));
    of.and_then(|record| record[NOTE].as_str()).unwrap_or_default().to_owned()
}

fn set_note(world: &World, id: i64, text: &str) {
    let record = world.record_ids(&id.to_string()).remove(0);
    world.person(&json!({"action": "update", "record": record, "values": {NOTE: text}}));
}

/// Catches: a field of `on_create` in an update, in the fingerprint, or in what adoption compares.
#[test]
fn a_field_of_new_records_is_written_once_and_never_compared() {
    noted(WritePolicy::OnCreate, async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        let created = note(&world, 1);
        assert!(!created.is_empty(), "it is written with the record");
        set_note(&world, 1, "a person's own");
        world.database.put(1, "another name", 9);
        comes_right(&world).await;
        assert_eq!(note(&world, 1), "a person's own");
        // A state that is lost adopts the records as they are: nothing is written.
        lose_everything(&world);
        world.clear_log();
        comes_right(&world).await;
        assert_eq!(world.requests(RouteKind::BulkUpdate), 0);
        assert_eq!(note(&world, 1), "a person's own");
    });
}

/// Catches: a record that `create_only` changes.
#[test]
fn a_sync_that_only_creates_leaves_records_to_people() {
    usual(async |mut world| {
        world.definition.destination.mode = WriteMode::CreateOnly;
        fill(&world, 3);
        succeeds(&world).await;
        let before = world.records();
        world.database.put(1, "another name", 9);
        world.database.put(4, "new", 4);
        world.clear_log();
        succeeds(&world).await;
        assert_eq!(
            (world.requests(RouteKind::BulkCreate), world.requests(RouteKind::BulkUpdate)),
            (1, 0)
        );
        let after = world.records();
        assert_eq!(after.len(), before.len() + 1);
        assert_eq!(after["1"], before["1"]);
        world.clear_log();
        succeeds(&world).await;
        assert_eq!(world.all_requests(), 0);
    });
}
