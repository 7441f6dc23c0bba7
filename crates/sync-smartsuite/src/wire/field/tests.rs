use std::collections::BTreeSet;

use proptest::{collection, option, prelude::*};
use serde_json::{Value, json, value::RawValue};
use sync_core::{
    field_value::{
        ADDRESS_PARTS, DateStamp, FULL_NAME_PARTS, FieldValue, Phone, SOCIAL_NETWORK_PARTS,
    },
    table::FieldKind,
    value::Decimal,
};

use super::{codec, read, write};

fn raw(json: &Value) -> Box<RawValue> {
    RawValue::from_string(json.to_string()).unwrap()
}

fn read_json(kind: &FieldKind, json: &Value) -> FieldValue {
    read(kind, &raw(json))
}

fn number(text: &str) -> FieldValue {
    FieldValue::Number(text.parse().unwrap())
}

fn day(text: &str) -> FieldValue {
    FieldValue::Date { at: text.parse().unwrap(), include_time: false }
}

fn moment(text: &str) -> FieldValue {
    FieldValue::Date { at: text.parse().unwrap(), include_time: true }
}

fn choice(id: &str) -> FieldValue {
    FieldValue::Choice(id.to_owned())
}

fn ids(list: &[&str]) -> FieldValue {
    FieldValue::ids(list.iter().map(|&id| id.to_owned()))
}

fn list(entries: &[&str]) -> FieldValue {
    FieldValue::list(entries.iter().map(|&entry| entry.to_owned()).collect())
}

/// Asserts what each JSON reads as.
fn check_read(kind: &FieldKind, cases: &[(Value, FieldValue)]) {
    for (json, expected) in cases {
        assert!(read_json(kind, json) == *expected, "{kind:?} reads {json}");
    }
}

const WRITABLE: &[FieldKind] = &[
    FieldKind::Text,
    FieldKind::TextArea,
    FieldKind::Title,
    FieldKind::RichText,
    FieldKind::Number,
    FieldKind::Currency,
    FieldKind::Percent,
    FieldKind::Duration,
    FieldKind::NumberSlider,
    FieldKind::PercentComplete,
    FieldKind::Rating,
    FieldKind::YesNo,
    FieldKind::SingleSelect,
    FieldKind::MultipleSelect,
    FieldKind::Status,
    FieldKind::Tags,
    FieldKind::Date,
    FieldKind::Email,
    FieldKind::Phone,
    FieldKind::Link,
    FieldKind::User,
    FieldKind::LinkedRecord,
    FieldKind::DateRange,
    FieldKind::DueDate,
    FieldKind::Time,
    FieldKind::Address,
    FieldKind::FullName,
    FieldKind::IpAddress,
    FieldKind::SocialNetwork,
    FieldKind::ColorPicker,
];

#[test]
fn every_known_type_but_the_computed_one_is_writable() {
    let known = FieldKind::KNOWN.iter().filter(|kind| **kind != FieldKind::AutoNumber);
    assert_eq!(known.collect::<BTreeSet<_>>(), WRITABLE.iter().collect());
}

#[test]
fn every_way_of_showing_nothing_is_empty() {
    for kind in WRITABLE.iter().filter(|kind| **kind != FieldKind::YesNo) {
        check_read(kind, &[(json!(null), FieldValue::Empty), (json!(""), FieldValue::Empty)]);
    }
    let array = (json!([]), FieldValue::Empty);
    let date = (json!({ "date": null, "include_time": false }), FieldValue::Empty);
    let select = (json!({ "label": "", "value": "" }), FieldValue::Empty);
    let status = (json!({ "value": "", "updated_on": null }), FieldValue::Empty);
    let phone = json!([{ "phone_country": "US", "phone_number": "", "phone_type": 1 }]);
    check_read(&FieldKind::Email, std::slice::from_ref(&array));
    check_read(&FieldKind::LinkedRecord, std::slice::from_ref(&array));
    check_read(&FieldKind::Date, &[date, array.clone()]);
    check_read(&FieldKind::SingleSelect, &[select, array.clone(), (json!({}), FieldValue::Empty)]);
    check_read(&FieldKind::Status, &[status, (json!({ "value": null }), FieldValue::Empty)]);
    check_read(
        &FieldKind::YesNo,
        &[(json!(false), FieldValue::Empty), (json!(null), FieldValue::Empty)],
    );
    check_read(&FieldKind::Phone, &[array, (phone, FieldValue::Empty)]);
    let doc = json!({ "data": { "type": "doc", "content": [] }, "html": "", "preview": "" });
    check_read(&FieldKind::RichText, &[(doc, FieldValue::Empty)]);
}

#[test]
fn ranges_and_compound_values_are_read_without_what_is_not_theirs() {
    let end = |text: &str| Some(DateStamp { at: text.parse().unwrap(), include_time: true });
    let date = json!({ "date": "2025-05-30T08:00:00Z", "include_time": true });
    let nothing = json!({ "date": null, "include_time": false });
    let due = json!({ "from_date": nothing, "to_date": date, "is_overdue": true, "status_updated_on": null });
    let range = FieldValue::date_range(None, end("2025-05-30T08:00:00Z"));
    let texts = json!({ "from_date": null, "to_date": "2025-05-30T08:00:00Z" });
    check_read(&FieldKind::DueDate, &[(due, range.clone()), (texts, range)]);
    let none = json!({ "from_date": nothing, "to_date": nothing });
    check_read(&FieldKind::DateRange, &[(none, FieldValue::Empty)]);
    let place = json!({ "location_city": "Berlin", "location_zip": "", "location_state": null,
        "location_latitude": "52.50", "sys_root": "Berlin" });
    let parts = [("location_city", "Berlin"), ("location_latitude", "52.5")];
    let parts = FieldValue::parts(parts.map(|(name, text)| (name.to_owned(), text.to_owned())));
    check_read(&FieldKind::Address, &[(place, parts)]);
    let address = json!([{ "country_code": "us", "address": "2001:0DB8:0::1" }]);
    check_read(&FieldKind::IpAddress, &[(address, list(&["2001:db8::1"]))]);
    let color = json!([{ "name": "reddish", "value": "#814c4C" }]);
    check_read(&FieldKind::ColorPicker, &[(color, list(&["#814C4C"]))]);
    check_read(&FieldKind::Time, &[(json!("21:15"), FieldValue::text("21:15:00"))]);
}

#[test]
fn every_clearing_value_reads_back_as_empty() {
    for kind in WRITABLE {
        for form in 0..codec(kind).clear.len() {
            let json = write(kind, &FieldValue::Empty, form);
            assert!(read_json(kind, &json) == FieldValue::Empty, "{kind:?} form {form}: {json}");
        }
    }
}

#[test]
fn numbers_are_decimals_whatever_their_clothes() {
    let digits = "12345678901234567890123456789012345.123456789012345678901234567891";
    check_read(
        &FieldKind::Number,
        &[
            (json!("12.0"), number("12")),
            (json!("980.00"), number("980")),
            (json!(59), number("59")),
            (json!(" 7 "), number("7")),
            (serde_json::from_str(digits).unwrap(), number(digits)),
            (json!(digits), number(digits)),
        ],
    );
    assert_eq!(write(&FieldKind::Currency, &number(digits), 0), json!(digits));
    assert_eq!(write(&FieldKind::Rating, &number(digits), 0).to_string(), digits);
    assert_eq!(write(&FieldKind::NumberSlider, &number("59.00"), 0).to_string(), "59");
}

#[test]
fn selects_are_their_choice_plain_or_hydrated() {
    let cases = [
        (json!("tRmX9"), choice("tRmX9")),
        (json!({ "label": "Events", "value": "tRmX9" }), choice("tRmX9")),
        (json!({ "value": "complete", "updated_on": "2024-07-29T09:27:44Z" }), choice("complete")),
    ];
    check_read(&FieldKind::SingleSelect, &cases);
    check_read(&FieldKind::Status, &cases);
    assert_eq!(write(&FieldKind::SingleSelect, &choice("tRmX9"), 0), json!("tRmX9"));
    assert_eq!(write(&FieldKind::Status, &choice("tRmX9"), 0), json!({ "value": "tRmX9" }));
}

#[test]
fn references_are_a_set_plain_or_hydrated() {
    check_read(
        &FieldKind::User,
        &[
            (json!(["b", "a", "b"]), ids(&["a", "b"])),
            (json!([{ "id": "a", "full_name": { "first_name": "A" } }]), ids(&["a"])),
            (json!([{ "label": "L", "value": "v" }, null, ""]), ids(&["v"])),
            (json!("a"), ids(&["a"])),
        ],
    );
}

#[test]
fn dates_are_instants_and_a_day_has_no_time() {
    check_read(
        &FieldKind::Date,
        &[
            (
                json!({ "date": "2025-05-30T00:00:00Z", "include_time": false }),
                day("2025-05-30T00:00:00Z"),
            ),
            (
                json!({ "date": "2025-05-30T00:00:00.000000Z", "include_time": true }),
                moment("2025-05-30T00:00:00Z"),
            ),
            (
                json!({ "date": "2025-05-30T10:00:00+02:00", "include_time": true }),
                moment("2025-05-30T08:00:00Z"),
            ),
            (
                json!({ "date": "2025-05-30T23:59:59Z", "include_time": false }),
                day("2025-05-30T00:00:00Z"),
            ),
            (json!({ "date": "2025-05-30" }), day("2025-05-30T00:00:00Z")),
            (json!("2025-05-30T08:00:01"), moment("2025-05-30T08:00:01Z")),
            (json!("2025-05-30"), day("2025-05-30T00:00:00Z")),
        ],
    );
    let at = moment("2025-05-30T08:00:01Z");
    let object = json!({ "date": "2025-05-30T08:00:01Z", "include_time": true });
    assert_eq!(write(&FieldKind::Date, &at, 0), object);
    assert_eq!(write(&FieldKind::Date, &at, 1), json!("2025-05-30T08:00:01Z"));
}

#[test]
fn phones_are_digits_country_extension_and_kind() {
    let read = json!([{ "phone_country": "us", "phone_number": "913 555-1212", "phone_extension": "",
        "phone_type": 1, "sys_root": "19135551212", "sys_title": "+1 913 555 1212" }]);
    let phone = Phone {
        country: "US".to_owned(),
        digits: "9135551212".to_owned(),
        extension: String::new(),
        kind: 1,
    };
    check_read(&FieldKind::Phone, &[(read, FieldValue::Phones(vec![phone.clone()]))]);
    assert_eq!(
        write(&FieldKind::Phone, &FieldValue::Phones(vec![phone]), 0),
        json!([{ "phone_country": "US", "phone_number": "9135551212", "phone_extension": "", "phone_type": 1 }])
    );
}

#[test]
fn entries_keep_their_order() {
    let links = json!(["www.b.com", "www.a.com"]);
    check_read(&FieldKind::Link, &[(links, list(&["www.b.com", "www.a.com"]))]);
    check_read(&FieldKind::Email, &[(json!("a@b.c"), list(&["a@b.c"]))]);
}

#[test]
fn rich_text_is_its_words() {
    let doc = json!({ "html": "<div>", "preview": "p", "yjsData": "x", "data": { "type": "doc", "content": [
        { "type": "heading", "content": [{ "type": "text", "text": "Head" }] },
        { "type": "bulletList", "content": [{ "type": "listItem", "content": [
            { "type": "paragraph", "content": [
                { "type": "text", "text": "bold", "marks": [{ "type": "bold" }] },
                { "type": "text", "text": " plain" },
                { "type": "hardBreak" },
                { "type": "text", "text": "next" } ] } ] } ] } ] } });
    let text = FieldValue::text("Head\nbold plain\nnext");
    check_read(&FieldKind::RichText, &[(doc, text)]);
}

#[test]
fn what_cannot_be_read_is_neither_empty_nor_equal_to_anything() {
    let cases = [
        (FieldKind::Number, json!("twelve")),
        (FieldKind::Number, json!({ "a": 1 })),
        (FieldKind::YesNo, json!("perhaps")),
        (FieldKind::Date, json!("yesterday")),
        (FieldKind::Date, json!({ "date": 5 })),
        (FieldKind::Text, json!({ "a": 1 })),
        (FieldKind::Email, json!([1])),
        (FieldKind::LinkedRecord, json!([[]])),
        (FieldKind::Status, json!(true)),
        (FieldKind::Phone, json!([5])),
    ];
    for (kind, json) in cases {
        let FieldValue::Text(text) = read_json(&kind, &json) else {
            panic!("{kind:?} reads {json} as something else than text");
        };
        assert!(text.starts_with('\u{FFFF}'), "{kind:?} {json}");
    }
    let broken = serde_json::from_str::<&RawValue>(r#""\ud800""#).unwrap();
    assert_ne!(read(&FieldKind::Text, broken), FieldValue::Empty);
}

#[test]
fn a_huge_tree_is_not_loaded_and_a_huge_text_is() {
    let tree = format!("[{}1]", "{\"a\":1},".repeat(80_000));
    let tree: &RawValue = serde_json::from_str(&tree).unwrap();
    assert!(matches!(read(&FieldKind::Text, tree), FieldValue::Text(text) if text.len() < 300));
    let long = "x".repeat(1 << 20);
    assert!(read_json(&FieldKind::Text, &json!(long)) == FieldValue::Text(long));
}

#[test]
fn a_value_of_another_type_is_written_for_the_service_to_refuse() {
    assert_eq!(write(&FieldKind::Number, &FieldValue::text("abc"), 0), json!("abc"));
    assert_eq!(write(&FieldKind::Date, &number("5"), 1), json!("5"));
    assert_eq!(write(&FieldKind::Text, &FieldValue::Yes, 0), json!(true));
    assert_eq!(write(&FieldKind::Other("x".to_owned()), &ids(&["a"]), 0), json!(["a"]));
}

#[test]
fn a_form_that_does_not_exist_is_the_first() {
    assert_eq!(write(&FieldKind::Text, &FieldValue::text("a"), 9), json!("a"));
    assert_eq!(write(&FieldKind::Text, &FieldValue::Empty, 9), json!(""));
}

fn decimal() -> impl Strategy<Value = Decimal> {
    (any::<i128>(), 0_usize..30).prop_map(|(digits, scale)| {
        let text = digits.unsigned_abs().to_string();
        let text = format!("{text:0>width$}", width = scale + 1);
        let (whole, part) = text.split_at(text.len() - scale);
        let sign = if digits < 0 { "-" } else { "" };
        format!("{sign}{whole}.{part}0").parse().unwrap()
    })
}

/// Values in canonical form that a draft may hold for a type.
fn canonical(kind: &FieldKind) -> BoxedStrategy<FieldValue> {
    let text = "\\PC{1,40}".prop_map(FieldValue::Text);
    let lines = "[a-zé\u{4e2d}\n ]{1,40}".prop_map(FieldValue::Text);
    let id = "[A-Za-z0-9_-]{1,24}";
    match kind {
        FieldKind::Text | FieldKind::Title => text.boxed(),
        FieldKind::TextArea | FieldKind::RichText => lines.boxed(),
        FieldKind::Number
        | FieldKind::Currency
        | FieldKind::Percent
        | FieldKind::Duration
        | FieldKind::NumberSlider
        | FieldKind::PercentComplete
        | FieldKind::Rating => decimal().prop_map(FieldValue::Number).boxed(),
        FieldKind::YesNo => Just(FieldValue::Yes).boxed(),
        FieldKind::SingleSelect | FieldKind::Status => id.prop_map(FieldValue::Choice).boxed(),
        FieldKind::MultipleSelect | FieldKind::Tags | FieldKind::User | FieldKind::LinkedRecord => {
            collection::btree_set(id, 1..5).prop_map(FieldValue::Ids).boxed()
        }
        FieldKind::DateRange | FieldKind::DueDate => {
            (option::of(canonical(&FieldKind::Date)), option::of(canonical(&FieldKind::Date)))
                .prop_filter("one end at least", |(from, to)| from.is_some() || to.is_some())
                .prop_map(|(from, to)| {
                    let end = |end: Option<FieldValue>| match end {
                        Some(FieldValue::Date { at, include_time }) => {
                            Some(DateStamp { at, include_time })
                        }
                        _ => None,
                    };
                    FieldValue::date_range(end(from), end(to))
                })
                .boxed()
        }
        FieldKind::Time => {
            "(0[0-9]|1[0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]".prop_map(FieldValue::Text).boxed()
        }
        FieldKind::Address => parts(ADDRESS_PARTS),
        FieldKind::FullName => parts(FULL_NAME_PARTS),
        FieldKind::SocialNetwork => parts(SOCIAL_NETWORK_PARTS),
        FieldKind::IpAddress => {
            let address = any::<std::net::IpAddr>().prop_map(|address| address.to_string());
            collection::vec(address, 1..4).prop_map(FieldValue::List).boxed()
        }
        FieldKind::ColorPicker => {
            collection::vec("#[0-9A-F]{6}", 1..4).prop_map(FieldValue::List).boxed()
        }
        FieldKind::Email | FieldKind::Link => {
            collection::vec("\\PC{1,30}", 1..4).prop_map(FieldValue::List).boxed()
        }
        FieldKind::Phone => {
            let phone = ("[A-Z]{2}", "[0-9]{1,15}", "[0-9]{0,5}", 0_u8..10).prop_map(
                |(country, digits, extension, kind)| Phone { country, digits, extension, kind },
            );
            collection::vec(phone, 1..4).prop_map(FieldValue::Phones).boxed()
        }
        FieldKind::Date => (-60_000_i64..2_900_000, 0_i64..86_400, any::<bool>())
            .prop_map(|(day, second, include_time)| {
                let second = if include_time { second } else { 0 };
                let at = jiff::Timestamp::from_second(day * 86_400 + second).unwrap();
                FieldValue::Date { at, include_time }
            })
            .boxed(),
        FieldKind::AutoNumber | FieldKind::Other(_) => unreachable!("never written"),
    }
}

fn parts(names: &'static [&'static str]) -> BoxedStrategy<FieldValue> {
    let name = proptest::sample::select(names);
    collection::btree_map(name.prop_map(str::to_owned), "[a-zé ]{1,20}", 1..4)
        .prop_map(FieldValue::Parts)
        .boxed()
}

fn kind_and_value() -> impl Strategy<Value = (FieldKind, FieldValue)> {
    proptest::sample::select(WRITABLE).prop_flat_map(|kind| (Just(kind.clone()), canonical(&kind)))
}

proptest! {
    #[test]
    fn what_is_written_reads_back_equal((kind, value) in kind_and_value()) {
        let json = write(&kind, &value, 0);
        prop_assert!(read_json(&kind, &json) == value, "{:?} {}", kind, json);
    }

    #[test]
    fn no_json_is_too_strange_to_read(json in any_json()) {
        for kind in WRITABLE {
            let first = read_json(kind, &json);
            // Canonical means that reading is stable: what was read can be written and read again.
            if first.kind() != "text" {
                prop_assert!(read_json(kind, &write(kind, &first, 0)) == first, "{:?} {}", kind, json);
            }
        }
    }
}

/// JSON of the members that real values have, in wrong places too.
fn any_json() -> impl Strategy<Value = Value> {
    let name = proptest::sample::select(vec![
        "date",
        "include_time",
        "value",
        "label",
        "id",
        "data",
        "type",
        "content",
        "text",
        "phone_number",
        "phone_type",
        "phone_country",
        "items",
        "from_date",
        "to_date",
        "address",
        "location_city",
        "first_name",
    ]);
    let word = proptest::sample::select(vec![
        "",
        "a",
        "12.0",
        "2025-05-30",
        "2025-05-30T10:00:00Z",
        "doc",
        "paragraph",
        "text",
        "true",
        "+1 913",
        "9999-12-31T23:59:59.999Z",
        "-009999-01-01",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}
