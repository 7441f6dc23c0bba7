//! Every type of value, written, read, cleared.

use smartsuite_emulator::{DEMO_MEMBER, DEMO_PERSON, ProfileName};
use sync_core::{
    draft::Fields,
    field_value::{DateStamp, FieldValue, Phone},
    port::RecordTarget,
    record::SeenRecord,
    table::FieldKind,
};

use super::world::{OTHER_RECORD, OTHER_TABLE, TABLE, World};

fn number(text: &str) -> FieldValue {
    FieldValue::Number(text.parse().unwrap())
}

fn date(text: &str, include_time: bool) -> FieldValue {
    FieldValue::Date { at: text.parse().unwrap(), include_time }
}

fn ids(list: &[&str]) -> FieldValue {
    FieldValue::ids(list.iter().map(|&id| id.to_owned()))
}

fn list(entries: &[&str]) -> FieldValue {
    FieldValue::list(entries.iter().map(|&entry| entry.to_owned()).collect())
}

fn range(text: &str, include_time: bool) -> FieldValue {
    let end = DateStamp { at: text.parse().unwrap(), include_time };
    FieldValue::date_range(if include_time { None } else { Some(end) }, Some(end))
}

fn parts(parts: &[(&str, &str)]) -> FieldValue {
    FieldValue::parts(parts.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())))
}

/// A value of every writable type.
fn values() -> Vec<(&'static str, FieldValue)> {
    let phone = |country: &str, digits: &str, extension: &str, kind| Phone {
        country: country.to_owned(),
        digits: digits.to_owned(),
        extension: extension.to_owned(),
        kind,
    };
    let phones = vec![phone("US", "9135551212", "", 1), phone("DE", "305550123", "45", 2)];
    vec![
        ("title", FieldValue::text("Grüße \u{4e2d}\u{1f600} \"quoted\" \\ <b>")),
        ("snumext001", number("42")),
        ("stextarea1", FieldValue::text("one\ntwo\n\nfour")),
        ("srichtext1", FieldValue::text("one\ntwo\n\nfour")),
        ("snumber001", number("-12345678901234567890.1234")),
        ("scurrency1", number("19.95")),
        ("spercent01", number("42.5")),
        ("sduration1", number("94530")),
        ("sslider001", number("59")),
        ("spercomp01", number("72")),
        ("srating001", number("4")),
        ("syesno0001", FieldValue::Yes),
        ("ssingle001", FieldValue::Choice("aCt1V".to_owned())),
        ("smultiple1", ids(&["pEn3D", "aCt1V"])),
        ("sstatus001", FieldValue::Choice("iNa0T".to_owned())),
        ("sdate00001", date("2025-05-30T00:00:00Z", false)),
        ("sdatetime1", date("2025-05-30T08:09:10Z", true)),
        ("semail0001", list(&["b@example.com", "a@example.com"])),
        ("sphone0001", FieldValue::Phones(phones)),
        ("slink00001", list(&["www.example.com", "https://example.com/?q=1#x"])),
        ("suser00001", ids(&[DEMO_MEMBER, DEMO_PERSON])),
        ("slinked001", ids(&[OTHER_RECORD])),
        ("sdaterange", range("2025-05-30T00:00:00Z", false)),
        ("sduedate01", range("2025-05-30T08:09:10Z", true)),
        ("stimeofday", FieldValue::text("21:15:00")),
        (
            "saddress01",
            parts(&[("location_city", "Z\u{fc}rich"), ("location_latitude", "47.3769")]),
        ),
        ("sfullname1", parts(&[("title", "2"), ("last_name", "Lovelace")])),
        ("sipaddress", list(&["192.0.2.7", "2001:db8::1"])),
        ("ssocial001", parts(&[("linkedin_username", "ada")])),
        ("scolor0001", list(&["#814C4C"])),
    ]
}

/// A second value of every type, different from the first.
fn others() -> Vec<(&'static str, FieldValue)> {
    let other = |(slug, value): (&'static str, FieldValue)| {
        let other = match value {
            FieldValue::Number(_) => number("1"),
            FieldValue::Text(_) if slug == "stimeofday" => FieldValue::text("00:00:59"),
            FieldValue::Text(_) => FieldValue::text("other"),
            FieldValue::Choice(_) => FieldValue::Choice("pEn3D".to_owned()),
            FieldValue::Ids(_) if slug == "smultiple1" => ids(&["iNa0T"]),
            FieldValue::Ids(_) if slug == "suser00001" => ids(&[DEMO_PERSON]),
            FieldValue::List(_) if slug == "semail0001" => list(&["c@example.com"]),
            FieldValue::List(_) if slug == "sipaddress" => list(&["::1"]),
            FieldValue::List(_) if slug == "scolor0001" => list(&["#000000", "#FFFFFF"]),
            FieldValue::List(_) => list(&["example.org"]),
            FieldValue::DateRange { .. } => range("1999-12-31T00:00:00Z", false),
            FieldValue::Parts(_) if slug == "saddress01" => parts(&[("location_zip", "8001")]),
            FieldValue::Parts(_) if slug == "sfullname1" => parts(&[("first_name", "Ada")]),
            FieldValue::Parts(_) => parts(&[("twitter_username", "ada")]),
            FieldValue::Date { include_time, .. } if include_time => {
                date("1999-12-31T23:59:59Z", true)
            }
            FieldValue::Date { .. } => date("1999-12-31T00:00:00Z", false),
            FieldValue::Phones(mut phones) => {
                phones.truncate(1);
                FieldValue::Phones(phones)
            }
            FieldValue::Empty | FieldValue::Yes | FieldValue::Ids(_) => value,
        };
        (slug, other)
    };
    values().into_iter().map(other).collect()
}

/// Asserts that a record shows what was sent, as far as the profile keeps it.
fn check_same(world: &World, sent: &Fields, seen: &SeenRecord, when: &str) {
    let mut differing = sent.differing(&seen.fields);
    if world.profile == ProfileName::Adversarial {
        // There a user field cannot be written: it is saved empty, with 200.
        differing.retain(|slug| &**slug != "suser00001");
    }
    assert!(differing.is_empty(), "{} {when}: {differing:?} differ", world.profile);
}

/// Updates a record as the engine does, once more when the form of a value has changed.
async fn update(world: &World, record: &SeenRecord, fields: &Fields) {
    for _ in 0..4 {
        let items = [(record.id.clone(), fields.clone())];
        match world.client.update(&world.shape, &items).await {
            Ok(answer) if !answer.records.is_empty() => return,
            Ok(answer) => assert!(answer.retry_as_is, "{}: not named", world.profile),
            Err(error) => assert!(error.retry_as_is, "{}: {error}", world.profile),
        }
    }
    panic!("the update never arrived in {}", world.profile);
}

#[tokio::test]
async fn every_type_is_created_read_changed_and_cleared() {
    for profile in ProfileName::ALL {
        let world = World::new(profile).await;
        let row = World::row("k1", &values());
        assert_eq!(row.iter().count(), world.shape.fields.len(), "every field is covered");
        let record = world.create(std::slice::from_ref(&row)).await.remove(0);
        check_same(&world, &row, &record, "created");
        assert_eq!(record.created_by.as_deref(), Some(DEMO_MEMBER));
        assert_eq!(record.updated_by.as_deref(), Some(DEMO_MEMBER));
        assert!(record.autonumber.is_some());
        let got = world.client.get(&world.shape, &record.id).await.unwrap().unwrap();
        assert_eq!(got, record, "{profile}: read alone and in a list");

        let changed = World::row("k1", &others());
        update(&world, &record, &changed).await;
        check_same(&world, &changed, &world.found(&["k1"]).await[0], "changed");

        let cleared: Vec<_> =
            values().into_iter().map(|(slug, _)| (slug, FieldValue::Empty)).collect();
        let cleared = World::row("k1", &cleared);
        update(&world, &record, &cleared).await;
        check_same(&world, &cleared, &world.found(&["k1"]).await[0], "cleared");

        update(&world, &record, &row).await;
        check_same(&world, &row, &world.found(&["k1"]).await[0], "filled again");
    }
}

#[tokio::test]
async fn only_what_is_sent_changes() {
    for profile in ProfileName::ALL {
        let world = World::new(profile).await;
        let row = World::row("k1", &values());
        let record = world.create(std::slice::from_ref(&row)).await.remove(0);
        let part = Fields::new(vec![("scurrency1".into(), number("7"))]);
        update(&world, &record, &part).await;
        let seen = world.found(&["k1"]).await.remove(0);
        let differing: Vec<_> = row.differing(&seen.fields);
        let differing: Vec<_> =
            differing.iter().map(|slug| &**slug).filter(|slug| *slug != "suser00001").collect();
        assert_eq!(differing, ["scurrency1"], "{profile}");
    }
}

#[tokio::test]
async fn the_structure_is_the_table_that_was_seeded() {
    for profile in ProfileName::ALL {
        let world = World::new(profile).await;
        let table = world.client.structure(TABLE).await.unwrap();
        assert_eq!((table.id.as_str(), table.name.as_str()), (TABLE, "Everything"));
        assert_eq!(&*table.primary_field, "title");
        let field = |slug: &str| table.field(slug).unwrap();
        let labels: Vec<_> =
            field("sstatus001").choices.iter().map(|c| (&*c.id, &*c.label)).collect();
        assert_eq!(labels, [("aCt1V", "Active"), ("iNa0T", "Inactive"), ("pEn3D", "Pending")]);
        assert_eq!(field("snumber001").precision, Some(4));
        assert_eq!(field("slinked001").linked_table.as_deref(), Some(OTHER_TABLE));
        assert!(field("semail0001").multiple && !field("sextid0001").multiple);
        for slug in ["first_created", "last_updated", "autonumber", "comments_count"] {
            assert!(field(slug).read_only, "{profile} {slug}");
        }
        assert_eq!(field("autonumber").kind, FieldKind::AutoNumber);
    }
}
