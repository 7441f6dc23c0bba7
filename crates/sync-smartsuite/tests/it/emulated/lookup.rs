//! Finding records: by external id, above a mark, all of them.

use std::collections::BTreeSet;

use serde_json::json;
use smartsuite_emulator::{ProfileName, RouteKind};
use sync_core::{
    field_value::FieldValue,
    port::{PAGE_MAX, RecordFilter, RecordShape, RecordTarget},
    scan::TableScan,
};

use super::world::{World, builder, demo_options, table};

#[tokio::test]
async fn an_external_id_finds_its_record_and_none_that_looks_like_it() {
    for profile in ProfileName::ALL {
        let world = World::new(profile).await;
        let alike = ["AB", "ab", "Ab c", "a\"b", "ä", "~%20", "1001", "01001", "%", "a|b\\|c"];
        let rows: Vec<_> = alike.iter().map(|id| World::row(id, &[])).collect();
        let records = world.create(&rows).await;
        for (id, record) in alike.iter().zip(&records) {
            let found = world.found(&[id]).await;
            assert_eq!(found.len(), 1, "{profile} {id}");
            assert_eq!(found[0].id, record.id, "{profile} {id}");
        }
        assert!(world.found(&["missing", "AB ", "aB"]).await.is_empty(), "{profile}");
        assert_eq!(world.found(&alike).await.len(), alike.len(), "{profile}");
    }
}

#[tokio::test]
async fn twenty_four_ids_and_a_control_fit_one_look_up() {
    for profile in ProfileName::ALL {
        let world = World::new(profile).await;
        let ids: Vec<String> = (0..25).map(|n| format!("key-{n}")).collect();
        let rows: Vec<_> = ids.iter().map(|id| World::row(id, &[])).collect();
        let created = world.create(&rows).await;
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let found = world.found(&ids).await;
        assert_eq!(found.len(), 25, "{profile}");
        let numbers: Vec<_> = found.iter().map(|record| record.autonumber).collect();
        assert!(numbers.is_sorted(), "{profile}: in order of the autonumber");
        let ids = |records: &[sync_core::record::SeenRecord]| {
            records.iter().map(|record| record.id.clone()).collect::<BTreeSet<_>>()
        };
        assert_eq!(ids(&found), ids(&created), "{profile}");
    }
}

#[tokio::test]
async fn a_number_field_carries_ids_too() {
    for profile in ProfileName::ALL {
        let world = World::new(profile).await;
        let number = |text: &str| FieldValue::Number(text.parse().unwrap());
        let rows = [
            World::row("a", &[("snumext001", number("42"))]),
            World::row("b", &[("snumext001", number("420"))]),
            World::row("c", &[("snumext001", number("-1"))]),
        ];
        world.create(&rows).await;
        let external_id = world.shape.field("snumext001").unwrap().clone();
        let shape = RecordShape { external_id, ..world.shape.clone() };
        let filter = RecordFilter::ExternalIds(vec!["42".to_owned(), "-1".to_owned()]);
        let page = world.client.list(&shape, &filter, 0, 25).await.unwrap();
        let ids: BTreeSet<_> =
            page.records.iter().filter_map(|record| record.external_id.as_deref()).collect();
        assert_eq!(ids, BTreeSet::from(["42", "-1"]), "{profile}");
    }
}

#[tokio::test]
async fn above_a_mark_lie_only_later_records() {
    for profile in ProfileName::ALL {
        let world = World::new(profile).await;
        let rows: Vec<_> = (0..6).map(|n| World::row(&format!("k{n}"), &[])).collect();
        let records = world.create(&rows).await;
        let mut numbers: Vec<u64> = records.iter().filter_map(|r| r.autonumber).collect();
        numbers.sort_unstable();
        let filter = RecordFilter::Above(numbers[2]);
        let page = world.client.list(&world.shape, &filter, 0, PAGE_MAX).await.unwrap();
        let later: Vec<u64> = page.records.iter().filter_map(|r| r.autonumber).collect();
        assert_eq!(later, numbers[3..], "{profile}");
        assert_eq!((page.total, page.received), (3, 3), "{profile}");
        assert_eq!(page.rising_to, numbers.last().copied(), "{profile}");
        let beyond = RecordFilter::Above(*numbers.last().unwrap());
        let page = world.client.list(&world.shape, &beyond, 0, PAGE_MAX).await.unwrap();
        assert_eq!((page.records.len(), page.total), (0, 0), "{profile}");
    }
}

#[tokio::test]
async fn a_whole_table_is_read_a_thousand_at_a_time() {
    for profile in ProfileName::ALL {
        let mut seeded = table();
        for n in 0..2500 {
            seeded = seeded.record(json!({ "title": "t", "sextid0001": format!("k{n}") }));
        }
        let builder = smartsuite_emulator::Emulator::builder()
            .named_profile(profile)
            .unlimited()
            .now("2026-01-05T08:00:00Z".parse().unwrap())
            .table(super::world::other_table())
            .table(seeded);
        let step = std::time::Duration::from_secs(2);
        let world = World::from(profile, builder, &demo_options(), step).await;
        let mut scan = TableScan::whole();
        let mut seen = BTreeSet::new();
        while let Some(filter) = scan.next() {
            let page = world.client.list(&world.shape, &filter, 0, PAGE_MAX).await.unwrap();
            scan.take(&page).unwrap();
            for record in page.records {
                assert!(seen.insert(record.external_id), "{profile}: seen once");
            }
        }
        assert_eq!(seen.len(), 2500, "{profile}");
        let calls = world.service.emulator().counters().by_route[&RouteKind::List];
        assert_eq!(calls, 3, "{profile}");
    }
}

#[tokio::test]
async fn a_page_beyond_the_end_is_empty() {
    for profile in ProfileName::ALL {
        let world = World::from(profile, builder(profile), &demo_options(), STEP).await;
        let page = world.client.list(&world.shape, &RecordFilter::All, 5000, 1000).await.unwrap();
        assert_eq!((page.records.len(), page.received, page.rising_to), (0, 0, None), "{profile}");
    }
}

const STEP: std::time::Duration = std::time::Duration::from_secs(2);
