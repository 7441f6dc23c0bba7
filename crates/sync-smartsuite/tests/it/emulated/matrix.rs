//! Bulk creates under every mixture of the answers that public material leaves open.

use serde_json::json;
use smartsuite_emulator::{Emulator, Profile, ProfileName};
use sync_core::{draft::Fields, error::CallErrorKind, field_value::FieldValue, port::RecordTarget};

use super::world::{World, demo_options, other_table, table};

/// The positions that are mixed: every one with every other.
const MIXED: [(&str, &[&str]); 5] = [
    ("date_forms", &["both", "object", "text"]),
    ("bulk_answer", &["array", "items", "outcomes"]),
    ("bulk_order", &["input", "shuffled"]),
    ("bulk_bad_item", &["refuse_all", "partial", "partial_then_refuse"]),
    ("bulk_errors", &["items_object", "aligned_array", "fields_only"]),
];

fn mixtures() -> Vec<Profile> {
    MIXED.iter().fold(vec![Profile::default()], |profiles, (switch, positions)| {
        let with = |profile: &Profile, position: &str| {
            let mut profile = profile.clone();
            profile.apply(json!({ *switch: position }).as_object().unwrap()).unwrap();
            profile
        };
        let each = |profile: Profile| positions.iter().map(move |at| with(&profile, at));
        profiles.into_iter().flat_map(each).collect()
    })
}

async fn world(profile: Profile) -> World {
    let builder = Emulator::builder()
        .profile(profile)
        .unlimited()
        .now("2026-01-05T08:00:00Z".parse().unwrap())
        .table(other_table())
        .table(table());
    let step = std::time::Duration::from_secs(2);
    World::from(ProfileName::Default, builder, &demo_options(), step).await
}

fn dated(id: &str) -> Fields {
    let at = "2025-05-30T08:09:10Z".parse().unwrap();
    let date = FieldValue::Date { at, include_time: true };
    World::row(id, &[("sdatetime1", date)])
}

#[tokio::test]
async fn good_rows_arrive_once_whatever_form_their_dates_must_have() {
    for profile in mixtures() {
        let world = world(profile).await;
        let rows: Vec<_> = (0..8).map(|n| dated(&format!("k{n}"))).collect();
        let records = world.create(&rows).await;
        for (row, record) in rows.iter().zip(&records) {
            assert_eq!(row.differing(&record.fields), [], "as it was sent");
        }
        assert_eq!(world.service.count(), 8);
        // What was learnt is not asked again.
        let before = world.service.emulator().counters().requests;
        let more: Vec<_> = (8..16).map(|n| dated(&format!("k{n}"))).collect();
        let answer = world.client.create(&world.shape, &more).await.unwrap();
        assert_eq!(answer.records.len(), 8);
        assert_eq!(world.service.emulator().counters().requests, before + 1);
    }
}

#[tokio::test]
async fn a_bad_row_alone_is_always_given_a_reason() {
    for profile in mixtures() {
        let said = format!("{profile:?}");
        let world = world(profile).await;
        let bad = FieldValue::Choice("Active".to_owned());
        let row = [World::row("k1", &[("ssingle001", bad)])];
        let mut reasons = Vec::new();
        for _ in 0..2 {
            match world.client.create(&world.shape, &row).await {
                Ok(answer) => {
                    assert!(answer.records.is_empty(), "{said}");
                    reasons.extend(answer.complaints);
                }
                Err(error) => {
                    assert!(matches!(error.kind, CallErrorKind::Refused { .. }), "{said}");
                    assert!(!error.retry_as_is, "the value is to blame: {said}");
                    reasons.extend(error.complaints);
                }
            }
        }
        assert_eq!(reasons[0].slug.as_deref(), Some("ssingle001"), "{said}");
        assert_eq!(reasons[0].item, Some(0), "{said}");
        assert_eq!(world.service.count(), 0, "{said}");
    }
}
