//! Bulk writes: what an answer names is there, what it does not name can be found out.

use std::collections::BTreeSet;

use smartsuite_emulator::{Fault, FaultKind, ProfileName, RouteKind};
use sync_core::{
    draft::Fields,
    error::CallErrorKind,
    field_value::FieldValue,
    port::RecordTarget,
    record::{RecordId, SeenRecord},
};

use super::world::World;

fn rows(count: usize) -> Vec<Fields> {
    (0..count).map(|n| World::row(&format!("k{n}"), &[])).collect()
}

fn ids(records: &[SeenRecord]) -> Vec<RecordId> {
    records.iter().map(|record| record.id.clone()).collect()
}

#[tokio::test]
async fn twenty_five_records_are_created_and_named_by_their_external_ids() {
    for profile in ProfileName::ALL {
        let world = World::new(profile).await;
        let answer = world.client.create(&world.shape, &rows(25)).await.unwrap();
        let named: BTreeSet<_> =
            answer.records.iter().filter_map(|record| record.external_id.clone()).collect();
        assert_eq!(named.len(), 25, "{profile}");
        assert!(answer.complaints.is_empty() && !answer.retry_as_is, "{profile}");
        assert_eq!(world.service.count(), 25, "{profile}");
    }
}

#[tokio::test]
async fn twenty_six_are_refused_and_none_is_written() {
    for profile in ProfileName::ALL {
        let world = World::new(profile).await;
        let error = world.client.create(&world.shape, &rows(26)).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Refused { status: 422 }, "{profile}");
        assert_eq!(world.service.count(), 0, "{profile}");
    }
}

#[tokio::test]
async fn one_bad_row_is_found_by_its_field_and_what_was_written_is_known() {
    for profile in ProfileName::ALL {
        let world = World::new(profile).await;
        let mut rows = rows(5);
        let bad = FieldValue::List(vec!["https://bad host/".to_owned()]);
        rows[2] = World::row("k2", &[("slink00001", bad)]);
        let (named, mut complaints) = match world.client.create(&world.shape, &rows).await {
            Ok(answer) => (answer.records, answer.complaints),
            Err(error) => {
                assert!(matches!(error.kind, CallErrorKind::Refused { .. }), "{profile} {error}");
                (Vec::new(), error.complaints)
            }
        };
        if complaints.is_empty() {
            // Passed over in silence. The same row alone is too, and then asked about by another route.
            let alone = &rows[2..3];
            assert!(world.client.create(&world.shape, alone).await.unwrap().records.is_empty());
            complaints = world.client.create(&world.shape, alone).await.unwrap_err().complaints;
            assert_eq!(complaints[0].item.take(), Some(0), "{profile}");
        }
        let [complaint] = complaints.as_slice() else { panic!("{profile}: one complaint") };
        assert_eq!(complaint.message.0, "URL is not valid", "{profile}");
        assert_eq!(complaint.slug.as_deref(), Some("slink00001"), "{profile}");
        assert!(complaint.item.is_none_or(|item| item == 2), "{profile}");
        let there = world.found(&["k0", "k1", "k2", "k3", "k4"]).await;
        assert_eq!(there.len() as u64, world.service.count(), "{profile}");
        let there: BTreeSet<_> = ids(&there).into_iter().collect();
        assert!(ids(&named).iter().all(|id| there.contains(id)), "{profile}: named is there");
    }
}

#[tokio::test]
async fn an_answer_that_leaves_items_out_names_the_rest() {
    for profile in ProfileName::ALL {
        let world = World::new(profile).await;
        let short = Fault::new(FaultKind::ShortAnswer(3)).on(&[RouteKind::BulkCreate]);
        world.service.emulator().add_fault(short.after_the_effect());
        let answer = world.client.create(&world.shape, &rows(10)).await.unwrap();
        assert_eq!(answer.records.len(), 7, "{profile}");
        assert_eq!(world.service.count(), 10, "{profile}: all were written");
    }
}

#[tokio::test]
async fn an_update_changes_each_record_once_and_unknown_ids_are_told_or_left_out() {
    for profile in ProfileName::ALL {
        let world = World::new(profile).await;
        let records = world.create(&rows(3)).await;
        let title = |text: &str| Fields::new(vec![("title".into(), FieldValue::text(text))]);
        let mut items: Vec<_> = records
            .iter()
            .enumerate()
            .map(|(n, record)| (record.id.clone(), title(&format!("title {n}"))))
            .collect();
        let answer = world.client.update(&world.shape, &items).await.unwrap();
        let named: BTreeSet<_> = ids(&answer.records).into_iter().collect();
        assert_eq!(named, ids(&records).into_iter().collect(), "{profile}");

        items.push((RecordId("6500000000000000000000ff".to_owned()), title("nowhere")));
        match world.client.update(&world.shape, &items).await {
            Ok(answer) => assert_eq!(answer.records.len(), 3, "{profile}"),
            Err(error) => assert_eq!(error.kind, CallErrorKind::NotFound, "{profile}"),
        }
        let alone = world.client.update(&world.shape, &items[3..]).await;
        match alone {
            Ok(answer) => assert!(answer.records.is_empty(), "{profile}"),
            Err(error) => assert_eq!(error.kind, CallErrorKind::NotFound, "{profile}"),
        }
    }
}

#[tokio::test]
async fn deleted_records_are_gone_for_every_call() {
    for profile in ProfileName::ALL {
        let world = World::new(profile).await;
        let records = ids(&world.create(&rows(4)).await);
        let (doomed, kept) = records.split_at(2);
        let named = world.client.delete(&world.shape.table, doomed).await.unwrap();
        assert_eq!(BTreeSet::from_iter(&named), BTreeSet::from_iter(doomed), "{profile}");
        assert_eq!(ids(&world.found(&["k0", "k1", "k2", "k3"]).await), kept, "{profile}");
        for id in doomed {
            assert_eq!(world.client.get(&world.shape, id).await, Ok(None), "{profile}");
        }
        let item = [(doomed[0].clone(), rows(1).remove(0))];
        match world.client.update(&world.shape, &item).await {
            Ok(answer) => assert!(answer.records.is_empty(), "{profile}: not named"),
            Err(error) => assert_eq!(error.kind, CallErrorKind::NotFound, "{profile}"),
        }
        match world.client.delete(&world.shape.table, &records).await {
            Ok(named) => assert_eq!(BTreeSet::from_iter(&named), BTreeSet::from_iter(kept)),
            Err(error) => assert_eq!(error.kind, CallErrorKind::NotFound, "{profile}"),
        }
    }
}

#[tokio::test]
async fn every_call_is_one_request() {
    for profile in ProfileName::ALL {
        let world = World::new(profile).await;
        let requests = || world.service.emulator().counters().requests;
        world.client.create(&world.shape, &rows(25)).await.unwrap();
        assert_eq!(requests(), 1, "{profile}");
        let found = world.found(&["k0"]).await;
        assert_eq!(requests(), 2, "{profile}");
        world.client.get(&world.shape, &found[0].id).await.unwrap();
        assert_eq!(requests(), 3, "{profile}");
        let items = [(found[0].id.clone(), rows(1).remove(0))];
        world.client.update(&world.shape, &items).await.unwrap();
        assert_eq!(requests(), 4, "{profile}");
        world.client.delete(&world.shape.table, &ids(&found)).await.unwrap();
        assert_eq!(requests(), 5, "{profile}");
        world.client.structure(&world.shape.table).await.unwrap();
        assert_eq!(requests(), 6, "{profile}");
    }
}
