//! What a changed definition does (`design.md` section 4, point 7; `protocol.md` D11).

use jiff::SignedDuration;
use sync_core::{
    key::Key,
    port::Watermark,
    state::{
        FullReadReason, Outcome, SecondSettlement, StateError, StateStore as _, Stop, SyncIdentity,
        Writer,
    },
};

use crate::fixture::{State, back, draft, fault, identity, in_doubt, record, written};

impl State {
    fn links(&mut self) -> u64 {
        self.store.link_count(&self.writer).unwrap()
    }
}

/// A sync with links for keys 1 and 2, read to its end.
fn settled() -> State {
    let mut state = State::new();
    state.full_read(&[(1, "A"), (2, "A")], "w1");
    state.deliver();
    state
}

fn stop() -> Stop {
    Stop {
        code: "breaker".into(),
        message: "m".into(),
        remedy: "r".into(),
        key: None,
        until: None,
        only_creates: false,
    }
}

#[test]
fn a_sync_is_read_in_full_first_and_not_again() {
    let mut state = State::new();
    assert_eq!(state.sync.full_read, Some(FullReadReason::First));
    state.full_read(&[], "w1");
    state.restart();
    assert_eq!(state.sync.full_read, None);
    assert_eq!(state.sync.stopped, None);
}

#[test]
fn a_changed_mapping_reads_everything_and_keeps_links_and_what_waits() {
    let mut state = settled();
    state.capture(&[(2, "B")]);
    state.identity.values_hash = "v2".into();
    state.restart();
    assert_eq!(state.sync.full_read, Some(FullReadReason::DefinitionChanged));
    assert_eq!(state.slots(1), "link A");
    assert_eq!(state.slots(2), "waiting B, link A");
    state.full_read(&[], "w2");
    state.restart();
    assert_eq!(state.sync.full_read, None);
}

#[test]
fn a_changed_mapping_does_not_hide_why_everything_had_to_be_read_before() {
    let mut state = State::new();
    state.identity.values_hash = "v2".into();
    state.restart();
    assert_eq!(state.sync.full_read, Some(FullReadReason::First));
}

#[test]
fn every_change_of_the_mapping_lets_a_stopped_sync_go_again() {
    let mut state = settled();
    for hash in ["v2", "v3"] {
        state.store.set_stop(&state.writer, Some(&stop())).unwrap();
        state.restart();
        assert_eq!(state.sync.stopped, Some(stop()), "nothing changed");
        state.identity.values_hash = hash.into();
        state.restart();
        assert_eq!(state.sync.stopped, None, "{hash}");
    }
}

#[test]
fn a_changed_mapping_makes_quarantined_rows_due() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    state.settle(&entry, Outcome::Refused { fault: fault("too_long") });
    state.identity.values_hash = "v2".into();
    state.restart();
    let books = state.store.release_quarantine(&state.writer, state.now, false).unwrap();
    assert_eq!(books.released, 1);
}

#[test]
fn another_table_takes_neither_links_nor_wishes_nor_the_position() {
    let mut state = settled();
    state.capture(&[(2, "B")]);
    let first = state.writer.destination.0;
    state.identity.table = "t2".into();
    state.restart();
    assert_ne!(state.writer.destination.0, first);
    assert_eq!(state.sync.full_read, Some(FullReadReason::DestinationChanged));
    assert_eq!(state.sync.watermark, None);
    assert_eq!(state.links(), 0);
    assert_eq!(state.slots(2), "");
    assert_eq!(state.slots_at(2, first), "link A");
    assert_eq!(state.store.mark(&state.writer).unwrap(), None);
    assert_eq!(state.store.backlog(&state.writer).unwrap(), (0, 0));
}

#[test]
fn back_at_the_first_table_its_links_are_there_again() {
    let mut state = settled();
    state.identity.table = "t2".into();
    state.restart();
    state.full_read(&[(1, "A")], "w2");
    state.identity.table = "t1".into();
    state.restart();
    assert_eq!(state.sync.full_read, Some(FullReadReason::DestinationChanged));
    assert_eq!(state.links(), 2);
    assert_eq!(state.slots(1), "link A");
}

#[test]
fn a_create_in_doubt_stays_with_its_table_and_comes_back_with_it() {
    let mut state = settled();
    state.capture(&[(3, "A"), (4, "A")]);
    let call = state.call();
    state.settle(&call.entries[0], in_doubt(false, state.now));
    state.identity.table = "t2".into();
    state.restart();
    state.later(100);
    assert_eq!(state.doubts(), []);
    assert_eq!(state.store.backlog(&state.writer).unwrap(), (0, 0));
    state.identity.table = "t1".into();
    state.restart();
    state.later(2);
    assert_eq!(state.store.backlog(&state.writer).unwrap(), (2, 0));
    assert_eq!(state.doubts().len(), 2);
}

/// The record that an unanswered update left unknown is compared by the full read that is due then; sending the old
/// values, or the old deletion, again would undo what happened to the row meanwhile.
#[test]
fn what_else_was_being_sent_to_the_left_table_is_decided_anew_when_it_comes_back() {
    let mut state = settled();
    state.capture(&[(1, "B"), (2, "gone")]);
    state.call();
    state.call();
    state.identity.table = "t2".into();
    state.restart();
    state.identity.table = "t1".into();
    state.restart();
    assert_eq!(state.slots(1), "link ?");
    assert_eq!(state.slots(2), "link ?");
    state.full_read(&[(1, "A"), (2, "A")], "w2");
    assert_eq!(state.slots(1), "waiting A, link ?");
    assert_eq!(state.slots(2), "waiting A, link ?");
}

#[test]
fn another_external_id_field_is_filled_on_every_record() {
    let mut state = settled();
    state.capture(&[(2, "B"), (3, "A")]);
    state.identity.external_id_field = "sother".into();
    state.restart();
    assert_eq!(state.sync.full_read, Some(FullReadReason::ExternalIdFieldChanged));
    assert_eq!(state.slots(1), "link ?");
    // Drafts made for the old field would not carry the new one.
    assert_eq!(state.slots(2), "link ?");
    assert_eq!(state.slots(3), "");
}

#[test]
fn another_external_id_field_is_noticed_on_the_way_back_to_a_table_too() {
    let mut state = settled();
    state.identity.table = "t2".into();
    state.identity.external_id_field = "sother".into();
    state.restart();
    assert_eq!(state.sync.full_read, Some(FullReadReason::DestinationChanged));
    state.identity.table = "t1".into();
    state.restart();
    assert_eq!(state.sync.full_read, Some(FullReadReason::ExternalIdFieldChanged));
    assert_eq!(state.slots(1), "link ?");
}

/// The look-up would ask for the new field and not find what was created with the old one.
#[test]
fn the_external_id_field_cannot_change_while_a_create_is_in_doubt() {
    let mut state = settled();
    state.capture(&[(3, "A")]);
    let entry = state.single();
    state.identity.external_id_field = "sother".into();
    let before = state.dump();
    let refused = state.store.open_sync(&state.identity, state.now);
    assert!(matches!(refused, Err(StateError::UnresolvedCreates { .. })), "{refused:?}");
    assert_eq!(state.dump(), before);
    state.settle(&entry, written(&entry));
    state.restart();
    assert_eq!(state.sync.full_read, Some(FullReadReason::ExternalIdFieldChanged));
}

/// `protocol.md` D6: the record of a create that was given up carries the old field, where nobody would look for it.
#[test]
fn the_external_id_field_cannot_change_while_a_create_that_was_given_up_may_come_late() {
    let mut state = settled();
    state.capture(&[(3, "A")]);
    let entry = state.single();
    state.settle(&entry, in_doubt(false, state.now));
    state.settle(&entry, back(state.now));
    state.deliver();
    assert_eq!(state.slots(3), "link A");
    let refused = StateError::UnresolvedCreates { sync: "customers".into(), creates: 1 };
    for change in [
        |identity: &mut SyncIdentity| identity.external_id_field = "sother".into(),
        |identity: &mut SyncIdentity| {
            identity.key_hash = Some("k2".into());
            identity.accept_key_change = true;
        },
    ] {
        let mut changed = state.identity.clone();
        change(&mut changed);
        let before = state.dump();
        assert_eq!(state.store.open_sync(&changed, state.now), Err(refused.clone()));
        assert_eq!(state.dump(), before);
    }
    let looked = SecondSettlement { key: Key::Int(3), change: None, again_at: None };
    state.store.settle_second_looks(&state.writer, &[looked], state.now).unwrap();
    // What only the linked record may hold is looked for by the new field.
    state.capture(&[(1, "B")]);
    let entry = state.single();
    state.settle(&entry, Outcome::Unanswered { group: None, not_before: state.now });
    state.identity.external_id_field = "sother".into();
    state.restart();
    assert_eq!(state.sync.full_read, Some(FullReadReason::ExternalIdFieldChanged));
}

/// `protocol.md` D6: it may take effect after what is written next.
#[test]
fn what_is_on_its_way_when_the_definition_changes_is_looked_at_once_more() {
    type Change = fn(&mut SyncIdentity);
    let changes: [(Change, Change); 2] = [
        (|identity| identity.table = "t2".into(), |identity| identity.table = "t1".into()),
        (|identity| identity.external_id_field = "sother".into(), |_| {}),
    ];
    for (there, back) in changes {
        let mut state = settled();
        state.capture(&[(1, "B"), (2, "gone")]);
        state.call();
        state.call();
        there(&mut state.identity);
        state.restart();
        back(&mut state.identity);
        state.restart();
        assert_eq!((state.slots(1), state.slots(2)), ("link ?".into(), "link ?".into()));
        assert_eq!(state.store.second_looks(&state.writer, state.now, 9).unwrap(), []);
        state.later(3_600);
        let looks = state.store.second_looks(&state.writer, state.now, 9).unwrap();
        let keys: Vec<String> = looks.iter().map(|look| look.key.text().into_owned()).collect();
        assert_eq!(keys, ["1", "2"]);
    }
}

/// `protocol.md` D6: the same where the keys change. The records are looked at under the keys that they are linked to then.
#[test]
fn what_is_on_its_way_when_the_keys_change_is_looked_at_by_its_record() {
    let mut state = State::new();
    state.full_read(&[(1, "A"), (2, "A"), (3, "A"), (4, "A")], "w1");
    state.deliver();
    let unanswered = |state: &mut State, key| {
        state.capture(&[(key, "B")]);
        let entry = state.single();
        state.settle(&entry, Outcome::Unanswered { group: None, not_before: state.now });
        state.deliver();
    };
    unanswered(&mut state, 4);
    // What went unanswered so long ago has taken effect, or will not.
    state.later(3_600);
    unanswered(&mut state, 1);
    state.capture(&[(2, "gone")]);
    state.call();
    state.identity.key_hash = Some("k2".into());
    state.identity.accept_key_change = true;
    state.restart();
    state.store.begin_scan(&state.writer).unwrap();
    for number in 1..=4 {
        state.seen(10 + number, &record(number), Some(draft("A").fingerprint()));
    }
    let due = |state: &mut State| {
        let looks = state.store.second_looks(&state.writer, state.now, 9).unwrap();
        looks.into_iter().map(|look| look.key).collect::<Vec<_>>()
    };
    assert_eq!(due(&mut state), []);
    state.later(3_600);
    assert_eq!(due(&mut state), [Key::Int(11), Key::Int(12)]);
    let looked = |key| SecondSettlement { key, change: None, again_at: None };
    let looked = [Key::Int(11), Key::Int(12)].map(looked);
    state.store.settle_second_looks(&state.writer, &looked, state.now).unwrap();
    // Once is enough, however often the record is written then.
    state.capture(&[(11, "B")]);
    state.deliver();
    state.later(3_600);
    assert_eq!(due(&mut state), []);
}

#[test]
fn other_key_columns_stop_the_sync_until_a_person_agrees() {
    let mut state = settled();
    state.identity.key_hash = Some("k2".into());
    let before = state.dump();
    let refused = state.store.open_sync(&state.identity, state.now);
    assert_eq!(refused, Err(StateError::KeyChanged { sync: "customers".into() }));
    assert_eq!(state.dump(), before);

    state.identity.accept_key_change = true;
    state.restart();
    assert_eq!(state.sync.full_read, Some(FullReadReason::DefinitionChanged));
    assert_eq!(state.sync.watermark, None);
    assert_eq!(state.links(), 0);
    assert_eq!(state.store.mark(&state.writer).unwrap(), None);
    assert_eq!(state.slots(1), "");
    state.identity.accept_key_change = false;
    state.restart();
}

#[test]
fn the_key_cannot_change_while_a_create_is_in_doubt() {
    let mut state = settled();
    state.capture(&[(3, "A")]);
    state.call();
    state.identity.key_hash = Some("k2".into());
    state.identity.accept_key_change = true;
    let refused = state.store.open_sync(&state.identity, state.now);
    assert!(matches!(refused, Err(StateError::UnresolvedCreates { .. })), "{refused:?}");
}

#[test]
fn a_renamed_sync_keeps_everything() {
    let mut state = settled();
    let id = state.sync.id;
    state.identity =
        SyncIdentity { name: "clients".into(), previously: Some("customers".into()), ..identity() };
    state.restart();
    assert_eq!(state.sync.id, id);
    assert_eq!(state.sync.full_read, None);
    assert_eq!(state.sync.watermark, Some(Watermark("w1".into())));
    state.restart();
    assert_eq!(state.sync.id, id);
    assert_eq!(state.slots(1), "link A");
}

#[test]
fn an_old_name_does_not_take_over_a_sync_that_has_its_own_state() {
    for has_records in [true, false] {
        let mut state = settled();
        let customers = state.sync.id;
        state.identity.name = "clients".into();
        state.restart();
        let clients = state.sync.id;
        if has_records {
            state.adopt(9, None);
        } else {
            // It ran under its new name before anybody said which it was, and nothing came of that.
            state.capture(&[(1, "A")]);
        }
        state.identity.previously = Some("customers".into());
        state.restart();
        assert_eq!(state.sync.id, if has_records { clients } else { customers });
        assert_eq!(state.linked(1).is_some(), !has_records);
    }
}

/// A run by the old definition must not end the full read that the new one needs.
#[test]
fn a_definition_changed_by_another_process_stops_the_run_by_the_old_one() {
    for change in [
        |identity: &mut SyncIdentity| identity.values_hash = "v2".into(),
        |identity: &mut SyncIdentity| identity.table = "t2".into(),
    ] {
        let mut state = settled();
        let mut changed = state.identity.clone();
        change(&mut changed);
        let ticket = state.begin_read();
        state.store.open_sync(&changed, state.now).unwrap();
        let chunk = state.chunk(ticket, &[(1, "B")]);
        assert_eq!(state.store.capture(&state.writer, &chunk), Err(StateError::Fenced));
        let taken = state.store.hold(&state.sync, "by the old definition", state.now);
        assert_eq!(taken, Err(StateError::Fenced));
        state.identity = changed;
        state.restart();
        assert!(state.sync.full_read.is_some());
    }
}

#[test]
fn opening_a_sync_again_unchanged_disturbs_nobody() {
    let mut state = settled();
    let before = state.dump();
    state.store.open_sync(&state.identity, state.now).unwrap();
    assert_eq!(state.dump(), before);
    assert_eq!(state.capture(&[(1, "B")]).queued, 1);
}

#[test]
fn a_changed_structure_lets_stopped_syncs_go_and_makes_quarantined_rows_due() {
    let mut state = settled();
    let structure = |label: &str| sync_core::table::TableStructure {
        members: None,
        solution: None,
        id: "t1".into(),
        name: label.into(),
        primary_field: "title".into(),
        fields: Vec::new(),
    };
    assert!(state.store.set_structure(state.sync.destination, &structure("a"), state.now).unwrap());
    state.capture(&[(3, "B")]);
    let entry = state.single();
    state.settle(&entry, Outcome::Refused { fault: fault("unknown_choice") });
    state.store.set_stop(&state.writer, Some(&stop())).unwrap();
    assert!(
        !state.store.set_structure(state.sync.destination, &structure("a"), state.now).unwrap()
    );
    assert_eq!(
        state.store.release_quarantine(&state.writer, state.now, false).unwrap().released,
        0
    );
    assert!(state.store.set_structure(state.sync.destination, &structure("b"), state.now).unwrap());
    let read = state.store.structure(state.sync.destination).unwrap();
    assert_eq!(read, Some((structure("b"), state.now)));
    assert_eq!(
        state.store.release_quarantine(&state.writer, state.now, false).unwrap().released,
        1
    );
    state.restart();
    assert_eq!(state.sync.stopped, None);
    assert_eq!(state.linked(1), Some(record(1)));
    assert_eq!(state.slots(1), "link A", "{:?}", draft("A"));
}

#[test]
fn a_stop_remembers_the_api_key_it_is_about() {
    let mut state = settled();
    let about_key = Stop { key: Some("digest".into()), ..stop() };
    state.store.set_stop(&state.writer, Some(&about_key)).unwrap();
    state.restart();
    assert_eq!(state.sync.stopped, Some(about_key.clone()));
    let now = state.now;
    assert!(about_key.holds_for("digest", now) && !about_key.holds_for("other", now));
    assert!(stop().holds_for("digest", now) && stop().holds_for("other", now));
}

#[test]
fn a_stop_of_creates_takes_the_place_of_none_that_stops_everything() {
    let mut state = settled();
    let creates = Stop { only_creates: true, code: "plan_full".into(), ..stop() };
    state.store.set_stop(&state.writer, Some(&creates)).unwrap();
    assert_eq!(state.store.stop(&state.writer).unwrap(), Some(creates.clone()));
    state.store.set_stop(&state.writer, Some(&stop())).unwrap();
    state.store.set_stop(&state.writer, Some(&creates)).unwrap();
    assert_eq!(state.store.stop(&state.writer).unwrap(), Some(stop()));
    state.store.set_stop(&state.writer, None).unwrap();
    assert_eq!(state.store.stop(&state.writer).unwrap(), None);
}

#[test]
fn a_stop_that_runs_out_says_when() {
    let mut state = settled();
    let until = state.now + SignedDuration::from_secs(60);
    let passing = Stop { until: Some(until), ..stop() };
    state.store.set_stop(&state.writer, Some(&passing)).unwrap();
    state.restart();
    assert_eq!(state.sync.stopped, Some(passing.clone()));
    assert!(passing.holds_for("digest", until - SignedDuration::from_millis(1)));
    assert!(!passing.holds_for("digest", until));
    assert_eq!(passing.advice(), "r; the sync tries again by itself after 2026-11-23 10:01 UTC");
    assert_eq!(stop().advice(), "r");
    state.store.set_stop(&state.writer, Some(&stop())).unwrap();
    state.restart();
    assert_eq!(state.sync.stopped, Some(stop()), "the next one holds until somebody acts");
}

#[test]
fn to_look_at_a_sync_applies_no_rule() {
    let mut state = settled();
    let (sync, destination) = state.store.place(&state.identity).unwrap();
    assert_eq!((sync, destination), (state.sync.id, state.sync.destination));
    let renamed = SyncIdentity {
        name: "clients".into(),
        previously: Some("customers".into()),
        table: "t2".into(),
        values_hash: "v2".into(),
        key_hash: Some("k2".into()),
        ..identity()
    };
    let (sync, destination) = state.store.place(&renamed).unwrap();
    assert_eq!(sync, state.sync.id);
    assert_ne!(destination, state.sync.destination);
    state.restart();
    assert_eq!(state.sync.full_read, None, "it is as it was");
    assert_eq!(state.slots(1), "link A");
    // Looked at before it was ever run, and then renamed as announced.
    state.identity = SyncIdentity { key_hash: Some("k1".into()), ..renamed };
    state.restart();
    assert_eq!(state.sync.id, sync);
}

#[test]
fn a_table_that_changed_what_rows_become_is_read_for_in_full() {
    let mut state = settled();
    assert!(!state.store.see_shape(&state.writer, "s1").unwrap(), "the first sight is no change");
    assert!(!state.store.see_shape(&state.writer, "s1").unwrap());
    state.capture(&[(3, "B")]);
    let entry = state.single();
    state.settle(&entry, Outcome::Refused { fault: fault("unknown_choice") });
    assert!(state.store.see_shape(&state.writer, "s2").unwrap());
    let released = state.store.release_quarantine(&state.writer, state.now, false).unwrap();
    assert_eq!(released.released, 1);
    state.restart();
    assert_eq!(state.sync.full_read, Some(FullReadReason::SchemaChanged));
    // What a person changes then says more.
    let changed = SyncIdentity { values_hash: "other".into(), ..state.identity.clone() };
    let opened = state.store.open_sync(&changed, state.now).unwrap();
    assert_eq!(opened.full_read, Some(FullReadReason::DefinitionChanged));
    state.identity = changed;
    state.restart();
    state.full_read(&[], "w2");
    assert!(!state.store.see_shape(&state.writer, "s2").unwrap());
    state.restart();
    assert_eq!(state.sync.full_read, None);
}

/// A key is its member: what an answer showed in one table holds in the others of the workspace, and in no other's.
#[test]
fn the_tokens_member_is_known_in_every_table_of_its_workspace() {
    let mut state = State::new();
    let elsewhere = |name: &str, account: &str, table: &str| SyncIdentity {
        name: name.into(),
        account: account.into(),
        table: table.into(),
        ..identity()
    };
    let mut writers = Vec::new();
    for (name, account, table) in
        [("beside", "s1234567", "t2"), ("foreign", "s7654321", "t1"), ("later", "s1234567", "t3")]
    {
        if name == "later" {
            // Of a table that is new, another one tells.
            state.store.set_own_member(&state.writer, "m1").unwrap();
        }
        let sync = state.store.open_sync(&elsewhere(name, account, table), state.now).unwrap();
        writers.push(state.store.hold(&sync, name, state.now).unwrap());
    }
    let known = |state: &mut State, writer: &Writer| state.store.own_member(writer).unwrap();
    let member = |name: &str| Some(name.to_owned());
    let told: Vec<_> = writers.iter().map(|writer| known(&mut state, writer)).collect();
    assert_eq!(told, [member("m1"), None, member("m1")]);
    // Another key, another member: the newest answer counts everywhere.
    state.store.set_own_member(&writers[2], "m2").unwrap();
    let (own, told) = (state.writer, known(&mut state, &writers[0]));
    assert_eq!((told, known(&mut state, &own)), (member("m2"), member("m2")));
    assert_eq!(known(&mut state, &writers[1]), None);
}
