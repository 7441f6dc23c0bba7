//! Fields that only new records get, and fields that are filled where they are empty.

use serde_json::json;
use smartsuite_emulator::{Fault, FaultKind, RouteKind};
use sync_core::{
    config::model::{Conversion, FieldMapping, WriteMode, WritePolicy},
    state::CallKind,
};
use sync_engine::event::Event;

use super::{
    stage::{comes_right, fill, note_of, run_until, succeeds, usual},
    state_files::lose_everything,
};
use crate::world::{NOTE, World};

/// A world whose names are also written to the note, by this policy.
fn noted(write: WritePolicy, script: impl AsyncFnOnce(World)) {
    usual(async |mut world| {
        let mapping = FieldMapping::of_column("name", NOTE.into(), Conversion::Automatic);
        world.definition.destination.fields.push(FieldMapping { write, ..mapping });
        script(world).await;
    });
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
        let created = note_of(&world, 1);
        assert!(!created.is_empty(), "it is written with the record");
        set_note(&world, 1, "a person's own");
        world.database.put(1, "another name", 9);
        comes_right(&world).await;
        assert_eq!(note_of(&world, 1), "a person's own");
        // A state that is lost adopts the records as they are: nothing is written.
        lose_everything(&world);
        world.clear_log();
        comes_right(&world).await;
        assert_eq!(world.requests(RouteKind::BulkUpdate), 0);
        assert_eq!(note_of(&world, 1), "a person's own");
    });
}

/// Catches: an empty field that stays empty though its record is written, a full one that is overwritten, and calls that
/// nothing is empty for.
#[test]
fn an_empty_field_is_filled_when_its_record_is_written() {
    noted(WritePolicy::IfEmpty, async |world| {
        fill(&world, 3);
        succeeds(&world).await;
        assert_eq!(note_of(&world, 1), "A", "it is written with the record");
        set_note(&world, 1, "");
        set_note(&world, 2, "a person's own");
        world.clear_log();
        succeeds(&world).await;
        assert_eq!(world.all_requests(), 0, "nothing changed in the source");
        world.database.put(1, "first", 9);
        world.database.put(2, "second", 9);
        comes_right(&world).await;
        assert_eq!(
            (note_of(&world, 1), note_of(&world, 2)),
            ("first".into(), "a person's own".into())
        );
        world.database.put(1, "again", 9);
        world.database.put(2, "again", 9);
        world.clear_log();
        succeeds(&world).await;
        assert_eq!(world.requests(RouteKind::BulkUpdate), 1, "nothing was empty");
        (1..=3).for_each(|id| set_note(&world, id, ""));
        (1..=3).for_each(|id| world.database.put(id, "third", 9));
        world.clear_log();
        succeeds(&world).await;
        assert_eq!(world.requests(RouteKind::BulkUpdate), 2, "the update, and what fills");
        assert_eq!(world.all_requests(), 2);
        assert_eq!([note_of(&world, 1), note_of(&world, 2), note_of(&world, 3)], ["third"; 3]);
    });
}

/// Catches: a field that was seen empty and is filled although a person has written there meanwhile; and one that is
/// forgotten because the process died, or nobody answered, between the look and the write.
#[test]
fn what_a_person_wrote_meanwhile_is_not_overwritten() {
    noted(WritePolicy::IfEmpty, async |world| {
        fill(&world, 2);
        succeeds(&world).await;
        (1..=2).for_each(|id| set_note(&world, id, ""));
        (1..=2).for_each(|id| world.database.put(id, "B", 9));
        // The process dies when the answer is there and nothing is filled yet.
        let is_answered =
            |event: &Event| matches!(event, Event::CallEnded { kind: CallKind::Update, .. });
        run_until(&world, is_answered).await;
        set_note(&world, 1, "a person's own");
        comes_right(&world).await;
        assert_eq!((note_of(&world, 1), note_of(&world, 2)), ("a person's own".into(), "B".into()));
    });
}

/// Catches: a record that is filled again and again where the service does not keep the value.
#[test]
fn a_fill_whose_answer_is_lost_is_made_once() {
    noted(WritePolicy::IfEmpty, async |world| {
        fill(&world, 2);
        succeeds(&world).await;
        (1..=2).for_each(|id| set_note(&world, id, ""));
        (1..=2).for_each(|id| world.database.put(id, "B", 9));
        let lost = Fault::new(FaultKind::Reset).on(&[RouteKind::BulkUpdate]);
        let lost = lost.after_the_effect().skip(1).times(Some(1));
        world.network.emulator().add_fault(lost);
        succeeds(&world).await;
        comes_right(&world).await;
        assert_eq!([note_of(&world, 1), note_of(&world, 2)], ["B"; 2]);
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
